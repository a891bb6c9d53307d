package stripe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

func FuzzReadAnswer(f *testing.F) {
	for _, name := range []string{"create_response.json", "query_response.json", "refund_response.json", "search_response.json", "refund_list_response.json"} {
		f.Add(200, golden(f, name))
	}
	f.Add(402, golden(f, "error_failed.json"))
	f.Add(400, []byte(`{"error":{"type":"invalid_request_error"}}`))
	f.Add(429, []byte(`<html>`))
	c := settings(f, "")
	want := order(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		resp := acquirer.Response{Status: status, Body: body}
		for _, o := range []op{opCreate, opQuery, opCancel} {
			payment, err := c.readIntent(resp, o)
			checkFuzzed(t, status, err)
			if err == nil && !objectID(payment.AcquirerOrderID) || err != nil && payment.Status != sdk.StatusUnknown {
				t.Errorf("got %+v, %v", payment, err)
			}
			if payment.Status == sdk.StatusSucceeded && (status != 200 && o != opCreate || payment.RawStatus != "succeeded") {
				t.Errorf("believed %+v", payment)
			}
			if len(payment.NextActions) > 0 && payment.Status != sdk.StatusPending {
				t.Errorf("%s with an action", payment.Status)
			}
		}
		for _, read := range []func() (sdk.Refund, error){
			func() (sdk.Refund, error) { return readRefund(resp, opRefund, want) },
			func() (sdk.Refund, error) { return readRefunds(resp, refundQuery(t)) },
		} {
			refund, err := read()
			checkFuzzed(t, status, err)
			if refund.Status.Terminal() && (status != 200 || err != nil) {
				t.Errorf("believed %+v", refund)
			}
		}
		id, err := readSearch(resp, want)
		checkFuzzed(t, status, err)
		if (err == nil) != objectID(id) {
			t.Errorf("found %q, %v", id, err)
		}
	})
}

func checkFuzzed(t *testing.T, status int, err error) {
	t.Helper()
	if err == nil {
		return
	}
	e := sdk.AsError(err)
	certain := e.Outcome != sdk.OutcomeUnknown
	if e.Code == sdk.CodeUnspecified || certain && status != 400 && status != 401 && status != 403 && status != 404 && status != 429 {
		t.Errorf("got %v, %s at %d", err, e.Outcome, status)
	}
}

// rightly finds in a header a near time and a signature of it.
func rightly(header string, body []byte) bool {
	for at := received.Unix() - 300; at <= received.Unix()+300; at++ {
		if strings.Contains(header, fmt.Sprintf("t=%d", at)) && strings.Contains(header, "v1="+v1(at, body, testSecret)) {
			return true
		}
	}
	return false
}

func FuzzParseNotification(f *testing.F) {
	f.Add(golden(f, "event_payment.json"), "", true)
	f.Add(golden(f, "event_refund.json"), sign(received, golden(f, "event_refund.json"), testSecret), false)
	f.Add([]byte(`{"type":1,"data":[]}`), "t=1,v1=", true)
	f.Add([]byte("\xff{}"), "t=1795863661,v1=00", false)
	c := settings(f, "")
	f.Fuzz(func(t *testing.T, body []byte, header string, signed bool) {
		if signed {
			header = sign(received, body, testSecret)
		}
		n, err := c.readNotification(notification(body, header))
		if err == nil && !rightly(header, body) {
			t.Fatalf("%q of %q is accepted", header, body)
		}
		if signed && err != nil {
			t.Fatalf("%q of %q: %v", header, body, err)
		}
		if err == nil && (len(n.Events) != 1 || n.Ack.Status != 200 || n.Ack.Body != nil) {
			t.Errorf("got %+v", n)
		}
		if err != nil && (!sdk.IsCode(err, sdk.CodeSignatureInvalid) || len(n.Events) > 0) {
			t.Errorf("got %v", err)
		}
	})
}
