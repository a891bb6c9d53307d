package stripe

import (
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

func TestCancelRequest(t *testing.T) {
	f := newFake(t, say(200, string(change(t, golden(t, "query_response.json"), map[string]any{"status": "canceled", "amount_received": 0}))))
	got, err := f.provider(t, "").Cancel(t.Context(), sdk.CancelRequest{Order: order(t), RequestID: "req_cancel"})
	if err != nil || got.Status != sdk.StatusCancelled || len(got.Differences(order(t))) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if sent := f.sent(); len(sent) != 1 || sent[0] != "POST /v1/payment_intents/pi_3Mt1/cancel cancellation_reason=abandoned" || f.calls[0].Header.Get("Idempotency-Key") != "" {
		t.Errorf("sent %q", sent)
	}
}

// A payment that can't be cancelled is asked about.
func TestCancelOfPaid(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			say(400, `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`)(w, r)
			return
		}
		say(200, string(golden(t, "query_response.json")))(w, r)
	})
	p := f.provider(t, "")
	got, err := p.Cancel(t.Context(), sdk.CancelRequest{Order: order(t), RequestID: "c"})
	if err != nil || got.Status != sdk.StatusSucceeded || len(f.sent()) != 2 {
		t.Errorf("%+v, %v, %q", got, err, f.sent())
	}
	f.answer = say(400, `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`)
	_, err = p.Cancel(t.Context(), sdk.CancelRequest{Order: order(t), RequestID: "c"})
	checkError(t, err, sdk.CodeAcquirerError, sdk.OutcomeUnknown)
}

// Without the acquirer's id a search comes first; if it fails, nothing was done.
func TestEffectsNeedTheOrder(t *testing.T) {
	for _, answer := range []string{`{"object":"search_result","has_more":false,"data":[]}`, `<html>`, `{}`} {
		f := newFake(t, say(200, answer))
		p := f.provider(t, "")
		_, err := p.Cancel(t.Context(), sdk.CancelRequest{Order: createRequest(t).Order, RequestID: "c"})
		checkError(t, err, sdk.AsError(err).Code, sdk.OutcomeNotSent)
		req := refundRequest(t)
		req.AcquirerOrderID = ""
		_, err = p.Refund(t.Context(), req)
		checkError(t, err, sdk.AsError(err).Code, sdk.OutcomeNotSent)
		for _, sent := range f.sent() {
			if !strings.HasPrefix(sent, "GET ") {
				t.Errorf("sent %s", sent)
			}
		}
	}
}

func TestForeignIDs(t *testing.T) {
	f := newFake(t, say(500, ""))
	p := f.provider(t, "")
	for _, id := range []string{"..", "pi/1", "pi_1/cancel", "pi 1", "pi_1?x", "", strings.Repeat("x", 65)} {
		o := order(t)
		o.AcquirerOrderID, o.MerchantOrderID = id, ""
		_, err := p.Query(t.Context(), sdk.QueryRequest{Order: o})
		checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
		if id != "" {
			q := refundQuery(t)
			q.AcquirerRefundID = id
			_, err = p.QueryRefund(t.Context(), q)
			checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
		}
	}
	if len(f.sent()) > 0 {
		t.Errorf("sent %q", f.sent())
	}
}
