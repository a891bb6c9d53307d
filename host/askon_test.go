package host

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

// TestAskedAfterTheEnd: an unpaid end is asked about for a while by plan, and again
// after a notification, but not for ever and not because somebody looks at it.
func TestAskedAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		asked := func(want int) {
			t.Helper()
			before := w.one.queried()
			time.Sleep(9 * 24 * time.Hour)
			synctest.Wait()
			if n := w.one.queried() - before; n != want {
				t.Errorf("asked %d times, want %d", n, want)
			}
		}
		id := w.pay("o1").Payment.ID
		w.one.says(sdk.StatusCancelled)
		asked(7)
		w.is(id, sdk.StatusCancelled)
		if _, err := w.Refresh(t.Context(), "shop-a", id); err != nil {
			t.Error(err)
		}
		asked(0)
		w.hears("signed o1")
		asked(5)
		if p := w.get(id); p.Review != nil {
			t.Errorf("what has ended is flagged: %+v", p.Review)
		}

		w.one.says(sdk.StatusSucceeded)
		w.hears("signed o1")
		if p := w.get(id); p.Review == nil || p.Review.Reason != "late_success" {
			t.Fatalf("review %+v", p.Review)
		}
		asked(0)
		w.one.answers(func(context.Context, sdk.QueryRequest) (sdk.Payment, error) { return sdk.Payment{}, lost })
		w.hears("signed o1") // it may say something new
		asked(5)
	})
}

// TestMismatchGrowsOld: that it is asked about no more doesn't hide why a person
// shall look.
func TestMismatchGrowsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.mismatched("o1")
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		asked := w.one.queried()
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		if p := w.get(id); p.Review == nil || p.Review.Reason != "mismatch" || w.one.queried() != asked {
			t.Errorf("asked %d times, review %+v", w.one.queried()-asked, p.Review)
		}
	})
}

// TestPaidWhileCancelled: the payer may have been faster than Cancel, although the
// acquirer says that the order is closed.
func TestPaidWhileCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.pay("o1").Payment.ID
		if p, err := w.Cancel(t.Context(), "shop-a", id); err != nil || p.Status != "CANCELLED" {
			t.Fatalf("%+v, %v", p, err)
		}
		w.one.says(sdk.StatusSucceeded)
		time.Sleep(time.Minute)
		synctest.Wait()
		if p := w.is(id, sdk.StatusCancelled); p.Review == nil || p.Review.Reason != "late_success" {
			t.Errorf("review %+v", p.Review)
		}
	})
}

// TestRefreshOfAnEnd: who looks at a cancelled payment has it asked about once,
// beside what the plan asks.
func TestRefreshOfAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.pay("o1").Payment.ID
		if _, err := w.Cancel(t.Context(), "shop-a", id); err != nil {
			t.Error(err)
		}
		w.one.says(sdk.StatusCancelled)
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		planned := w.one.queried()
		if p, err := w.Refresh(t.Context(), "shop-a", id); err != nil || p.Status != "CANCELLED" {
			t.Errorf("%+v, %v", p, err)
		}
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if n := w.one.queried(); planned != 6 || n != planned+1 {
			t.Errorf("asked %d times by plan, %d in all", planned, n)
		}
	})
}

// TestRefreshTwice: who comes second gets the answer that the first one asked for.
func TestRefreshTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.pay("o1").Payment.ID
		w.one.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			time.Sleep(2 * time.Second)
			return paymentOf(r.Order, sdk.StatusSucceeded), nil
		})
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if p, err := w.Refresh(t.Context(), "shop-a", id); err != nil || p.Status != "SUCCEEDED" {
					t.Errorf("%+v, %v", p, err)
				}
			})
		}
		both.Wait()
		if w.one.queried() != 1 {
			t.Errorf("asked %d times", w.one.queried())
		}
	})
}

// TestAskedOnce: an alarm that rings while somebody asks already finds its
// question answered.
func TestAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		w.one.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			time.Sleep(3 * time.Second)
			return paymentOf(r.Order, sdk.StatusPending), nil
		})
		time.Sleep(4 * time.Second)
		if _, err := w.Refresh(t.Context(), "shop-a", c.Payment.ID); err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if w.one.queried() != 1 {
			t.Errorf("asked %d times", w.one.queried())
		}
	})
}
