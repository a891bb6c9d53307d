package stripetest

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// before applies the faults that keep a call from being handled; it reports
// whether one of them answered.
func (s *Server) before(c *call) (reply, bool) {
	if !s.pause(c.r.Context(), totalDelay(c.faults, KindDelay)) {
		return reply{status: statusCut}, true // the caller left, or the sandbox closes
	}
	for _, f := range c.faults {
		switch f.Kind {
		case KindCloseBefore:
			return reply{status: statusCut}, true
		case KindHTMLBefore:
			return errorPage(f), true
		case KindError:
			return refused(&refusal{status: f.Status, kind: f.Type, code: f.Code, message: "injected"}), true
		case KindUnauthorized:
			return refused(refuse(http.StatusUnauthorized, "", "invalid API key provided")), true
		case KindRateLimited:
			rep := refused(refuse(http.StatusTooManyRequests, "rate_limit", "too many requests"))
			if f.RetryAfter > 0 {
				seconds := int64((f.RetryAfter + time.Second - 1) / time.Second)
				rep.header.Set("Retry-After", strconv.FormatInt(seconds, 10))
			}
			return rep, true
		}
	}
	return reply{}, false
}

// after applies the faults that spoil the answer of a call that was handled.
func (s *Server) after(c *call, rep reply) reply {
	if !s.pause(c.r.Context(), totalDelay(c.faults, KindDelayAfter)) {
		return reply{status: statusCut}
	}
	for _, f := range c.faults {
		switch f.Kind {
		case KindCloseAfter:
			return reply{status: statusCut}
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
	status := cmp.Or(f.Status, http.StatusBadGateway)
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	page := fmt.Sprintf("<html>\n<head><title>%s</title></head>\n<body><h1>%s</h1></body>\n</html>\n", text, text)
	return reply{status: status, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, body: []byte(page)}
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
