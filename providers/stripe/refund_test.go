package stripe

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

func TestRefundRequest(t *testing.T) {
	f := newFake(t, say(200, string(golden(t, "refund_response.json"))))
	got, err := f.provider(t, "").Refund(t.Context(), refundRequest(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := (sdk.Refund{
		MerchantRefundID: ourRefund, AcquirerRefundID: "re_1Nis", Amount: money(t, "0.40", "HKD"),
		Status: sdk.RefundPending, RawStatus: "pending", RequestID: rid,
	}); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	r := f.calls[0]
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	if got := lines(r.PostForm); got != string(golden(t, "refund_request.txt")) || r.URL.Path != "/v1/refunds" || r.Header.Get("Idempotency-Key") != "req_refund" {
		t.Errorf("%s %s\n%s", r.URL, r.Header, got)
	}
}

// Only the acquirer's words are sent, and the one with a side effect is not.
func TestRefundReasons(t *testing.T) {
	for reason, want := range map[string]string{"": "", "duplicate": "duplicate", "requested_by_customer": "requested_by_customer", "fraudulent": "", "it was too large": "", "\xff": ""} {
		req := refundRequest(t)
		req.Reason = reason
		if got := buildRefund(req, intent).Get("reason"); got != want {
			t.Errorf("%q: %q", reason, got)
		}
	}
}

func TestRefundRefusedBeforeSending(t *testing.T) {
	f := newFake(t, say(500, ""))
	p := f.provider(t, "")
	for name, change := range map[string]func(*sdk.RefundRequest){
		"merchant_refund_id": func(r *sdk.RefundRequest) { r.MerchantRefundID = "" },
		"currency":           func(r *sdk.RefundRequest) { r.Amount = money(t, "1", "USD") },
		"amount":             func(r *sdk.RefundRequest) { r.Amount = money(t, "1.01", "HKD") },
		"request_id":         func(r *sdk.RefundRequest) { r.RequestID = "" },
		"provider_order_id":  func(r *sdk.RefundRequest) { r.AcquirerOrderID = "a/b" },
	} {
		req := refundRequest(t)
		change(&req)
		_, err := p.Refund(t.Context(), req)
		if e := checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent); e.Field != name {
			t.Errorf("%s: field %s", name, e.Field)
		}
	}
	req := refundRequest(t)
	req.Amount = sdk.Money{}
	_, err := p.Refund(t.Context(), req)
	checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
	if len(f.sent()) > 0 {
		t.Errorf("sent %q", f.sent())
	}
}

func TestRefundStatuses(t *testing.T) {
	want := map[string]sdk.RefundStatus{
		"pending": sdk.RefundPending, "requires_action": sdk.RefundPending, "succeeded": sdk.RefundSucceeded,
		"failed": sdk.RefundFailed, "canceled": sdk.RefundFailed, "": sdk.RefundUnknown, "FAILED": sdk.RefundUnknown, "reversed": sdk.RefundUnknown,
	}
	if len(refundStatuses) != 5 {
		t.Errorf("%d statuses", len(refundStatuses))
	}
	for status, want := range want {
		got, err := readRefund(ok(change(t, golden(t, "refund_response.json"), map[string]any{"status": status, "failure_reason": "declined"})), opRefund, order(t))
		if err != nil || got.Status != want || want == sdk.RefundUnknown && got.StatusReason == "" {
			t.Errorf("%q: %+v, %v", status, got, err)
		}
		if want == sdk.RefundFailed && got.StatusReason != "declined" {
			t.Errorf("%q: reason %q", status, got.StatusReason)
		}
	}
	got, err := readRefund(ok(change(t, golden(t, "refund_response.json"), map[string]any{"status": json.RawMessage("null")})), opRefund, order(t))
	if err != nil || got.Status != sdk.RefundUnknown {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestForeignRefunds(t *testing.T) {
	done := change(t, golden(t, "refund_response.json"), map[string]any{"status": "succeeded"})
	want := refundQuery(t)
	for name, changes := range map[string]map[string]any{
		"id": {"id": "re_2"}, "our id": {"metadata": map[string]string{"merchant_refund_id": "R2"}}, "no metadata": {"metadata": nil},
		"amount": {"amount": 41}, "currency": {"currency": "usd"},
	} {
		got, err := readRefund(ok(change(t, done, changes)), opQuery, want.Order)
		if err != nil || got.Status != sdk.RefundSucceeded || len(got.Differences(want)) != 1 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	// What the host can't see.
	for name, changes := range map[string]map[string]any{
		"payment": {"payment_intent": "pi_2"}, "order": {"metadata": map[string]string{"merchant_refund_id": "R1", "merchant_order_id": "P2"}},
		"amount": {"amount": "x"}, "fraction": {"amount": json.RawMessage("0.4")},
	} {
		got, err := readRefund(ok(change(t, done, changes)), opQuery, want.Order)
		if err != nil || got.Status != sdk.RefundUnknown || got.StatusReason == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, body := range map[string]string{"intent": string(golden(t, "query_response.json")), "no id": `{"object":"refund","status":"succeeded"}`, "null": `null`} {
		_, err := readRefund(ok([]byte(body)), opRefund, want.Order)
		checkError(t, err, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown)
		_ = name
	}
}

func TestQueryRefund(t *testing.T) {
	f := newFake(t, say(200, string(golden(t, "refund_response.json"))))
	p := f.provider(t, "")
	got, err := p.QueryRefund(t.Context(), refundQuery(t))
	if err != nil || got.Status != sdk.RefundPending || len(got.Differences(refundQuery(t))) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	f.answer = say(200, string(golden(t, "refund_list_response.json")))
	q := refundQuery(t)
	q.AcquirerRefundID = ""
	got, err = p.QueryRefund(t.Context(), q)
	if err != nil || got.Status != sdk.RefundSucceeded || got.AcquirerRefundID != "re_1Nis" {
		t.Errorf("%+v, %v", got, err)
	}
	q.MerchantRefundID = "R3"
	_, err = p.QueryRefund(t.Context(), q)
	checkError(t, err, sdk.CodeOrderNotFound, sdk.OutcomeUnknown)
	if got, want := strings.Join(f.sent(), "\n"), "GET /v1/refunds/re_1Nis\n"+strings.TrimSuffix(strings.Repeat("GET /v1/refunds?limit=100&payment_intent=pi_3Mt1\n", 2), "\n"); got != want {
		t.Errorf("sent %s", got)
	}
	q.MerchantRefundID = ""
	_, err = p.QueryRefund(t.Context(), q)
	checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
}

// Whatever isn't a whole list without our refund doesn't say that there is none.
func TestListsThatProveNothing(t *testing.T) {
	list := string(golden(t, "refund_list_response.json"))
	q := refundQuery(t)
	q.AcquirerRefundID, q.MerchantRefundID = "", "R3"
	for body, code := range map[string]sdk.Code{
		strings.Replace(list, `"has_more": false`, `"has_more": true`, 1):            sdk.CodeAcquirerError,
		strings.Replace(list, `"has_more": false,`, ``, 1):                           sdk.CodeAcquirerAnswerInvalid,
		strings.Replace(list, `"object": "list"`, `"object": "x"`, 1):                sdk.CodeAcquirerAnswerInvalid,
		`{"object":"list","has_more":false}`:                                         sdk.CodeAcquirerAnswerInvalid,
		strings.ReplaceAll(strings.ReplaceAll(list, `"R1"`, `"R3"`), `"R2"`, `"R3"`): sdk.CodeMismatch,
	} {
		_, err := readRefunds(ok([]byte(body)), q)
		checkError(t, err, code, sdk.OutcomeUnknown)
	}
	// The payment isn't found: that says nothing about the refund.
	q.AcquirerOrderID = ""
	f := newFake(t, say(200, `{"object":"search_result","has_more":false,"data":[]}`))
	_, err := f.provider(t, "").QueryRefund(t.Context(), q)
	checkError(t, err, sdk.CodeAcquirerError, sdk.OutcomeUnknown)
	// Nor does it when the list of its refunds isn't found.
	q.AcquirerOrderID = intent
	f.answer = say(404, problem("invalid_request_error", "resource_missing"))
	_, err = f.provider(t, "").QueryRefund(t.Context(), q)
	checkError(t, err, sdk.CodeAcquirerError, sdk.OutcomeUnknown)
}
