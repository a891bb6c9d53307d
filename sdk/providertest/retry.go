package providertest

import (
	"errors"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var retryRules = []rule{
	{ID: "retry/identical", Says: "Where create_retry is native, the identical request again gives the same order.", Check: func(t *rules.T, s *subject) {
		s.native(t)
		w := newWorld(t, s)
		w.needsState()
		req := w.request()
		first, again := w.create(req), w.create(req)
		if first.AcquirerOrderID != again.AcquirerOrderID {
			t.Errorf("it gives order %s, then %s", first.AcquirerOrderID, again.AcquirerOrderID)
		}
		w.orders(req.MerchantOrderID, 1)
	}},
	{ID: "retry/after_lost", Says: "Where create_retry is native, the identical request after a lost answer gives the order that exists.", Check: func(t *rules.T, s *subject) {
		s.native(t)
		w := newWorld(t, s)
		w.needsState()
		w.authorized()
		req := w.request()
		w.proxy.arm(OpCreate, 1, resetAfter)
		if _, err := w.provider.Create(t.Context(), req); err == nil {
			t.Fatalf("a lost answer is no error")
		}
		w.orders(req.MerchantOrderID, 1)
		w.same(w.create(req), sdk.StatusPending)
		w.orders(req.MerchantOrderID, 1)
	}},
	{ID: "retry/other_request", Says: "Where create_retry is native, the same id for another amount is no second order.", Check: func(t *rules.T, s *subject) {
		s.native(t)
		w := newWorld(t, s)
		w.needsState()
		req := w.request()
		w.create(req)
		more, err := sdk.FromMinor(req.Money.Minor()+1, req.Money.Currency())
		if err != nil {
			t.Fatalf("%v", err)
		}
		other := req
		other.Money = more
		p, err := w.provider.Create(t.Context(), other)
		if err == nil && len(p.Differences(other.Order)) == 0 && !p.Money.IsZero() {
			t.Errorf("the order is now %s, and was %s", p.Money, req.Money)
		}
		w.orders(req.MerchantOrderID, 1)
	}},
	{ID: "retry/found", Says: "An order whose answer was lost is found by the merchant's id, and can be paid, or nobody is asked to.", Check: func(t *rules.T, s *subject) {
		s.needs(t, sdk.QueryByMerchantOrder)
		w := newWorld(t, s)
		w.authorized()
		req := w.request()
		w.proxy.arm(OpCreate, 1, resetAfter)
		if _, err := w.provider.Create(t.Context(), req); err == nil {
			t.Fatalf("a lost answer is no error")
		}
		p := w.query(req.Order)
		if p.Status != sdk.StatusPending || p.AcquirerOrderID == "" {
			t.Errorf("it is %s, the acquirer's id is %q", p.Status, p.AcquirerOrderID)
		}
		req.AcquirerOrderID = p.AcquirerOrderID
		err := w.Pay(req.MerchantOrderID)
		switch {
		case errors.Is(err, ErrUnpayable):
			if len(p.NextActions) > 0 {
				t.Errorf("the payer is sent to pay (%s), and can't", p.NextActions[0].Type)
			}
			t.Logf("the order is there, but nobody can pay it yet")
			w.same(req.Order, sdk.StatusPending)
		case err != nil:
			t.Fatalf("the harness can't pay: %v", err)
		default:
			w.same(req.Order, sdk.StatusSucceeded)
		}
	}},
}

func (s *subject) native(t *rules.T) {
	if !s.Capabilities.CreateRetry.Native {
		t.Skipf("create_retry is none")
	}
}
