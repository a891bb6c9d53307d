package cbtistest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// NotifyTimeout is how long a receiver may take to answer a notification.
const NotifyTimeout = 5 * time.Second

var retryIntervals = []time.Duration{
	15 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 10 * time.Minute,
	30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour,
}

// RetryIntervals returns the documented intervals between the attempts to
// deliver one notification: nine, hence ten attempts in all.
func RetryIntervals() []time.Duration { return slices.Clone(retryIntervals) }

// Notification is one attempt to deliver a notification, as the log keeps it.
type Notification struct {
	ID               int64     `json:"id"` // the same for all attempts of one notification
	Type             string    `json:"notify_type"`
	OrderID          string    `json:"order_id"`
	MerchantOrderID  string    `json:"merchant_order_id"`
	MerchantRefundID string    `json:"merchant_refund_id,omitzero"`
	URL              string    `json:"url"`
	Body             string    `json:"body"`
	Signature        string    `json:"signature,omitzero"` // as sent
	Attempt          int       `json:"attempt"`            // 1 to 10
	At               time.Time `json:"at"`
	Status           int       `json:"status,omitzero"` // HTTP status; 0: there was no answer
	Error            string    `json:"error,omitzero"`
	Delivered        bool      `json:"delivered"`
	Extra            bool      `json:"extra,omitzero"` // a copy sent by the duplicate fault
	Fault            Kind      `json:"fault,omitzero"`
}

// pendingNotice is a notification not yet delivered nor given up.
type pendingNotice struct {
	Notification
	NextAt time.Time `json:"next_at"`

	busy bool // an attempt is under way
}

type notice struct {
	Type string `json:"notify_type"`
	Data any    `json:"data"`
}

type paymentNotice struct {
	OrderID         string `json:"order_id"`
	MerchantOrderID string `json:"merchant_order_id"`
}

type refundNotice struct {
	UID              jsontext.Value `json:"uid"` // a number in the documentation's sample
	RefundID         string         `json:"refund_id"`
	MerchantRefundID string         `json:"merchant_refund_id"`
	OrderAmount      string         `json:"order_amount"`
	CreateTime       string         `json:"create_time"`
	RefundTime       string         `json:"refund_time"`
}

// Sign returns the signature of a notification: lower-case hex of the SHA-256
// of the raw body, a dot and the key.
func Sign(body []byte, key string) string {
	sum := sha256.Sum256(slices.Concat(body, []byte("."+key)))
	return hex.EncodeToString(sum[:])
}

// SetWebhookKey rotates the key: every attempt from now on is signed with it,
// retries of older notifications included.
func (s *Server) SetWebhookKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
}

// Notifications returns the newest delivery attempts that ended, oldest first.
func (s *Server) Notifications() []Notification {
	return s.notes.List()
}

// Idle waits until no notification is being sent. Retries that wait for their
// time don't count.
func (s *Server) Idle(ctx context.Context) error { return s.run.Idle(ctx) }

// enqueueLocked starts notifying of a paid order, or of a settled refund of it.
func (s *Server) enqueueLocked(o *Order, r *Refund) {
	if o.NotifyURL == "" {
		return
	}
	s.db.NoticeN++
	n := &pendingNotice{NextAt: s.opt.Now()}
	n.ID, n.OrderID, n.MerchantOrderID, n.URL = s.db.NoticeN, o.ID, o.MerchantOrderID, o.NotifyURL
	n.Type = "payment_success"
	var data any = paymentNotice{o.ID, o.MerchantOrderID}
	if r != nil {
		n.MerchantRefundID = r.MerchantRefundID
		n.Type = "refund_success"
		if r.Status == Failed {
			n.Type = "refund_failed"
		}
		data = refundNotice{s.jsonUID(), r.ID, r.MerchantRefundID, r.Amount, noticeTime(r.CreatedAt), noticeTime(r.SettledAt)}
	}
	body, _ := json.Marshal(notice{n.Type, data}) // only strings and a number
	n.Body = string(body)
	s.db.Pending = append(s.db.Pending, n)
	if !s.holdLocked(n) {
		s.scheduleLocked(n)
	}
}

// noticeTime writes a time as the documentation's samples of notifications do.
func noticeTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

var jsonInteger = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

func (s *Server) jsonUID() jsontext.Value {
	if jsonInteger.MatchString(s.opt.UID) {
		return jsontext.Value(s.opt.UID)
	}
	v, _ := json.Marshal(s.opt.UID)
	return v
}

func (s *Server) scheduleLocked(n *pendingNotice) {
	at := n.NextAt
	s.run.Send(at.Sub(s.opt.Now()), func() { s.attempt(n, at) })
}

// attempt makes the delivery that is due at a time, unless another time was set
// meanwhile, and settles what happens next.
func (s *Server) attempt(n *pendingNotice, at time.Time) {
	s.mu.Lock()
	if n.busy || !n.NextAt.Equal(at) || !slices.Contains(s.db.Pending, n) {
		s.mu.Unlock()
		return
	}
	n.busy = true
	faults := s.takeLocked(OpNotify, n.MerchantOrderID, s.db.byID[n.OrderID])
	log := n.Notification
	log.Attempt++
	s.mu.Unlock()

	if !s.run.Pause(context.Background(), totalDelay(faults, KindDelay)) {
		return // closing: the state file still has it
	}
	log.At = s.opt.Now()
	extra := s.send(&log, faults)
	if s.run.Closed() && !log.Delivered {
		return
	}
	s.mu.Lock()
	s.settleAttemptLocked(n, log)
	s.mu.Unlock()
	for range extra {
		again := log
		again.At, again.Extra = s.opt.Now(), true
		s.post(&again, []byte(again.Body))
		s.notes.Add(again)
	}
}

func (s *Server) settleAttemptLocked(n *pendingNotice, log Notification) {
	s.notes.Add(log)
	n.busy, n.Attempt = false, log.Attempt
	if log.Delivered || log.Attempt > len(retryIntervals) {
		s.db.Pending = slices.DeleteFunc(s.db.Pending, func(p *pendingNotice) bool { return p == n })
	} else {
		wait := time.Duration(float64(retryIntervals[log.Attempt-1]) / s.opt.SpeedUp)
		n.NextAt = log.At.Add(wait)
		s.scheduleLocked(n)
	}
	s.releaseLocked(n)
	s.saveLocked() // reported in the log; a repeated notification is harmless
	s.opt.Logger.Info("notification sent", "type", log.Type, "merchant_order_id", log.MerchantOrderID,
		"attempt", log.Attempt, "status", log.Status, "error", log.Error, "fault", log.Fault)
}

// post sends the body and fills in what came of it: only 200 counts.
func (s *Server) post(log *Notification, body []byte) {
	header := http.Header{"Content-Type": {"application/json"}}
	if log.Signature != "" {
		header.Set("Signature", log.Signature)
	}
	status, _, err := s.run.Post(log.URL, header, body, NotifyTimeout)
	log.Status, log.Error, log.Delivered = status, "", status == http.StatusOK
	if err != nil {
		log.Error = err.Error()
	}
}
