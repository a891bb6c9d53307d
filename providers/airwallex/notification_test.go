package airwallex

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
)

// The time at which the golden notification was signed, and its signature as
// openssl dgst -sha256 -hmac makes it.
const (
	goldenTime      = 1778542260000
	goldenSignature = "202cd31e397f1f346856b17952db64b2cd3b2655abd08eb0980fc886f0d9d489"
)

func sign(timestamp string, body []byte, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(timestamp + string(body)))
	return hex.EncodeToString(h.Sum(nil))
}

// signed returns a notification that came when it was signed.
func signed(body []byte, secret string) sdk.HTTPRequest {
	return notification(body, strconv.Itoa(goldenTime), sign(strconv.Itoa(goldenTime), body, secret))
}

func notification(body []byte, timestamp, signature string) sdk.HTTPRequest {
	return sdk.HTTPRequest{
		Method: "POST", Path: "/v1/notifications/awx", Body: body, ReceivedAt: time.UnixMilli(goldenTime),
		Header: map[string][]string{"X-Timestamp": {timestamp}, "X-Signature": {signature}, "Content-Type": {"application/json"}},
	}
}

func TestGoldenNotification(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	n, err := c.readNotification(notification(golden(t, "notification.json"), strconv.Itoa(goldenTime), goldenSignature))
	want := sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: "payment_intent.succeeded", MerchantOrderID: ourOrder, AcquirerOrderID: intentID}
	if err != nil || len(n.Events) != 1 || n.Events[0] != want || n.Ack.Status != 200 || len(n.Ack.Body) != 0 {
		t.Errorf("got %+v, %v", n, err)
	}
}

func TestSignatures(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	body := golden(t, "notification.json")
	stamp := strconv.Itoa(goldenTime)
	tampered := bytes.Replace(body, []byte("16.66"), []byte("66.66"), 1)
	good := sign(stamp, body, testSecret)
	tests := []struct {
		name string
		req  sdk.HTTPRequest
		good bool
	}{
		{"newest secret", signed(body, testSecret), true},
		{"older secret", signed(body, oldSecret), true},
		{"wrong secret", signed(body, "sEcReT-wrong"), false},
		{"API key", signed(body, testKey), false},
		{"empty secret", signed(body, ""), false},
		{"tampered body", notification(tampered, stamp, good), false},
		{"white space added", notification(append(bytes.Clone(body), '\n'), stamp, good), false},
		{"another time", notification(body, strconv.Itoa(goldenTime+1), good), false},
		{"digit moved from the time to the body", notification([]byte("0"+string(body)), stamp[:len(stamp)-1], good), false}, // the signed bytes are the same, the time isn't fresh
		{"body only", notification(body, stamp, sign("", body, testSecret)), false},
		{"capitals", notification(body, stamp, strings.ToUpper(good)), false},
		{"cut short", notification(body, stamp, good[:63]), false},
		{"no signature", notification(body, stamp, ""), false},
		{"no time", notification(body, "", sign("", body, testSecret)), false},
		{"no headers", sdk.HTTPRequest{Method: "POST", Body: body, ReceivedAt: time.UnixMilli(goldenTime)}, false},
		{"empty body", signed(nil, testSecret), true}, // signed, so it is acknowledged; it says nothing
	}
	for _, test := range tests {
		n, err := c.readNotification(test.req)
		if test.good {
			if err != nil || len(n.Events) != 1 || n.Ack.Status != 200 {
				t.Errorf("%s: got %+v, %v", test.name, n, err)
			}
			continue
		}
		checkError(t, err, sdk.CodeSignatureInvalid, sdk.OutcomeNotSent)
		if len(n.Events) > 0 {
			t.Errorf("%s: got %+v", test.name, n)
		}
	}
}

func TestFreshness(t *testing.T) {
	body := golden(t, "notification.json")
	tests := []struct {
		tolerance string
		late      time.Duration // how long after the signed time it came
		good      bool
	}{
		{"", 0, true}, {"", 300 * time.Second, true}, {"", 300*time.Second + time.Millisecond, false}, {"", 72 * time.Hour, false},
		{"", -300 * time.Second, true}, {"", -300*time.Second - time.Millisecond, false}, {"", -365 * 24 * time.Hour, false},
		{"1", time.Second, true}, {"1", 2 * time.Second, false}, {"1", -2 * time.Second, false},
		{"259200", 72 * time.Hour, true}, {"259200", 73 * time.Hour, false},
	}
	for _, test := range tests {
		more := ""
		if test.tolerance != "" {
			more = `,"webhook_tolerance_seconds":` + test.tolerance
		}
		req := signed(body, testSecret)
		req.ReceivedAt = req.ReceivedAt.Add(test.late)
		if _, err := settings(t, "https://api.example.com", more).readNotification(req); (err == nil) != test.good {
			t.Errorf("tolerance %q, %v late: %v", test.tolerance, test.late, err)
		}
	}
	c := settings(t, "https://api.example.com", "")
	for _, stamp := range []string{"", "x", "-1778542260000", "1778542260", "1.778542260e12", " 1778542260000", "1778542260000000", "99999999999999999999", "9223372036854775807", "-9223372036854775808"} {
		_, err := c.readNotification(notification(body, stamp, sign(stamp, body, testSecret)))
		checkError(t, err, sdk.CodeSignatureInvalid, sdk.OutcomeNotSent)
	}
	req := signed(body, testSecret)
	req.ReceivedAt = time.Time{} // a host that doesn't say when
	_, err := c.readNotification(req)
	checkError(t, err, sdk.CodeSignatureInvalid, sdk.OutcomeNotSent)
}

func TestEvents(t *testing.T) {
	payment := sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: "payment_intent.x", MerchantOrderID: "P1", AcquirerOrderID: "int_1"}
	tests := []struct {
		body string
		want sdk.NotificationEvent
	}{
		{string(golden(t, "notification_refund.json")), sdk.NotificationEvent{Kind: sdk.EventRefund, RawType: "refund.succeeded", AcquirerOrderID: intentID, AcquirerRefundID: refundID, MerchantRefundID: ourRefund}},
		{`{"name":"payment_intent.x","accountId":"acct_1","data":{"object":{"id":"int_1","merchant_order_id":"P1"}}}`, payment},
		{`{"name":"payment_intent.x","data":{"object":{"id":"int_1","merchant_order_id":"P1","payment_intent_id":"int_2","metadata":7}},"more":[{}]}`, payment},
		{`{"name":"refund.x","data":{"object":{"id":"rfd_1"}}}`, sdk.NotificationEvent{Kind: sdk.EventRefund, RawType: "refund.x", AcquirerRefundID: "rfd_1"}},
		{`{"name":"payment_intent.x","data":{"object":{"merchant_order_id":"P1"}}}`, sdk.NotificationEvent{RawType: "payment_intent.x"}},
		{`{"name":"payment_attempt.paid","data":{"object":{"id":"att_1"}}}`, sdk.NotificationEvent{RawType: "payment_attempt.paid"}},
		{`{"name":"payment_intent","data":{"object":{"id":"int_1"}}}`, sdk.NotificationEvent{RawType: "payment_intent"}},
		{`{"name":"` + strings.Repeat("x", 100) + `"}`, sdk.NotificationEvent{RawType: strings.Repeat("x", 64) + "…"}},
		{`{"data":{"object":{"id":"int_1"}}}`, sdk.NotificationEvent{RawType: unreadable}},
		{`{"name":"payment_intent.x","name":"refund.x"}`, sdk.NotificationEvent{RawType: unreadable}},
		{`{"name":"payment_intent.x","data":[]}`, sdk.NotificationEvent{RawType: unreadable}},
		{`{"name":`, sdk.NotificationEvent{RawType: unreadable}}, {``, sdk.NotificationEvent{RawType: unreadable}}, {`[]`, sdk.NotificationEvent{RawType: unreadable}},
	}
	c := settings(t, "https://api.example.com", "")
	for _, test := range tests {
		n, err := c.readNotification(signed([]byte(test.body), testSecret))
		if err != nil || len(n.Events) != 1 || n.Events[0] != test.want {
			t.Errorf("%s: got %+v, %v", test.body, n, err)
		}
	}
}
