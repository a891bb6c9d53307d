package alipayhk

import (
	"crypto/sha256"
	"net/http"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// unreadable is the RawType of a rightly signed notification that says nothing.
const unreadable = "unreadable"

type notice struct {
	Type acquirer.Text `json:"notify_type"`
	Data struct {
		UID              acquirer.Text `json:"uid"`
		OrderID          acquirer.Text `json:"order_id"`
		MerchantOrderID  acquirer.Text `json:"merchant_order_id"`
		RefundID         acquirer.Text `json:"refund_id"`
		MerchantRefundID acquirer.Text `json:"merchant_refund_id"`
	} `json:"data"`
}

// readNotification answers 200 to whatever is rightly signed, readable or not:
// the acquirer would send the same bytes nine times more, and the host asks by
// itself anyway.
func (c config) readNotification(req sdk.HTTPRequest) (sdk.Notification, error) {
	if !acquirer.MatchHexDigest(req.Get("Signature"), c.digests(req.Body)...) {
		return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "the Signature header is not made with any of webhook_keys")
	}
	return sdk.Notification{
		Events: []sdk.NotificationEvent{c.readEvent(req.Body)},
		Ack:    sdk.HTTPResponse{Status: http.StatusOK},
	}, nil
}

// digests are the signatures that the acquirer would make: SHA-256 over the raw
// body, a dot and the key. (It is not an HMAC.)
func (c config) digests(body []byte) [][]byte {
	all := make([][]byte, len(c.WebhookKeys))
	for i, key := range c.WebhookKeys {
		h := sha256.New()
		h.Write(body)
		h.Write([]byte("." + key.Reveal()))
		all[i] = h.Sum(nil)
	}
	return all
}

func (c config) readEvent(body []byte) sdk.NotificationEvent {
	var n notice
	if acquirer.DecodeJSON(body, &n) != nil || n.Type == "" {
		return sdk.NotificationEvent{Kind: sdk.EventOther, RawType: unreadable}
	}
	event := sdk.NotificationEvent{
		RawType:          acquirer.Clip(string(n.Type)),
		MerchantOrderID:  string(n.Data.MerchantOrderID),
		AcquirerOrderID:  string(n.Data.OrderID),
		MerchantRefundID: string(n.Data.MerchantRefundID),
		AcquirerRefundID: string(n.Data.RefundID),
	}
	switch {
	case n.Data.UID != "" && string(n.Data.UID) != c.UID:
		// Another account with the same key. Its ids say nothing about ours.
		return sdk.NotificationEvent{Kind: sdk.EventOther, RawType: event.RawType}
	case n.Type == "payment_success" && (n.Data.OrderID != "" || n.Data.MerchantOrderID != ""):
		event.Kind = sdk.EventPayment
	case (n.Type == "refund_success" || n.Type == "refund_failed") && (n.Data.RefundID != "" || n.Data.MerchantRefundID != ""):
		event.Kind = sdk.EventRefund
	}
	return event
}
