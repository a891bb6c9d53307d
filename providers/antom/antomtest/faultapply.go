package antomtest

import (
	"cmp"
	"net/http"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

// before applies the faults that keep a call from being handled; it reports
// whether one of them answered.
func (s *Server) before(c *call) (reply, bool) {
	for _, f := range c.faults {
		switch f.Kind {
		case KindDelay:
			if !s.run.Pause(c.r.Context(), f.Delay) {
				return reply{status: sandbox.Cut}, true
			}
		case KindCloseBefore:
			return reply{status: sandbox.Cut}, true
		case KindHTTPErrorBefore:
			return errorPage(f), true
		case KindUnauthorized:
			return reply{status: http.StatusUnauthorized, body: []byte("{}")}, true
		case KindRateLimited:
			return reply{status: http.StatusTooManyRequests, header: sandbox.RetryAfter(f.RetryAfter), body: []byte("{}")}, true
		case KindResult:
			body := encode(struct {
				Result Result `json:"result"`
			}{Result{cmp.Or(f.Code, s.opt.Codes.Injected), cmp.Or(f.ResultStatus, "F"), "injected"}})
			return reply{status: cmp.Or(f.Status, http.StatusOK), body: body, sign: true}, true
		}
	}
	return reply{}, false
}

// after makes the reply of a call that was handled, and spoils it.
func (s *Server) after(c *call, answer any) reply {
	rep := reply{status: http.StatusOK, body: encode(answer), sign: true}
	for _, f := range c.faults {
		switch f.Kind {
		case KindDelayAfter:
			if !s.run.Pause(c.r.Context(), f.Delay) {
				return reply{status: sandbox.Cut}
			}
		case KindCloseAfter:
			return reply{status: sandbox.Cut}
		case KindHTTPErrorAfter:
			return errorPage(f)
		case KindWrongEcho, KindLaggingQuery:
			rep.body = encode(spoil(answer, f))
		case KindTruncatedJSON:
			rep = s.signed(c, rep, s.signingKey())
			rep.body = rep.body[:len(rep.body)/2]
		case KindBadSignature:
			rep = s.signed(c, rep, forgersKey())
		case KindMissingSignature:
			rep.sign = false
		}
	}
	return rep
}

// signed signs a reply early, so that it can be spoilt afterwards.
func (s *Server) signed(c *call, rep reply, key keyPair) reply {
	at := s.timeHeader(s.opt.Now())
	rep.sign = false
	rep.header = http.Header{
		"Client-Id": {s.opt.ClientID}, "Response-Time": {at},
		"Signature": {Sign(key, c.r.Method, c.r.URL.Path, s.opt.ClientID, at, rep.body)},
	}
	return rep
}

func errorPage(f Fault) reply {
	status, header, page := sandbox.ErrorPage(f.Status)
	return reply{status: status, header: header, body: page}
}

// spoil changes a successful answer; a refusal has nothing to change.
func spoil(answer any, f Fault) any {
	switch a := answer.(type) {
	case payAnswer:
		if a.PaymentAmount == nil {
			a.PaymentAmount = &Amount{"HKD", "100"}
		}
		echo(f.Field, &a.PaymentRequestID, &a.PaymentID, a.PaymentAmount)
		return a
	case queryAnswer:
		if f.Kind == KindLaggingQuery {
			a.PaymentStatus, a.PaymentTime = Processing, ""
		}
		echo(f.Field, &a.PaymentRequestID, &a.PaymentID, a.PaymentAmount)
		return a
	case refundAnswer:
		echo(f.Field, &a.RefundRequestID, &a.RefundID, a.RefundAmount)
		return a
	}
	return answer
}

func echo(field string, id, acquirerID *string, amount *Amount) {
	switch field {
	case "id":
		*id = "another-merchants-id"
	case "acquirer_id":
		*acquirerID = "00000000000000000000000000000000"
	case "amount":
		amount.Value = "9" + amount.Value
	case "currency":
		amount.Currency = "TWD"
	}
}
