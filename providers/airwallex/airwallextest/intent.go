package airwallextest

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Status is the state of a payment intent or of a refund.
type Status string

// The statuses of payment intents that the sandbox uses.
const (
	RequiresPaymentMethod  Status = "REQUIRES_PAYMENT_METHOD"
	RequiresCustomerAction Status = "REQUIRES_CUSTOMER_ACTION"
	Succeeded              Status = "SUCCEEDED"
	Cancelled              Status = "CANCELLED"
)

// Intent is one payment intent.
type Intent struct {
	ID              string
	RequestID       string
	MerchantOrderID string
	Amount          string // exact, without trailing zeros
	Currency        string
	Descriptor      string
	ReturnURL       string
	ClientSecret    string
	Status          Status
	Method, Flow    string // of the last confirm
	OSType          string
	Link            string // the wallet's page
	AttemptID       string
	AttemptFailed   bool
	CreatedAt       time.Time
	UpdatedAt       time.Time
	PaidAt          time.Time

	next *nextAction
}

// Intents returns all payment intents, oldest first.
func (s *Server) Intents() []Intent {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Intent, len(s.intents))
	for i, in := range s.intents {
		all[i] = *in
	}
	return all
}

// Intent returns one payment intent by its id, or the newest by the merchant's
// order id.
func (s *Server) Intent(id string) (Intent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in := s.findLocked(id); in != nil {
		return *in, nil
	}
	return Intent{}, ErrNotFound
}

func (s *Server) findLocked(id string) *Intent {
	for _, in := range slices.Backward(s.intents) {
		if in.ID == id || in.MerchantOrderID == id {
			return in
		}
	}
	return nil
}

func (s *Server) byIDLocked(id string) *Intent {
	i := slices.IndexFunc(s.intents, func(in *Intent) bool { return in.ID == id })
	if i < 0 {
		return nil
	}
	return s.intents[i]
}

// Pay lets the payer of a confirmed intent pay.
func (s *Server) Pay(id string) (Intent, error) { return s.act(id, true) }

// Reject lets the payer of a confirmed intent refuse: the attempt fails.
func (s *Server) Reject(id string) (Intent, error) { return s.act(id, false) }

func (s *Server) act(id string, pay bool) (Intent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.findLocked(id)
	if in == nil {
		return Intent{}, ErrNotFound
	}
	if in.Status != RequiresCustomerAction {
		return *in, ErrState
	}
	in.UpdatedAt, in.next = s.opt.Now(), nil
	if pay {
		in.Status, in.PaidAt = Succeeded, s.opt.Now()
		s.notifyLocked("payment_intent.succeeded", intentOf(in))
	} else {
		in.Status, in.AttemptFailed = RequiresPaymentMethod, true
	}
	return *in, nil
}

// SetStatus gives an intent any status, also one that the acquirer doesn't have,
// and sends nothing.
func (s *Server) SetStatus(id string, status Status) (Intent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.findLocked(id)
	if in == nil {
		return Intent{}, ErrNotFound
	}
	in.Status, in.UpdatedAt = status, s.opt.Now()
	return *in, nil
}

// cancelIntent closes an unpaid intent.
func (s *Server) cancelIntent(c *call) (int, any, *refusal) {
	var req struct {
		RequestID string `json:"request_id"`
		Reason    string `json:"cancellation_reason"`
	}
	if no := s.decode(c, &req); no != nil {
		return 0, nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.byIDLocked(c.r.PathValue("id"))
	if in == nil {
		return 0, nil, s.notFound()
	}
	if again, no := s.useKeyLocked(c, req.RequestID, in.ID); no != nil || again != "" {
		return http.StatusOK, intentOf(in), no
	}
	if in.Status == Succeeded || in.Status == Cancelled {
		s.freeKeyLocked(req.RequestID)
		return 0, nil, &refusal{http.StatusBadRequest, s.opt.Codes.BadState, "the payment intent has ended", "status"}
	}
	in.Status, in.UpdatedAt, in.next = Cancelled, s.opt.Now(), nil
	s.notifyLocked("payment_intent.cancelled", intentOf(in))
	return http.StatusOK, intentOf(in), nil
}

func (s *Server) retrieve(c *call) (int, any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	in := s.byIDLocked(c.r.PathValue("id"))
	if in == nil {
		return 0, nil, s.notFound()
	}
	return http.StatusOK, intentOf(in), nil
}

const pageSize = 10

// page is one page of a list.
type page[T any] struct {
	HasMore bool `json:"has_more"`
	Items   []T  `json:"items"`
}

// pageOf cuts the page that a query asks for out of all, the newest first.
func pageOf[T any](all []T, r *http.Request) page[T] {
	slices.Reverse(all)
	n, _ := strconv.Atoi(r.URL.Query().Get("page_num"))
	size, err := strconv.Atoi(r.URL.Query().Get("page_size"))
	if err != nil || size < 1 {
		size = pageSize
	}
	from := min(max(n, 0)*size, len(all))
	to := min(from+size, len(all))
	return page[T]{HasMore: to < len(all), Items: append([]T{}, all[from:to]...)}
}

// list finds intents. It ignores query members that it doesn't know: the
// vendor's client adds one against caches.
func (s *Server) list(c *call) (int, any, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	query := c.r.URL.Query()
	var found []intentData
	for _, in := range s.intents {
		ours := !query.Has("merchant_order_id") || in.MerchantOrderID == query.Get("merchant_order_id")
		if ours && (!query.Has("status") || string(in.Status) == query.Get("status")) && (!query.Has("currency") || in.Currency == query.Get("currency")) {
			data := intentOf(in)
			if data.LatestAttempt != nil {
				data.LatestAttempt = &attemptData{ID: data.LatestAttempt.ID} // lists have only the id
			}
			found = append(found, data)
		}
	}
	return http.StatusOK, pageOf(found, c.r), nil
}

// usedKey is a request_id with what it was used for.
type usedKey struct{ path, body, id string }

// useKeyLocked records a request_id for the object id. If it was used for the
// same request, it returns the object of then: nothing may be done again.
func (s *Server) useKeyLocked(c *call, key, id string) (again string, no *refusal) {
	if key == "" || len(key) > 64 {
		return "", s.invalid("request_id", "must have 1 to 64 characters")
	}
	this := usedKey{c.r.URL.Path, string(c.body), id}
	old, known := s.used[key]
	switch {
	case !known:
		s.used[key] = this
		return "", nil
	case s.opt.RefuseRepeats || old.path != this.path || old.body != this.body:
		return "", &refusal{http.StatusBadRequest, s.opt.Codes.Duplicate, "the request_id was used", "request_id"}
	}
	return old.id, nil
}

// freeKeyLocked forgets a request_id whose request was refused.
func (s *Server) freeKeyLocked(key string) { delete(s.used, key) }
