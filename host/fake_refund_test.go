package host

import (
	"context"
	"testing"

	"github.com/paymux/paymux/sdk"
)

// refunds are the acquirer's side of refunds. Tests program it.
type refunds struct {
	*acquirer
	send func(context.Context, sdk.RefundRequest) (sdk.Refund, error)
	ask  func(context.Context, sdk.RefundQuery) (sdk.Refund, error)
	sent []sdk.RefundRequest
	asks int
}

func (r *refunds) Refund(ctx context.Context, q sdk.RefundRequest) (sdk.Refund, error) {
	r.mu.Lock()
	r.sent = append(r.sent, q)
	send := r.send
	r.mu.Unlock()
	return send(ctx, q)
}

func (r *refunds) QueryRefund(ctx context.Context, q sdk.RefundQuery) (sdk.Refund, error) {
	r.mu.Lock()
	r.asks++
	ask := r.ask
	r.mu.Unlock()
	return ask(ctx, q)
}

func refundAnswer(id string, s sdk.RefundStatus) sdk.Refund {
	return sdk.Refund{MerchantRefundID: id, AcquirerRefundID: "acq-" + id, Status: s, RawStatus: s.String(), RefundedAt: paidAt}
}

// sends makes Refund answer with a status from now on, or fail.
func (r *refunds) sends(s sdk.RefundStatus, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send = func(_ context.Context, q sdk.RefundRequest) (sdk.Refund, error) {
		if err != nil {
			return sdk.Refund{}, err
		}
		return refundAnswer(q.MerchantRefundID, s), nil
	}
}

// tells makes QueryRefund answer with a status from now on, or fail.
func (r *refunds) tells(s sdk.RefundStatus, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ask = func(_ context.Context, q sdk.RefundQuery) (sdk.Refund, error) {
		if err != nil {
			return sdk.Refund{}, err
		}
		return refundAnswer(q.MerchantRefundID, s), nil
	}
}

func (r *refunds) counts() (sent, asked int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sent), r.asks
}

// newRefundWorld is a world whose provider "one" can refund, with a paid payment
// of HKD 100.00.
func newRefundWorld(t *testing.T) (*world, *refunds, Payment) {
	t.Helper()
	w := newWorldWith(t, worldConfig, func(w *world) { w.refunds = &refunds{acquirer: w.one} })
	w.refunds.sends(sdk.RefundSucceeded, nil)
	w.refunds.tells(sdk.RefundSucceeded, nil)
	w.one.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
		return paymentOf(r.Order, sdk.StatusSucceeded), nil
	})
	return w, w.refunds, w.pay("o1").Payment
}

func (w *world) refund(payment, id, amount string) RefundCreated {
	w.t.Helper()
	c, err := w.Refund(context.Background(), "shop-a", payment, RefundRequest{MerchantRefundID: id, Amount: amount})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// refundIs fails unless the refund has the status.
func (w *world) refundIs(c RefundCreated, want string) Refund {
	w.t.Helper()
	r, err := w.GetRefund(context.Background(), "shop-a", c.Refund.PaymentID, c.Refund.ID)
	if err != nil || r.Status != want {
		w.t.Fatalf("refund is %s (%s, %s; %v), want %s", r.Status, r.StatusReason, r.Code, err, want)
	}
	if r.RefundedAt.IsZero() == (want == "SUCCEEDED") {
		w.t.Errorf("refund is %s and was made at %s", want, r.RefundedAt)
	}
	return r
}
