package providertest

import (
	"maps"
	"slices"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var refundRules = []rule{
	{ID: "refund/full", Says: "A refund of all that was paid is PENDING or SUCCEEDED, names our refund, and QueryRefund agrees.", Check: func(t *rules.T, s *subject) {
		w, refunder := refunds(t, s)
		order := w.paid()
		w.refunded(refunder, order, order.Money, 1)
	}},
	{ID: "refund/partial", Says: "What was paid can go back in parts, each a refund of its own.", Check: func(t *rules.T, s *subject) {
		w, refunder := refunds(t, s)
		order := w.paid()
		part, err := sdk.FromMinor(order.Money.Minor()/3, order.Money.Currency())
		if err != nil {
			t.Skipf("%s can't be parted", order.Money)
		}
		w.refunded(refunder, order, part, 1)
		w.refunded(refunder, order, part, 2)
	}},
	{ID: "refund/payment_stays", Says: "A payment that was refunded is still SUCCEEDED: what went back is computed elsewhere.", Check: func(t *rules.T, s *subject) {
		w, refunder := refunds(t, s)
		order := w.paid()
		if _, err := refunder.Refund(t.Context(), refundOf(order)); err != nil {
			t.Fatalf("Refund fails, though nothing is wrong: %v", err)
		}
		w.same(order, sdk.StatusSucceeded)
	}},
	{ID: "refund/unpaid", Says: "What wasn't paid can't be refunded.", Check: func(t *rules.T, s *subject) {
		w, refunder := refunds(t, s)
		order := w.create(w.request())
		w.notRefunded(refunder, order, order.Money)
	}},
	{ID: "refund/too_much", Says: "More than was paid can't be refunded.", Check: func(t *rules.T, s *subject) {
		w, refunder := refunds(t, s)
		order := w.paid()
		more, err := sdk.FromMinor(order.Money.Minor()+1, order.Money.Currency())
		if err != nil {
			t.Fatalf("%v", err)
		}
		w.notRefunded(refunder, order, more)
	}},
	{ID: "refund/same_id", Says: "The same refund again is not a second one.", Check: func(t *rules.T, s *subject) {
		w, refunder := refunds(t, s)
		req := refundOf(w.paid())
		part, err := sdk.FromMinor(req.Money.Minor()/3, req.Money.Currency())
		if err != nil {
			t.Skipf("%s can't be parted", req.Money)
		}
		req.Amount = part
		for range 2 {
			if r, err := refunder.Refund(t.Context(), req); err == nil && r.Status == sdk.RefundFailed {
				t.Errorf("it was made, and is said to have failed")
			}
		}
		w.refundsMade(req.Order, 1)
	}},
	{ID: "refund/never_made", Says: "Of a refund that was never made QueryRefund says no end.", Check: func(t *rules.T, s *subject) {
		w, refunder := refunds(t, s)
		order := w.paid()
		r, err := refunder.QueryRefund(t.Context(), sdk.RefundQuery{Order: order, MerchantRefundID: newID("f"), Amount: order.Money})
		if err == nil && r.Status.Terminal() {
			t.Errorf("it is said to be %s", r.Status)
		}
	}},
	{ID: "refund/found", Says: "A refund whose answer was lost is found by QueryRefund with our id.", Check: func(t *rules.T, s *subject) {
		w, refunder := refunds(t, s)
		req := refundOf(w.paid())
		w.proxy.arm(OpRefund, 1, resetAfter)
		if _, err := refunder.Refund(t.Context(), req); err == nil {
			t.Fatalf("a lost answer is no error")
		}
		w.refundsMade(req.Order, 1)
		w.queryRefund(refunder, sdk.RefundQuery{Order: req.Order, MerchantRefundID: req.MerchantRefundID, Amount: req.Amount})
	}},
	{ID: "refund/mapping", Says: "Every status of a refund that the acquirer documents is read as what it means.", Check: func(t *rules.T, s *subject) {
		w, refunder := refunds(t, s)
		if w.SetRefundStatus == nil || len(w.RefundStatuses) == 0 {
			t.Skipf("the harness has no SetRefundStatus or no RefundStatuses")
		}
		for _, raw := range slices.Sorted(maps.Keys(w.RefundStatuses)) {
			r, err := w.refundWith(refunder, raw)
			if want := w.RefundStatuses[raw]; err != nil && want != sdk.RefundUnknown || r.Status != want {
				t.Errorf("%q is read as %s, not %s: %s", raw, r.Status, want, describe(err))
			}
		}
	}},
	{ID: "refund/unheard_of", Says: "A status of a refund that the acquirer doesn't document is no end.", Check: func(t *rules.T, s *subject) {
		w, refunder := refunds(t, s)
		if w.SetRefundStatus == nil || w.UnheardOf == "" {
			t.Skipf("the harness has no SetRefundStatus or no UnheardOf")
		}
		if r, err := w.refundWith(refunder, w.UnheardOf); err == nil && r.Status.Terminal() {
			t.Errorf("%q is read as %s", w.UnheardOf, r.Status)
		}
	}},
	{ID: "refund/query_trouble", Says: "A QueryRefund that meets trouble says no end, and never ORDER_NOT_FOUND.", Check: checkQueryRefundTrouble},
}

func refunds(t *rules.T, s *subject) (*world, sdk.Refunder) {
	w := newWorld(t, s)
	w.needsState()
	refunder, ok := w.provider.(sdk.Refunder)
	if !ok {
		t.Skipf("the provider has no Refund")
	}
	return w, refunder
}

func refundOf(order sdk.Order) sdk.RefundRequest {
	return sdk.RefundRequest{Order: order, MerchantRefundID: newID("f"), RequestID: newID("r"), Amount: order.Money, Reason: "conformance"}
}

// refunded makes a refund and looks at it.
func (w *world) refunded(refunder sdk.Refunder, order sdk.Order, amount sdk.Money, made int) {
	w.Helper()
	req := refundOf(order)
	req.Amount = amount
	r, err := refunder.Refund(w.Context(), req)
	if err != nil {
		w.Fatalf("Refund of %s fails, though nothing is wrong: %v", amount, err)
	}
	query := sdk.RefundQuery{Order: order, MerchantRefundID: req.MerchantRefundID, AcquirerRefundID: r.AcquirerRefundID, Amount: amount}
	if r.Status != sdk.RefundPending && r.Status != sdk.RefundSucceeded {
		w.Errorf("the refund is %s (raw %q, %s)", r.Status, r.RawStatus, r.StatusReason)
	}
	for _, d := range r.Differences(query) {
		w.Errorf("Refund: %s", d)
	}
	w.queryRefund(refunder, query)
	w.refundsMade(order, made)
}

func (w *world) queryRefund(refunder sdk.Refunder, query sdk.RefundQuery) {
	w.Helper()
	r, err := refunder.QueryRefund(w.Context(), query)
	if err != nil {
		w.Errorf("QueryRefund fails, though nothing is wrong: %v", err)
		return
	}
	if r.Status != sdk.RefundPending && r.Status != sdk.RefundSucceeded {
		w.Errorf("QueryRefund: the refund is %s (raw %q, %s)", r.Status, r.RawStatus, r.StatusReason)
	}
	for _, d := range r.Differences(query) {
		w.Errorf("QueryRefund: %s", d)
	}
}

// refundWith asks about a refund that the acquirer has in a status of its words.
func (w *world) refundWith(refunder sdk.Refunder, raw string) (sdk.Refund, error) {
	w.Helper()
	req := refundOf(w.paid())
	made, err := refunder.Refund(w.Context(), req)
	if err != nil {
		w.Fatalf("Refund fails, though nothing is wrong: %v", err)
	}
	if err := w.SetRefundStatus(req.MerchantRefundID, raw); err != nil {
		w.Fatalf("the harness can't set the refund's status %q: %v", raw, err)
	}
	return refunder.QueryRefund(w.Context(), sdk.RefundQuery{
		Order: req.Order, MerchantRefundID: req.MerchantRefundID, AcquirerRefundID: made.AcquirerRefundID, Amount: req.Amount,
	})
}

func (w *world) refundsMade(order sdk.Order, want int) {
	w.Helper()
	if w.Refunds == nil {
		w.Logf("the harness has no Refunds: not counted")
	} else if n := w.Refunds(order.MerchantOrderID); n != want {
		w.Errorf("the acquirer has made %d refunds, not %d", n, want)
	}
}

func (w *world) notRefunded(refunder sdk.Refunder, order sdk.Order, amount sdk.Money) {
	w.Helper()
	req := refundOf(order)
	req.Amount = amount
	if r, err := refunder.Refund(w.Context(), req); err == nil && r.Status != sdk.RefundFailed && r.Status != sdk.RefundUnknown {
		w.Errorf("a refund of %s is %s", amount, r.Status)
	}
	w.refundsMade(order, 0)
}

func checkQueryRefundTrouble(t *rules.T, s *subject) {
	w, refunder := refunds(t, s)
	req := refundOf(w.paid())
	r, err := refunder.Refund(t.Context(), req)
	if err != nil {
		t.Fatalf("Refund fails, though nothing is wrong: %v", err)
	}
	query := sdk.RefundQuery{Order: req.Order, MerchantRefundID: req.MerchantRefundID, AcquirerRefundID: r.AcquirerRefundID, Amount: req.Amount}
	for _, what := range []trouble{resetBefore, pageBefore, pageMissing, pageOK, halfAnswer, emptyAnswer, tooMany("1"), unauthorized, hangBefore} {
		armed := w.proxy.arm(OpQueryRefund, -1, what)
		ctx, cancel := limited(t.Context(), what, short)
		r, err := refunder.QueryRefund(ctx, query)
		cancel()
		if err == nil && r.Status.Terminal() || sdk.IsCode(err, sdk.CodeOrderNotFound) {
			t.Errorf("%s: it is said to be %s, %s", what.name, r.Status, describe(err))
		}
		if w.proxy.struck(armed) == 0 && !what.hang {
			t.Fatalf("no request was seen: does the harness's Op know %s?", OpQueryRefund)
		}
	}
}
