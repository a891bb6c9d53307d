package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"github.com/paymux/paymux/sdk/providertest"
)

// Payment is a payment as Acme shows it.
//
// Fact: its members.
type Payment struct {
	ID        string `json:"id"`
	Reference string `json:"reference"`
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	Status    string `json:"status"`
	PayURL    string `json:"pay_url,omitempty"`
	QRCode    string `json:"qr_code,omitempty"`
	CreatedAt string `json:"created_at"`
	PaidAt    string `json:"paid_at,omitempty"`

	idempotencyKey, notifyURL string
}

func newID(prefix string) string { return prefix + "_" + rand.Text() }

func now() string { return time.Now().UTC().Format(time.RFC3339) }

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func fail(w http.ResponseWriter, status int, code string) {
	reply(w, status, map[string]any{"error": map[string]string{"code": code}})
}

func (s *Server) account(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]string{"account": Account})
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Reference, Amount, Currency, Wallet, Channel string
		NotifyURL                                    string `json:"notify_url"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || in.Reference == "" || in.Amount == "" || in.Wallet == "" {
		fail(w, http.StatusUnprocessableEntity, "bad_request")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fault := s.fault(providertest.OpCreate)
	p := s.find(in.Reference)
	key := r.Header.Get("Idempotency-Key")
	switch {
	case fault == providertest.FaultRefused:
		fail(w, http.StatusPaymentRequired, "declined")
		return
	case fault == providertest.FaultErrorCode:
		fail(w, http.StatusConflict, "unheard_of")
		return
	case p == nil:
		p = &Payment{
			ID: newID("pay"), Reference: in.Reference, Amount: in.Amount, Currency: in.Currency,
			Status: "open", CreatedAt: now(), idempotencyKey: key, notifyURL: in.NotifyURL,
		}
		if link := s.URL + "/pay/" + p.ID; in.Channel == "qr" {
			p.QRCode = link
		} else {
			p.PayURL = link
		}
		s.payments = append(s.payments, p)
	case key == "" || p.idempotencyKey != key || p.Amount != in.Amount || p.Currency != in.Currency:
		// Fact: a reference names one payment for ever.
		fail(w, http.StatusConflict, "reference_used")
		return
	}
	reply(w, http.StatusCreated, p.with(fault))
}

func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fault := s.fault(providertest.OpQuery)
	id := r.URL.Query().Get("id")
	if id == "" {
		id = r.URL.Query().Get("reference")
	}
	p := s.find(id)
	if p == nil {
		fail(w, http.StatusNotFound, "not_found")
		return
	}
	reply(w, http.StatusOK, p.with(fault))
}

// with returns the payment as a faulty Acme would show it.
func (p Payment) with(fault providertest.Fault) Payment {
	switch fault {
	case providertest.FaultWrongOrder:
		p.ID = newID("pay")
	case providertest.FaultWrongMerchantOrder:
		p.Reference = "another"
	case providertest.FaultWrongAmount:
		p.Amount = "99.99"
	case providertest.FaultWrongCurrency:
		p.Currency = "TWD"
	}
	return p
}

// find looks a payment up by either id. The caller holds mu.
func (s *Server) find(id string) *Payment {
	for _, p := range s.payments {
		if id != "" && (p.ID == id || p.Reference == id) {
			return p
		}
	}
	return nil
}
