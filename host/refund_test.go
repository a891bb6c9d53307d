package host

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

// TestRefunds: several, partial, up to what was paid and no further.
func TestRefunds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		first := w.refund(p.ID, "r1", "30.00")
		if first.Existing || first.Err != nil || !first.Sent || first.Refund.Status != "SUCCEEDED" || first.Refund.ProviderRefundID != "acq-r1" {
			t.Fatalf("%+v", first)
		}
		if got := r.sent[0]; got.AcquirerOrderID == "" || got.Amount.String() != "30.00 HKD" && got.Amount.AmountString() != "30.00" || got.RequestID == "" {
			t.Errorf("sent %+v", got)
		}
		w.refund(p.ID, "r2", "69.99")
		_, err := w.Refund(context.Background(), "shop-a", p.ID, RefundRequest{MerchantRefundID: "r3", Amount: "0.02"})
		if codeOf(err) != sdk.CodeRefundTooLarge || sdk.AsError(err).Field != "amount" || !strings.Contains(err.Error(), "0.01") {
			t.Errorf("more than was paid: %v", err)
		}
		w.refund(p.ID, "r3", "0.01") // the refused request left nothing behind
		if got := w.get(p.ID); got.AmountRefunded != "100.00" || got.Status != "SUCCEEDED" {
			t.Errorf("refunded %s, %s", got.AmountRefunded, got.Status)
		}
		page, more, err := w.Refunds(context.Background(), "shop-a", p.ID, "", 2)
		if err != nil || !more || len(page) != 2 || page[0].MerchantRefundID != "r3" {
			t.Errorf("%+v, %t, %v", page, more, err)
		}
		if page, more, err := w.Refunds(context.Background(), "shop-a", p.ID, page[1].ID, 1); err != nil || more || len(page) != 1 || page[0].ID != first.Refund.ID {
			t.Errorf("the last page: %+v, %t, %v", page, more, err)
		}
		other := w.pay("o2").Payment.ID
		for _, of := range [][2]string{{"shop-b", p.ID}, {"shop-a", other}} {
			if got, err := w.GetRefund(context.Background(), of[0], of[1], first.Refund.ID); codeOf(err) != sdk.CodeNotFound {
				t.Errorf("as one of %v: %+v, %v", of, got, err)
			}
		}
		if _, _, err := w.Refunds(context.Background(), "shop-b", p.ID, "", 2); codeOf(err) != sdk.CodeNotFound {
			t.Errorf("of another merchant: %v", err)
		}
		if sent, _ := r.counts(); sent != 3 {
			t.Errorf("%d refunds were sent", sent)
		}
	})
}

// TestRefundsInParallel: never more than was paid, however many ask at once.
func TestRefundsInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(sdk.RefundPending, nil) // what is only on its way counts as gone
		var all sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for i := range 100 {
			all.Go(func() {
				_, err := w.Refund(context.Background(), "shop-a", p.ID, RefundRequest{MerchantRefundID: fmt.Sprint("r", i), Amount: "7.00"})
				mu.Lock()
				defer mu.Unlock()
				switch codeOf(err) {
				case sdk.CodeUnspecified:
					taken++
				case sdk.CodeRefundTooLarge:
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if sent, _ := r.counts(); taken != 14 || sent != 14 {
			t.Errorf("%d refunds of 7.00 were taken and %d sent of 100.00", taken, sent)
		}
	})
}

// TestRefundAgain: one id is one refund, whoever repeats it.
func TestRefundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { w.refund(p.ID, "r1", "30.00") })
		}
		all.Wait()
		if again := w.refund(p.ID, "r1", "30"); !again.Existing || again.Refund.Status != "SUCCEEDED" {
			t.Errorf("%+v", again)
		}
		if sent, _ := r.counts(); sent != 1 {
			t.Errorf("sent %d times", sent)
		}
		_, err := w.Refund(context.Background(), "shop-a", p.ID, RefundRequest{MerchantRefundID: "r1", Amount: "31.00"})
		if codeOf(err) != sdk.CodeConflict || sdk.AsError(err).Field != "merchant_refund_id" {
			t.Errorf("another amount: %v", err)
		}
		// Another merchant's refund at the same account can't have the id.
		w.one.says(sdk.StatusSucceeded)
		c, err := w.Create(context.Background(), "shop-b", request("o2"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Refund(context.Background(), "shop-b", c.Payment.ID, RefundRequest{MerchantRefundID: "r1", Amount: "1.00"})
		if codeOf(err) != sdk.CodeConflict {
			t.Errorf("taken by another merchant: %v", err)
		}
	})
}

// TestRefundLostAnswer: only a question can tell; it is never sent again.
func TestRefundLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(0, sdk.Unknown(sdk.CodeAcquirerTimeout, "no answer"))
		c := w.refund(p.ID, "r1", "60.00")
		if c.Refund.Status != "UNKNOWN" || c.Refund.Code != "ACQUIRER_TIMEOUT" {
			t.Fatalf("%+v", c)
		}
		if _, err := w.Refund(context.Background(), "shop-a", p.ID, RefundRequest{MerchantRefundID: "r2", Amount: "60.00"}); codeOf(err) != sdk.CodeRefundTooLarge || !strings.Contains(err.Error(), "40.00 HKD") {
			t.Errorf("an unknown refund doesn't count: %v", err)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		w.refundIs(c, "SUCCEEDED")
		if sent, asked := r.counts(); sent != 1 || asked != 1 {
			t.Errorf("sent %d times, asked %d times", sent, asked)
		}
		got := w.get(p.ID)
		if got.AmountRefunded != "60.00" || w.count("SELECT COUNT(*) FROM events WHERE type = 'refund.succeeded'") != 1 {
			t.Errorf("refunded %s", got.AmountRefunded)
		}
	})
}

// TestRefundNotFound: it is lost only once the settling time is over. Then its
// amount is free.
func TestRefundNotFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(0, sdk.Unknown(sdk.CodeAcquirerTimeout, "no answer"))
		r.tells(0, sdk.Unknown(sdk.CodeOrderNotFound, "never heard of it"))
		c := w.refund(p.ID, "r1", "60.00")
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		w.refundIs(c, "UNKNOWN")
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if got := w.refundIs(c, "FAILED"); got.Code != "CREATE_LOST" {
			t.Errorf("%+v", got)
		}
		r.sends(sdk.RefundSucceeded, nil)
		w.refund(p.ID, "r2", "100.00")
	})
}

// TestRefundNotSent: the host sends it by itself once the plugin is there; after
// a day it gives up, since nothing was ever sent.
func TestRefundNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		w.setDown("one", true)
		c := w.refund(p.ID, "r1", "60.00")
		if c.Refund.Status != "PENDING" || c.Sent || c.Err == nil || c.Err.Outcome != sdk.OutcomeNotSent {
			t.Fatalf("%+v", c)
		}
		if _, err := w.Refund(context.Background(), "shop-a", p.ID, RefundRequest{MerchantRefundID: "r2", Amount: "60.00"}); codeOf(err) != sdk.CodeRefundTooLarge {
			t.Errorf("it isn't reserved: %v", err)
		}
		time.Sleep(10 * time.Minute)
		w.setDown("one", false)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.refundIs(c, "SUCCEEDED")
		if sent, _ := r.counts(); sent != 1 {
			t.Errorf("sent %d times", sent)
		}
		w.setDown("one", true)
		c = w.refund(p.ID, "r3", "10.00")
		time.Sleep(49 * time.Hour)
		synctest.Wait()
		if got := w.refundIs(c, "FAILED"); got.Code != "NEVER_SENT" {
			t.Errorf("%+v", got)
		}
		if got := w.count("SELECT COUNT(*) FROM events WHERE type = 'refund.failed'"); got != 1 {
			t.Errorf("%d events", got)
		}
	})
}

// TestRefundRefused: FAILED frees the amount.
func TestRefundRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(0, sdk.Refused(sdk.CodeRefused, "too old"))
		c := w.refund(p.ID, "r1", "100.00")
		if c.Refund.Status != "FAILED" || c.Err == nil || c.Err.Outcome != sdk.OutcomeRefused {
			t.Fatalf("%+v", c)
		}
		r.sends(sdk.RefundSucceeded, nil)
		w.refund(p.ID, "r2", "100.00")
		if got := w.get(p.ID); got.AmountRefunded != "100.00" {
			t.Errorf("refunded %s", got.AmountRefunded)
		}
	})
}
