package alipayhk

import (
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

func FuzzReadAnswer(f *testing.F) {
	for _, name := range []string{"create_response.json", "query_response.json", "refund_response.json", "token_response.json"} {
		f.Add(200, golden(f, name))
	}
	f.Add(200, []byte(`{"code":0,"data":{"order_id":1,"amount":[],"next_action":{"type":{}}}}`))
	f.Add(200, []byte(`{"code":0,"data":{"merchant_refund_id":"`+ourRefund+`","amount":"2","currency":"HKD","status":"SUCCEEDED"}}`))
	f.Add(500, []byte(`{"code":4001}`))
	f.Add(429, []byte(`<html>`))
	c := settings(f, "https://api.example.com", knownCodes)
	want := order(f)
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		resp := acquirer.Response{Status: status, Body: body}
		for _, read := range []func() (sdk.Payment, error){
			func() (sdk.Payment, error) { return c.readCreate(resp, want) },
			func() (sdk.Payment, error) { return c.readQuery(resp, want) },
		} {
			payment, err := read()
			checkFuzzed(t, err)
			believed := payment.Status.Terminal() && len(payment.Differences(want)) == 0
			if believed && (!resp.OK() || payment.MerchantOrderID != ourOrder || !payment.Money.Equal(want.Money)) {
				t.Errorf("believed %+v", payment)
			}
			if len(payment.NextActions) > 0 && payment.Status != sdk.StatusPending {
				t.Errorf("%s with an action", payment.Status)
			}
		}
		refund, err := c.readRefund(resp, callCreate, refundQuery(t))
		checkFuzzed(t, err)
		if refund.Status.Terminal() && (!resp.OK() || refund.Status != sdk.RefundSucceeded || refund.MerchantRefundID != ourRefund || !refund.Amount.IsZero() && !refund.Amount.Equal(want.Money)) {
			t.Errorf("believed %+v", refund)
		}
		if token, err := readToken(resp, time.Now()); err == nil && (token.Value.IsZero() || !resp.OK()) {
			t.Error("took no token for one")
		}
	})
}

func checkFuzzed(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	e := sdk.AsError(err)
	if e.Code == sdk.CodeUnspecified || e.Outcome == sdk.OutcomeNotSent || (e.Outcome == sdk.OutcomeRefused) != (e.AcquirerCode == "4001" && e.Code == sdk.CodeRefused) {
		t.Errorf("got %v, %s", err, e.Outcome)
	}
}
