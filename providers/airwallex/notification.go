package airwallex

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// unreadable is the RawType of a rightly signed notification that says nothing.
const unreadable = "unreadable"

type notice struct {
	Name acquirer.Text `json:"name"`
	Data struct {
		Object struct {
			ID              acquirer.Text  `json:"id"`
			MerchantOrderID acquirer.Text  `json:"merchant_order_id"`
			PaymentIntentID acquirer.Text  `json:"payment_intent_id"`
			Metadata        jsontext.Value `json:"metadata"`
		} `json:"object"`
	} `json:"data"`
}

// readNotification answers 200 to whatever is rightly signed and fresh, readable
// or not: the acquirer would send the same bytes for days, and the host asks by
// itself anyway.
func (c config) readNotification(req sdk.HTTPRequest) (sdk.Notification, error) {
	timestamp := req.Get("X-Timestamp")
	if !acquirer.MatchHexDigest(req.Get("X-Signature"), c.digests(timestamp, req.Body)...) {
		return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "the x-signature header is not made with any of webhook_secrets")
	}
	// Only a time that was signed is worth looking at.
	if !c.fresh(timestamp, req.ReceivedAt) {
		return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid,
			"the signed x-timestamp is more than %s from the time of arrival: somebody repeats an old notification, or a clock is wrong", c.tolerance())
	}
	return sdk.Notification{
		Events: []sdk.NotificationEvent{readEvent(req.Body)},
		Ack:    sdk.HTTPResponse{Status: http.StatusOK},
	}, nil
}

// digests are the signatures that the acquirer would make: HMAC-SHA256 over the
// time as it was sent and the raw body, with nothing between.
func (c config) digests(timestamp string, body []byte) [][]byte {
	return acquirer.HMACs(c.WebhookSecrets, []byte(timestamp), body)
}

// fresh reports whether a time in Unix milliseconds is near enough, on either
// side: one from the future could be kept and used for longer.
func (c config) fresh(timestamp string, received time.Time) bool {
	ms, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || ms < 0 {
		return false
	}
	return received.Sub(time.UnixMilli(ms)).Abs() <= c.tolerance()
}

func readEvent(body []byte) sdk.NotificationEvent {
	var n notice
	if acquirer.DecodeJSON(body, &n) != nil || n.Name == "" {
		return sdk.NotificationEvent{Kind: sdk.EventOther, RawType: unreadable}
	}
	event := sdk.NotificationEvent{RawType: acquirer.Clip(string(n.Name))}
	object := n.Data.Object
	// The names of all events are not known. A wrong guess costs one question.
	switch {
	case strings.HasPrefix(string(n.Name), "payment_intent.") && object.ID != "":
		event.Kind = sdk.EventPayment
		event.AcquirerOrderID, event.MerchantOrderID = string(object.ID), string(object.MerchantOrderID)
	case strings.HasPrefix(string(n.Name), "refund.") && object.ID != "":
		event.Kind = sdk.EventRefund
		event.AcquirerRefundID, event.AcquirerOrderID = string(object.ID), string(object.PaymentIntentID)
		event.MerchantRefundID = refund{Metadata: object.Metadata}.merchantID()
	}
	return event
}
