package host

import (
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/sdk"
)

// checkEnd is checked when the world has been quiet for more than a week.
func (s *sim) checkEnd() {
	s.checkAsked()
	s.checkAlive()
	s.checkMoney()
}

// checkAlive: what is open is still looked at, or a person was asked to.
func (s *sim) checkAlive() {
	alarms := map[string]bool{}
	for _, a := range s.engine.Alarms() {
		if a.Kind == alarm.Payment {
			alarms[a.ID] = true
		}
	}
	for _, id := range s.rules.order {
		row := s.rules.seen[id].row
		switch {
		case row.Holder != "":
			s.fail(ruleAlive, "%s is still held", row.MerchantOrderID)
		case statusOf(row).Terminal():
		case row.ReviewReason == "" && (row.DueAt == 0 || !alarms[id]):
			s.fail(ruleAlive, "%s is %s, has no alarm and isn't flagged", row.MerchantOrderID, row.Status)
		case row.ReviewReason == "" && time.Since(fromMicros(row.CreatedAt)) > 8*24*time.Hour:
			s.fail(ruleAlive, "%s is %s for more than a week and isn't flagged", row.MerchantOrderID, row.Status)
		}
	}
}

// checkMoney: each order that was paid is a payment that is SUCCEEDED, or a
// person knows of it; and the sums agree. Refunds would belong here too.
func (s *sim) checkMoney() {
	paid, open, got := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
	for _, id := range s.rules.order {
		p := s.rules.seen[id]
		status, o := statusOf(p.row), s.ledgerOf(p)
		if status == sdk.StatusSucceeded {
			got[p.row.Currency] = got[p.row.Currency].Add(decimal.RequireFromString(p.row.Amount))
		}
		if o == nil || !s.had(o, sdk.StatusSucceeded) || status == sdk.StatusSucceeded {
			continue
		}
		open[o.money.Currency()] = open[o.money.Currency()].Add(o.money.Amount())
		switch {
		case p.row.ReviewReason == "":
			s.fail(ruleMoney, "%s was paid, is %s and isn't flagged", p.row.MerchantOrderID, p.row.Status)
		case status.Terminal() && !p.late() && p.row.AcquirerOrderID == o.id && o.money.AmountString() == p.row.Amount:
			s.fail(ruleMoney, "%s was paid, is %s and is flagged as %s only", p.row.MerchantOrderID, p.row.Status, p.row.ReviewReason)
		}
	}
	s.mu.Lock()
	for _, o := range s.ledger.all {
		if o.paid() {
			paid[o.money.Currency()] = paid[o.money.Currency()].Add(o.money.Amount())
		}
	}
	s.mu.Unlock()
	for _, currency := range slices.Sorted(maps.Keys(paid)) {
		if want := paid[currency].Sub(open[currency]); !got[currency].Equal(want) {
			s.fail(ruleMoney, "payers paid %s %s and people look at %s, but SUCCEEDED are %s", paid[currency], currency, open[currency], got[currency])
		}
	}
}
