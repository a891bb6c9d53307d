package stripetest

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The statuses of a payment that occur here; also of refunds.
const (
	RequiresPaymentMethod = "requires_payment_method"
	RequiresAction        = "requires_action"
	Processing            = "processing"
	Succeeded             = "succeeded"
	Canceled              = "canceled"
)

// What Pay and Fail can fail with.
var (
	ErrNotFound = errors.New("stripetest: no such payment")
	ErrClosed   = errors.New("stripetest: the payment can't be acted upon any more")
)

// Intent is a payment as the sandbox keeps it.
type Intent struct {
	ID          string
	Amount      int64 // in the smallest part of the currency
	Currency    string
	Description string
	Metadata    map[string]string
	ReturnURL   string
	Link        string // the wallet page
	Status      string
	Failed      bool // the last attempt failed
	CreatedAt   time.Time
	PaidAt      time.Time
	Refunds     []Refund
}

func (in *Intent) clone() Intent {
	c := *in
	c.Metadata, c.Refunds = maps.Clone(in.Metadata), slices.Clone(in.Refunds)
	return c
}

// MerchantOrderID is the metadata by which tests name payments.
func (in *Intent) MerchantOrderID() string { return in.Metadata["merchant_order_id"] }

var currencies = []string{"cny", "aud", "cad", "eur", "gbp", "hkd", "jpy", "sgd", "myr", "nzd", "usd"}

func (s *Server) create(c *call) (any, *refusal) {
	in, no := readCreate(c)
	if no != nil {
		return nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in.ID, in.CreatedAt = newID("pi"), s.opt.Now()
	in.Link = s.link(c.r, in.ID)
	s.intents = append(s.intents, in)
	return s.renderLocked(in), nil
}

// readCreate reads the form strictly: what the sandbox doesn't know is refused.
func readCreate(c *call) (*Intent, *refusal) {
	in := &Intent{Status: RequiresAction, Metadata: map[string]string{}}
	for name, values := range c.form {
		v := values[0]
		var no *refusal
		switch name {
		case "amount":
			in.Amount, no = readAmount(v)
		case "currency":
			if in.Currency = v; !slices.Contains(currencies, v) {
				no = refuse(http.StatusBadRequest, "", "the currency is not supported for alipay")
			}
		case "payment_method_types[]":
			if len(values) != 1 || v != "alipay" {
				no = refuse(http.StatusBadRequest, "", "only alipay is known here")
			}
		case "payment_method_data[type]":
			if v != "alipay" {
				no = refuse(http.StatusBadRequest, "", "no such payment method type")
			}
		case "confirm":
			if v != "true" {
				no = refuse(http.StatusBadRequest, "", "only confirm=true is known here")
			}
		case "return_url":
			in.ReturnURL = v
		case "description":
			if in.Description = v; len([]rune(v)) > 1000 {
				no = refuse(http.StatusBadRequest, "", "the description is too long")
			}
		default:
			no = readMetadata(in.Metadata, name, v)
		}
		if no != nil {
			no.param = name
			return nil, no
		}
	}
	for _, name := range []string{"amount", "currency", "payment_method_types[]", "payment_method_data[type]", "confirm", "return_url"} {
		if c.form.Get(name) == "" {
			return nil, &refusal{status: http.StatusBadRequest, kind: "invalid_request_error", code: "parameter_missing", message: "missing required param", param: name}
		}
	}
	return in, nil
}

func readAmount(v string) (int64, *refusal) {
	n, err := strconv.ParseInt(v, 10, 64)
	switch {
	case err != nil || strconv.FormatInt(n, 10) != v:
		return 0, refuse(http.StatusBadRequest, "parameter_invalid_integer", "not an integer")
	case n <= 0:
		return 0, refuse(http.StatusBadRequest, "amount_too_small", "the amount must be greater than zero")
	case n > 99_999_999:
		return 0, refuse(http.StatusBadRequest, "amount_too_large", "the amount has more than eight digits")
	}
	return n, nil
}

func readMetadata(into map[string]string, name, value string) *refusal {
	key, ok := strings.CutPrefix(name, "metadata[")
	key, closed := strings.CutSuffix(key, "]")
	if !ok || !closed || key == "" || strings.ContainsAny(key, "[]") {
		return refuse(http.StatusBadRequest, "parameter_unknown", "received unknown parameter")
	}
	into[key] = value
	return nil
}

func (s *Server) query(c *call) (any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.byIDLocked(c.r.PathValue("id"))
	if in == nil {
		return nil, refuse(http.StatusNotFound, "resource_missing", "no such payment_intent")
	}
	return s.renderLocked(in), nil
}

func (s *Server) cancelIntent(c *call) (any, *refusal) {
	for name := range c.form {
		if name != "cancellation_reason" || !slices.Contains([]string{"duplicate", "fraudulent", "requested_by_customer", "abandoned"}, c.form.Get(name)) {
			return nil, refuse(http.StatusBadRequest, "parameter_unknown", "received unknown parameter or reason")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.byIDLocked(c.r.PathValue("id"))
	if in == nil {
		return nil, refuse(http.StatusNotFound, "resource_missing", "no such payment_intent")
	}
	if in.Status != RequiresAction && in.Status != RequiresPaymentMethod {
		no := refuse(http.StatusBadRequest, "payment_intent_unexpected_state", "it can't be canceled in the status %s", in.Status)
		no.executed = true
		return nil, no
	}
	s.moveLocked(in, Canceled, false)
	return s.renderLocked(in), nil
}

// Pay pays as the wallet page would. id is the payment's or the merchant's.
func (s *Server) Pay(id string) (Intent, error) { return s.act(id, Succeeded, false) }

// Fail lets the payer refuse, as the wallet page's cancel does.
func (s *Server) Fail(id string) (Intent, error) { return s.act(id, RequiresPaymentMethod, true) }

func (s *Server) act(id, to string, failed bool) (Intent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.findLocked(id)
	switch {
	case in == nil:
		return Intent{}, ErrNotFound
	case in.Status != RequiresAction:
		return in.clone(), ErrClosed
	}
	s.moveLocked(in, to, failed)
	return in.clone(), nil
}

// SetStatus moves a payment to any status, whatever it was: for tests of an
// acquirer that contradicts itself.
func (s *Server) SetStatus(id, to string, failed bool) (Intent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.findLocked(id)
	if in == nil {
		return Intent{}, ErrNotFound
	}
	s.moveLocked(in, to, failed)
	return in.clone(), nil
}

func (s *Server) moveLocked(in *Intent, to string, failed bool) {
	in.Status, in.Failed, in.PaidAt = to, failed, time.Time{}
	types := map[string]string{Succeeded: "payment_intent.succeeded", Canceled: "payment_intent.canceled", Processing: "payment_intent.processing"}
	if to == Succeeded {
		in.PaidAt = s.opt.Now()
	}
	if failed {
		types[to] = "payment_intent.payment_failed"
	}
	if types[to] != "" {
		s.notifyLocked(types[to], in, s.renderLocked(in))
	}
}

// Intents returns all payments, oldest first.
func (s *Server) Intents() []Intent {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Intent, 0, len(s.intents))
	for _, in := range s.intents {
		list = append(list, in.clone())
	}
	return list
}

func (s *Server) byIDLocked(id string) *Intent {
	i := slices.IndexFunc(s.intents, func(in *Intent) bool { return in.ID == id })
	if i < 0 {
		return nil
	}
	return s.intents[i]
}

// findLocked takes the merchant's id as well; the newest with it counts.
func (s *Server) findLocked(id string) *Intent {
	if in := s.byIDLocked(id); in != nil {
		return in
	}
	for _, in := range slices.Backward(s.intents) {
		if in.MerchantOrderID() == id {
			return in
		}
	}
	return nil
}
