package providertest

import (
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var cancelRules = []rule{
	{ID: "cancel/unpaid", Says: "Cancel of an unpaid order ends it: Query agrees, and it can't be paid any more.", Check: func(t *rules.T, s *subject) {
		w, canceller := cancels(t, s)
		order := w.create(w.request())
		p, err := canceller.Cancel(t.Context(), sdk.CancelRequest{Order: order, RequestID: newID("r")})
		if err != nil {
			t.Fatalf("it fails, though nothing is wrong: %v", err)
		}
		if claimsMoney(p.Status) || p.Status == sdk.StatusUnknown || p.Status == sdk.StatusCreated {
			t.Errorf("the state is %s (raw %q, %s)", p.Status, p.RawStatus, p.StatusReason)
		}
		for _, d := range p.Differences(order) {
			t.Errorf("%s", d)
		}
		if p.Status.Terminal() { // else it may go on
			w.same(order, p.Status)
		}
		w.ended(order, p)
	}},
	{ID: "cancel/paid", Says: "Cancel of a paid order gives no money back: it reports SUCCEEDED or fails, and the order stays paid.", Check: func(t *rules.T, s *subject) {
		w, canceller := cancels(t, s)
		order := w.paid()
		p, err := canceller.Cancel(t.Context(), sdk.CancelRequest{Order: order, RequestID: newID("r")})
		if err == nil && p.Status != sdk.StatusSucceeded && p.Status != sdk.StatusUnknown {
			t.Errorf("it is %s (raw %q)", p.Status, p.RawStatus)
		}
		w.same(order, sdk.StatusSucceeded)
	}},
	{ID: "cancel/lost", Says: "After a Cancel whose answer was lost, Query tells the state.", Check: func(t *rules.T, s *subject) {
		w, canceller := cancels(t, s)
		order := w.create(w.request())
		w.proxy.arm(OpCancel, 1, resetAfter)
		if _, err := canceller.Cancel(t.Context(), sdk.CancelRequest{Order: order, RequestID: newID("r")}); err == nil {
			t.Errorf("a lost answer is no error")
		}
		p := w.query(order)
		if claimsMoney(p.Status) {
			t.Errorf("it is %s (raw %q)", p.Status, p.RawStatus)
		}
		w.ended(order, p)
	}},
}

func cancels(t *rules.T, s *subject) (*world, sdk.Canceller) {
	w := newWorld(t, s)
	w.needsState()
	canceller, ok := w.provider.(sdk.Canceller)
	if !ok {
		t.Skipf("the provider has no Cancel")
	}
	return w, canceller
}
