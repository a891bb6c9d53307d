package cbtistest

import (
	"errors"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// Status is the state of an order or of a refund.
type Status string

// The statuses of orders are Pending, Succeeded and Cancelled; those of refunds
// are Pending, Succeeded and Failed (the last one is the sandbox's own guess).
const (
	Pending   Status = "PENDING"
	Succeeded Status = "SUCCEEDED"
	Cancelled Status = "CANCELLED"
	Failed    Status = "FAILED"
)

// What Pay and Cancel can fail with.
var (
	ErrNotFound = errors.New("cbtistest: no such order")
	ErrClosed   = errors.New("cbtistest: the order is already paid or cancelled")
)

// Order is a payment order as the sandbox keeps it.
type Order struct {
	ID              string    `json:"order_id"`
	MerchantOrderID string    `json:"merchant_order_id"`
	Amount          string    `json:"amount"` // as it was sent
	Currency        string    `json:"currency"`
	Description     string    `json:"description"`
	Wallet          string    `json:"wallet"` // ALIPAYHK or ALIPAYCN
	Flow            string    `json:"flow"`
	NotifyURL       string    `json:"notify_url,omitzero"`
	ReturnURL       string    `json:"return_url,omitzero"`
	Link            string    `json:"link"` // the wallet page
	Status          Status    `json:"status"`
	CreatedAt       time.Time `json:"create_time"`
	ExpiresAt       time.Time `json:"expires_at,omitzero"` // zero: never
	PaidAt          time.Time `json:"pay_time,omitzero"`
	ClosedAt        time.Time `json:"close_time,omitzero"` // cancelled or expired
	Refunds         []Refund  `json:"refunds,omitempty"`
}

// Refund is one refund of an order.
type Refund struct {
	ID               string        `json:"refund_id"`
	MerchantRefundID string        `json:"merchant_refund_id"`
	Amount           string        `json:"amount"` // as it was sent
	Reason           string        `json:"reason,omitzero"`
	Status           Status        `json:"status"`
	CreatedAt        time.Time     `json:"create_time"`
	SettledAt        time.Time     `json:"refund_time,omitzero"`
	SettleAt         time.Time     `json:"settle_at,omitzero"` // when a pending one will settle
	Outcome          RefundOutcome `json:"outcome,omitzero"`
}

// Entry is one movement of (pretended) money.
type Entry struct {
	Kind             string // "charge" or "refund"
	OrderID          string
	MerchantOrderID  string
	MerchantRefundID string          // of a refund
	Amount           decimal.Decimal // in Options.AmountUnit
	At               time.Time
}

// Pay pays an order as its wallet page would. id is an order id or a merchant
// order id.
func (s *Server) Pay(id string) (Order, error) { return s.finish(id, Succeeded) }

// Cancel closes an order as its wallet page would.
func (s *Server) Cancel(id string) (Order, error) { return s.finish(id, Cancelled) }

func (s *Server) finish(id string, to Status) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.findLocked(id)
	if o == nil {
		return Order{}, ErrNotFound
	}
	if o.Status != Pending {
		return o.clone(), ErrClosed
	}
	err := s.moveLocked(o, to)
	return o.clone(), err
}

// SetStatus moves an order to any status, whatever it was: for tests of an
// acquirer that contradicts itself, such as a payment that succeeds after it was
// cancelled. Moving to Succeeded notifies, moving away from it takes the charge
// out of the ledger.
func (s *Server) SetStatus(id string, to Status) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.findLocked(id)
	if o == nil {
		return Order{}, ErrNotFound
	}
	err := s.moveLocked(o, to)
	return o.clone(), err
}

func (s *Server) moveLocked(o *Order, to Status) error {
	now := s.opt.Now()
	o.Status, o.PaidAt, o.ClosedAt = to, time.Time{}, time.Time{}
	switch to {
	case Succeeded:
		o.PaidAt = now
		s.enqueueLocked(o, nil)
	case Cancelled:
		o.ClosedAt = now
	case Pending:
		o.ExpiresAt = s.expiry(now)
	}
	s.opt.Logger.Info("order moved", "order_id", o.ID, "merchant_order_id", o.MerchantOrderID, "status", to)
	return s.saveLocked()
}

// Order returns the order with that order id or merchant order id.
func (s *Server) Order(id string) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.findLocked(id); o != nil {
		return o.clone(), true
	}
	return Order{}, false
}

// Orders returns all orders, oldest first.
func (s *Server) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Order, 0, len(s.db.Orders))
	for _, o := range s.db.Orders {
		s.expireLocked(o)
		list = append(list, o.clone())
	}
	return list
}

// Ledger returns every movement of money in order of time, so that a test can
// count what a payer was charged.
func (s *Server) Ledger() []Entry {
	var list []Entry
	for _, o := range s.Orders() {
		if !o.PaidAt.IsZero() {
			list = append(list, Entry{Kind: "charge", OrderID: o.ID, MerchantOrderID: o.MerchantOrderID,
				Amount: number(o.Amount), At: o.PaidAt})
		}
		for _, r := range o.Refunds {
			if r.Status == Succeeded {
				list = append(list, Entry{Kind: "refund", OrderID: o.ID, MerchantOrderID: o.MerchantOrderID,
					MerchantRefundID: r.MerchantRefundID, Amount: number(r.Amount), At: r.SettledAt})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Entry) int { return a.At.Compare(b.At) })
	return list
}

// refundable is what is left of the payment: pending refunds hold their part.
func (o *Order) refundable() decimal.Decimal {
	left := number(o.Amount)
	for _, r := range o.Refunds {
		if r.Status != Failed {
			left = left.Sub(number(r.Amount))
		}
	}
	return left
}

func (o *Order) clone() Order {
	c := *o
	c.Refunds = slices.Clone(o.Refunds)
	return c
}

func (s *Server) expiry(now time.Time) time.Time {
	if s.opt.OrderTimeout < 0 {
		return time.Time{}
	}
	return now.Add(s.opt.OrderTimeout)
}

// expireLocked closes an overdue order. Being done on each look at the order,
// and as no notice tells of it, it needs no timer.
func (s *Server) expireLocked(o *Order) {
	if o.Status == Pending && !o.ExpiresAt.IsZero() && !s.opt.Now().Before(o.ExpiresAt) {
		o.Status, o.ClosedAt = Cancelled, o.ExpiresAt
	}
}

// number reads an amount that was checked when it came in.
func number(amount string) decimal.Decimal {
	d, _ := decimal.NewFromString(amount)
	return d
}
