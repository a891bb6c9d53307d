package airwallextest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
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
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.notes)
}

// Idle waits until no notification is being sent. Repetitions that wait for
// their time don't count.
func (s *Server) Idle(ctx context.Context) error {
	s.mu.Lock()
	idle := s.idle
	s.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) notifyLocked(name string, object any) {
	if s.hookURL == "" {
		return
	}
	n := notice{ID: "evt_" + randomHex(12), Name: name, AccountID: s.opt.AccountID, Data: noticeData{object}, CreatedAt: apiTime(s.opt.Now())}
	if s.opt.OldPayload {
		n.AccountID, n.AccountOld = "", s.opt.AccountID
	}
	body, _ := json.Marshal(n) // only structs of strings and numbers
	s.sendLocked(Notification{EventID: n.ID, Name: name, URL: s.hookURL, Body: string(body)}, 0)
}

// sendLocked makes the next attempt of a notification after d.
func (s *Server) sendLocked(n Notification, d time.Duration) {
	if d <= 0 {
		s.sendingLocked(+1) // at once, so that Idle after Pay waits for it
	}
	s.afterLocked(d, func() {
		if d > 0 {
			s.mu.Lock()
			s.sendingLocked(+1)
			s.mu.Unlock()
		}
		s.attempt(n)
		s.mu.Lock()
		s.sendingLocked(-1)
		s.mu.Unlock()
	})
}

func (s *Server) sendingLocked(change int) {
	if s.sending == 0 {
		s.idle = make(chan struct{})
	}
	if s.sending += change; s.sending == 0 {
		close(s.idle)
	}
}

func (s *Server) attempt(n Notification) {
	s.mu.Lock()
	faults, secret := s.takeLocked(OpNotify), s.secret
	s.mu.Unlock()
	if !s.pause(s.ctx, totalDelay(faults, KindDelay)) {
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
	delivered := false
	for range times {
		n.Status = s.post(n)
		n.Delivered = n.Status == http.StatusOK
		delivered = delivered || n.Delivered
		s.note(n)
	}
	if times == 0 {
		s.note(n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !delivered && n.Attempt <= len(s.opt.RetryAfter) {
		s.sendLocked(n, s.opt.RetryAfter[n.Attempt-1])
	}
}

func (s *Server) note(n Notification) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, n)
	s.notes = s.notes[max(0, len(s.notes)-maxLog):]
}

// post sends one notification and returns the status of the answer, if one came.
func (s *Server) post(n Notification) int {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer s.opt.AfterFunc(notifyTimeout, cancel)()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL, bytes.NewReader([]byte(n.Body)))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Timestamp", n.Timestamp)
	req.Header.Set("X-Signature", n.Signature)
	resp, err := s.client.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody)) // so that the connection can be used again
	return resp.StatusCode
}

// notificationClient is the caller's client, or one of its own, that doesn't
// follow redirects: only 200 counts.
func notificationClient(c *http.Client) *http.Client {
	own := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	if c != nil {
		own = *c
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}
