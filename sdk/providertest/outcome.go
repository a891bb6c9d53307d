package providertest

import (
	"context"
	"fmt"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// Towards each trouble every call that has an effect is tried: create, and
// refund and cancel where the provider has them.
var outcomeRules = []rule{
	unknownRule("reset", "A connection that breaks once the request is on its way leaves the outcome UNKNOWN, whether or not the acquirer did it.", resetBefore, resetAfter),
	unknownRule("timeout", "No answer until the deadline leaves the outcome UNKNOWN, whether or not the acquirer did it, and the call ends with its deadline.", hangBefore, hangAfter),
	unknownRule("server_error", "An HTML page with 502 or 503 leaves the outcome UNKNOWN, whether or not the acquirer did it.", pageBefore, pageAfter),
	unknownRule("unreadable", "200 with half an answer, an HTML page or nothing leaves the outcome UNKNOWN.", halfAnswer, pageOK, emptyAnswer),
	{ID: "outcome/endless", Says: "An answer without end isn't read for ever, and leaves the outcome UNKNOWN.", Check: checkEndless},
	unknownRule("redirect", "A redirect isn't followed with what has an effect, and leaves the outcome UNKNOWN.", redirected),
	{ID: "outcome/unauthorized", Says: "401 is never a final no: the call succeeds with fresh credentials, or is CREDENTIALS_REFUSED; it is sent twice at most.", Check: checkUnauthorized},
	{ID: "outcome/unreachable", Says: "An acquirer that can't be connected to has done nothing: NOT_SENT.", Check: checkUnreachable},
	{ID: "outcome/over_already", Says: "A call whose time is over already sends nothing and isn't REFUSED.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		for _, e := range w.effects() {
			before := w.proxy.count(e.op)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := e.call(ctx)
			if err == nil || sdk.AsError(err).Outcome == sdk.OutcomeRefused {
				t.Errorf("%s: %v", e.op, describe(err))
			}
			if w.proxy.count(e.op) != before {
				t.Errorf("%s: it was sent", e.op)
			}
		}
	}},
	{ID: "outcome/authorize", Says: "A call that fails since no credentials could be had wasn't sent: NOT_SENT.", Check: checkNoToken},
	{ID: "outcome/query", Says: "A query that meets trouble gives an error, never a state, and never ORDER_NOT_FOUND.", Check: checkQueryTrouble},
	{ID: "outcome/refused", Says: "The acquirer's documented no is REFUSED, or an answer that says FAILED.", Check: func(t *rules.T, s *subject) {
		checkFault(t, s, FaultRefused, func(e *sdk.Error) bool { return e.Outcome == sdk.OutcomeRefused })
	}},
	{ID: "outcome/error_code", Says: "An error of the acquirer whose meaning isn't documented leaves the outcome UNKNOWN.", Check: func(t *rules.T, s *subject) {
		checkFault(t, s, FaultErrorCode, func(e *sdk.Error) bool { return e.Outcome == sdk.OutcomeUnknown })
	}},
}

// short is how long a call waits for an answer that doesn't come; and patience is
// what it gets to notice that it is over.
var short, patience = 250 * time.Millisecond, 5 * time.Second

// limited gives a call a deadline if it is to meet one.
func limited(ctx context.Context, what trouble, wait time.Duration) (context.Context, context.CancelFunc) {
	if what.hang {
		return context.WithTimeout(ctx, wait)
	}
	return context.WithCancel(ctx)
}

func unknownRule(name, says string, troubles ...trouble) rule {
	return rule{ID: "outcome/" + name, Says: says, Check: func(t *rules.T, s *subject) {
		for _, what := range troubles {
			w := newWorld(t, s)
			for _, e := range w.effects() {
				tries := w.meets(e, what, func(err error) {
					if got := sdk.AsError(err); err == nil || got.Outcome != sdk.OutcomeUnknown {
						t.Errorf("%s: %s: %s", e.op, what.name, describe(err))
					}
				})
				if n, known := e.made(); known && n > tries {
					t.Errorf("%s: %s: it was done %d times by %d calls", e.op, what.name, n, tries)
				}
			}
		}
	}}
}

// meets makes a call whose request suffers, and lets verdict look at the result.
// It says how often it had to make the call for that.
func (w *world) meets(e effect, what trouble, verdict func(error)) (tries int) {
	w.Helper()
	times := 1
	if what.hang {
		times = -1
	}
	armed, before := w.proxy.arm(e.op, times, what), w.proxy.count(e.op)
	defer w.proxy.arm(e.op, 0, trouble{})
	var err error
	// On a busy machine the time can be over before the request arrives. One that
	// comes late says nothing of the try that came after it.
	for wait := short; wait < 20*short && (w.proxy.struck(armed) == 0 || w.proxy.struck(armed) < tries && what.hang); wait *= 4 {
		tries++
		ctx, cancel := limited(w.Context(), what, wait)
		begun := time.Now()
		err = e.call(ctx)
		cancel()
		if took := time.Since(begun); what.hang && took > wait+patience {
			w.Errorf("%s: it took %s with a deadline of %s", e.op, took.Round(time.Second), wait)
		}
	}
	if w.proxy.struck(armed) == 0 {
		w.Fatalf("%s: no request was seen: does the harness's Op know it?", e.op)
	}
	verdict(err)
	if n := w.proxy.count(e.op) - before; n > tries && what.status != unauthorized.status {
		w.Errorf("%s: %s: it was sent %d times by one call", e.op, what.name, n)
	}
	return tries
}

func describe(err error) string {
	if err == nil {
		return "it succeeds"
	}
	e := sdk.AsError(err)
	return e.Outcome.String() + " " + err.Error()
}

// checkUnreachable closes the proxy. Another program may get its port at once,
// and answer where ports can't be held; hardly three times in a row.
func checkUnreachable(t *rules.T, s *subject) {
	var wrong []string
	for range 3 {
		w := newWorld(t, s)
		all := w.effects()
		if !w.proxy.close() {
			continue
		}
		wrong = nil
		for _, e := range all {
			// A connection that was kept may only now be found closed: UNKNOWN is right for that one.
			err := e.call(t.Context())
			for range 5 {
				if err != nil && sdk.AsError(err).Outcome == sdk.OutcomeUnknown {
					err = e.call(t.Context())
				}
			}
			if err == nil || sdk.AsError(err).Outcome != sdk.OutcomeNotSent {
				wrong = append(wrong, fmt.Sprintf("%s: %s", e.op, describe(err)))
			}
		}
		if wrong == nil {
			return
		}
	}
	if wrong == nil {
		t.Skipf("other programs take every port at once")
	}
	for _, what := range wrong {
		t.Errorf("%s", what)
	}
}

func checkEndless(t *rules.T, s *subject) {
	w := newWorld(t, s)
	bounded := func(op Op, armed *arming) {
		if w.proxy.tookAll(armed) {
			t.Errorf("%s: it took %d MiB, and would have taken more", op, mostTaken>>20)
		}
	}
	for _, e := range w.effects() {
		armed := w.proxy.arm(e.op, 1, endlessBody)
		err := e.call(t.Context())
		if got := sdk.AsError(err); err == nil || got.Outcome != sdk.OutcomeUnknown {
			t.Errorf("%s: %s", e.op, describe(err))
		}
		bounded(e.op, armed)
	}
	w = newWorld(t, s)
	order := w.create(w.request())
	armed := w.proxy.arm(OpQuery, 1, endlessBody)
	if p, err := w.provider.Query(t.Context(), sdk.QueryRequest{Order: order}); err == nil && p.Status != sdk.StatusUnknown {
		t.Errorf("%s: it is said to be %s", OpQuery, p.Status)
	}
	bounded(OpQuery, armed)
}

func checkUnauthorized(t *rules.T, s *subject) {
	for _, times := range []int{1, -1} {
		w := newWorld(t, s)
		for _, e := range w.effects() {
			before := w.proxy.count(e.op)
			w.proxy.arm(e.op, times, unauthorized)
			err := e.call(t.Context())
			if got := sdk.AsError(err); err != nil && (got.Code != sdk.CodeCredentialsRefused || got.Outcome == sdk.OutcomeRefused) || err == nil && times < 0 {
				t.Errorf("%s: %s", e.op, describe(err))
			}
			if n := w.proxy.count(e.op) - before; n > 2 {
				t.Errorf("%s: it was sent %d times by one call", e.op, n)
			}
			w.proxy.arm(e.op, 0, unauthorized)
		}
	}
}

func checkNoToken(t *rules.T, s *subject) {
	for _, what := range []trouble{resetBefore, pageBefore, unauthorized, tooMany(), halfAnswer} {
		w := newWorld(t, s)
		w.proxy.arm(OpAuthorize, -1, what)
		e := w.createEffect()
		err := e.call(t.Context())
		if w.proxy.count(OpAuthorize) == 0 {
			t.Skipf("Create needs no credentials that have to be fetched")
		}
		if got := sdk.AsError(err); err == nil || got.Outcome != sdk.OutcomeNotSent {
			t.Errorf("%s: %s", what.name, describe(err))
		}
		if n := w.proxy.count(OpCreate); n > 0 {
			t.Errorf("%s: %d orders were sent without credentials", what.name, n)
		}
	}
}

func checkQueryTrouble(t *rules.T, s *subject) {
	w := newWorld(t, s)
	order := w.paid()
	for _, what := range []trouble{resetBefore, pageBefore, pageMissing, pageOK, halfAnswer, emptyAnswer, tooMany("1"), unauthorized, hangBefore} {
		w.proxy.arm(OpQuery, -1, what)
		ctx, cancel := limited(t.Context(), what, short)
		p, err := w.provider.Query(ctx, sdk.QueryRequest{Order: order})
		cancel()
		if err == nil && p.Status != sdk.StatusUnknown || sdk.IsCode(err, sdk.CodeOrderNotFound) {
			t.Errorf("%s: %s %v", what.name, p.Status, err)
		}
	}
	w.proxy.arm(OpQuery, 0, trouble{})
	w.same(order, sdk.StatusSucceeded)
}

func checkFault(t *rules.T, s *subject, fault Fault, good func(*sdk.Error) bool) {
	w := newWorld(t, s)
	inject := w.Faults[fault]
	if inject == nil {
		t.Skipf("the harness has no fault %q", fault)
	}
	for _, e := range w.effects() {
		if e.op == OpCancel {
			continue // what refuses a cancel differs too much
		}
		inject(e.op)
		if err := e.call(t.Context()); err == nil || !good(sdk.AsError(err)) {
			t.Errorf("%s: %s", e.op, describe(err))
		}
		if n, known := e.made(); known && n > 0 {
			t.Fatalf("%s: the harness's fault %q lets it take effect: it has to strike this Op too", e.op, fault)
		}
	}
}
