package alipayhk

import (
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

func TestGoldenRefund(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(golden(t, "refund_response.json")) })
	p := f.provider(t, "")
	refund, err := p.Refund(t.Context(), refundRequest(t))
	if err != nil {
		t.Fatal(err)
	}
	queried, err := p.QueryRefund(t.Context(), refundQuery(t))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ path, file string }{{"create", "refund_request.json"}, {"query", "refund_query_request.json"}} {
		body, found := strings.CutPrefix(f.sent()[i], "POST /mch-api/v1/pa/refunds/"+want.path+" ")
		if !found {
			t.Fatalf("call: %s", f.sent()[i])
		}
		sameJSON(t, []byte(body), golden(t, want.file))
	}
	for _, got := range []sdk.Refund{refund, queried} {
		if got.Status != sdk.RefundSucceeded || got.MerchantRefundID != ourRefund || !got.Amount.IsZero() || got.RequestID != rid || got.RawStatus != "SUCCEEDED" || got.StatusReason != "" {
			t.Errorf("got %+v", got)
		}
	}
}

func TestRefundRequests(t *testing.T) {
	base := map[string]any{}
	tests := []struct {
		name, config string
		change       func(*sdk.RefundRequest)
		want         map[string]any
	}{
		{"as it is", "", func(*sdk.RefundRequest) {}, base},
		{"by our id", "", func(r *sdk.RefundRequest) { r.AcquirerOrderID = "" }, map[string]any{"payment_order_id": nil, "merchant_payment_order_id": ourOrder}},
		{"part", "", func(r *sdk.RefundRequest) { r.Amount = money(t, "0.5") }, map[string]any{"amount": "0.50"}},
		{"minor", `,"amount_unit":"minor"`, func(r *sdk.RefundRequest) { r.Amount = money(t, "0.5") }, map[string]any{"amount": "50"}},
		{"no reason", "", func(r *sdk.RefundRequest) { r.Reason = "" }, map[string]any{"reason": nil}},
		{"long reason", "", func(r *sdk.RefundRequest) { r.Reason = strings.Repeat("中", 100) }, map[string]any{"reason": strings.Repeat("中", 42)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := refundRequest(t)
			test.change(&req)
			body, err := settings(t, "https://api.example.com", test.config).buildRefund(req)
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, body, change(t, golden(t, "refund_request.json"), "", test.want))
		})
	}
}

func TestRefundRequestsThatAreNotSent(t *testing.T) {
	usd, _ := sdk.ParseMoney("1", "USD")
	zero, _ := sdk.Zero("HKD")
	tests := []struct {
		name, field string
		change      func(*sdk.RefundRequest)
	}{
		{"no refund id", "merchant_refund_id", func(r *sdk.RefundRequest) { r.MerchantRefundID = "" }},
		{"no order", "merchant_order_id", func(r *sdk.RefundRequest) { r.Order = sdk.Order{Money: r.Money} }},
		{"currency", "currency", func(r *sdk.RefundRequest) { r.Amount = usd }},
		{"both currencies", "currency", func(r *sdk.RefundRequest) { r.Amount, r.Money = usd, usd }},
		{"payment's currency", "currency", func(r *sdk.RefundRequest) { r.Money = usd }},
		{"nothing", "amount", func(r *sdk.RefundRequest) { r.Amount = zero }},
		{"more than paid", "amount", func(r *sdk.RefundRequest) { r.Amount = money(t, "1.01") }},
		{"bad UTF-8", "reason", func(r *sdk.RefundRequest) { r.Reason = "\xff" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := refundRequest(t)
			test.change(&req)
			_, err := settings(t, "https://api.example.com", "").buildRefund(req)
			if e := checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent); e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
		})
	}
	_, err := settings(t, "https://api.example.com", "").buildQueryRefund(sdk.RefundQuery{})
	checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
}

func TestRefundAnswers(t *testing.T) {
	tests := []struct {
		name   string
		change map[string]any
		want   sdk.RefundStatus
		reason string
	}{
		{"succeeded", nil, sdk.RefundSucceeded, ""},
		{"with its id", map[string]any{"refund_id": "R1", "refund_time": "2023-08-23T18:28:16.511Z"}, sdk.RefundSucceeded, ""},
		{"says little", map[string]any{"payment_order_id": nil, "merchant_payment_order_id": nil, "create_time": nil}, sdk.RefundSucceeded, ""},
		{"with its amount", map[string]any{"amount": "1.00", "currency": "HKD"}, sdk.RefundSucceeded, ""},
		{"with its amount only", map[string]any{"amount": "1"}, sdk.RefundSucceeded, ""},
		{"other amount", map[string]any{"amount": "1.01"}, sdk.RefundUnknown, `mismatch: amount is "1.01 HKD", not "1.00 HKD"`},
		{"other currency", map[string]any{"amount": "1", "currency": "TWD"}, sdk.RefundUnknown, `mismatch: amount is "1.00 TWD"`},
		{"amount in words", map[string]any{"amount": "one"}, sdk.RefundUnknown, `amount "one" with currency "" can't be read`},
		{"currency without amount", map[string]any{"currency": "HKD"}, sdk.RefundUnknown, "can't be read"},
		{"pending", map[string]any{"status": "PENDING"}, sdk.RefundPending, ""},
		{"failed", map[string]any{"status": "FAILED"}, sdk.RefundUnknown, "ask it before you repeat"},
		{"unknown status", map[string]any{"status": "REFUNDING"}, sdk.RefundUnknown, `"REFUNDING" is not documented`},
		{"no status", map[string]any{"status": nil}, sdk.RefundUnknown, "names no status"},
		{"other refund", map[string]any{"merchant_refund_id": "P2"}, sdk.RefundUnknown, `mismatch: merchant_refund_id is "P2"`},
		{"nobody's refund", map[string]any{"merchant_refund_id": nil}, sdk.RefundUnknown, "mismatch: merchant_refund_id"},
		{"other refund_id", map[string]any{"refund_id": "R2"}, sdk.RefundUnknown, `mismatch: provider_refund_id is "R2"`},
		{"other payment", map[string]any{"payment_order_id": "C2"}, sdk.RefundUnknown, `mismatch: provider_order_id is "C2"`},
		{"other merchant's payment", map[string]any{"merchant_payment_order_id": "P2"}, sdk.RefundUnknown, `mismatch: merchant_order_id is "P2"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := refundQuery(t)
			want.AcquirerRefundID = "R1"
			body := change(t, golden(t, "refund_response.json"), "data", test.change)
			refund, err := settings(t, "https://api.example.com", "").readRefund(ok(body), callQueryRefund, want)
			if err != nil {
				t.Fatal(err)
			}
			if refund.Status != test.want || (test.reason == "") != (refund.StatusReason == "") || !strings.Contains(refund.StatusReason, test.reason) {
				t.Errorf("got %s %q, want %s %q", refund.Status, refund.StatusReason, test.want, test.reason)
			}
		})
	}
}

func TestOnlyADoneRefundHasATime(t *testing.T) {
	for _, status := range []string{"SUCCEEDED", "PENDING", "FAILED", ""} {
		body := change(t, golden(t, "refund_response.json"), "data", map[string]any{"status": status, "refund_time": "2023-08-23T18:28:16.511Z"})
		refund, err := settings(t, "https://api.example.com", "").readRefund(ok(body), callQueryRefund, refundQuery(t))
		if err != nil || refund.RefundedAt.IsZero() != (status != "SUCCEEDED") {
			t.Errorf("%s: refunded at %v, %v", status, refund.RefundedAt, err)
		}
	}
}

// What comes back is held against what was asked to go back, not against the
// payment, and in the account's unit.
func TestPartialRefundNamesItsAmount(t *testing.T) {
	for _, test := range []struct {
		unit, amount string
		want         sdk.RefundStatus
	}{
		{"major", "0.50", sdk.RefundSucceeded},
		{"major", "1", sdk.RefundUnknown},
		{"major", "50", sdk.RefundUnknown},
		{"minor", "50", sdk.RefundSucceeded},
		{"minor", "100", sdk.RefundUnknown},
		{"minor", "0.50", sdk.RefundUnknown},
	} {
		f := newFake(t, say(200, string(change(t, golden(t, "refund_response.json"), "data", map[string]any{"amount": test.amount}))))
		p := f.provider(t, `,"amount_unit":"`+test.unit+`"`)
		req := refundRequest(t)
		req.Amount = money(t, "0.5")
		got, err := p.Refund(t.Context(), req)
		if err != nil || got.Status != test.want {
			t.Errorf("%s %s: got %+v, %v", test.unit, test.amount, got, err)
		}
		query := refundQuery(t)
		query.Amount = req.Amount
		if got, err = p.QueryRefund(t.Context(), query); err != nil || got.Status != test.want {
			t.Errorf("%s %s: a query got %+v, %v", test.unit, test.amount, got, err)
		}
	}
}
