package host

import (
	"context"
	"fmt"
	"time"

	"github.com/paymux/paymux/sdk"
)

// arrived checks a Create in the moment in which it reaches an acquirer, and
// counts it.
func (s *sim) arrived(a *simAcquirer, r sdk.CreateRequest) (n int) {
	var account, order, amount string
	err := s.db.QueryRowContext(context.Background(), "SELECT account, merchant_order_id, amount FROM payments WHERE request_id = $1", r.RequestID).Scan(&account, &order, &amount)
	if err != nil || account != a.account || order != r.MerchantOrderID || amount != r.Money.AmountString() {
		s.fail(ruleIntent, "%s was sent %s %s, but the store says: account %q, order %q, amount %q, %v", a.name, r.MerchantOrderID, r.Money, account, order, amount, err)
	}
	s.mu.Lock()
	earlier := s.ledger.creates[r.RequestID]
	now := &simArrival{a: a, at: time.Now(), request: fmt.Sprint(r)}
	s.ledger.creates[r.RequestID] = append(earlier, now)
	s.mu.Unlock()
	for _, e := range earlier {
		s.mu.Lock()
		harmless := e.notSent
		s.mu.Unlock()
		switch {
		case harmless:
		case e.a != a || !a.native:
			s.fail(ruleOneOrder, "%s of %s at %s after one at %s whose outcome isn't known", "Create", r.MerchantOrderID, a.name, e.a.name)
		case e.request != now.request:
			s.fail(ruleOneOrder, "the Create of %s was repeated with other values: %s, then %s", r.MerchantOrderID, e.request, now.request)
		case now.at.Sub(e.at) >= simWindow:
			s.fail(ruleOneOrder, "the Create of %s was repeated after %s: the acquirer no longer knows it", r.MerchantOrderID, now.at.Sub(e.at))
		}
	}
	return len(earlier)
}

// heardNotSent is called when the host learns that its last Create had no effect.
func (s *sim) heardNotSent(requestID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if all := s.ledger.creates[requestID]; len(all) > 0 {
		all[len(all)-1].notSent = true
	}
}
