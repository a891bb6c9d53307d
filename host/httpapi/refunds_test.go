package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

const (
	refundsPath = "/v1/payments/pay_01M8642HTSTXEM8X27VEMJKXD9/refunds"
	goodRefund  = `{"merchant_refund_id":"r1","amount":"30.00","reason":"cold tea"}`
)

// TestRefundAnswers: what the merchant may do next follows from the status.
func TestRefundAnswers(t *testing.T) {
	refused := sdk.Refused(sdk.CodeRefused, "no")
	for _, tt := range []struct {
		name    string
		created host.RefundCreated
		err     error
		status  int
		code    string
	}{
		{"succeeded", host.RefundCreated{Refund: fullRefund("SUCCEEDED"), Sent: true}, nil, 201, ""},
		{"pending at the acquirer", host.RefundCreated{Refund: fullRefund("PENDING"), Sent: true}, nil, 201, ""},
		{"still running", host.RefundCreated{Refund: fullRefund("PENDING")}, nil, 202, ""},
		{"not sent yet", host.RefundCreated{Refund: fullRefund("PENDING"), Err: sdk.NotSent(sdk.CodePluginUnavailable, "x")}, nil, 202, ""},
		{"unknown", host.RefundCreated{Refund: fullRefund("UNKNOWN"), Sent: true, Err: sdk.Unknown(sdk.CodeAcquirerTimeout, "x")}, nil, 202, ""},
		{"refused", host.RefundCreated{Refund: fullRefund("FAILED"), Sent: true, Err: refused}, nil, 402, "REFUSED"},
		{"failed by its answer", host.RefundCreated{Refund: fullRefund("FAILED"), Sent: true}, nil, 402, "REFUSED"},
		{"failed, lost by the error", host.RefundCreated{Refund: fullRefund("FAILED"), Sent: true, Err: sdk.Unknown(sdk.CodeAcquirerTimeout, "x")}, nil, 402, "REFUSED"},
		{"made before", host.RefundCreated{Refund: fullRefund("FAILED"), Sent: true, Existing: true}, nil, 200, ""},
		{"too much", host.RefundCreated{}, sdk.NotSent(sdk.CodeRefundTooLarge, "x"), 422, "REFUND_TOO_LARGE"},
		{"not paid", host.RefundCreated{}, sdk.NotSent(sdk.CodeInvalidState, "x"), 409, "INVALID_STATE"},
		{"no such ability", host.RefundCreated{}, sdk.NotSent(sdk.CodeUnsupported, "x"), 422, "UNSUPPORTED"},
		{"no store", host.RefundCreated{}, sdk.NotSent(sdk.CodeStoreUnavailable, "x"), 503, "STORE_UNAVAILABLE"},
	} {
		c := newClient(t)
		c.fake.refund, c.fake.err = tt.created, tt.err
		got := c.call("POST", refundsPath, goodRefund)
		if got.status != tt.status || got.Code != tt.code && tt.code != "" {
			t.Errorf("%s: %d %s, want %d %s", tt.name, got.status, got.Code, tt.status, tt.code)
		}
		if tt.err == nil && got.header.Get("Location") != refundsPath+"/ref_01M8642HTSTXEM8X27VEMJKXD9" {
			t.Errorf("%s: Location %q", tt.name, got.header.Get("Location"))
		}
		if reason := tt.created.Refund.StatusReason; tt.status == 402 && tt.created.Err != refused && got.Detail != reason {
			t.Errorf("%s: detail %q, want %q", tt.name, got.Detail, reason)
		}
		if tt.status == 402 && (!strings.Contains(string(got.body), `"refund_id":"ref_`) || got.Outcome != "REFUSED" || !strings.Contains(got.Remedy, "merchant_refund_id")) {
			t.Errorf("%s: it must name the refund, its outcome and what to do: %s", tt.name, got.body)
		}
	}
}

func TestRefundRequest(t *testing.T) {
	for body, field := range map[string]string{
		`{"amount":"30.00"}`:                                        "merchant_refund_id",
		`{"merchant_refund_id":"r1"}`:                               "amount",
		`{"merchant_refund_id":"r1","amount":30}`:                   "amount",
		`{"merchant_refund_id":"r1","amount":"1","Reason":"x"}`:     "Reason",
		`{"merchant_refund_id":"r1","amount":"1","reason":null}`:    "reason",
		`{"merchant_refund_id":"r1","amount":"1","currency":"HKD"}`: "currency",
		`{"merchant_refund_id":"r1","amount":"1","amount":"2"}`:     "amount",
		`[]`: "",
	} {
		c := newClient(t)
		if got := c.call("POST", refundsPath, body); got.status != http.StatusBadRequest || got.Field != field || len(c.fake.refunds) != 0 {
			t.Errorf("%s: %d, field %q, want %q", body, got.status, got.Field, field)
		}
	}
	c := newClient(t)
	c.fake.refund = host.RefundCreated{Refund: fullRefund("SUCCEEDED"), Sent: true}
	c.call("POST", refundsPath, goodRefund)
	if want := (host.RefundRequest{MerchantRefundID: "r1", Amount: "30.00", Reason: "cold tea"}); len(c.fake.refunds) != 1 || c.fake.refunds[0] != want {
		t.Errorf("%+v", c.fake.refunds)
	}
}

func TestRefundReads(t *testing.T) {
	c := newClient(t)
	c.fake.more = true
	got := c.call("GET", refundsPath+"?limit=1&cursor=ref_01M8642HTSTXEM8X27VEMJKXD9", "")
	if got.status != 200 || c.fake.filter.Limit != 1 || c.fake.filter.Before == "" || !strings.Contains(string(got.body), `"next_cursor":"ref_01M8642HTSTXEM8X27VEMJKXD9"`) {
		t.Errorf("%d %s, %+v", got.status, got.body, c.fake.filter)
	}
	if got := c.call("GET", refundsPath+"/ref_01M8642HTSTXEM8X27VEMJKXD9", ""); got.status != 200 || !strings.Contains(string(got.body), `"refunded_at"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	for query, field := range map[string]string{"limit=0": "limit", "cursor=pay_01M8642HTSTXEM8X27VEMJKXD9": "cursor", "status=PENDING": "status"} {
		if got := c.call("GET", refundsPath+"?"+query, ""); got.status != 400 || got.Field != field {
			t.Errorf("%s: %d, field %q", query, got.status, got.Field)
		}
	}
}
