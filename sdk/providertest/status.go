package providertest

import (
	"maps"
	"slices"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var statusRules = []rule{
	{ID: "status/paid", Says: "A paid order is SUCCEEDED, and the answer names our order, the acquirer's and the amount.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		p := w.same(w.paid(), sdk.StatusSucceeded)
		if len(p.NextActions) > 0 {
			t.Errorf("the payer still has something to do: %v", p.NextActions[0].Type)
		}
		if !p.PaidAt.IsZero() && (p.PaidAt.Before(now().Add(-time.Hour)) || p.PaidAt.After(now().Add(time.Hour))) {
			t.Logf("it was paid at %s: does the sandbox have another clock?", p.PaidAt)
		}
	}},
	{ID: "status/given_up", Says: "An order that the payer gave up is not paid; if it is called ended it can't be paid any more.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		if w.GiveUp == nil {
			t.Skipf("the harness has no GiveUp")
		}
		order := w.create(w.request())
		if err := w.GiveUp(order.MerchantOrderID); err != nil {
			t.Fatalf("the harness can't give up: %v", err)
		}
		p := w.query(order)
		if claimsMoney(p.Status) {
			t.Errorf("it is %s (raw %q)", p.Status, p.RawStatus)
		}
		w.ended(order, p)
	}},
	{ID: "status/mapping", Says: "Every status that the acquirer documents is read as what it means.", Check: checkMapping},
	{ID: "status/unheard_of", Says: "A status that the acquirer doesn't document is UNKNOWN, or an error.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		if w.SetStatus == nil || w.UnheardOf == "" {
			t.Skipf("the harness has no SetStatus or no UnheardOf")
		}
		order := w.create(w.request())
		w.setStatus(order, w.UnheardOf)
		p, err := w.provider.Query(t.Context(), sdk.QueryRequest{Order: order})
		if err == nil && p.Status != sdk.StatusUnknown {
			t.Errorf("%q is read as %s", w.UnheardOf, p.Status)
		}
	}},
}

func claimsMoney(s sdk.Status) bool { return s == sdk.StatusSucceeded || s == sdk.StatusAuthorized }

func (w *world) setStatus(order sdk.Order, raw string) {
	w.Helper()
	if err := w.SetStatus(order.MerchantOrderID, raw); err != nil {
		w.Fatalf("the harness can't set the status %q: %v", raw, err)
	}
}

// ended checks that an unpaid order which is called ended can't take money.
func (w *world) ended(order sdk.Order, p sdk.Payment) {
	w.Helper()
	if !p.Status.Terminal() || p.Status == sdk.StatusSucceeded {
		return
	}
	if err := w.Pay(order.MerchantOrderID); err == nil {
		w.Errorf("it is %s (raw %q), and yet it could be paid", p.Status, p.RawStatus)
	}
}

func checkMapping(t *rules.T, s *subject) {
	w := newWorld(t, s)
	if w.SetStatus == nil || len(w.Statuses) == 0 {
		t.Skipf("the harness has no SetStatus or no Statuses")
	}
	for _, raw := range slices.Sorted(maps.Keys(w.Statuses)) {
		order := w.create(w.request())
		w.setStatus(order, raw)
		p, err := w.provider.Query(t.Context(), sdk.QueryRequest{Order: order})
		switch {
		case err != nil:
			t.Errorf("%q: %v", raw, err)
		case p.Status != w.Statuses[raw]:
			t.Errorf("%q is read as %s, not as %s", raw, p.Status, w.Statuses[raw])
		case p.RawStatus == "":
			t.Errorf("%q is left out of the answer: people need the acquirer's own word", raw)
		}
		for _, d := range p.Differences(order) {
			if err == nil {
				t.Errorf("%q: %s", raw, d)
			}
		}
	}
}
