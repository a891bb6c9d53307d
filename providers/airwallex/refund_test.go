package airwallex

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/paymux/paymux/sdk"
)

func TestRefund(t *testing.T) {
	f := newFake(t, say(201, string(golden(t, "refund_response.json"))))
	refund, err := f.provider(t, "").Refund(t.Context(), refundRequest(t))
	if err != nil || refund.Status != sdk.RefundPending || refund.RawStatus != "RECEIVED" || refund.MerchantRefundID != ourRefund ||
		refund.AcquirerRefundID != refundID || !refund.Amount.Equal(money(t, "6.60", "HKD")) {
		t.Errorf("got %+v, %v", refund, err)
	}
	body, found := strings.CutPrefix(f.sent()[0], "POST /api/v1/pa/refunds/create ")
	if !found || !strings.Contains(body, `"amount":6.60,`) {
		t.Errorf("sent %s", f.sent()[0])
	}
	sameJSON(t, []byte(body), golden(t, "refund_request.json"))
}

func TestRefundRefusesBadRequests(t *testing.T) {
	f := newFake(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	p := f.provider(t, "")
	tests := []struct {
		name, field string
		code        sdk.Code
		change      func(*sdk.RefundRequest)
	}{
		{"refund id", "merchant_refund_id", sdk.CodeInvalidRequest, func(r *sdk.RefundRequest) { r.MerchantRefundID = "" }},
		{"request id", "request_id", sdk.CodeInvalidRequest, func(r *sdk.RefundRequest) { r.RequestID = "" }},
		{"no acquirer's id", "", sdk.CodeInvalidState, func(r *sdk.RefundRequest) { r.AcquirerOrderID = "" }},
		{"acquirer's id", "provider_order_id", sdk.CodeInvalidRequest, func(r *sdk.RefundRequest) { r.AcquirerOrderID = "a b" }},
		{"nothing", "amount", sdk.CodeInvalidRequest, func(r *sdk.RefundRequest) { r.Amount, _ = sdk.Zero("HKD") }},
		{"too much", "amount", sdk.CodeInvalidRequest, func(r *sdk.RefundRequest) { r.Amount = money(t, "16.67", "HKD") }},
		{"currency", "currency", sdk.CodeInvalidRequest, func(r *sdk.RefundRequest) { r.Amount = money(t, "1", "CNY") }},
		{"no UTF-8", "reason", sdk.CodeInvalidRequest, func(r *sdk.RefundRequest) { r.Reason = "\xff" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := refundRequest(t)
			test.change(&req)
			_, err := p.Refund(t.Context(), req)
			if e := checkError(t, err, test.code, sdk.OutcomeNotSent); e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
		})
	}
	for field, change := range map[string]func(*sdk.RefundQuery){
		"merchant_refund_id": func(q *sdk.RefundQuery) { q.MerchantRefundID = "a b" },
		"provider_refund_id": func(q *sdk.RefundQuery) { q.AcquirerRefundID = "../x" },
		"provider_order_id":  func(q *sdk.RefundQuery) { q.AcquirerRefundID, q.AcquirerOrderID = "", "a b" },
	} {
		q := refundQuery(t)
		change(&q)
		_, err := p.QueryRefund(t.Context(), q)
		if e := checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent); e.Field != field {
			t.Errorf("field %q, want %q", e.Field, field)
		}
	}
}

func TestLongReasonsAreCut(t *testing.T) {
	req := refundRequest(t)
	req.Reason = strings.Repeat("茶", 50)
	body, err := settings(t, "https://api.example.com", "").buildRefund(req)
	var sent struct{ Reason string }
	if err != nil || json.Unmarshal(body, &sent) != nil || len(sent.Reason) != 126 || !utf8.ValidString(sent.Reason) {
		t.Errorf("sent %q, %v", sent.Reason, err)
	}
}

func TestRefundStatuses(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	for word, want := range map[string]sdk.RefundStatus{
		"RECEIVED": sdk.RefundPending, "PROCESSING": sdk.RefundPending, "ACCEPTED": sdk.RefundPending, "SUCCEEDED": sdk.RefundSucceeded,
		"SETTLED": sdk.RefundSucceeded, "FAILED": sdk.RefundFailed, "CANCELLED": sdk.RefundUnknown, "settled": sdk.RefundUnknown, "": sdk.RefundUnknown,
	} {
		body := change(t, golden(t, "refund_response.json"), map[string]any{"status": word})
		for _, asked := range []call{callEffect, callQueryRefund} {
			refund, err := c.readRefund(ok(body), asked, refundQuery(t))
			if err != nil || refund.Status != want || refund.RawStatus != word || (want == sdk.RefundUnknown) != (refund.StatusReason != "") || len(refund.Differences(refundQuery(t))) > 0 {
				t.Errorf("%q: got %+v, %v", word, refund, err)
			}
		}
	}
	if len(refundStates) != 6 {
		t.Errorf("%d statuses in the table", len(refundStates))
	}
}

// What isn't our refund never ends it.
func TestForeignRefunds(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	for name, changes := range map[string]map[string]any{
		"payment":       {"payment_intent_id": "int_2"},
		"refund":        {"metadata": map[string]string{"merchant_refund_id": "R2"}},
		"no refund":     {"metadata": nil},
		"odd metadata":  {"metadata": "x"},
		"acquirer's id": {"id": "rfd_2"},
		"amount":        {"amount": json.RawMessage("6.61")},
		"odd amount":    {"amount": "6.60"},
		"currency":      {"currency": "CNY"},
	} {
		for _, status := range []string{"SETTLED", "FAILED"} {
			changes["status"] = status
			refund, err := c.readRefund(ok(change(t, golden(t, "refund_response.json"), changes)), callQueryRefund, refundQuery(t))
			if err != nil || refund.Status.Terminal() && len(refund.Differences(refundQuery(t))) == 0 {
				t.Errorf("another %s: got %+v, %v", name, refund, err)
			}
		}
	}
}

func TestQueryRefund(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "" {
			_, _ = w.Write(golden(t, "refund_list_response.json"))
			return
		}
		_, _ = w.Write(change(t, golden(t, "refund_response.json"), map[string]any{"status": "SETTLED"}))
	})
	p := f.provider(t, "")
	known := refundQuery(t)
	lost := known
	lost.AcquirerRefundID = ""
	for _, q := range []sdk.RefundQuery{known, lost} {
		refund, err := p.QueryRefund(t.Context(), q)
		if err != nil || refund.Status != sdk.RefundSucceeded || refund.AcquirerRefundID != refundID || len(refund.Differences(known)) > 0 {
			t.Errorf("got %+v, %v", refund, err)
		}
	}
	want := "GET /api/v1/pa/refunds/" + refundID + "|GET /api/v1/pa/refunds?payment_intent_id=" + intentID
	if got := strings.Join(f.sent(), "|"); got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	lost.AcquirerOrderID = ""
	_, err := p.QueryRefund(t.Context(), lost)
	checkError(t, err, sdk.CodeInvalidState, sdk.OutcomeNotSent)
}

func TestRefundList(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	ours := string(golden(t, "refund_response.json"))
	for name, body := range map[string]string{
		"none":        `{"has_more":false,"items":[]}`,
		"others":      `{"has_more":false,"items":[` + strings.Replace(ours, ourRefund, "R2", 1) + `]}`,
		"more":        `{"has_more":true,"items":[` + strings.Replace(ours, ourRefund, "R2", 1) + `]}`,
		"no metadata": `{"has_more":false,"items":[{"id":"rfd_1","status":"SETTLED"}]}`,
	} {
		_, err := c.readRefundList(ok([]byte(body)), refundQuery(t))
		if e := checkError(t, err, sdk.CodeAcquirerError, sdk.OutcomeUnknown); e == nil {
			t.Error(name)
		}
	}
	twice, err := c.readRefundList(ok([]byte(`{"has_more":false,"items":[`+ours+`,`+ours+`]}`)), refundQuery(t))
	if err != nil || twice.Status != sdk.RefundUnknown || twice.StatusReason == "" {
		t.Errorf("got %+v, %v", twice, err)
	}
	more, err := c.readRefundList(ok([]byte(`{"has_more":true,"items":[`+ours+`]}`)), refundQuery(t))
	if err != nil || more.Status != sdk.RefundPending {
		t.Errorf("got %+v, %v", more, err)
	}
}
