package main

import (
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// notice is the body of a notification. It has a status too, which isn't read: a
// notification only makes the host ask.
//
// Fact: its members.
type notice struct {
	Event   acquirer.Text `json:"event"`
	Payment struct {
		ID        acquirer.Text `json:"id"`
		Reference acquirer.Text `json:"reference"`
	} `json:"payment"`
}

// readNotification believes only what is signed, over the bytes as they came.
func (c config) readNotification(req sdk.HTTPRequest) (sdk.Notification, error) {
	// Fact: the header holds the HMAC-SHA-256 of the body in hex.
	digests := acquirer.HMACs(c.NotificationKeys, req.Body)
	if !acquirer.MatchHexDigest(req.Get("Acme-Signature"), digests...) { // in constant time
		return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "the signature is not made with any of notification_keys")
	}
	// Fact: 200 with no body stops repetitions. What is signed but can't be read is
	// acknowledged too: the same bytes would come again.
	ack := sdk.HTTPResponse{Status: 200}
	event := sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "unreadable"}
	var n notice
	if acquirer.DecodeJSON(req.Body, &n) == nil {
		event.RawType = clip(string(n.Event))
		event.AcquirerOrderID, event.MerchantOrderID = string(n.Payment.ID), string(n.Payment.Reference)
		if event.AcquirerOrderID != "" || event.MerchantOrderID != "" {
			event.Kind = sdk.EventPayment
		}
	}
	return sdk.Notification{Events: []sdk.NotificationEvent{event}, Ack: ack}, nil
}
