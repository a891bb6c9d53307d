package host

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

// hints makes notifications "signed refund ID" speak of an acquirer's refund, and
// of an order beside it.
func (w *world) hints() {
	w.one.mu.Lock()
	defer w.one.mu.Unlock()
	parse := w.one.parse
	w.one.parse = func(q sdk.HTTPRequest) (sdk.Notification, error) {
		n, err := parse(q)
		if id, is := strings.CutPrefix(string(q.Body), "signed refund "); is {
			n.Events = []sdk.NotificationEvent{{Kind: sdk.EventRefund, RawType: "refunded", MerchantOrderID: "o2", AcquirerOrderID: "acq-o2", AcquirerRefundID: id}}
		}
		return n, err
	}
}

func (w *world) hint(id string) {
	w.t.Helper()
	if _, err := w.notify("one", "signed refund "+id); err != nil {
		w.t.Error(err)
	}
}

// TestRefundEarlyNotification: one that names only the acquirer's id waits for
// the answer that names it too.
func TestRefundEarlyNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		w.hints()
		r.mu.Lock()
		r.send = func(context.Context, sdk.RefundRequest) (sdk.Refund, error) {
			w.hint("acq-r1")
			return refundAnswer("r1", sdk.RefundPending), nil
		}
		r.ask = func(context.Context, sdk.RefundQuery) (sdk.Refund, error) {
			return sdk.Refund{MerchantRefundID: "r1", Status: sdk.RefundSucceeded, RefundedAt: paidAt}, nil
		}
		r.mu.Unlock()
		c := w.refund(p.ID, "r1", "30.00")
		synctest.Wait() // no time passes
		if got := w.refundIs(c, "SUCCEEDED"); got.ProviderRefundID != "acq-r1" {
			t.Errorf("an answer that is short on words took the acquirer's id away: %+v", got)
		}
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'matched' AND payment_id <> ''"); n != 1 {
			t.Errorf("%d matched", n)
		}
		if !has(w.get(p.ID), "notification", "came before") {
			t.Errorf("timeline %+v", w.get(p.ID).Timeline)
		}
	})
}

// TestRefundEarlyIsNoPayment: a refund's id that looks like an order's is none,
// and the order that the refund is of has nothing to hear.
func TestRefundEarlyIsNoPayment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := newRefundWorld(t)
		defer w.close()
		w.hints()
		w.hint("acq-o2")
		c := w.pay("o2")
		if has(w.get(c.Payment.ID), "notification", "came before") {
			t.Error("a refund's notification was taken for the payment's")
		}
	})
}

// TestRefundHintAgainstFailure: a notification that comes while an answer says
// FAILED isn't lost, and an acquirer whose answers lag is asked for a while.
func TestRefundHintAgainstFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		w.hints()
		r.sends(sdk.RefundPending, nil)
		r.mu.Lock()
		r.ask = func(context.Context, sdk.RefundQuery) (sdk.Refund, error) {
			r.tells(sdk.RefundFailed, nil)
			w.hint("acq-r1")
			return refundAnswer("r1", sdk.RefundFailed), nil
		}
		r.mu.Unlock()
		c := w.refund(p.ID, "r1", "30.00")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		w.refundIs(c, "FAILED")
		if _, asked := r.counts(); asked != 2 {
			t.Errorf("asked %d times", asked)
		}
		r.tells(sdk.RefundSucceeded, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := w.refundIs(c, "FAILED"); got.Code != "REFUSED" { // final; a person looks
			t.Errorf("it ended by %s", got.Code)
		}
		if got := w.get(p.ID); got.Review == nil || got.Review.Reason != "mismatch" {
			t.Errorf("review %+v", got.Review)
		}
		_, asked := r.counts()
		time.Sleep(72 * time.Hour)
		synctest.Wait()
		if _, again := r.counts(); again != asked {
			t.Error("it is asked about for ever")
		}
	})
}

// TestRefundLateSuccessStays: whatever else is flagged or decided, money that
// came late can go back.
func TestRefundLateSuccessStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := newRefundWorld(t)
		defer w.close()
		w.one.creating(newAcquirer().create)
		w.one.says(sdk.StatusCancelled)
		c := w.pay("o2")
		time.Sleep(time.Minute)
		for _, says := range []sdk.Status{sdk.StatusSucceeded, sdk.StatusExpired} {
			w.one.says(says)
			if _, err := w.notify("one", "signed o2"); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		w.is(c.Payment.ID, sdk.StatusCancelled)
		if _, err := w.Review(context.Background(), "shop-a", c.Payment.ID, ReviewRequest{Decision: DecisionDismiss, Note: "the payer gets it back"}); err != nil {
			t.Fatal(err)
		}
		if got := w.refund(c.Payment.ID, "r1", "100.00"); got.Refund.Status != "SUCCEEDED" {
			t.Errorf("%+v", got)
		}
	})
}

// TestRefundReviewHasAWayOut: a decision has the acquirer asked again about a
// refund that it was no longer asked about.
func TestRefundReviewHasAWayOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(sdk.RefundPending, nil)
		r.tells(sdk.RefundPending, nil)
		c := w.refund(p.ID, "r1", "30.00")
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		if got := w.get(p.ID); got.Review == nil || got.Review.Reason != "stale" {
			t.Fatalf("review %+v", got.Review)
		}
		dismiss := func() {
			t.Helper()
			if _, err := w.Review(context.Background(), "shop-a", p.ID, ReviewRequest{Decision: DecisionDismiss, Note: "the acquirer looks"}); err != nil {
				t.Fatal(err)
			}
		}
		dismiss()
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		if got := w.get(p.ID); got.Review == nil || got.Review.Reason != "stale" {
			t.Fatalf("it isn't flagged again: %+v", got.Review)
		}
		dismiss()
		r.tells(sdk.RefundSucceeded, nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		w.refundIs(c, "SUCCEEDED")
	})
}

// TestRefundReviewReopens: what is new about money that came late is a person's
// again, also after that was decided.
func TestRefundReviewReopens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, _ := newRefundWorld(t)
		defer w.close()
		w.one.creating(newAcquirer().create)
		w.one.says(sdk.StatusCancelled)
		c := w.pay("o2")
		time.Sleep(time.Minute)
		w.one.says(sdk.StatusSucceeded)
		if _, err := w.notify("one", "signed o2"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		decide := func() {
			t.Helper()
			if _, err := w.Review(context.Background(), "shop-a", c.Payment.ID, ReviewRequest{Decision: DecisionDismiss, Note: "it goes back"}); err != nil {
				t.Fatal(err)
			}
		}
		decide()
		r.sends(sdk.RefundPending, nil)
		r.tells(sdk.RefundPending, nil)
		back := w.refund(c.Payment.ID, "r1", "100.00")
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		if got := w.get(c.Payment.ID); got.Review == nil || got.Review.Reason != "late_success" || !has(got, "refund", "stale") {
			t.Fatalf("review %+v", got.Review)
		}
		decide()
		r.tells(sdk.RefundSucceeded, nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		w.refundIs(back, "SUCCEEDED")
	})
}

// TestRefundHintInVain: an acquirer that notifies of a refund and goes on saying
// FAILED is asked for some hours, not for ever.
func TestRefundHintInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		w.hints()
		r.sends(sdk.RefundFailed, nil)
		r.tells(sdk.RefundFailed, nil)
		w.refund(p.ID, "r1", "30.00")
		w.hint("acq-r1")
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if _, asked := r.counts(); asked != 6 {
			t.Errorf("asked %d times", asked)
		}
		time.Sleep(10 * 24 * time.Hour)
		synctest.Wait()
		if _, asked := r.counts(); asked != 6 {
			t.Errorf("asked %d times in the end", asked)
		}
		if got := w.get(p.ID); got.Review != nil || got.AmountRefunded != "0.00" {
			t.Errorf("%+v", got)
		}
	})
}
