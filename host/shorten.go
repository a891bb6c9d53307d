package host

import (
	"bytes"
	"encoding/json"
)

// encode is what the HTTP API does too: links stay readable, and short.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// maxEventData keeps the body of an event below 20 kB, as Standard Webhooks
// advises; the rest of the body takes less than 300 bytes.
const maxEventData = 19_500

// toldPayment is a payment in an event.
type toldPayment struct {
	Payment
	// Omitted names what was too long for an event: read the payment for it.
	Omitted []string `json:"omitted,omitempty"`
}

// cuts are what an event that is too long goes without, the dispensable first.
// What is left is bounded.
var cuts = []struct {
	name string
	cut  func(*Payment) (cut bool)
}{
	{"metadata", func(p *Payment) (cut bool) { cut, p.Metadata = len(p.Metadata) > 0, nil; return }},
	{"other_actions", func(p *Payment) (cut bool) { cut, p.OtherActions = len(p.OtherActions) > 0, nil; return }},
	{"next_action", func(p *Payment) (cut bool) { cut, p.NextAction = p.NextAction != nil, nil; return }},
	{"review.observed", func(p *Payment) (cut bool) {
		if cut = p.Review != nil; cut {
			p.Review = &Review{p.Review.Reason, json.RawMessage(noEvidence), p.Review.Since}
		}
		return
	}},
	{"status_reason", func(p *Payment) (cut bool) { cut, p.StatusReason = p.StatusReason != "", ""; return }},
	{"return_url", func(p *Payment) (cut bool) { cut, p.ReturnURL = p.ReturnURL != "", ""; return }},
	{"provider_order_id", func(p *Payment) (cut bool) { cut, p.ProviderOrderID = p.ProviderOrderID != "", ""; return }},
}

func shorten(p Payment) toldPayment {
	told := toldPayment{Payment: p}
	for _, c := range cuts {
		if text, err := encode(told); err != nil || len(text) <= maxEventData {
			break
		}
		if c.cut(&told.Payment) {
			told.Omitted = append(told.Omitted, c.name)
		}
	}
	return told
}

// toldRefund is a refund in an event.
type toldRefund struct {
	Refund
	Omitted []string `json:"omitted,omitempty"`
}

// shortenRefund leaves out what only the acquirer bounds.
func shortenRefund(r Refund) toldRefund {
	told := toldRefund{Refund: r}
	if text, err := encode(told); err == nil && len(text) > maxEventData {
		told.StatusReason, told.ProviderRefundID, told.Omitted = "", "", []string{"status_reason", "provider_refund_id"}
	}
	return told
}
