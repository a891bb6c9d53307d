package airwallextest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

// notifyTimeout is how long a receiver may take; the acquirer names no time.
const notifyTimeout = 10 * time.Second

// Notification is one attempt to deliver a notification, as the log keeps it.
type Notification struct {
	EventID   string // the same for all attempts of one notification
	Name      string
	URL       string
	Body      string
	Timestamp string // as sent
	Signature string // as sent
	Attempt   int    // from 1
	At        time.Time
	Status    int // HTTP status; 0: there was no answer
	Delivered bool
	Fault     Kind
}

type notice struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	AccountID  string     `json:"account_id,omitzero"`
	AccountOld string     `json:"accountId,omitzero"`
	Data       noticeData `json:"data"`
	CreatedAt  string     `json:"created_at"`
}

type noticeData struct {
	Object any `json:"object"`
}

// Sign returns the signature of a notification: lower-case hex of the
// HMAC-SHA256, with the secret, of the timestamp and the raw body.
func Sign(timestamp string, body []byte, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(timestamp))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// SetWebhook enters where notifications go from now on, and their secret, as a
// person does at the acquirer's site.
func (s *Server) SetWebhook(url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hookURL, s.secret = url, secret
}

// Notifications returns the newest delivery attempts that ended, oldest first.
func (s *Server) Notifications() []Notification {
	return s.notes.List()
}

// Idle waits until no notification is being sent. Repetitions that wait for
// their time don't count.
func (s *Server) Idle(ctx context.Context) error { return s.run.Idle(ctx) }

func (s *Server) notifyLocked(name string, object any) {
	if s.hookURL == "" {
		return
	}
	n := notice{ID: "evt_" + sandbox.RandomHex(12), Name: name, AccountID: s.opt.AccountID, Data: noticeData{object}, CreatedAt: apiTime(s.opt.Now())}
	if s.opt.OldPayload {
		n.AccountID, n.AccountOld = "", s.opt.AccountID
	}
	body, _ := json.Marshal(n) // only structs of strings and numbers
	first := Notification{EventID: n.ID, Name: name, URL: s.hookURL, Body: string(body)}
	s.run.Send(0, func() { s.attempt(first) })
}

func (s *Server) attempt(n Notification) {
	s.mu.Lock()
	faults, secret := s.takeLocked(OpNotify), s.secret
	s.mu.Unlock()
	if !s.run.Pause(context.Background(), totalDelay(faults, KindDelay)) {
		return
	}
	n.Attempt++
	n.At, n.Fault, n.Status = s.opt.Now(), "", 0
	stamp, times := n.At, 1
	for _, f := range faults {
		n.Fault = f.Kind
		switch f.Kind {
		case KindForged:
			secret = "not-" + secret
		case KindStale:
			stamp = stamp.Add(-f.Delay)
		case KindDuplicate:
			times++
		case KindDrop:
			times = 0
		}
	}
	if n.Timestamp == "" || !s.opt.KeepTimestamp {
		n.Timestamp = strconv.FormatInt(stamp.UnixMilli(), 10)
	}
	n.Signature = Sign(n.Timestamp, []byte(n.Body), secret)
	header := http.Header{"Content-Type": {"application/json"}, "X-Timestamp": {n.Timestamp}, "X-Signature": {n.Signature}}
	delivered := false
	for range times {
		n.Status, _, _ = s.run.Post(n.URL, header, []byte(n.Body), notifyTimeout)
		n.Delivered = n.Status == http.StatusOK
		delivered = delivered || n.Delivered
		s.notes.Add(n)
	}
	if times == 0 {
		s.notes.Add(n)
	}
	if !delivered && n.Attempt <= len(s.opt.RetryAfter) {
		s.run.Send(s.opt.RetryAfter[n.Attempt-1], func() { s.attempt(n) })
	}
}
