package stripetest

import (
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

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
		case KindHTMLBefore:
			return errorPage(f), true
		case KindError:
			return refused(&refusal{status: f.Status, kind: f.Type, code: f.Code, message: "injected"}), true
		case KindUnauthorized:
			return refused(refuse(http.StatusUnauthorized, "", "invalid API key provided")), true
		case KindRateLimited:
			rep := refused(refuse(http.StatusTooManyRequests, "rate_limit", "too many requests"))
			rep.header = sandbox.RetryAfter(f.RetryAfter)
			return rep, true
		}
	}
	return reply{}, false
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
		case KindHTMLAfter:
			return errorPage(f)
		case KindTruncatedJSON:
			rep.body = rep.body[:len(rep.body)/2]
		case KindWrongEcho, KindLaggingQuery, KindLaggingSearch:
			if rep.status == http.StatusOK {
				rep.body = spoil(rep.body, f)
			}
		}
	}
	return rep
}

func errorPage(f Fault) reply {
	status, header, page := sandbox.ErrorPage(f.Status)
	return reply{status: status, header: header, body: page}
}

// spoil changes an object, or all objects of a list.
func spoil(body []byte, f Fault) []byte {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		return body
	}
	if f.Kind == KindLaggingSearch {
		object["data"] = []any{}
	} else if list, ok := object["data"].([]any); ok {
		for _, item := range list {
			change(item.(map[string]any), f)
		}
	} else {
		change(object, f)
	}
	body, _ = json.Marshal(object)
	return body
}

func change(object map[string]any, f Fault) {
	if f.Kind == KindLaggingQuery {
		object["status"], object["amount_received"], object["last_payment_error"] = RequiresAction, 0, nil
		return
	}
	switch f.Field {
	case "id":
		object["id"] = "xx_another"
	case "metadata":
		object["metadata"] = map[string]string{"merchant_order_id": "another", "merchant_refund_id": "another"}
	case "amount":
		object["amount"] = 987654
		if object["status"] == Succeeded && object["object"] == "payment_intent" {
			object["amount_received"] = 987654
		}
	case "currency":
		object["currency"] = "thb"
	case "livemode":
		live, _ := object["livemode"].(bool)
		object["livemode"] = !live
	case "payment_intent":
		object["payment_intent"] = "pi_another"
	}
}
