package providertest

import (
	"context"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// Program is a [Plugin] that runs as a process of its own, as a host runs it.
type Program interface {
	Plugin
	// Spawn starts another process of the same program, which ends with the case.
	Spawn(t *rules.T) Process
}

// Process is a process of a [Program], to which bad things can happen.
type Process interface {
	Plugin
	// Kill kills the process and waits until its successor serves.
	Kill(ctx context.Context) error
	// Freeze stops the process where it is, until thaw is called.
	Freeze(ctx context.Context) (thaw func(), err error)
	// Stop ends the process and returns what it printed that is of no use in a log,
	// in words.
	Stop() (misprinted []string)
}

var chaosRules = []rule{
	{ID: "chaos/kill", Says: "A plugin that is killed in a call leaves the outcome UNKNOWN; its successor does nothing by itself, and finds what was made.", Limit: time.Minute, Check: checkKill},
	{ID: "chaos/freeze", Says: "A plugin that stands still in a call leaves the outcome UNKNOWN; once it goes on it serves again, and sends nothing twice.", Limit: time.Minute, Check: checkFreeze},
	{ID: "chaos/output", Says: "Whatever it meets, the plugin prints nothing to stdout, and to stderr no more than lines of text.", Limit: time.Minute, Check: checkOutput},
}

// spawn returns a world whose provider is in a process of its own.
func spawn(t *rules.T, s *subject) (*world, Process) {
	t.Helper()
	program, ok := s.Plugin.(Program)
	if !ok {
		t.Skipf("the plugin runs in this process; the case is for its binary")
	}
	process := program.Spawn(t)
	alone := *s
	alone.Plugin = process
	return newWorld(t, &alone), process
}

// interrupted makes a call and has something happen to the process while the
// acquirer has the request. The caller gives up only if it has to.
func (w *world) interrupted(e effect, what trouble, happens func(giveUp func())) {
	w.Helper()
	ctx, giveUp := context.WithCancel(w.Context())
	defer giveUp()
	armed := w.proxy.arm(e.op, 1, what)
	ended := make(chan error, 1)
	go func() { ended <- e.call(ctx) }()
	select {
	case <-armed.struck:
	case err := <-ended:
		w.Fatalf("%s: no request was seen (%s): does the harness's Op know it?", e.op, describe(err))
	}
	happens(giveUp)
	select {
	case err := <-ended:
		if err == nil || sdk.AsError(err).Outcome != sdk.OutcomeUnknown {
			w.Errorf("%s: %s: %s", e.op, what.name, describe(err))
		}
	case <-w.Context().Done():
		w.Fatalf("%s: %s: the call doesn't end", e.op, what.name)
	}
}

func checkKill(t *rules.T, s *subject) {
	for _, what := range []trouble{hangBefore, hangAfter} {
		w, process := spawn(t, s)
		other := w.create(w.request())
		for _, e := range w.effects() {
			sent := w.proxy.count(e.op)
			w.interrupted(e, what, func(func()) {
				if err := process.Kill(t.Context()); err != nil {
					t.Fatalf("after it was killed: %v", err)
				}
			})
			w.same(other, sdk.StatusPending)
			w.resolved(e, what)
			w.sentNoMore(e, sent+1)
		}
	}
}

// stillness is how long a process stands still: long enough for it to notice.
const stillness = 500 * time.Millisecond

func checkFreeze(t *rules.T, s *subject) {
	w, process := spawn(t, s)
	other := w.create(w.request())
	for _, e := range w.effects() {
		sent := w.proxy.count(e.op)
		thaw := func() {}
		w.interrupted(e, hangAfter, func(giveUp func()) {
			var err error
			if thaw, err = process.Freeze(t.Context()); err != nil {
				t.Fatalf("it can't be frozen: %v", err)
			}
			giveUp()
		})
		<-time.After(stillness)
		thaw()
		w.same(other, sdk.StatusPending)
		w.resolved(e, hangAfter)
		w.sentNoMore(e, sent+1)
	}
}

// resolved asks what came of a call whose answer was lost.
func (w *world) resolved(e effect, what trouble) {
	w.Helper()
	if e.op != OpCreate || !w.canFind(sdk.QueryByMerchantOrder) {
		return
	}
	p, err := w.provider.Query(w.Context(), sdk.QueryRequest{Order: e.order})
	switch {
	case what.before:
		// Create may take several requests, so there may be an order all the same.
		if err == nil && claimsMoney(p.Status) {
			w.Errorf("%s: an order that nobody paid is %s", what.name, p.Status)
		}
	case err != nil:
		w.Errorf("%s: the order isn't found: %v", what.name, err)
	case p.Status != sdk.StatusPending:
		w.Errorf("%s: the order is %s", what.name, p.Status)
	}
}

// sentNoMore checks that nothing was repeated by itself.
func (w *world) sentNoMore(e effect, most int) {
	w.Helper()
	if n := w.proxy.count(e.op); n > most {
		w.Errorf("%s: it was sent %d times by one call", e.op, n-most+1)
	}
	if n, known := e.made(); known && n > 1 {
		w.Errorf("%s: it was done %d times", e.op, n)
	}
}

// checkOutput has a process live through a payment and some troubles.
func checkOutput(t *rules.T, s *subject) {
	w, process := spawn(t, s)
	w.same(w.paid(), sdk.StatusSucceeded)
	for _, e := range w.effects() {
		for _, what := range []trouble{resetAfter, halfAnswer, pageOK, endlessBody} {
			w.proxy.arm(e.op, 1, what)
			_ = e.call(t.Context()) // other cases look at the outcome
		}
	}
	_, _ = w.provider.ParseNotification(t.Context(), sdk.HTTPRequest{Method: "POST", Path: "/", Body: []byte("\x00\xff\r\n{"), ReceivedAt: now()})
	for _, what := range process.Stop() {
		t.Errorf("%s", what)
	}
}
