package stripetest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// Notification is one attempt to deliver a notification, as the log keeps it.
type Notification struct {
	EventID         string
	Type            string
	MerchantOrderID string
	Body            string
	Signature       string // the header as sent
	Attempt         int    // from 1
	Status          int    // HTTP status; 0: there was no answer
	Error           string
	Delivered       bool
	Extra           bool // a copy sent by the duplicate fault
	Fault           Kind
}

type eventJSON struct {
	ID              string    `json:"id"`
	Object          string    `json:"object"`
	APIVersion      string    `json:"api_version"`
	Created         int64     `json:"created"`
	Data            eventData `json:"data"`
	Livemode        bool      `json:"livemode"`
	PendingWebhooks int       `json:"pending_webhooks"`
	Type            string    `json:"type"`
}

type eventData struct {
	Object any `json:"object"`
}

// Sign returns the Stripe-Signature header of a body: the time of signing, and
// for each secret the hex HMAC-SHA256 of time, dot and body.
func Sign(body []byte, at time.Time, secrets ...string) string {
	t := strconv.FormatInt(at.Unix(), 10)
	header := "t=" + t
	for _, secret := range secrets {
		h := hmac.New(sha256.New, []byte(secret))
		h.Write([]byte(t + "."))
		h.Write(body)
		header += ",v1=" + hex.EncodeToString(h.Sum(nil))
	}
	return header
}

// SetWebhookSecret rolls the secret: every attempt from now on is signed with it.
func (s *Server) SetWebhookSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
}

// SetWebhookURL says where notifications go from now on.
func (s *Server) SetWebhookURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.WebhookURL = url
}

// Notifications returns the attempts that ended, oldest first.
func (s *Server) Notifications() []Notification {
	return s.notes.List()
}

// Idle waits until no notification is being sent. Retries that wait for their
// time don't count.
func (s *Server) Idle(ctx context.Context) error { return s.run.Idle(ctx) }

// notifyLocked starts to notify of an object.
func (s *Server) notifyLocked(kind string, in *Intent, object any) {
	if s.opt.WebhookURL == "" {
		return
	}
	n := Notification{EventID: newID("evt"), Type: kind, MerchantOrderID: in.MerchantOrderID()}
	body, _ := json.Marshal(eventJSON{
		ID: n.EventID, Object: "event", APIVersion: DefaultAPIVersion, Created: s.opt.Now().Unix(),
		Data: eventData{object}, Livemode: s.opt.Live, PendingWebhooks: 1, Type: kind,
	})
	n.Body = string(body)
	s.run.Send(0, func() { s.attempt(n) })
}

// attempt makes one delivery, and schedules the next if there is to be one.
func (s *Server) attempt(n Notification) {
	faults := s.take(OpNotify)
	if !s.run.Pause(context.Background(), totalDelay(faults, KindDelay)) {
		return
	}
	s.mu.Lock()
	secret, url := s.secret, s.opt.WebhookURL
	s.mu.Unlock()
	n.Attempt++
	copies := 1
	drop := false
	for _, f := range faults {
		n.Fault = f.Kind
		switch f.Kind {
		case KindDrop:
			drop = true
		case KindForged:
			secret = "not-the-secret-" + secret
		case KindDuplicate:
			copies = 2
		}
	}
	n.Signature = Sign([]byte(n.Body), s.opt.Now(), secret)
	for i := range copies {
		n.Extra = i > 0
		if drop {
			n.Error = "dropped by a fault"
		} else {
			s.post(&n, url)
		}
		s.notes.Add(n)
	}
	if !n.Delivered && n.Attempt <= len(s.opt.RetryIntervals) {
		wait := s.opt.RetryIntervals[n.Attempt-1]
		n.Extra, n.Fault = false, ""
		s.run.Send(wait, func() { s.attempt(n) })
	}
}

// post sends the body and fills in what came of it. Any 2xx is a receipt.
func (s *Server) post(n *Notification, url string) {
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Stripe-Signature": {n.Signature}}
	status, _, err := s.run.Post(url, header, []byte(n.Body), 30*time.Second)
	n.Status, n.Error, n.Delivered = status, "", status >= 200 && status <= 299
	if err != nil {
		n.Error = err.Error()
	}
}
