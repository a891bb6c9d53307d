package cbtistest

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

const defaultHuge = 1 << 20

// before applies the faults that keep a call from being handled; it reports
// whether one of them answered.
func (s *Server) before(c *call) (reply, bool) {
	if !s.run.Pause(c.r.Context(), totalDelay(c.faults, KindDelay)) {
		return reply{status: sandbox.Cut}, true // the caller left, or the sandbox closes
	}
	for _, f := range c.faults {
		switch f.Kind {
		case KindCloseBefore:
			return reply{status: sandbox.Cut}, true
		case KindHTTPErrorBefore:
			return errorPage(f), true
		case KindCode:
			code := cmp.Or(f.Code, s.opt.Codes.Internal)
			return s.refusal(cmp.Or(f.Status, s.opt.RefusalStatus), code, cmp.Or(f.Message, "injected refusal")), true
		case KindRateLimited:
			rep := s.refusal(http.StatusTooManyRequests, s.opt.Codes.RateLimited, "too many requests")
			rep.header = sandbox.RetryAfter(f.RetryAfter)
			return rep, true
		case KindTokenInvalid:
			s.revoke(c.r) // the ordinary check of the token then refuses
		}
	}
	return reply{}, false
}

func (s *Server) refusal(status, code int, message string) reply {
	return reply{status: status, code: code, body: envelope{Code: code, Message: message, RID: sandbox.RandomHex(16)}}
}

// after applies the faults that spoil the answer of a call that was handled.
func (s *Server) after(c *call, rep reply) reply {
	if !s.run.Pause(c.r.Context(), totalDelay(c.faults, KindDelayAfter)) {
		return reply{status: sandbox.Cut}
	}
	for _, f := range c.faults {
		switch f.Kind {
		case KindCloseAfter:
			return reply{status: sandbox.Cut}
		case KindHTTPErrorAfter:
			return errorPage(f)
		case KindTruncatedJSON:
			body, _ := json.Marshal(rep.body)
			rep.body = body[:len(body)/2]
		case KindHugeBody:
			body, _ := json.Marshal(rep.body)
			rep.body = inflate(body, f.Size)
		case KindWrongEcho, KindLaggingQuery:
			rep.body = spoil(rep.body, f)
		}
	}
	return rep
}

func errorPage(f Fault) reply {
	status, header, page := sandbox.ErrorPage(f.Status)
	return reply{status: status, header: header, body: page}
}

// spoil changes the data of a successful answer; a refusal has none.
func spoil(body any, f Fault) any {
	env, ok := body.(envelope)
	if !ok {
		return body
	}
	switch d := env.Data.(type) {
	case createData:
		changeEcho(f.Field, &d.OrderID, &d.MerchantOrderID, &d.Amount, &d.Currency)
		env.Data = d
	case queryData:
		if f.Kind == KindLaggingQuery {
			d.Status, d.PayTime = Pending, nil
		}
		changeEcho(f.Field, &d.OrderID, &d.MerchantOrderID, &d.Amount, &d.Currency)
		env.Data = d
	case refundData:
		changeEcho(f.Field, &d.PaymentOrderID, &d.MerchantPaymentOrderID, &d.Amount, &d.Currency)
		env.Data = d
	}
	return env
}

func changeEcho(field string, orderID, merchantOrderID, amount, currency *string) {
	switch field {
	case "order_id":
		*orderID = "C000000000000000000000"
	case "merchant_order_id":
		*merchantOrderID = "another-merchants-order"
	case "amount":
		*amount = "9" + *amount
	case "currency":
		*currency = "TWD" // as in the documentation's own sample
	}
}

// inflate pads a JSON object with one long member.
func inflate(body []byte, size int) []byte {
	pad := max(cmp.Or(size, defaultHuge)-len(body), 0)
	body = bytes.TrimSuffix(body, []byte("}"))
	return fmt.Appendf(body, `,"padding":%q}`, bytes.Repeat([]byte("x"), pad))
}

// send makes an attempt as the faults want it and returns how many extra copies
// are to follow.
func (s *Server) send(log *Notification, faults []Fault) (extra int) {
	body := []byte(log.Body)
	s.mu.Lock()
	key := s.key
	s.mu.Unlock()
	signed := true
	for _, f := range faults {
		log.Fault = f.Kind
		switch f.Kind {
		case KindDrop:
			log.Error = "dropped by a fault"
			return 0
		case KindBadSignature:
			key = "not-the-key-" + key
		case KindMissingSignature:
			signed = false
		case KindUnknownType:
			log.Type = "payment_unheard_of"
			body = bytes.Replace(body, []byte(`"notify_type":"payment_success"`), []byte(`"notify_type":"payment_unheard_of"`), 1)
			body = bytes.Replace(body, []byte(`"notify_type":"refund_`), []byte(`"notify_type":"payment_unheard_of_`), 1)
		case KindHugeBody:
			body = inflate(body, f.Size)
		case KindDuplicate:
			extra = cmp.Or(f.Count, 1)
		}
	}
	log.Signature = ""
	if signed {
		log.Signature = Sign(body, key)
	}
	s.post(log, body)
	if len(body) < maxBody {
		log.Body = string(body)
	}
	return extra
}

// holdLocked keeps a new notification back if a reorder fault says so.
func (s *Server) holdLocked(n *pendingNotice) bool {
	reorder := s.faults.Take(func(f Fault) bool {
		return f.Kind == KindReorder && s.matchesLocked(f, OpNotify, n.MerchantOrderID, nil)
	})
	if len(reorder) == 0 {
		return false
	}
	s.held[n.ID] = true
	if wait := reorder[0].Delay; wait > 0 {
		n.NextAt = s.opt.Now().Add(wait)
		s.scheduleLocked(n)
	}
	return true
}

// releaseLocked lets the held notifications of the same order follow n.
func (s *Server) releaseLocked(n *pendingNotice) {
	delete(s.held, n.ID)
	for _, p := range s.db.Pending {
		if s.held[p.ID] && p.OrderID == n.OrderID {
			delete(s.held, p.ID)
			p.NextAt = s.opt.Now()
			s.scheduleLocked(p)
		}
	}
}
