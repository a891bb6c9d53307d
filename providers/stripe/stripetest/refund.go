package stripetest

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// refundPeriod is how long after a payment refunds are possible.
const refundPeriod = 90 * 24 * time.Hour

// Refund is one refund of a payment.
type Refund struct {
	ID        string
	Amount    int64
	Reason    string
	Metadata  map[string]string
	Status    string
	CreatedAt time.Time
}

// refundJSON is a Refund on the wire.
type refundJSON struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Amount        int64             `json:"amount"`
	Created       int64             `json:"created"`
	Currency      string            `json:"currency"`
	FailureReason string            `json:"failure_reason,omitzero"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent string            `json:"payment_intent"`
	Reason        *string           `json:"reason"`
	Status        string            `json:"status"`
}

func renderRefund(in *Intent, r Refund) refundJSON {
	out := refundJSON{
		ID: r.ID, Object: "refund", Amount: r.Amount, Created: r.CreatedAt.Unix(), Currency: in.Currency,
		Metadata: maps.Clone(r.Metadata), PaymentIntent: in.ID, Status: r.Status,
	}
	if r.Reason != "" {
		out.Reason = &r.Reason
	}
	if r.Status == "failed" {
		out.FailureReason = "unknown"
	}
	return out
}

func (s *Server) refund(c *call) (any, *refusal) {
	r, intent, no := readRefund(c)
	if no != nil {
		return nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.byIDLocked(intent)
	if in == nil {
		return nil, refuse(http.StatusNotFound, "resource_missing", "no such payment_intent")
	}
	left := in.Amount
	for _, old := range in.Refunds {
		if old.Status != "failed" && old.Status != "canceled" {
			left -= old.Amount
		}
	}
	now := s.opt.Now()
	switch {
	case in.Status != Succeeded:
		no = refuse(http.StatusBadRequest, "payment_intent_unexpected_state", "it has no successful charge to refund")
	case left == 0:
		no = refuse(http.StatusBadRequest, "charge_already_refunded", "the charge has already been refunded")
	case now.Sub(in.PaidAt) > refundPeriod:
		no = refuse(http.StatusBadRequest, "", "the refund period is over")
	case r.Amount > left:
		no = refuse(http.StatusBadRequest, "", "the refund is greater than what is left")
	}
	if no != nil {
		no.executed = true
		return nil, no
	}
	if r.Amount == 0 {
		r.Amount = left
	}
	r.ID, r.CreatedAt, r.Status = newID("re"), now, "pending"
	in.Refunds = append(in.Refunds, r)
	end := string(s.opt.RefundOutcome)
	if s.opt.RefundAfter == 0 {
		s.moveRefundLocked(in, r.ID, end)
	} else {
		s.run.After(s.opt.RefundAfter, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.moveRefundLocked(in, r.ID, end)
		})
	}
	return renderRefund(in, in.Refunds[len(in.Refunds)-1]), nil
}

// readRefund reads the form strictly. An amount of 0 is all that is left.
func readRefund(c *call) (r Refund, intent string, no *refusal) {
	r.Metadata = map[string]string{}
	for name, values := range c.form {
		v := values[0]
		switch name {
		case "payment_intent":
			intent = v
		case "amount":
			r.Amount, no = readAmount(v)
		case "reason":
			if r.Reason = v; !slices.Contains([]string{"duplicate", "fraudulent", "requested_by_customer"}, v) {
				no = refuse(http.StatusBadRequest, "", "no such reason")
			}
		default:
			no = readMetadata(r.Metadata, name, v)
		}
		if no != nil {
			no.param = name
			return r, "", no
		}
	}
	if intent == "" {
		return r, "", refuse(http.StatusBadRequest, "parameter_missing", "a payment_intent is required")
	}
	return r, intent, nil
}

// moveRefundLocked ends a refund and notifies of it.
func (s *Server) moveRefundLocked(in *Intent, id, to string) {
	i := slices.IndexFunc(in.Refunds, func(r Refund) bool { return r.ID == id })
	if i < 0 || to == in.Refunds[i].Status {
		return
	}
	in.Refunds[i].Status = to
	kind := "refund.updated"
	if to == "failed" {
		kind = "refund.failed"
	}
	s.notifyLocked(kind, in, renderRefund(in, in.Refunds[i]))
}

// SetRefundStatus moves a refund, named by its id, to any status.
func (s *Server) SetRefundStatus(id, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range s.intents {
		if slices.ContainsFunc(in.Refunds, func(r Refund) bool { return r.ID == id }) {
			s.moveRefundLocked(in, id, to)
			return nil
		}
	}
	return ErrNotFound
}

func (s *Server) queryRefund(c *call) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, in := range s.intents {
		for _, r := range in.Refunds {
			if r.ID == c.r.PathValue("id") {
				return renderRefund(in, r), nil
			}
		}
	}
	return nil, refuse(http.StatusNotFound, "resource_missing", "no such refund")
}

// listRefunds lists the refunds of a payment, the newest first.
func (s *Server) listRefunds(c *call) (any, *refusal) {
	limit, no := readLimit(c, "payment_intent")
	if no != nil {
		return nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.byIDLocked(c.form.Get("payment_intent"))
	if in == nil {
		return nil, refuse(http.StatusNotFound, "resource_missing", "no such payment_intent")
	}
	out := page[refundJSON]{Object: "list", URL: "/v1/refunds", Data: []refundJSON{}}
	for _, r := range slices.Backward(in.Refunds) {
		if len(out.Data) == limit {
			out.HasMore = true
			break
		}
		out.Data = append(out.Data, renderRefund(in, r))
	}
	return out, nil
}
