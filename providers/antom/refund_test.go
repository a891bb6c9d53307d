package antom

import (
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

func TestGoldenRefund(t *testing.T) {
	f := newFake(t, saySigned(200, golden(t, "refund_response.json")))
	refund, err := f.provider(t, "").Refund(t.Context(), refundRequest(t))
	if err != nil {
		t.Fatal(err)
	}
	body, found := strings.CutPrefix(f.sent()[0], "POST /ams/api/v1/payments/refund ")
	if !found {
		t.Fatalf("calls: %s", f.sent())
	}
	sameJSON(t, []byte(body), golden(t, "refund_request.json"))
	// S says that the request was taken; the money is another matter.
	if refund.Status != sdk.RefundPending || refund.RawStatus != "S SUCCESS" || refund.AcquirerRefundID != acquirerRefund || len(refund.Differences(refundQuery(t))) > 0 {
		t.Errorf("got %+v", refund)
	}

	f.answer = saySigned(200, golden(t, "refund_query_response.json"))
	refund, err = f.provider(t, "").QueryRefund(t.Context(), refundQuery(t))
	if err != nil {
		t.Fatal(err)
	}
	body, found = strings.CutPrefix(f.sent()[1], "POST /ams/api/v1/payments/inquiryRefund ")
	if !found {
		t.Fatalf("calls: %s", f.sent())
	}
	sameJSON(t, []byte(body), golden(t, "refund_query_request.json"))
	if refund.Status != sdk.RefundSucceeded || refund.RawStatus != "SUCCESS" || refund.RefundedAt.IsZero() || len(refund.Differences(refundQuery(t))) > 0 {
		t.Errorf("got %+v", refund)
	}
}

func TestRefundStatuses(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	hkd := func(value string) map[string]any { return map[string]any{"currency": "HKD", "value": value} }
	tests := map[string]struct {
		change  map[string]any
		want    sdk.RefundStatus
		differs bool
	}{
		"SUCCESS":        {map[string]any{"refundStatus": "SUCCESS"}, sdk.RefundSucceeded, false},
		"FAIL":           {map[string]any{"refundStatus": "FAIL"}, sdk.RefundFailed, false},
		"PROCESSING":     {map[string]any{"refundStatus": "PROCESSING"}, sdk.RefundPending, false},
		"FAILED":         {map[string]any{"refundStatus": "FAILED"}, sdk.RefundUnknown, false},
		"none":           {map[string]any{"refundStatus": nil}, sdk.RefundUnknown, false},
		"CANCELLED":      {map[string]any{"refundStatus": "CANCELLED"}, sdk.RefundUnknown, false},
		"other refund":   {map[string]any{"refundRequestId": "R2"}, sdk.RefundSucceeded, true},
		"no refund":      {map[string]any{"refundRequestId": nil}, sdk.RefundSucceeded, true},
		"failed, other":  {map[string]any{"refundStatus": "FAIL", "refundRequestId": "R2"}, sdk.RefundFailed, true},
		"other amount":   {map[string]any{"refundAmount": hkd("41")}, sdk.RefundSucceeded, true},
		"other currency": {map[string]any{"refundAmount": map[string]any{"currency": "CNY", "value": "40"}}, sdk.RefundSucceeded, true},
		"no amount":      {map[string]any{"refundAmount": nil}, sdk.RefundSucceeded, false},
		"odd amount":     {map[string]any{"refundAmount": hkd("0.40")}, sdk.RefundUnknown, false},
	}
	for name, test := range tests {
		refund, err := c.readQueryRefund(signedAnswer(c, callQueryRefund, 200, change(t, golden(t, "refund_query_response.json"), test.change)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if refund.Status != test.want || test.want.Terminal() && len(refund.Differences(refundQuery(t))) > 0 != test.differs {
			t.Errorf("%s: got %+v, want %s", name, refund, test.want)
		}
		if (refund.Status == sdk.RefundUnknown) != (refund.StatusReason != "") {
			t.Errorf("%s: reason %q", name, refund.StatusReason)
		}
	}
	odd, err := c.readRefund(signedAnswer(c, callRefund, 200, change(t, golden(t, "refund_response.json"), map[string]any{"refundAmount": hkd("x")})))
	if err != nil || odd.Status != sdk.RefundUnknown {
		t.Errorf("got %+v, %v", odd, err)
	}
}

func TestRefundsThatAreNotSent(t *testing.T) {
	for name, test := range map[string]struct {
		field  string
		change func(*sdk.RefundRequest)
	}{
		"refund id":      {"merchant_refund_id", func(r *sdk.RefundRequest) { r.MerchantRefundID = "R 1" }},
		"no paymentId":   {"provider_order_id", func(r *sdk.RefundRequest) { r.AcquirerOrderID = "" }},
		"bad UTF-8":      {"provider_order_id", func(r *sdk.RefundRequest) { r.AcquirerOrderID = "\xff" }},
		"other currency": {"currency", func(r *sdk.RefundRequest) { r.Amount = moneyIn(t, "0.4", "CNY") }},
		"no amount":      {"currency", func(r *sdk.RefundRequest) { r.Amount = sdk.Money{} }},
		"nothing at all": {"currency", func(r *sdk.RefundRequest) { r.Amount, r.Money = sdk.Money{}, sdk.Money{} }},
		"zero":           {"amount", func(r *sdk.RefundRequest) { r.Amount, _ = sdk.Zero("HKD") }},
		"too much":       {"amount", func(r *sdk.RefundRequest) { r.Amount = money(t, "1.01") }},
	} {
		f := newFake(t, nil)
		req := refundRequest(t)
		test.change(&req)
		_, err := f.provider(t, "").Refund(t.Context(), req)
		if e := checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent); e.Field != test.field || len(f.sent()) != 0 {
			t.Errorf("%s: field %q, want %q; sent %v", name, e.Field, test.field, f.sent())
		}
	}
	_, err := newFake(t, nil).provider(t, "").QueryRefund(t.Context(), sdk.RefundQuery{MerchantRefundID: "R 1"})
	checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
}
