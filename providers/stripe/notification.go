package stripe

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	// unreadable is the RawType of a rightly signed notification that says nothing.
	unreadable = "unreadable"

	longestHeader = 4096
)

// eventRule is what one type of event speaks of.
type eventRule struct {
	raw  acquirer.Text
	kind sdk.EventKind
}

// eventRules are the types to subscribe to. Others are acknowledged and reported.
var eventRules = []eventRule{
	{"payment_intent.succeeded", sdk.EventPayment},
	{"payment_intent.payment_failed", sdk.EventPayment},
	{"payment_intent.canceled", sdk.EventPayment},
	{"payment_intent.processing", sdk.EventPayment},
	{"refund.updated", sdk.EventRefund},
	{"refund.failed", sdk.EventRefund},
}

// readNotification answers 200 to whatever is rightly signed, readable or not:
// the acquirer would send the same again for days, and the host asks by itself
// anyway.
func (c config) readNotification(req sdk.HTTPRequest) (sdk.Notification, error) {
	sent, signatures, ok := readSignature(req.Get("Stripe-Signature"))
	if !ok || !c.signed(sent, signatures, req.Body) {
		return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "the Stripe-Signature header is not made with any of webhook_secrets")
	}
	if !c.fresh(sent, req.ReceivedAt) {
		return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "the time in Stripe-Signature differs from ours by more than webhook_tolerance (%d s)", c.WebhookTolerance)
	}
	return sdk.Notification{
		Events: []sdk.NotificationEvent{c.readEvent(req.Body)},
		Ack:    sdk.HTTPResponse{Status: http.StatusOK},
	}, nil
}

// readSignature reads "t=seconds,v1=hex,v1=hex". Parts of other names are
// schemes that are not used.
func readSignature(header string) (sent string, signatures []string, ok bool) {
	if len(header) > longestHeader {
		return "", nil, false
	}
	for part := range strings.SplitSeq(header, ",") {
		key, value, found := strings.Cut(part, "=")
		switch {
		case !found:
			return "", nil, false
		case key == "t" && sent != "":
			return "", nil, false // which of two times was signed?
		case key == "t":
			sent = value
		case key == "v1":
			signatures = append(signatures, value)
		}
	}
	return sent, signatures, sent != "" && len(signatures) > 0
}

// signed compares each signature with that of each secret, all of them in any
// case.
func (c config) signed(sent string, signatures []string, body []byte) bool {
	digests := acquirer.HMACs(c.WebhookSecrets, []byte(sent+"."), body)
	good := false
	for _, s := range signatures {
		good = acquirer.MatchHexDigest(s, digests...) || good
	}
	return good
}

// fresh reports whether the signed time is near ours, either way: a time in the
// future would make a notification good for as long as its sender likes.
func (c config) fresh(sent string, now time.Time) bool {
	seconds, err := strconv.ParseInt(sent, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != sent {
		return false
	}
	const farthest = 1 << 40 // seconds, so that no difference overflows
	if seconds < 0 || seconds > farthest {
		return false
	}
	apart := seconds - now.Unix()
	return max(apart, -apart) <= int64(c.tolerance()/time.Second)
}

// event is the part of an Event that matters to us.
type event struct {
	Type     acquirer.Text `json:"type"`
	Livemode *bool         `json:"livemode"`
	Account  acquirer.Text `json:"account"`
	Data     struct {
		Object struct {
			ID       acquirer.Text            `json:"id"`
			Object   acquirer.Text            `json:"object"`
			Intent   acquirer.Text            `json:"payment_intent"`
			Metadata map[string]acquirer.Text `json:"metadata"`
		} `json:"object"`
	} `json:"data"`
}

func (c config) readEvent(body []byte) sdk.NotificationEvent {
	var e event
	if acquirer.DecodeJSON(body, &e) != nil || e.Type == "" {
		return sdk.NotificationEvent{Kind: sdk.EventOther, RawType: unreadable}
	}
	other := sdk.NotificationEvent{Kind: sdk.EventOther, RawType: acquirer.Clip(string(e.Type))}
	if e.Livemode == nil || *e.Livemode != c.live() || e.Account != "" && string(e.Account) != c.AccountID {
		return other // of the other mode or of another account: its ids say nothing about ours
	}
	object := e.Data.Object
	seen := other
	seen.MerchantOrderID = string(object.Metadata[orderMember])
	for _, rule := range eventRules {
		if rule.raw == e.Type {
			seen.Kind = rule.kind
		}
	}
	switch {
	case object.ID == "":
		return other
	case seen.Kind == sdk.EventPayment && object.Object == "payment_intent":
		seen.AcquirerOrderID = string(object.ID)
		return seen
	case seen.Kind == sdk.EventRefund && object.Object == "refund":
		seen.AcquirerOrderID, seen.AcquirerRefundID = string(object.Intent), string(object.ID)
		seen.MerchantRefundID = string(object.Metadata[refundMember])
		return seen
	}
	return other
}
