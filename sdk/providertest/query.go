package providertest

import (
	"errors"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var queryRules = []rule{
	{ID: "query/by_acquirer_order", Says: "Query finds an order by the acquirer's id.", Check: func(t *rules.T, s *subject) {
		s.needs(t, sdk.QueryByAcquirerOrder)
		w := newWorld(t, s)
		w.same(w.create(w.request()), sdk.StatusPending)
	}},
	{ID: "query/by_merchant_order", Says: "Query finds an order by the merchant's id alone, and says the acquirer's.", Check: func(t *rules.T, s *subject) {
		s.needs(t, sdk.QueryByMerchantOrder)
		w := newWorld(t, s)
		order := w.create(w.request())
		asked := order
		asked.AcquirerOrderID = ""
		p := w.query(asked)
		if p.AcquirerOrderID != order.AcquirerOrderID {
			t.Errorf("it finds the acquirer's order %q, not %q", p.AcquirerOrderID, order.AcquirerOrderID)
		}
	}},
	{ID: "query/never_made", Says: "Of an order that was never made Query gives an error, with ORDER_NOT_FOUND if the acquirer documents it, but never a state.", Check: checkNeverMade},
	{ID: "query/no_effect", Says: "Query has no effect, however often it is asked.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		order := w.create(w.request())
		effects := []Op{OpCreate, OpCancel, OpRefund}
		before := map[Op]int{}
		for _, op := range effects {
			before[op] = w.proxy.count(op)
		}
		for range 5 {
			w.same(order, sdk.StatusPending)
		}
		for _, op := range effects {
			if n := w.proxy.count(op) - before[op]; n > 0 {
				t.Errorf("it sent %d requests to %s", n, op)
			}
		}
		w.pay(order)
	}},
	{ID: "query/one_of_several", Says: "Of several orders Query reports the one that is asked about.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		unpaid, paid, last := w.create(w.request()), w.paid(), w.create(w.request())
		for _, order := range []sdk.Order{unpaid, last} {
			w.same(order, sdk.StatusPending)
		}
		w.same(paid, sdk.StatusSucceeded)
	}},
}

func (s *subject) needs(t *rules.T, key sdk.QueryKey) {
	if !s.canFind(key) {
		t.Skipf("the capabilities don't have this query key")
	}
}

// same queries and checks the state and that the answer is about the order.
func (w *world) same(order sdk.Order, want sdk.Status) sdk.Payment {
	w.Helper()
	p := w.query(order)
	if p.Status != want {
		w.Errorf("order %s is %s (raw %q, %s), not %s", order.MerchantOrderID, p.Status, p.RawStatus, p.StatusReason, want)
	}
	for _, d := range p.Differences(order) {
		w.Errorf("order %s: %s", order.MerchantOrderID, d)
	}
	return p
}

func checkNeverMade(t *rules.T, s *subject) {
	w := newWorld(t, s)
	w.needsState()
	req := w.request()
	if !s.canFind(sdk.QueryByMerchantOrder) {
		req.AcquirerOrderID = newID("never")
	}
	p, err := w.provider.Query(t.Context(), sdk.QueryRequest{Order: req.Order})
	if err == nil && p.Status != sdk.StatusUnknown {
		t.Errorf("it is said to be %s", p.Status)
	}
	if e, ok := errors.AsType[*sdk.Error](err); ok && e.Code != sdk.CodeOrderNotFound {
		t.Logf("the code is %s: a lost Create can't be settled by asking", e.Code.Name())
	}
}
