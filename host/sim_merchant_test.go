package host

import (
	"context"
	"fmt"
	"time"

	"github.com/paymux/paymux/sdk"
)

// simMerchants is what the merchants have asked for. Guarded by sim.mu.
type simMerchants struct {
	asked   []simRequest
	ids     map[string]string // payment ids by merchant and order, as first told
	waiting map[string]int    // requests under way by merchant and order
}

type simRequest struct {
	merchant string
	CreateRequest
}

func (r simRequest) key() string { return r.merchant + "/" + r.MerchantOrderID }

// newRequest draws a request for a new attempt.
func (s *sim) newRequest() simRequest {
	r := simRequest{simPick(s.draw, "shop-a", "shop-b"), CreateRequest{
		Currency: simPick(s.draw, simCurrencies...), Method: simPick(s.draw, "alipay_hk", "alipay_cn"),
		Flow: "mobile_web", Description: "Tea", OrderGroup: simPick(s.draw, "", "", "basket-1", "basket-2"),
	}}
	money, _ := sdk.FromMinor(1+s.draw.Int64N(1_000_000), r.Currency)
	r.Amount = money.AmountString()
	s.mu.Lock()
	r.MerchantOrderID = fmt.Sprint("o", len(s.merchants.asked)+1)
	s.merchants.asked = append(s.merchants.asked, r)
	s.mu.Unlock()
	return r
}

// oldRequest draws one that was made before; false if there is none.
func (s *sim) oldRequest() (simRequest, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.merchants.asked) == 0 {
		return simRequest{}, false
	}
	return simPick(s.draw, s.merchants.asked...), true
}

// create sends a request to the host and judges what the merchant hears.
// patience is how long it waits.
func (s *sim) create(r simRequest, patience time.Duration) {
	l := s.life
	s.mu.Lock()
	s.merchants.waiting[r.key()]++
	s.mu.Unlock()
	s.spawn(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c, err := l.host.Create(ctx, r.merchant, r.CreateRequest)
		s.mu.Lock()
		alone := s.merchants.waiting[r.key()] == 1
		s.merchants.waiting[r.key()]--
		s.mu.Unlock()
		if !l.dead() {
			s.told(r, c, err, alone)
		}
	})
}

// told checks what a merchant hears.
func (s *sim) told(r simRequest, c Created, err error, alone bool) {
	if err != nil {
		s.log("%s hears of %s: %v", r.merchant, r.MerchantOrderID, err)
		if sdk.AsError(err).Outcome != sdk.OutcomeNotSent {
			s.fail(ruleTold, "%s: an error without a payment must say that nothing was sent: %v", r.key(), err)
		}
		return
	}
	p := c.Payment
	s.log("%s hears of %s: %s, existing %t, %v", r.merchant, r.MerchantOrderID, p.Status, c.Existing, c.Err)
	if p.MerchantOrderID != r.MerchantOrderID || p.Amount != r.Amount || p.Currency != r.Currency || p.Description != r.Description {
		s.fail(ruleTold, "%s asked for %s %s %q and got %s %s %s %q", r.key(), r.Amount, r.Currency, r.Description, p.MerchantOrderID, p.Amount, p.Currency, p.Description)
	}
	s.mu.Lock()
	known, told := s.merchants.ids[r.key()]
	s.merchants.ids[r.key()] = p.ID
	s.mu.Unlock()
	if told && known != p.ID {
		s.fail(ruleTold, "%s is two payments, %s and %s", r.key(), known, p.ID)
	}
	if alone && len(s.ordersOf(p.ID)) > 0 && c.Err != nil && c.Err.Outcome != sdk.OutcomeUnknown {
		s.fail(ruleTold, "%s was told that there is no order (%v), but there is one", r.key(), c.Err)
	}
}

// another returns the same attempt with other values.
func (s *sim) another(r simRequest) simRequest {
	if s.draw.IntN(2) == 0 {
		r.Description = "Coffee"
	} else {
		money, _ := sdk.ParseMoney(r.Amount, r.Currency)
		r.Amount = otherMoney(money).AmountString()
	}
	return r
}

// byID asks something about the payment of an earlier request.
func (s *sim) byID(r simRequest, what string, do func(context.Context, string, string) (Payment, error)) {
	s.mu.Lock()
	id := s.merchants.ids[r.key()]
	s.mu.Unlock()
	if id == "" {
		return
	}
	l := s.life
	s.spawn(func() {
		p, err := do(context.Background(), r.merchant, id)
		if !l.dead() {
			s.log("%s: %s of %s: %s, %v", r.merchant, what, r.MerchantOrderID, p.Status, err)
		}
	})
}

// ordersOf returns what the ledgers have of a payment.
func (s *sim) ordersOf(id string) []*simOrder {
	var requestID string
	_ = s.db.QueryRowContext(context.Background(), "SELECT request_id FROM payments WHERE id = $1", id).Scan(&requestID)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.orders[requestID]
}
