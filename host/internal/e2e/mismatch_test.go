package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// TestMismatch: money of another amount is never success by itself, and a person
// sees what was claimed and can accept it.
func TestMismatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if status, _ := r.do("POST", "/v1/payments", order("o1")); status != http.StatusCreated {
		t.Fatal(status)
	}
	r.acquirer().Inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Op: cbtistest.OpQuery, Field: "amount"})
	r.pay("o1")
	var p payment
	r.until("the mismatch is flagged", func() bool {
		p = r.byOrder("o1")
		return p.Review != nil
	})
	var observed struct{ Status, Amount string }
	if err := json.Unmarshal(p.Review.Observed, &observed); err != nil {
		t.Fatal(err)
	}
	if p.Status != "PENDING" || p.Review.Reason != "mismatch" || observed.Status != "SUCCEEDED" || observed.Amount == "100.00" || observed.Amount == "" {
		t.Errorf("%s, %s %s", p.Status, p.Review.Reason, p.Review.Observed)
	}
	status, p := r.do("POST", "/v1/payments/"+p.ID+"/review", map[string]string{"decision": "accept", "note": "settled with the acquirer"})
	if status != http.StatusOK || p.Status != "SUCCEEDED" || p.Review != nil {
		t.Errorf("%d, %+v", status, p)
	}
}
