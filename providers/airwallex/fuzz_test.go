package airwallex

import (
	"strconv"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// Nothing is believed that isn't signed with one of our secrets for a time near
// that of arrival.
func FuzzNotification(f *testing.F) {
	body := golden(f, "notification.json")
	f.Add(body, strconv.Itoa(goldenTime), goldenSignature, int64(0))
	f.Add(body, strconv.Itoa(goldenTime), goldenSignature, int64(300001))
	f.Add(golden(f, "notification_refund.json"), "", "", int64(-1))
	f.Add([]byte(`{"name":"payment_intent.x","data":{"object":{"id":1,"metadata":{"merchant_refund_id":[]}}}}`), "1778542260000", "00", int64(5))
	c := settings(f, "https://api.example.com", "")
	f.Fuzz(func(t *testing.T, body []byte, timestamp, signature string, late int64) {
		req := notification(body, timestamp, signature)
		req.ReceivedAt = time.UnixMilli(goldenTime).Add(time.Duration(late) * time.Millisecond)
		n, err := c.readNotification(req)
		mine := signature == sign(timestamp, body, testSecret) || signature == sign(timestamp, body, oldSecret)
		if err == nil && !mine {
			t.Fatalf("believed %+v", n)
		}
		if err != nil && !sdk.IsCode(err, sdk.CodeSignatureInvalid) {
			t.Errorf("got %v", err)
		}

		// The same bytes, rightly signed: they can say anything and do no harm.
		n, err = c.readNotification(signed(body, oldSecret))
		if err != nil || len(n.Events) != 1 || n.Ack.Status != 200 {
			t.Fatalf("signed: got %+v, %v", n, err)
		}
		event := n.Events[0]
		switch {
		case event.Kind == sdk.EventPayment && (event.AcquirerOrderID == "" || event.MerchantRefundID+event.AcquirerRefundID != ""),
			event.Kind == sdk.EventRefund && event.AcquirerRefundID == "",
			event.Kind == sdk.EventOther && event.AcquirerOrderID+event.MerchantOrderID+event.AcquirerRefundID+event.MerchantRefundID != "",
			event.RawType == "":
			t.Errorf("event %+v", event)
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	for _, name := range []string{"create_response.json", "confirm_response.json", "retrieve_response.json", "list_response.json", "cancel_response.json", "refund_response.json", "refund_list_response.json", "login_response.json"} {
		f.Add(200, golden(f, name))
	}
	f.Add(200, []byte(`{"id":"int_1","amount":1e999999999,"currency":"HKD","status":"SUCCEEDED","next_action":[]}`))
	f.Add(400, []byte(failing("bad_thing")))
	f.Add(429, []byte(`<html>`))
	c := settings(f, "https://api.example.com", knownCodes)
	want := order(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		resp := acquirer.Response{Status: status, Body: body}
		for _, read := range []func() (sdk.Payment, error){
			func() (sdk.Payment, error) { return c.readIntent(resp, callQuery, want) },
			func() (sdk.Payment, error) { return c.readConfirmed(resp, want, intentID) },
			func() (sdk.Payment, error) { return c.readList(resp, want) },
			func() (sdk.Payment, error) { p, _, err := c.readCreated(resp, want); return p, err },
		} {
			payment, err := read()
			checkFuzzed(t, err, status)
			if payment.Status != sdk.StatusUnknown && (!resp.OK() || err != nil) {
				t.Errorf("believed %+v", payment)
			}
			if len(payment.NextActions) > 0 && (payment.Status != sdk.StatusPending || payment.MerchantOrderID != ourOrder || !payment.Money.Equal(want.Money)) {
				t.Errorf("%+v with an action", payment)
			}
		}
		for _, read := range []func() (sdk.Refund, error){
			func() (sdk.Refund, error) { return c.readRefund(resp, callEffect, refundQuery(t)) },
			func() (sdk.Refund, error) { return c.readRefundList(resp, refundQuery(t)) },
		} {
			refund, err := read()
			checkFuzzed(t, err, status)
			if refund.Status != sdk.RefundUnknown && (!resp.OK() || err != nil) {
				t.Errorf("believed %+v", refund)
			}
		}
		if token, err := readToken(resp, time.UnixMilli(goldenTime)); err == nil && (token.Value.IsZero() || !resp.OK()) {
			t.Error("took no token for one")
		}
	})
}

func checkFuzzed(t *testing.T, err error, status int) {
	t.Helper()
	if err == nil {
		return
	}
	e := sdk.AsError(err)
	if e.Code == sdk.CodeUnspecified || e.Outcome == sdk.OutcomeNotSent || e.Outcome == sdk.OutcomeRefused && status/100 != 4 {
		t.Errorf("got %v, %s", err, e.Outcome)
	}
}
