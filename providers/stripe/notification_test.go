package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
)

var received = time.Unix(1795863661, 500)

// v1 makes a signature of its own, apart from the code under test.
func v1(at int64, body []byte, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(h, "%d.%s", at, body)
	return hex.EncodeToString(h.Sum(nil))
}

func sign(at time.Time, body []byte, secret string) string {
	return fmt.Sprintf("t=%d,v1=%s", at.Unix(), v1(at.Unix(), body, secret))
}

func notification(body []byte, signature string) sdk.HTTPRequest {
	return sdk.HTTPRequest{Method: "POST", Body: body, Header: map[string][]string{"Stripe-Signature": {signature}}, ReceivedAt: received}
}

func TestNotifications(t *testing.T) {
	payment := sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: "payment_intent.succeeded", MerchantOrderID: ourOrder, AcquirerOrderID: intent}
	refund := sdk.NotificationEvent{Kind: sdk.EventRefund, RawType: "refund.updated", MerchantOrderID: ourOrder, AcquirerOrderID: intent, MerchantRefundID: ourRefund, AcquirerRefundID: "re_1Nis"}
	other := func(raw string) sdk.NotificationEvent {
		return sdk.NotificationEvent{Kind: sdk.EventOther, RawType: raw}
	}
	body := string(golden(t, "event_payment.json"))
	replace := func(old, new string) string {
		if !strings.Contains(body, old) {
			t.Fatalf("no %s", old)
		}
		return strings.ReplaceAll(body, old, new)
	}
	tests := []struct {
		name, body string
		want       sdk.NotificationEvent
	}{
		{"payment", body, payment},
		{"refund", string(golden(t, "event_refund.json")), refund},
		{"own account", replace(`"livemode"`, `"account":"acct_1A","livemode"`), payment},
		{"without metadata", replace(`{"merchant_order_id": "P1"}`, `{}`), sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: "payment_intent.succeeded", AcquirerOrderID: intent}},
		{"unheard of", replace("payment_intent.succeeded", "payment_intent.delighted"), other("payment_intent.delighted")},
		{"charge", replace("payment_intent.succeeded", "charge.succeeded"), other("charge.succeeded")},
		{"live", replace(`"livemode": false`, `"livemode": true`), other("payment_intent.succeeded")},
		{"no mode", replace(`"livemode": false,`, ``), other("payment_intent.succeeded")},
		{"another account", replace(`"livemode"`, `"account":"acct_2","livemode"`), other("payment_intent.succeeded")},
		{"object of another type", replace(`"object": "payment_intent"`, `"object": "charge"`), other("payment_intent.succeeded")},
		{"no id", replace(`"id": "pi_3Mt1"`, `"id": null`), other("payment_intent.succeeded")},
		{"long type", `{"type":"` + strings.Repeat("x", 1000) + `"}`, other(strings.Repeat("x", 64) + "…")},
		{"empty", ``, other("unreadable")}, {"not JSON", `hello`, other("unreadable")}, {"list", `[]`, other("unreadable")},
		{"cut short", body[:100], other("unreadable")}, {"named twice", replace(`"type"`, `"type":"x","type"`), other("unreadable")},
		{"no type", `{"id":"evt_1"}`, other("unreadable")}, {"not UTF-8", "{\"type\":\"\xff\"}", other("unreadable")},
	}
	for _, rule := range eventRules {
		raw := string(rule.raw)
		if rule.kind == sdk.EventPayment {
			want := payment
			want.RawType = raw
			tests = append(tests, struct {
				name, body string
				want       sdk.NotificationEvent
			}{raw, replace("payment_intent.succeeded", raw), want})
		}
	}
	// Any of the secrets is good.
	for _, secret := range []string{testSecret, "older", "oldest"} {
		p := &provider{config: settings(t, `,"webhook_secrets":["`+testSecret+`","older","oldest"]`)}
		for _, test := range tests {
			n, err := p.ParseNotification(t.Context(), notification([]byte(test.body), sign(received, []byte(test.body), secret)))
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			want := sdk.Notification{Events: []sdk.NotificationEvent{test.want}, Ack: sdk.HTTPResponse{Status: 200}}
			if !reflect.DeepEqual(n, want) {
				t.Errorf("%s:\ngot  %+v\nwant %+v", test.name, n, want)
			}
		}
	}
}

func TestGoodSignatures(t *testing.T) {
	body := golden(t, "event_payment.json")
	at := received.Unix()
	good := v1(at, body, testSecret)
	bad := strings.Repeat("0", 64)
	c := settings(t, "")
	for _, header := range []string{
		fmt.Sprintf("t=%d,v1=%s", at, good), fmt.Sprintf("v1=%s,t=%d", good, at),
		fmt.Sprintf("t=%d,v1=%s,v1=%s", at, bad, good), fmt.Sprintf("t=%d,v1=%s,v0=%s,v1=%s", at, good, bad, bad),
		fmt.Sprintf("t=%d,v1=%s", at-300, v1(at-300, body, testSecret)), fmt.Sprintf("t=%d,v1=%s", at+300, v1(at+300, body, testSecret)),
	} {
		if _, err := c.readNotification(notification(body, header)); err != nil {
			t.Errorf("%s: %v", header, err)
		}
	}
}

func TestForgedNotifications(t *testing.T) {
	body := golden(t, "event_payment.json")
	at := received.Unix()
	good := v1(at, body, testSecret)
	c := settings(t, "")
	headers := map[string]string{
		"empty": "", "no v1": fmt.Sprintf("t=%d", at), "no t": "v1=" + good, "v0 only": fmt.Sprintf("t=%d,v0=%s", at, good),
		"upper case": fmt.Sprintf("t=%d,v1=%s", at, strings.ToUpper(good)), "cut": fmt.Sprintf("t=%d,v1=%s", at, good[:63]),
		"empty v1": fmt.Sprintf("t=%d,v1=", at), "another time": fmt.Sprintf("t=%d,v1=%s", at+1, good),
		"two times": fmt.Sprintf("t=%d,t=%d,v1=%s", at, at, good), "other secret": sign(received, body, "other"), "empty secret": sign(received, body, ""),
		"no time signed": fmt.Sprintf("t=%d,v1=%s", at, func() string {
			h := hmac.New(sha256.New, []byte(testSecret))
			h.Write(body)
			return hex.EncodeToString(h.Sum(nil))
		}()),
		"stale": sign(received.Add(-301*time.Second), body, testSecret), "future": sign(received.Add(302*time.Second), body, testSecret),
		"far future": sign(time.Unix(1<<60, 0), body, testSecret), "before 1970": sign(time.Unix(-5, 0), body, testSecret),
		"blank": fmt.Sprintf("t=%d, v1=%s", at, good), "semicolon": fmt.Sprintf("t=%d;v1=%s", at, good), "long": fmt.Sprintf("t=%d,v1=%s,%s", at, good, strings.Repeat("v0=x,", 1000)),
		"plus": fmt.Sprintf("t=+%d,v1=%s", at, func() string {
			h := hmac.New(sha256.New, []byte(testSecret))
			_, _ = fmt.Fprintf(h, "+%d.%s", at, body)
			return hex.EncodeToString(h.Sum(nil))
		}()),
	}
	for name, header := range headers {
		n, err := c.readNotification(notification(body, header))
		if err == nil {
			t.Errorf("%s is accepted", name)
			continue
		}
		checkError(t, err, sdk.CodeSignatureInvalid, sdk.OutcomeNotSent)
		if !reflect.DeepEqual(n, sdk.Notification{}) {
			t.Errorf("%s: got %+v beside the error", name, n)
		}
	}
	tampered := notification(append(append([]byte{}, body...), ' '), sign(received, body, testSecret))
	noHeader := sdk.HTTPRequest{Body: body, ReceivedAt: received}
	noClock := notification(body, sign(received, body, testSecret))
	noClock.ReceivedAt = time.Time{}
	for _, req := range []sdk.HTTPRequest{tampered, noHeader, noClock} {
		_, err := c.readNotification(req)
		checkError(t, err, sdk.CodeSignatureInvalid, sdk.OutcomeNotSent)
	}
}

func TestTolerance(t *testing.T) {
	body := golden(t, "event_payment.json")
	for text, seconds := range map[string]int{`,"webhook_tolerance":10`: 10, "": 300} {
		c := settings(t, text)
		for apart, good := range map[int]bool{seconds: true, -seconds: true, seconds + 1: false, -seconds - 1: false} {
			at := time.Unix(received.Unix()+int64(apart), 0)
			if _, err := c.readNotification(notification(body, sign(at, body, testSecret))); (err == nil) != good {
				t.Errorf("%d s apart with %d s: %v", apart, seconds, err)
			}
		}
	}
}
