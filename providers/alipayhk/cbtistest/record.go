package cbtistest

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Request is one call to the API, as the log keeps it. Secrets are redacted and
// the bearer token isn't kept at all.
type Request struct {
	At              time.Time `json:"at"`
	Op              Op        `json:"op,omitzero"` // empty for an unknown path
	Method          string    `json:"method"`
	Path            string    `json:"path"`
	Query           string    `json:"query,omitzero"`
	Body            string    `json:"body,omitzero"`
	MerchantOrderID string    `json:"merchant_order_id,omitzero"` // where the call names or implies one
	Status          int       `json:"status"`                     // HTTP status; 0: the connection was closed
	Code            int       `json:"code"`                       // of the envelope
	Fault           Kind      `json:"fault,omitzero"`             // a fault that was applied
}

const redacted = "[redacted]"

// Requests returns the newest calls to the API, oldest first; those to one path
// only if a path is given.
func (s *Server) Requests(path ...string) []Request {
	return slices.DeleteFunc(s.requests.List(), func(r Request) bool { return len(path) > 0 && r.Path != path[0] })
}

// open finds out which order a call is about and which faults apply to it.
func (s *Server) open(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.order, c.moid = s.subjectLocked(c.body)
	c.log = Request{
		At: s.opt.Now(), Op: c.op, Method: c.r.Method, Path: c.r.URL.Path,
		Query: s.redactQueryLocked(c.r.URL.RawQuery), Body: s.redactLocked(string(c.body)), MerchantOrderID: c.moid,
	}
	if c.op != "" {
		c.faults = s.takeLocked(c.op, c.moid, c.order)
	}
}

// close puts the call into the log, just before its answer leaves.
func (s *Server) close(c *call, rep reply) {
	c.log.Status = max(rep.status, 0)
	if n := len(c.faults); n > 0 {
		c.log.Fault = c.faults[n-1].Kind // the delays come first
	}
	s.requests.Add(c.log)
}

// subjectLocked reads the ids out of a body that may not be a valid request.
func (s *Server) subjectLocked(body []byte) (*Order, string) {
	var ids struct {
		OrderID          string `json:"order_id"`
		MerchantOrderID  string `json:"merchant_order_id"`
		PaymentID        string `json:"payment_order_id"`
		MerchantPayment  string `json:"merchant_payment_order_id"`
		RefundID         string `json:"refund_id"`
		MerchantRefundID string `json:"merchant_refund_id"`
	}
	if json.Unmarshal(body, &ids) != nil {
		return nil, ""
	}
	for _, id := range []string{ids.OrderID, ids.PaymentID, ids.MerchantOrderID, ids.MerchantPayment} {
		if o := s.findLocked(id); o != nil {
			return o, o.MerchantOrderID
		}
	}
	ref, ok := s.db.refunds[ids.RefundID]
	if !ok {
		ref, ok = s.db.byRefund[ids.MerchantRefundID]
	}
	if ok {
		return ref.order, ref.order.MerchantOrderID
	}
	return nil, ids.MerchantOrderID
}

func (s *Server) redactLocked(text string) string {
	for _, secret := range []string{s.opt.ClientSecret, s.key, s.opt.WebhookKey} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, redacted)
			text = strings.ReplaceAll(text, url.QueryEscape(secret), redacted)
		}
	}
	return text
}

// redactQueryLocked also hides a wrong client_secret: it may be another's right one.
func (s *Server) redactQueryLocked(raw string) string {
	parts := strings.Split(raw, "&")
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(name); err != nil || strings.EqualFold(name, "client_secret") {
			parts[i] = "client_secret=" + redacted
		}
	}
	return s.redactLocked(strings.Join(parts, "&"))
}
