package antom

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	// unreadable is the RawType of a rightly signed notification that says nothing.
	unreadable = "unreadable"

	// skew is how far the acquirer's clock may be ahead of ours.
	skew = 5 * time.Minute

	// acknowledged is the body by which the acquirer sees that it need not send
	// again. It isn't signed.
	acknowledged = `{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`
)

// notice is a notification. What it says of status and money is not read: it
// only makes the host ask.
type notice struct {
	Type             acquirer.Text `json:"notifyType"`
	PaymentRequestID acquirer.Text `json:"paymentRequestId"`
	PaymentID        acquirer.Text `json:"paymentId"`
}

// readNotification acknowledges whatever is rightly signed and of our time,
// readable or not: the acquirer would send the same seven times more, and the
// host asks by itself anyway.
func (c config) readNotification(req sdk.HTTPRequest) (sdk.Notification, error) {
	path := req.Path
	if c.NotifyPath != "" {
		path = c.NotifyPath
	}
	// The Client-Id is part of what is signed, so a forged one doesn't pass.
	clientID, at := req.Get("Client-Id"), req.Get("Request-Time")
	if !c.verifyFor(clientID, req.Method, path, at, req.Body, req.Get("Signature")) {
		return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "the Signature header is not made with any of antom_public_keys for this path")
	}
	if age, ok := ageOf(at, req.ReceivedAt); ok && (age > c.maxAge || age < -skew) {
		return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "the Request-Time is too far from now: an old notification that is sent again, or a wrong clock")
	}
	event := readEvent(req.Body)
	if clientID != c.ClientID {
		// Another account with the same key. Its ids say nothing about ours.
		event = sdk.NotificationEvent{Kind: sdk.EventOther, RawType: event.RawType}
	}
	return sdk.Notification{
		Events: []sdk.NotificationEvent{event},
		Ack: sdk.HTTPResponse{
			Status: http.StatusOK, Header: map[string]string{"Content-Type": "application/json"}, Body: []byte(acknowledged),
		},
	}, nil
}

// ageOf reads the signed time: milliseconds since 1970, or ISO 8601, as both are
// seen. One that can't be read doesn't spoil what the acquirer has signed, and
// neither does a host that doesn't say when the request came.
func ageOf(at string, received time.Time) (time.Duration, bool) {
	if received.IsZero() {
		return 0, false
	}
	if ms, err := strconv.ParseInt(at, 10, 64); err == nil {
		return received.Sub(time.UnixMilli(ms)), true
	}
	t, err := time.Parse(time.RFC3339, at)
	return received.Sub(t), err == nil
}

func readEvent(body []byte) sdk.NotificationEvent {
	var n notice
	if acquirer.DecodeJSON(body, &n) != nil || n.Type == "" {
		return sdk.NotificationEvent{Kind: sdk.EventOther, RawType: unreadable}
	}
	event := sdk.NotificationEvent{
		RawType:         acquirer.Clip(string(n.Type)),
		MerchantOrderID: string(n.PaymentRequestID),
		AcquirerOrderID: string(n.PaymentID),
	}
	if slices.Contains(notifyTypes, n.Type) && (n.PaymentID != "" || n.PaymentRequestID != "") {
		event.Kind = sdk.EventPayment
	}
	return event
}
