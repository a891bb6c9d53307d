package sandbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
)

// Pay pays an open payment, as the payer does in the wallet, and sends the
// notification. reference is the merchant's id.
func (s *Server) Pay(reference string) error { return s.end(reference, "paid") }

// GiveUp is the payer who presses cancel.
func (s *Server) GiveUp(reference string) error { return s.end(reference, "cancelled") }

func (s *Server) end(reference, status string) error {
	s.mu.Lock()
	p := s.find(reference)
	if p == nil || p.Status != "open" {
		s.mu.Unlock()
		return fmt.Errorf("sandbox: there is no open payment %s", reference)
	}
	p.Status = status
	if status == "paid" {
		p.PaidAt = now()
	}
	url, body := p.notifyURL, notice(*p)
	signature := Sign(body, s.key)
	s.mu.Unlock()
	return s.notify(url, body, signature)
}

// SetStatus gives a payment any status, documented or not, without notifying.
func (s *Server) SetStatus(reference, status string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.find(reference)
	if p == nil {
		return fmt.Errorf("sandbox: there is no payment %s", reference)
	}
	p.Status = status
	return nil
}

// Payments returns the payments with a reference: one, if all is well.
func (s *Server) Payments(reference string) []Payment {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Payment
	for _, p := range s.payments {
		if p.Reference == reference {
			all = append(all, *p)
		}
	}
	return all
}

// SetNotificationKey has Acme sign with another key from now on.
func (s *Server) SetNotificationKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
}

// Sign returns the signature of a notification's body.
//
// Fact: how it is made.
func Sign(body []byte, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func notice(p Payment) []byte {
	body, _ := json.Marshal(map[string]any{ // maps of text can always be written
		"event":   "payment." + p.Status,
		"payment": map[string]string{"id": p.ID, "reference": p.Reference, "status": p.Status},
	})
	return body
}

func (s *Server) notify(url string, body []byte, signature string) error {
	if url == "" {
		return nil
	}
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Acme-Signature", signature)
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
