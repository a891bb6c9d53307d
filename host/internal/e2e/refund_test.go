package e2e

import (
	"net/http"
	"testing"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

func refund(id, amount string) map[string]string {
	return map[string]string{"merchant_refund_id": id, "amount": amount}
}

// TestRefund: partial refunds, one whose answer is lost, and one too many, through
// the real plugin.
func TestRefund(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if status, _ := r.do("POST", "/v1/payments", order("o1")); status != http.StatusCreated {
		t.Fatal(status)
	}
	r.pay("o1")
	path := "/v1/payments/" + r.becomes("o1", "SUCCEEDED").ID + "/refunds"
	if status, got := r.do("POST", path, refund("r1", "30.00")); status != http.StatusCreated || got.Status != "SUCCEEDED" {
		t.Errorf("%d, %+v", status, got)
	}
	r.acquirer().Inject(cbtistest.Fault{Kind: cbtistest.KindCloseAfter, Op: cbtistest.OpRefund, Times: 1})
	status, lost := r.do("POST", path, refund("r2", "70.00"))
	if status != http.StatusAccepted || lost.Status != "UNKNOWN" {
		t.Errorf("%d, %+v", status, lost)
	}
	if status, got := r.do("POST", path, refund("r3", "0.01")); status != http.StatusUnprocessableEntity || got.Code != "REFUND_TOO_LARGE" {
		t.Errorf("%d, %+v", status, got)
	}
	r.until("the lost refund is known", func() bool {
		_, got := r.do("GET", path+"/"+lost.ID, nil)
		return got.Status == "SUCCEEDED"
	})
	if _, p := r.do("GET", "/v1/payments/"+r.byOrder("o1").ID, nil); p.AmountRefunded != "100.00" {
		t.Errorf("%+v", p)
	}
	if n := len(r.acquirer().Orders()[0].Refunds); n != 2 {
		t.Errorf("the acquirer has %d refunds", n)
	}
}
