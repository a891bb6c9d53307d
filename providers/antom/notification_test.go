package antom

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/antom/antomtest"
	"github.com/paymux/paymux/sdk"
)

const (
	notifyPath = "/v1/notifications/antom"
	nowMillis  = "1795867200000" // as now
)

func notification(key *rsa.PrivateKey, at string, body []byte) sdk.HTTPRequest {
	return sdk.HTTPRequest{
		Method: "POST", Path: notifyPath, Body: body, ReceivedAt: now,
		Header: map[string][]string{
			"Client-Id": {clientID}, "Request-Time": {at},
			"Signature": {antomtest.Sign(key, "POST", notifyPath, clientID, at, body)},
		},
	}
}

func TestGoldenNotification(t *testing.T) {
	p := newProvider(settings(t, "https://api.example.com", ""), nil, nil)
	n, err := p.ParseNotification(t.Context(), notification(antomKey(), nowMillis, golden(t, "notification.json")))
	if err != nil {
		t.Fatal(err)
	}
	want := sdk.Notification{
		Events: []sdk.NotificationEvent{{Kind: sdk.EventPayment, RawType: "PAYMENT_RESULT", MerchantOrderID: ourOrder, AcquirerOrderID: acquirerOrder}},
		Ack: sdk.HTTPResponse{Status: 200, Header: map[string]string{"Content-Type": "application/json"},
			Body: []byte(`{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}`)},
	}
	if !reflect.DeepEqual(n, want) {
		t.Errorf("got  %+v\nwant %+v", n, want)
	}
	if !json.Valid(n.Ack.Body) {
		t.Error("the acknowledgement is no JSON")
	}
}

func TestNotifications(t *testing.T) {
	bad := sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "unreadable"}
	tests := []struct {
		name, body string
		want       sdk.NotificationEvent
	}{
		{"pending", `{"notifyType":"PAYMENT_PENDING","result":{"resultStatus":"S"},"paymentRequestId":"P1","paymentId":"1"}`, sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: "PAYMENT_PENDING", MerchantOrderID: "P1", AcquirerOrderID: "1"}},
		{"failed", `{"notifyType":"PAYMENT_RESULT","result":{"resultStatus":"F"},"paymentRequestId":"P1"}`, sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: "PAYMENT_RESULT", MerchantOrderID: "P1"}},
		{"only paymentId", `{"notifyType":"PAYMENT_RESULT","paymentId":"1"}`, sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: "PAYMENT_RESULT", AcquirerOrderID: "1"}},
		{"no ids", `{"notifyType":"PAYMENT_RESULT"}`, sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "PAYMENT_RESULT"}},
		{"unheard of", `{"notifyType":"REFUND_RESULT","paymentId":"1"}`, sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "REFUND_RESULT", AcquirerOrderID: "1"}},
		{"long type", `{"notifyType":"` + strings.Repeat("x", 1000) + `"}`, sdk.NotificationEvent{Kind: sdk.EventOther, RawType: strings.Repeat("x", 64) + "…"}},
		{"no type", `{"paymentId":"1"}`, bad},
		{"empty", ``, bad},
		{"not JSON", `hello`, bad},
		{"cut short", `{"notifyType":"PAYMENT_RESULT","paymentId":"1"`, bad},
		{"named twice", `{"notifyType":"PAYMENT_RESULT","paymentId":"1","paymentId":"2"}`, bad},
		{"list", `[]`, bad},
		{"not UTF-8", "{\"notifyType\":\"\xff\"}", bad},
	}
	c := settings(t, "https://api.example.com", "")
	for _, test := range tests {
		n, err := c.readNotification(notification(antomKey(), nowMillis, []byte(test.body)))
		if err != nil || len(n.Events) != 1 || n.Events[0] != test.want || n.Ack.Status != 200 || string(n.Ack.Body) != acknowledged {
			t.Errorf("%s:\ngot  %+v, %v\nwant %+v", test.name, n, err, test.want)
		}
	}
}

func TestForgedNotifications(t *testing.T) {
	body := golden(t, "notification.json")
	c := settings(t, "https://api.example.com", "")
	with := func(change func(*sdk.HTTPRequest)) sdk.HTTPRequest {
		req := notification(antomKey(), nowMillis, body)
		change(&req)
		return req
	}
	for name, req := range map[string]sdk.HTTPRequest{
		"no headers":      {Method: "POST", Path: notifyPath, Body: body, ReceivedAt: now},
		"no signature":    with(func(r *sdk.HTTPRequest) { delete(r.Header, "Signature") }),
		"no time":         with(func(r *sdk.HTTPRequest) { delete(r.Header, "Request-Time") }),
		"tampered body":   with(func(r *sdk.HTTPRequest) { r.Body = append(bytes.Clone(body), ' ') }),
		"tampered time":   with(func(r *sdk.HTTPRequest) { r.Header["Request-Time"] = []string{"1795867200001"} }),
		"tampered client": with(func(r *sdk.HTTPRequest) { r.Header["Client-Id"] = []string{"other"} }),
		"other path":      with(func(r *sdk.HTTPRequest) { r.Path = "/v1/notifications/other" }),
		"other method":    with(func(r *sdk.HTTPRequest) { r.Method = "PUT" }),
		"wrong key":       notification(otherKey(), nowMillis, body),
		"our own key":     notification(ourKey(), nowMillis, body),
		"the first of two headers counts": with(func(r *sdk.HTTPRequest) {
			r.Header["Signature"] = append([]string{"algorithm=RSA256,signature=AAAA"}, r.Header["Signature"]...)
		}),
	} {
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

func TestNotificationTimes(t *testing.T) {
	body := golden(t, "notification.json")
	ms := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).UnixMilli(), 10) }
	iso := func(d time.Duration) string { return now.Add(d).In(time.FixedZone("", 8*3600)).Format(time.RFC3339) }
	const retries = 24*time.Hour + 22*time.Minute
	for _, test := range []struct {
		name, at, config string
		received         time.Time
		good             bool
	}{
		{"now", ms(0), "", now, true},
		{"now, ISO", iso(0), "", now, true},
		{"the last retry", ms(-retries), "", now, true},
		{"the last retry, ISO", iso(-retries), "", now, true},
		{"two days", ms(-48 * time.Hour), "", now, true},
		{"stale", ms(-48*time.Hour - time.Millisecond), "", now, false},
		{"stale, ISO", iso(-49 * time.Hour), "", now, false},
		{"the clocks differ", ms(skew), "", now, true},
		{"future", ms(skew + time.Millisecond), "", now, false},
		{"far future", "9223372036854775807", "", now, false},
		{"far past", "-9223372036854775808", "", now, false},
		{"shorter", ms(-301 * time.Second), `,"notification_max_age_seconds":300`, now, false},
		{"shorter, good", ms(-300 * time.Second), `,"notification_max_age_seconds":300`, now, true},
		{"another form", "Sat, 28 Nov 2026 12:00:00 GMT", "", now, true},
		{"nobody says when it came", ms(-1000 * time.Hour), "", time.Time{}, true},
	} {
		req := notification(antomKey(), test.at, body)
		req.ReceivedAt = test.received
		_, err := settings(t, "https://api.example.com", test.config).readNotification(req)
		if (err == nil) != test.good {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil {
			checkError(t, err, sdk.CodeSignatureInvalid, sdk.OutcomeNotSent)
		}
	}
}

// While the acquirer changes its key, both are good; afterwards only the new.
func TestRotatedKeys(t *testing.T) {
	body := golden(t, "notification.json")
	list := func(keys ...*rsa.PrivateKey) config {
		var all []string
		for _, key := range keys {
			all = append(all, antomtest.PublicPEM(&key.PublicKey))
		}
		text := change(t, configJSON("https://api.example.com", ""), map[string]any{"antom_public_keys": all})
		c, err := readConfig(sdk.NewConfig("main", text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, test := range []struct {
		name     string
		config   config
		old, new bool
	}{
		{"before", list(antomKey()), true, false},
		{"meanwhile", list(otherKey(), antomKey()), true, true},
		{"after", list(otherKey()), false, true},
	} {
		_, oldErr := test.config.readNotification(notification(antomKey(), nowMillis, body))
		_, newErr := test.config.readNotification(notification(otherKey(), nowMillis, body))
		if (oldErr == nil) != test.old || (newErr == nil) != test.new {
			t.Errorf("%s: old key %v, new key %v", test.name, oldErr, newErr)
		}
	}
}

func TestNotificationOfAnotherClient(t *testing.T) {
	body := golden(t, "notification.json")
	req := notification(antomKey(), nowMillis, body)
	req.Header["Client-Id"] = []string{"OTHER"}
	req.Header["Signature"] = []string{antomtest.Sign(antomKey(), "POST", notifyPath, "OTHER", nowMillis, body)}
	n, err := settings(t, "https://api.example.com", "").readNotification(req)
	if want := (sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "PAYMENT_RESULT"}); err != nil || n.Events[0] != want {
		t.Errorf("got %+v, %v", n, err)
	}
}

func TestNotificationBehindAProxy(t *testing.T) {
	c := settings(t, "https://api.example.com", `,"notification_path":"`+notifyPath+`"`)
	req := notification(antomKey(), nowMillis, golden(t, "notification.json"))
	req.Path = "/stripped"
	if _, err := c.readNotification(req); err != nil {
		t.Error(err)
	}
}

func FuzzParseNotification(f *testing.F) {
	f.Add(golden(f, "notification.json"), nowMillis, "", true)
	f.Add([]byte(`{"notifyType":1,"paymentId":[]}`), "2026-11-28T20:00:00+08:00", "algorithm=RSA256,keyVersion=1,signature=AAAA", false)
	f.Add([]byte("\xff{}"), "x", "algorithm=RSA256,,=", false)
	c := settings(f, "https://api.example.com", "")
	f.Fuzz(func(t *testing.T, body []byte, at, signature string, signed bool) {
		req := notification(antomKey(), at, body)
		right, _ := readSignature(req.Get("Signature"))
		if !signed {
			req.Header["Signature"] = []string{signature}
		}
		given, _ := readSignature(req.Get("Signature"))
		n, err := c.readNotification(req)
		if err != nil {
			if !sdk.IsCode(err, sdk.CodeSignatureInvalid) || !reflect.DeepEqual(n, sdk.Notification{}) {
				t.Fatalf("got %+v, %v", n, err)
			}
			return
		}
		if !bytes.Equal(given, right) || at == "" {
			t.Fatalf("%q at %q is taken for a signature of %q", req.Get("Signature"), at, body)
		}
		if len(n.Events) != 1 || n.Ack.Status != 200 || string(n.Ack.Body) != acknowledged || len(n.Events[0].RawType) > 100 {
			t.Errorf("got %+v", n)
		}
	})
}
