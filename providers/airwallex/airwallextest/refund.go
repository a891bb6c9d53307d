package airwallextest

import (
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

// The statuses of refunds that the sandbox uses.
const (
	Received Status = "RECEIVED"
	Settled  Status = "SETTLED"
	Failed   Status = "FAILED"
)

// Refund is one refund.
type Refund struct {
	ID        string
	RequestID string
	IntentID  string
	AttemptID string
	Amount    string
	Currency  string
	Reason    string
	Metadata  map[string]string
	Status    Status
	CreatedAt time.Time
	UpdatedAt time.Time
}

type refundRequest struct {
	RequestID string            `json:"request_id"`
	IntentID  string            `json:"payment_intent_id"`
	AttemptID string            `json:"payment_attempt_id"`
	Amount    jsontext.Value    `json:"amount"`
	Reason    string            `json:"reason"`
	Metadata  map[string]string `json:"metadata"`
}

// refundData is a refund as the API shows it.
type refundData struct {
	ID        string            `json:"id"`
	RequestID string            `json:"request_id"`
	IntentID  string            `json:"payment_intent_id"`
	AttemptID string            `json:"payment_attempt_id"`
	Amount    jsontext.Value    `json:"amount"`
	Currency  string            `json:"currency"`
	Reason    string            `json:"reason,omitzero"`
	Metadata  map[string]string `json:"metadata,omitzero"`
	Status    Status            `json:"status"`
	CreatedAt string            `json:"created_at"`
	UpdatedAt string            `json:"updated_at"`
}

func refundOf(r *Refund) refundData {
	return refundData{
		ID: r.ID, RequestID: r.RequestID, IntentID: r.IntentID, AttemptID: r.AttemptID, Amount: jsontext.Value(r.Amount), Currency: r.Currency,
		Reason: r.Reason, Metadata: r.Metadata, Status: r.Status, CreatedAt: apiTime(r.CreatedAt), UpdatedAt: apiTime(r.UpdatedAt),
	}
}

// Refunds returns all refunds, oldest first.
func (s *Server) Refunds() []Refund {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Refund, len(s.refunds))
	for i, r := range s.refunds {
		all[i] = *r
	}
	return all
}

func (s *Server) refund(c *call) (int, any, *refusal) {
	var req refundRequest
	if no := s.decode(c, &req); no != nil {
		return 0, nil, no
	}
	if utf8.RuneCountInString(req.Reason) > 128 {
		return 0, nil, s.invalid("reason", "must have at most 128 characters")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in, no := s.refundableLocked(req)
	if no != nil {
		return 0, nil, no
	}
	id := "rfd_" + sandbox.RandomHex(12)
	switch again, no := s.useKeyLocked(c, req.RequestID, id); {
	case no != nil:
		return 0, nil, no
	case again != "":
		return http.StatusOK, refundOf(s.refundLocked(again)), nil
	}
	amount, no := s.refundAmountLocked(req, in)
	if no != nil {
		s.freeKeyLocked(req.RequestID)
		return 0, nil, no
	}
	now := s.opt.Now()
	r := &Refund{
		ID: id, RequestID: req.RequestID, IntentID: in.ID, AttemptID: in.AttemptID, Amount: amount.String(), Currency: in.Currency,
		Reason: req.Reason, Metadata: req.Metadata, Status: Received, CreatedAt: now, UpdatedAt: now,
	}
	s.refunds = append(s.refunds, r)
	if s.opt.RefundSettleAfter > 0 {
		s.run.After(s.opt.RefundSettleAfter, func() { _, _ = s.SettleRefund(id, true) })
	}
	return http.StatusCreated, refundOf(r), nil
}

// refundableLocked finds the paid intent that a request names.
func (s *Server) refundableLocked(req refundRequest) (*Intent, *refusal) {
	i := slices.IndexFunc(s.intents, func(in *Intent) bool {
		return req.IntentID != "" && in.ID == req.IntentID || req.IntentID == "" && req.AttemptID != "" && in.AttemptID == req.AttemptID
	})
	switch {
	case i < 0:
		return nil, s.notFound()
	case s.intents[i].Status != Succeeded:
		return nil, &refusal{http.StatusBadRequest, s.opt.Codes.BadState, "the payment intent isn't paid", "status"}
	}
	return s.intents[i], nil
}

// refundAmountLocked returns how much goes back: without an amount, the rest.
func (s *Server) refundAmountLocked(req refundRequest, in *Intent) (decimal.Decimal, *refusal) {
	left := decimal.RequireFromString(in.Amount)
	for _, r := range s.refunds {
		if r.IntentID == in.ID && r.Status != Failed {
			left = left.Sub(decimal.RequireFromString(r.Amount))
		}
	}
	amount := left
	if len(req.Amount) > 0 {
		var no *refusal
		if amount, no = s.amount(req.Amount); no != nil {
			return amount, no
		}
	}
	if amount.GreaterThan(left) || !amount.IsPositive() {
		return amount, &refusal{http.StatusBadRequest, s.opt.Codes.TooLarge, "less is left of the payment", "amount"}
	}
	return amount, nil
}

func (s *Server) refundLocked(id string) *Refund {
	for _, r := range s.refunds {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// SettleRefund ends a refund that is RECEIVED: as SETTLED, or as FAILED.
func (s *Server) SettleRefund(id string, well bool) (Refund, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.refundLocked(id)
	if r == nil {
		return Refund{}, ErrNotFound
	}
	if r.Status != Received {
		return *r, ErrState
	}
	r.Status, r.UpdatedAt = Failed, s.opt.Now()
	name := "refund.failed"
	if well {
		r.Status, name = Settled, "refund.settled"
	}
	s.notifyLocked(name, refundOf(r))
	return *r, nil
}

// SetRefundStatus gives a refund any status, also one that the acquirer doesn't
// have, and notifies nobody.
func (s *Server) SetRefundStatus(id string, to Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.refundLocked(id)
	if r == nil {
		return ErrNotFound
	}
	r.Status, r.UpdatedAt = to, s.opt.Now()
	return nil
}

func (s *Server) retrieveRefund(c *call) (int, any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.refundLocked(c.r.PathValue("id"))
	if r == nil {
		return 0, nil, s.notFound()
	}
	return http.StatusOK, refundOf(r), nil
}

func (s *Server) listRefunds(c *call) (int, any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	query := c.r.URL.Query()
	var found []refundData
	for _, r := range s.refunds {
		if !query.Has("payment_intent_id") || r.IntentID == query.Get("payment_intent_id") {
			found = append(found, refundOf(r))
		}
	}
	return http.StatusOK, pageOf(found, c.r), nil
}
