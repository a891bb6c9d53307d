package antomtest

import (
	"errors"
	"slices"
	"strconv"
	"time"
)

// Status is the state of a payment or of a refund.
type Status string

// The documented statuses; refunds have the first three only.
const (
	Success    Status = "SUCCESS"
	Fail       Status = "FAIL"
	Processing Status = "PROCESSING"
	Pending    Status = "PENDING"
	Cancelled  Status = "CANCELLED"
)

// What Pay, Cancel and the like can fail with.
var (
	ErrNotFound = errors.New("antomtest: no such payment")
	ErrClosed   = errors.New("antomtest: the payment has ended already")
)

// Order is a payment as the sandbox keeps it.
type Order struct {
	PaymentID        string
	PaymentRequestID string
	Amount           Amount
	Description      string
	Method           string // paymentMethodType
	ProductCode      string
	Terminal         string
	NotifyURL        string
	RedirectURL      string
	Link             string // the wallet page
	Status           Status
	CreatedAt        time.Time
	ExpiresAt        time.Time // zero: never
	PaidAt           time.Time
	EndedAt          time.Time // cancelled or failed
	Refunds          []*Refund

	request string // the body of pay
	base    string // the path it was made under
}

// Refund is one refund of a payment.
type Refund struct {
	RefundID        string
	RefundRequestID string
	Amount          Amount
	Status          Status
	SettledAt       time.Time

	order *Order
}

// Entry is one movement of (pretended) money.
type Entry struct {
	Kind             string // "charge", "refund" or "cancel"
	PaymentRequestID string
	RefundRequestID  string // of a refund
	Minor            int64
}

// Pay pays as the wallet page would. id is a paymentId or a paymentRequestId.
func (s *Server) Pay(id string) (Order, error) { return s.finish(id, Success) }

// Cancel ends a payment as the payer can on the wallet page.
func (s *Server) Cancel(id string) (Order, error) { return s.finish(id, Cancelled) }

// Fail ends a payment as the wallet does that refuses it.
func (s *Server) Fail(id string) (Order, error) { return s.finish(id, Fail) }

func (s *Server) finish(id string, to Status) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.findLocked(id)
	switch {
	case o == nil:
		return Order{}, ErrNotFound
	case !o.open():
		return o.clone(), ErrClosed
	}
	s.moveLocked(o, to)
	return o.clone(), nil
}

// SetStatus moves a payment to any status, whatever it was: for tests of an
// acquirer that contradicts itself. It notifies as the way there would have.
func (s *Server) SetStatus(id string, to Status) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.findLocked(id)
	if o == nil {
		return Order{}, ErrNotFound
	}
	s.moveLocked(o, to)
	return o.clone(), nil
}

func (s *Server) moveLocked(o *Order, to Status) {
	o.Status, o.PaidAt, o.EndedAt = to, time.Time{}, time.Time{}
	switch to {
	case Success:
		o.PaidAt = s.opt.Now()
	case Fail, Cancelled:
		o.EndedAt = s.opt.Now()
	}
	s.notifyLocked(o)
}

// Order returns the payment with that paymentId or paymentRequestId.
func (s *Server) Order(id string) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.findLocked(id); o != nil {
		return o.clone(), true
	}
	return Order{}, false
}

// Orders returns all payments, oldest first.
func (s *Server) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Order, 0, len(s.orders))
	for _, o := range s.orders {
		s.expireLocked(o)
		list = append(list, o.clone())
	}
	return list
}

// Ledger returns every movement of money, so that a test can count what a payer
// was charged.
func (s *Server) Ledger() []Entry {
	var list []Entry
	for _, o := range s.Orders() {
		if o.PaidAt.IsZero() {
			continue
		}
		list = append(list, Entry{Kind: "charge", PaymentRequestID: o.PaymentRequestID, Minor: minor(o.Amount)})
		for _, r := range o.Refunds {
			if r.Status == Success {
				list = append(list, Entry{"refund", o.PaymentRequestID, r.RefundRequestID, minor(r.Amount)})
			}
		}
		if o.Status == Cancelled {
			list = append(list, Entry{Kind: "cancel", PaymentRequestID: o.PaymentRequestID, Minor: minor(o.Amount)})
		}
	}
	return list
}

func (o *Order) open() bool { return o.Status == Processing || o.Status == Pending }

// left is what can still be refunded: refunds under way hold their part.
func (o *Order) left() int64 {
	left := minor(o.Amount)
	for _, r := range o.Refunds {
		if r.Status != Fail {
			left -= minor(r.Amount)
		}
	}
	return left
}

func (o *Order) clone() Order {
	c := *o
	c.Refunds = nil
	for _, r := range o.Refunds {
		copied := *r
		c.Refunds = append(c.Refunds, &copied)
	}
	return c
}

// findLocked looks up a payment by either id.
func (s *Server) findLocked(id string) *Order {
	i := slices.IndexFunc(s.orders, func(o *Order) bool { return o.PaymentID == id || o.PaymentRequestID == id })
	if i < 0 {
		return nil
	}
	s.expireLocked(s.orders[i])
	return s.orders[i]
}

// expireLocked ends an overdue payment. It is done on each look at it, and no
// notification tells of it.
func (s *Server) expireLocked(o *Order) {
	if o.open() && !o.ExpiresAt.IsZero() && !s.opt.Now().Before(o.ExpiresAt) {
		o.Status, o.EndedAt = Fail, o.ExpiresAt
	}
}

// minor reads an amount that was checked when it came in.
func minor(a Amount) int64 {
	n, _ := strconv.ParseInt(a.Value, 10, 64)
	return n
}
