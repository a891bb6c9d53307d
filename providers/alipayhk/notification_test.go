package alipayhk

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

// publishedKey is the example of the acquirer's documentation.
const publishedKey = "6d0e8fa7b10c40c3a48c0c2be41cb178"

func sign(body []byte, key string) string {
	sum := sha256.Sum256([]byte(string(body) + "." + key))
	return hex.EncodeToString(sum[:])
}

func notification(body []byte, signature string) sdk.HTTPRequest {
	return sdk.HTTPRequest{Method: "POST", Body: body, Header: map[string][]string{"Signature": {signature}}}
}

func TestPublishedVector(t *testing.T) {
	c := settings(t, "https://api.example.com", `,"webhook_keys":["`+publishedKey+`"]`)
	const signature = "3ce5a54d8a76590179f0f4192a6c0efddf20e118966b6276b1bfbbc0b33f362a"
	n, err := c.readNotification(notification(golden(t, "notification_refund.json"), signature))
	if err != nil {
		t.Fatal(err)
	}
	want := sdk.Notification{
		Events: []sdk.NotificationEvent{{Kind: sdk.EventRefund, RawType: "refund_success", MerchantRefundID: "P2164521756312637123", AcquirerRefundID: "C34368224017070000"}},
		Ack:    sdk.HTTPResponse{Status: 200},
	}
	if !reflect.DeepEqual(n, want) {
		t.Errorf("got  %+v\nwant %+v", n, want)
	}
}

func TestNotifications(t *testing.T) {
	payment := sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: "payment_success", MerchantOrderID: ourOrder, AcquirerOrderID: acquirerOrder}
	bad := sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "unreadable"}
	tests := []struct {
		name, body string
		want       sdk.NotificationEvent
	}{
		{"golden", string(golden(t, "notification.json")), payment},
		{"with all of the sibling's fields", `{"notify_type":"payment_success","data":{"uid":39172931,"order_id":"` + acquirerOrder + `","merchant_order_id":"` + ourOrder + `","order_amount":"1","order_currency":"HKD","pay_time":"x"}}`, payment},
		{"uid as text", `{"notify_type":"payment_success","data":{"uid":"39172931","order_id":"` + acquirerOrder + `","merchant_order_id":"` + ourOrder + `"}}`, payment},
		{"spaces", "{ \"notify_type\" : \"payment_success\",\n\"data\":{\"order_id\":\"" + acquirerOrder + "\",\"merchant_order_id\":\"" + ourOrder + "\"}}\n", payment},
		{"one id", `{"notify_type":"payment_success","data":{"merchant_order_id":"P1"}}`, sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: "payment_success", MerchantOrderID: "P1"}},
		{"refund failed", `{"notify_type":"refund_failed","data":{"refund_id":"R1"}}`, sdk.NotificationEvent{Kind: sdk.EventRefund, RawType: "refund_failed", AcquirerRefundID: "R1"}},
		{"unheard of", `{"notify_type":"payment_cancelled","data":{"order_id":"C1"}}`, sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "payment_cancelled", AcquirerOrderID: "C1"}},
		{"long type", `{"notify_type":"` + strings.Repeat("x", 1000) + `"}`, sdk.NotificationEvent{Kind: sdk.EventOther, RawType: strings.Repeat("x", 64) + "…"}},
		{"other uid", `{"notify_type":"payment_success","data":{"uid":1,"order_id":"C1"}}`, sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "payment_success"}},
		{"no ids", `{"notify_type":"payment_success","data":{}}`, sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "payment_success"}},
		{"no data", `{"notify_type":"refund_success"}`, sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "refund_success"}},
		{"empty", ``, bad},
		{"not JSON", `hello`, bad},
		{"cut short", `{"notify_type":"payment_success","data":{"order_id":"C1"`, bad},
		{"named twice", `{"notify_type":"payment_success","data":{"order_id":"C1","order_id":"C2"}}`, bad},
		{"no type", `{"data":{"order_id":"C1"}}`, bad},
		{"list", `[]`, bad},
		{"not UTF-8", "{\"notify_type\":\"\xff\"}", bad},
	}
	// Any of the keys is good.
	for _, key := range []string{testKey, "older", "oldest"} {
		p := newProvider(settings(t, "https://api.example.com", `,"webhook_keys":["`+testKey+`","older","oldest"]`), nil, nil)
		for _, test := range tests {
			n, err := p.ParseNotification(t.Context(), notification([]byte(test.body), sign([]byte(test.body), key)))
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

func TestForgedNotifications(t *testing.T) {
	body := golden(t, "notification.json")
	good := sign(body, testKey)
	c := settings(t, "https://api.example.com", "")
	tests := map[string]sdk.HTTPRequest{
		"no header":    {Body: body},
		"empty":        notification(body, ""),
		"upper case":   notification(body, strings.ToUpper(good)),
		"cut":          notification(body, good[:63]),
		"longer":       notification(body, good+"0"),
		"spaces":       notification(body, " "+good+" "),
		"other key":    notification(body, sign(body, "other")),
		"empty key":    notification(body, sign(body, "")),
		"changed body": notification(append(append([]byte{}, body...), ' '), good),
		"without a dot": notification(body, func() string {
			s := sha256.Sum256(append(append([]byte{}, body...), testKey...))
			return hex.EncodeToString(s[:])
		}()),
	}
	for name, req := range tests {
		n, err := c.readNotification(req)
		if err == nil {
			t.Errorf("%s is accepted", name)
			continue
		}
		checkError(t, err, sdk.CodeSignatureInvalid, sdk.OutcomeNotSent)
		if !reflect.DeepEqual(n, sdk.Notification{}) {
			t.Errorf("%s: got %+v beside the error", name, n)
		}
	}
}

func FuzzParseNotification(f *testing.F) {
	f.Add([]byte(`{"notify_type":"payment_success","data":{"order_id":"C1","merchant_order_id":"P1"}}`), "", true)
	f.Add(golden(f, "notification_refund.json"), "3ce5a54d8a76590179f0f4192a6c0efddf20e118966b6276b1bfbbc0b33f362a", false)
	f.Add([]byte(`{"notify_type":1,"data":[]}`), "", true)
	f.Add([]byte("\xff{}"), "", true)
	c := settings(f, "https://api.example.com", "")
	f.Fuzz(func(t *testing.T, body []byte, signature string, signed bool) {
		right := sign(body, testKey)
		if signed {
			signature = right
		}
		n, err := c.readNotification(notification(body, signature))
		if (err == nil) != (signature == right) {
			t.Fatalf("signature %q of %q: %v", signature, body, err)
		}
		if err == nil && (len(n.Events) != 1 || n.Ack.Status != 200 || n.Ack.Body != nil) {
			t.Errorf("got %+v", n)
		}
		if err != nil && !sdk.IsCode(err, sdk.CodeSignatureInvalid) {
			t.Errorf("got %v", err)
		}
	})
}
