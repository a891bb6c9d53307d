package providertest

import (
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var answerRules = []rule{
	wrongRule("order", "An answer about another order of the acquirer is never passed off as ours.", FaultWrongOrder, OpQuery),
	wrongRule("merchant_order", "An answer that names another merchant's order is never passed off as ours.", FaultWrongMerchantOrder, OpQuery, OpCreate),
	wrongRule("amount", "An answer with another amount is never passed off as ours.", FaultWrongAmount, OpQuery, OpCreate),
	wrongRule("currency", "An answer in another currency is never passed off as ours.", FaultWrongCurrency, OpQuery, OpCreate),
	{ID: "answer/crossed", Says: "An answer that belongs to another order's question is never passed off as ours.", Check: checkCrossed},
}

// checkCrossed has a server in front mix up two answers.
func checkCrossed(t *rules.T, s *subject) {
	w := newWorld(t, s)
	mine := w.request()
	if m, err := sdk.FromMinor(mine.Money.Minor()+1, mine.Money.Currency()); err == nil && within(w.row(t), m) {
		mine.Money = m
	}
	order := w.create(mine)
	w.same(w.paid(), sdk.StatusSucceeded)
	w.proxy.arm(OpQuery, -1, crossedBody)
	if p, err := w.provider.Query(t.Context(), sdk.QueryRequest{Order: order}); err == nil && p.Status != sdk.StatusUnknown && len(p.Differences(order)) == 0 {
		t.Errorf("an unpaid order is %s, without a difference, since another one is", p.Status)
	}
	w.proxy.arm(OpQuery, 0, trouble{})
	w.same(order, sdk.StatusPending)
}

// wrongRule checks that ids and amounts are the acquirer's own words, not copies
// of what was asked: the host compares them.
func wrongRule(name, says string, fault Fault, ops ...Op) rule {
	return rule{ID: "answer/wrong_" + name, Says: says, Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		inject := w.Faults[fault]
		if inject == nil {
			t.Skipf("the harness has no fault %q", fault)
		}
		for _, op := range ops {
			var p sdk.Payment
			var err error
			var asked sdk.Order
			if op == OpCreate {
				req := w.request()
				inject(op)
				asked = req.Order
				p, err = w.provider.Create(t.Context(), req)
			} else {
				asked = w.paid()
				inject(op)
				p, err = w.provider.Query(t.Context(), sdk.QueryRequest{Order: asked})
			}
			if err != nil && sdk.AsError(err).Outcome != sdk.OutcomeUnknown && op == OpCreate {
				t.Errorf("%s: an order was made, but %s", op, describe(err))
			}
			if err == nil && p.Status != sdk.StatusUnknown && len(p.Differences(asked)) == 0 {
				t.Errorf("%s: it is %s, without a difference to our order", op, p.Status)
			}
		}
	}}
}
