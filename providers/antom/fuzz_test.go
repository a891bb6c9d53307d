package antom

import (
	"testing"

	"github.com/paymux/paymux/sdk"
)

// Whatever an answer holds, nothing ends by one that isn't signed, and nothing
// of another shape than documented is believed.
func FuzzReadAnswer(f *testing.F) {
	for _, name := range []string{"pay_response.json", "query_response.json", "cancel_response.json", "refund_response.json", "refund_query_response.json"} {
		for call := range calls {
			f.Add(uint8(call), 200, true, golden(f, name))
			f.Add(uint8(call), 200, false, golden(f, name))
		}
	}
	f.Add(uint8(callQuery), 200, true, []byte(`{"result":{"resultStatus":"F","resultCode":"NEVER"}}`))
	f.Add(uint8(callQuery), 500, true, []byte(`{"result":{"resultStatus":"S"},"paymentStatus":"SUCCESS"}`))
	f.Add(uint8(callQuery), 200, true, []byte(`{"result":{"resultStatus":"S"},"paymentStatus":[],"paymentAmount":{"value":{}},"orderCodeForm":{"codeDetails":[null]}}`))
	f.Add(uint8(callPay), 429, false, []byte(`<html>`))
	c := settings(f, "https://api.example.com", knownCodes)
	f.Fuzz(func(t *testing.T, which uint8, status int, signed bool, body []byte) {
		to := call(which % uint8(len(calls)))
		resp := signedAnswer(c, to, status, body)
		if !signed {
			resp.Header.Del("Signature")
		}
		var err error
		var final bool
		switch req := createRequest(t); to {
		case callPay:
			req.Flow = flows[int(which)/len(calls)%len(flows)].flow
			var payment sdk.Payment
			payment, err = c.readCreate(resp, req)
			final = payment.Status.Terminal()
			if len(payment.NextActions) > 0 && (payment.Status != sdk.StatusPending || len(payment.Differences(req.Order)) > 0) {
				t.Errorf("an action of %+v", payment)
			}
		case callQuery:
			var payment sdk.Payment
			payment, err = c.readQuery(resp)
			final = payment.Status.Terminal()
		case callCancel:
			_, err = c.readCancel(resp)
		case callRefund:
			var refund sdk.Refund
			if refund, err = c.readRefund(resp); refund.Status.Terminal() {
				t.Errorf("the answer to refund ends it: %+v", refund)
			}
		case callQueryRefund:
			var refund sdk.Refund
			refund, err = c.readQueryRefund(resp)
			final = refund.Status.Terminal()
		}
		switch e := sdk.AsError(err); {
		case !signed && (err == nil || e.Outcome != sdk.OutcomeUnknown):
			t.Errorf("believed without a signature: %v", err)
		case err == nil && final && !resp.OK():
			t.Errorf("final with HTTP %d", status)
		case err != nil && e.Code == sdk.CodeUnspecified:
			t.Errorf("got %v", err)
		}
	})
}
