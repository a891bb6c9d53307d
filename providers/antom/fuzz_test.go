package antom

import (
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// Whatever an answer holds, nothing ends by one that isn't signed, and nothing
// of another shape than documented is believed.
func FuzzReadAnswer(f *testing.F) {
	for _, name := range []string{"pay_response.json", "query_response.json", "cancel_response.json", "refund_response.json", "refund_query_response.json"} {
		f.Add(200, true, golden(f, name))
		f.Add(200, false, golden(f, name))
	}
	f.Add(200, true, []byte(`{"result":{"resultStatus":"F","resultCode":"NEVER"}}`))
	f.Add(500, true, []byte(`{"result":{"resultStatus":"S"},"paymentStatus":"SUCCESS"}`))
	f.Add(200, true, []byte(`{"result":{"resultStatus":"S"},"paymentStatus":[],"paymentAmount":{"value":{}},"orderCodeForm":{"codeDetails":[null]}}`))
	f.Add(429, false, []byte(`<html>`))
	c := settings(f, "https://api.example.com", knownCodes)
	f.Fuzz(func(t *testing.T, status int, signed bool, body []byte) {
		answer := func(to call) acquirer.Response {
			resp := signedAnswer(c, to, status, body)
			if !signed {
				resp.Header.Del("Signature")
			}
			return resp
		}
		check := func(err error, final bool) {
			t.Helper()
			if (err == nil || sdk.AsError(err).Outcome != sdk.OutcomeUnknown) && !signed {
				t.Errorf("believed without a signature: %v", err)
			}
			if err == nil && final && (status < 200 || status > 299) {
				t.Errorf("final with HTTP %d", status)
			}
			if err != nil && sdk.AsError(err).Code == sdk.CodeUnspecified {
				t.Errorf("got %v", err)
			}
		}
		req := createRequest(t)
		for _, flow := range flows {
			req.Flow = flow.flow
			payment, err := c.readCreate(answer(callPay), req)
			check(err, payment.Status.Terminal())
			if len(payment.NextActions) > 0 && (payment.Status != sdk.StatusPending || len(payment.Differences(req.Order)) > 0) {
				t.Errorf("an action of %+v", payment)
			}
		}
		payment, err := c.readQuery(answer(callQuery))
		check(err, payment.Status.Terminal())
		_, err = c.readCancel(answer(callCancel))
		check(err, false)
		refund, err := c.readRefund(answer(callRefund))
		check(err, refund.Status.Terminal())
		if refund.Status.Terminal() {
			t.Errorf("the answer to refund ends it: %+v", refund)
		}
		refund, err = c.readQueryRefund(answer(callQueryRefund))
		check(err, refund.Status.Terminal())
	})
}
