package antomtest

import (
	"cmp"
	"context"
	"crypto/rsa"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

type keyPair = *rsa.PrivateKey

var retryIntervals = []time.Duration{
	2 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour,
}

// RetryIntervals returns the documented intervals between the attempts to
// deliver one notification: seven, hence eight attempts in all.
func RetryIntervals() []time.Duration { return slices.Clone(retryIntervals) }

// Notification is one attempt to deliver a notification.
type Notification struct {
	ID               int // the same for all attempts of one notification
	PaymentRequestID string
	URL              string
	Body             string
	RequestTime      string // as sent
	Attempt          int    // 1 to 8
	Status           int    // HTTP status; 0: there was no answer
	Delivered        bool   // acknowledged as documented
	Error            string
	Fault            Kind
}

type notice struct {
	NotifyType        string  `json:"notifyType"`
	Result            Result  `json:"result"`
	PaymentRequestID  string  `json:"paymentRequestId"`
	PaymentID         string  `json:"paymentId"`
	PaymentAmount     *Amount `json:"paymentAmount"`
	PaymentCreateTime string  `json:"paymentCreateTime"`
	PaymentTime       string  `json:"paymentTime,omitzero"`
}

// Notifications returns the attempts that ended, oldest first.
func (s *Server) Notifications() []Notification {
	return s.notes.List()
}

// Idle waits until no notification is being sent. Retries that wait for their
// time don't count.
func (s *Server) Idle(ctx context.Context) error { return s.run.Idle(ctx) }

func (s *Server) signingKey() keyPair {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key
}

// notifyLocked tells of a payment that moved.
func (s *Server) notifyLocked(o *Order) {
	if o.NotifyURL == "" || o.Status == Processing {
		return
	}
	amount := o.Amount
	n := notice{
		NotifyType: "PAYMENT_RESULT", Result: success, PaymentRequestID: o.PaymentRequestID, PaymentID: o.PaymentID,
		PaymentAmount: &amount, PaymentCreateTime: apiTime(o.CreatedAt),
	}
	switch o.Status {
	case Success:
		n.PaymentTime = apiTime(o.PaidAt)
	case Pending: // S as well, and yet not paid
		n.NotifyType = "PAYMENT_PENDING"
	default:
		n.Result = Result{s.opt.Codes.Injected, "F", "the payment has ended unpaid"}
	}
	s.noteSeq++
	log := Notification{ID: s.noteSeq, PaymentRequestID: o.PaymentRequestID, URL: o.NotifyURL, Body: string(encode(n))}
	s.run.Send(0, func() { s.attempt(log) })
}

// attempt makes one delivery, its copies, and plans the next.
func (s *Server) attempt(log Notification) {
	s.mu.Lock()
	faults := s.takeLocked(OpNotify, log.PaymentRequestID)
	s.mu.Unlock()
	log.Attempt++
	copies := s.send(&log, faults)
	for range copies {
		again := log
		s.post(&again, s.signingKey(), true)
		s.notes.Add(again)
	}
	if log.Delivered || s.sandbox() || log.Attempt > len(retryIntervals) {
		return
	}
	next := log
	next.Fault = ""
	s.run.Send(retryIntervals[log.Attempt-1], func() { s.attempt(next) })
}

// send makes an attempt as the faults want it and returns how many copies are
// to follow.
func (s *Server) send(log *Notification, faults []Fault) (copies int) {
	key, signed, now, body := s.signingKey(), true, s.opt.Now(), log.Body
	dropped := false
	for _, f := range faults {
		log.Fault = f.Kind
		switch f.Kind {
		case KindDelay:
			if !s.run.Pause(context.Background(), f.Delay) {
				return 0
			}
			now = s.opt.Now()
		case KindBadSignature:
			key = forgersKey()
		case KindMissingSignature:
			signed = false
		case KindUnknownType:
			log.Body = `{"notifyType":"PAYMENT_UNHEARD_OF","result":` + string(encode(success)) + `}`
		case KindStale:
			now = now.Add(-f.Delay)
		case KindDuplicate:
			copies = cmp.Or(f.Count, 1)
		case KindDrop:
			dropped = true
		}
	}
	if log.RequestTime == "" || !s.opt.FirstRequestTime {
		log.RequestTime = s.timeHeader(now)
	}
	if dropped {
		log.Status, log.Delivered, log.Error = 0, false, "dropped by a fault"
	} else {
		s.post(log, key, signed)
	}
	s.notes.Add(*log)
	log.Body = body
	return copies
}

// post sends the body and fills in what came of it.
func (s *Server) post(log *Notification, key keyPair, signed bool) {
	log.Status, log.Error, log.Delivered = 0, "", false
	target, err := url.Parse(log.URL)
	if err != nil {
		log.Error = err.Error()
		return
	}
	header := http.Header{
		"Content-Type": {"application/json; charset=UTF-8"}, "Client-Id": {s.opt.ClientID}, "Request-Time": {log.RequestTime},
	}
	if signed {
		path := cmp.Or(target.EscapedPath(), "/")
		header.Set("Signature", Sign(key, http.MethodPost, path, s.opt.ClientID, log.RequestTime, []byte(log.Body)))
	}
	status, answer, err := s.run.Post(log.URL, header, []byte(log.Body), 0)
	if err != nil {
		log.Error = err.Error()
		return
	}
	var ack struct {
		Result Result `json:"result"`
	}
	err = json.Unmarshal(answer, &ack)
	log.Status = status
	log.Delivered = err == nil && status == http.StatusOK && ack.Result == success
}
