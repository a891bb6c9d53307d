package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// paid is a payment of HKD 100.00 that has been paid; it returns the path of its
// refunds.
func (r *rig) paid(id string) (refunds string) {
	r.t.Helper()
	if status, p := r.do("POST", "/v1/payments", order(id)); status != http.StatusCreated {
		r.t.Fatalf("%d, %+v", status, p)
	}
	r.pay(id)
	return "/v1/payments/" + r.becomes(id, "SUCCEEDED").ID + "/refunds"
}

// movements counts the refunds that the acquirer has recorded.
func (r *rig) movements() (n int) {
	for _, o := range r.acquirer().Orders() {
		n += len(o.Refunds)
	}
	return n
}

// TestHostKilledDuringRefund: the acquirer has given the money back, the host
// doesn't know it. After the restart it asks, and gives back nothing twice.
func TestHostKilledDuringRefund(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	path := r.paid("o1")
	r.deaf.Store(true) // no notification helps
	r.acquirer().Inject(cbtistest.Fault{Kind: cbtistest.KindDelayAfter, Op: cbtistest.OpRefund, Times: 1, Delay: time.Minute})
	go func() { _, _, _ = r.try("POST", path, refund("r1", "100.00")) }()
	r.until("the acquirer has the refund", func() bool { return r.movements() == 1 })
	r.killHost()
	r.startHost()
	r.until("the refund is known", func() bool {
		status, got := r.do("POST", path, refund("r1", "100.00")) // the same request reads it
		return status == http.StatusOK && got.Status == "SUCCEEDED"
	})
	if status, got := r.do("POST", path, refund("r2", "0.01")); status != http.StatusUnprocessableEntity || got.Code != "REFUND_TOO_LARGE" {
		t.Errorf("%d, %+v", status, got)
	}
	if n := r.movements(); n != 1 {
		t.Errorf("the acquirer gave back %d times", n)
	}
}

// TestRefundNotSent: without a login surely nothing was sent; the host sends it
// by itself, once.
func TestRefundNotSent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	path := r.paid("o1")
	r.killHost() // the next one has to log in again
	r.startHost()
	r.acquirer().Inject(cbtistest.Fault{Kind: cbtistest.KindHTTPErrorBefore, Op: cbtistest.OpAuth, Times: 1})
	status, got := r.do("POST", path, refund("r1", "40.00"))
	if status != http.StatusAccepted || got.Status != "PENDING" || r.movements() != 0 {
		t.Fatalf("%d, %+v, %d refunds at the acquirer", status, got, r.movements())
	}
	r.until("it is sent", func() bool {
		_, now := r.do("GET", path+"/"+got.ID, nil)
		return now.Status == "SUCCEEDED"
	})
	if n := r.movements(); n != 1 {
		t.Errorf("the acquirer gave back %d times", n)
	}
}
