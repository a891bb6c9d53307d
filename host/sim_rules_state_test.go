package host

import (
	"slices"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// checkState checks what a payment has become since it was last seen.
func (s *sim) checkState(before, p *simPayment) {
	order := p.row.MerchantOrderID
	if before != nil && statusOf(before.row).Terminal() && before.row.Status != p.row.Status {
		s.fail(ruleFinal, "%s was %s and is %s", order, before.row.Status, p.row.Status)
	}
	was := sdk.StatusCreated
	for _, e := range p.timeline {
		now := sdk.ParseStatus(e.Status)
		switch {
		case now != was && was.Terminal():
			s.fail(ruleFinal, "%s was %s and became %s", order, was, now)
		case now != was && e.Kind != kindStatus:
			s.fail(ruleFinal, "%s became %s by a %s", order, now, e.Kind)
		case now != was && now.Terminal() && !slices.Contains([]string{sourceCreate, sourceQuery, sourceCancel}, e.Source) && !s.hostsEnd(p, now):
			s.fail(ruleFinal, "%s became %s by what %s said (%s)", order, now, e.Source, e.Detail)
		}
		was = now
	}
}

// hostsEnd are the only two ends that the host may give by itself.
func (s *sim) hostsEnd(p *simPayment, end sdk.Status) bool {
	code := sdk.Code(p.row.ErrorCode)
	return end == sdk.StatusFailed && (code == sdk.CodeNeverSent || code == sdk.CodeCreateLost)
}

// checkTruth compares an end with the ledger.
func (s *sim) checkTruth(p *simPayment) {
	status, order, o := statusOf(p.row), p.row.MerchantOrderID, s.ledgerOf(p)
	switch {
	case !status.Terminal():
	case status == sdk.StatusSucceeded:
		money, err := sdk.ParseMoney(p.row.Amount, p.row.Currency)
		switch {
		case err != nil || o == nil || !s.had(o, status):
			s.fail(rulePaid, "%s is SUCCEEDED, but no acquirer was paid", order)
		case !o.money.Equal(money):
			s.fail(rulePaid, "%s is SUCCEEDED with %s, but the payer paid %s", order, money, o.money)
		case o.a.account != p.row.Account:
			s.fail(rulePaid, "%s is SUCCEEDED at account %s, but was paid at %s", order, p.row.Account, o.a.account)
		}
	case sdk.Code(p.row.ErrorCode) == sdk.CodeCreateLost && p.row.NextActions != noActions:
		s.fail(ruleFinal, "%s is CREATE_LOST although a payer may have its next action", order)
	case o == nil: // refused, or never there
	case o.lazy && !s.acted(o): // nobody has what it takes to pay it
	case !s.had(o, status):
		s.fail(ruleFinal, "%s is %s, but the acquirer has an order that never was", order, status)
	}
}

func (s *sim) had(o *simOrder, status sdk.Status) bool {
	return slices.ContainsFunc(s.history(o), func(h simState) bool { return h.status == status })
}

// acted reports whether a payer has done something with an order.
func (s *sim) acted(o *simOrder) bool { return len(s.history(o)) > 1 }

// mustFlag looks at an answer as it comes to the host: whether it contradicts
// what was asked or what is final.
func (s *sim) mustFlag(c *simService, asked *pb.Order, said *pb.Payment) {
	o, claims := said.GetOrder(), said.GetStatus() == pb.Status_STATUS_SUCCEEDED
	differs := func(want, got string) bool { return want != "" && want != got && (got != "" || claims) }
	wrong := differs(asked.GetMerchantOrderId(), o.GetMerchantOrderId()) || differs(asked.GetAcquirerOrderId(), o.GetAcquirerOrderId()) ||
		differs(asked.GetMoney().GetAmount(), o.GetMoney().GetAmount()) || differs(asked.GetMoney().GetCurrency(), o.GetMoney().GetCurrency())
	var status string
	_ = s.db.QueryRow("SELECT status FROM payments WHERE merchant_order_id = $1 AND account = $2", asked.GetMerchantOrderId(), c.p.a.account).Scan(&status)
	was := sdk.ParseStatus(status)
	late := claims && was.Terminal() && was != sdk.StatusSucceeded
	if wrong || late {
		s.mu.Lock()
		s.rules.mustFlag[c.p.a.account+"/"+asked.GetMerchantOrderId()] = c.l
		s.mu.Unlock()
	}
}

// forgetAnswers is for those that a dead host has heard: they may not have been
// recorded.
func (s *sim) forgetAnswers() {
	s.mu.Lock()
	clear(s.rules.mustFlag)
	s.mu.Unlock()
}

// checkFlagged: once the call has ended, a contrary answer is flagged; and what
// was flagged as late money stays so.
func (s *sim) checkFlagged(p *simPayment) {
	s.mu.Lock()
	key := p.row.Account + "/" + p.row.MerchantOrderID
	must := s.rules.mustFlag[key] == s.life && s.life != nil
	if p.row.Holder == "" {
		delete(s.rules.mustFlag, key)
	}
	s.mu.Unlock()
	if must && p.row.Holder == "" && p.row.ReviewReason == "" {
		s.fail(ruleFlagged, "%s has had a contrary answer and isn't flagged", p.row.MerchantOrderID)
	}
}

// late reports whether money came for a payment that had ended unpaid, and the
// host knows.
func (p *simPayment) late() bool { return p.row.ReviewReason == string(lifecycle.LateSuccess) }
