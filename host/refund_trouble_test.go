package host

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

// TestRefundCutOff: a host that ends while the acquirer is asked leaves a refund
// that the next one asks about. It is never sent again.
func TestRefundCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		block := make(chan struct{})
		r.mu.Lock()
		r.send = func(ctx context.Context, q sdk.RefundRequest) (sdk.Refund, error) {
			select {
			case <-block:
			case <-ctx.Done():
			}
			return sdk.Refund{}, ctx.Err()
		}
		r.mu.Unlock()
		go func() {
			_, _ = w.Refund(context.Background(), "shop-a", p.ID, RefundRequest{MerchantRefundID: "r1", Amount: "60.00"})
		}()
		synctest.Wait()
		w.abandon()
		close(block)
		synctest.Wait()
		w.open()
		time.Sleep(time.Minute)
		synctest.Wait()
		c := w.refund(p.ID, "r1", "60.00")
		if !c.Existing || c.Refund.Status != "SUCCEEDED" {
			t.Errorf("%+v", c)
		}
		if sent, asked := r.counts(); sent != 1 || asked == 0 {
			t.Errorf("sent %d times, asked %d times", sent, asked)
		}
	})
}

// TestRefundMismatch: an answer about another refund or amount is never success.
func TestRefundMismatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		other, _ := sdk.ParseMoney("60.01", "HKD")
		wrong := map[string]sdk.Refund{
			"id":     {MerchantRefundID: "another", Status: sdk.RefundSucceeded},
			"amount": {MerchantRefundID: "amount", Amount: other, Status: sdk.RefundSucceeded},
		}
		for id, answer := range wrong {
			r.mu.Lock()
			r.send = func(context.Context, sdk.RefundRequest) (sdk.Refund, error) { return answer, nil }
			r.ask = func(context.Context, sdk.RefundQuery) (sdk.Refund, error) { return answer, nil }
			r.mu.Unlock()
			c := w.refund(p.ID, id, "30.00")
			time.Sleep(time.Hour)
			synctest.Wait()
			w.refundIs(c, "UNKNOWN")
			got := w.get(p.ID)
			if got.Review == nil || got.Review.Reason != "mismatch" || !strings.Contains(string(got.Review.Observed), c.Refund.ID) || got.AmountRefunded != "0.00" {
				t.Errorf("%s: review %+v, refunded %s", id, got.Review, got.AmountRefunded)
			}
		}
	})
}

// TestRefundNotification: it only makes the host ask.
func TestRefundNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		w.one.mu.Lock()
		parse := w.one.parse
		w.one.parse = func(q sdk.HTTPRequest) (sdk.Notification, error) {
			n, err := parse(q)
			if id, is := strings.CutPrefix(string(q.Body), "signed refund "); is {
				n.Events = []sdk.NotificationEvent{{Kind: sdk.EventRefund, RawType: "refunded", MerchantRefundID: id}}
			}
			return n, err
		}
		w.one.mu.Unlock()
		r.sends(sdk.RefundPending, nil)
		r.tells(sdk.RefundPending, nil)
		c := w.refund(p.ID, "r1", "30.00")
		time.Sleep(time.Hour)
		synctest.Wait()
		_, before := r.counts()
		for _, body := range []string{"signed refund r1", "signed refund r1"} { // and its duplicate
			if _, err := w.notify("one", body); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		w.refundIs(c, "PENDING") // what it claims moves nothing
		if _, after := r.counts(); after == before {
			t.Error("the acquirer was not asked")
		}
		r.tells(sdk.RefundSucceeded, nil)
		if _, err := w.notify("one", "refund r1"); codeOf(err) != sdk.CodeSignatureInvalid {
			t.Errorf("forged: %v", err)
		}
		synctest.Wait()
		w.refundIs(c, "PENDING")
		if _, err := w.notify("one", "signed refund r1"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.refundIs(c, "SUCCEEDED")
		if _, err := w.notify("one", "signed refund unheard-of"); err != nil {
			t.Fatal(err)
		}
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'unmatched'"); n != 1 {
			t.Errorf("%d unmatched", n)
		}
	})
}

// TestRefundHintWhileAsking: a notification that comes while the acquirer is
// asked isn't lost: the answer may be older than it.
func TestRefundHintWhileAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		w.one.mu.Lock()
		w.one.parse = func(sdk.HTTPRequest) (sdk.Notification, error) {
			return sdk.Notification{Events: []sdk.NotificationEvent{{Kind: sdk.EventRefund, MerchantRefundID: "r1"}}}, nil
		}
		w.one.mu.Unlock()
		r.mu.Lock()
		r.send = func(context.Context, sdk.RefundRequest) (sdk.Refund, error) {
			if _, err := w.notify("one", "now"); err != nil {
				t.Error(err)
			}
			return refundAnswer("r1", sdk.RefundPending), nil
		}
		r.mu.Unlock()
		c := w.refund(p.ID, "r1", "30.00")
		synctest.Wait() // no time passes
		w.refundIs(c, "SUCCEEDED")
	})
}

// TestRefundStale: our clock never ends a refund that was sent.
func TestRefundStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(sdk.RefundPending, nil)
		r.tells(sdk.RefundPending, nil)
		c := w.refund(p.ID, "r1", "30.00")
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		w.refundIs(c, "PENDING")
		if got := w.get(p.ID); got.Review == nil || got.Review.Reason != "stale" {
			t.Errorf("review %+v", got.Review)
		}
		_, asked := r.counts()
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		if _, again := r.counts(); again != asked {
			t.Error("a stale refund is asked about")
		}
	})
}

// TestNoRefund: what can't be refunded is said before anything is recorded.
func TestNoRefund(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		ctx := context.Background()
		for field, bad := range map[string][]RefundRequest{
			"merchant_refund_id": {{Amount: "1.00"}, {MerchantRefundID: "a b", Amount: "1.00"}, {MerchantRefundID: strings.Repeat("x", 33), Amount: "1.00"}},
			"amount":             {{MerchantRefundID: "r"}, {MerchantRefundID: "r", Amount: "0"}, {MerchantRefundID: "r", Amount: "1e1"}, {MerchantRefundID: "r", Amount: "1.001"}, {MerchantRefundID: "r", Amount: "-1"}},
			"reason":             {{MerchantRefundID: "r", Amount: "1.00", Reason: strings.Repeat("x", 129)}, {MerchantRefundID: "r", Amount: "1.00", Reason: "a\x00"}},
		} {
			for _, q := range bad {
				if _, err := w.Refund(ctx, "shop-a", p.ID, q); codeOf(err) != sdk.CodeInvalidRequest || sdk.AsError(err).Field != field {
					t.Errorf("%+v: %v", q, err)
				}
			}
		}
		good := RefundRequest{MerchantRefundID: "r1", Amount: "1.00"}
		if _, err := w.Refund(ctx, "shop-b", p.ID, good); codeOf(err) != sdk.CodeNotFound {
			t.Errorf("another merchant's: %v", err)
		}
		w.one.creating(newAcquirer().create)
		if _, err := w.Refund(ctx, "shop-a", w.pay("o2").Payment.ID, good); codeOf(err) != sdk.CodeInvalidState {
			t.Errorf("not paid: %v", err)
		}
		w.two.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			return paymentOf(r.Order, sdk.StatusSucceeded), nil
		})
		q := request("o3")
		q.Method = "alipay_cn"
		other, err := w.Create(ctx, "shop-a", q)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Refund(ctx, "shop-a", other.Payment.ID, good); codeOf(err) != sdk.CodeUnsupported {
			t.Errorf("no such ability: %v", err)
		}
		if sent, _ := r.counts(); sent != 0 || w.count("SELECT COUNT(*) FROM refunds") != 0 {
			t.Error("something was recorded or sent")
		}
	})
}

// TestRefundLateSuccess: money that came after the payment had ended unpaid can
// go back.
func TestRefundLateSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := newRefundWorld(t)
		defer w.close()
		w.one.creating(newAcquirer().create)
		w.one.says(sdk.StatusCancelled)
		c := w.pay("o2")
		time.Sleep(time.Minute)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusCancelled)
		w.one.says(sdk.StatusSucceeded)
		if _, err := w.notify("one", "signed o2"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if p := w.is(c.Payment.ID, sdk.StatusCancelled); p.Review == nil || p.Review.Reason != "late_success" {
			t.Fatalf("review %+v", p.Review)
		}
		if got := w.refund(c.Payment.ID, "r1", "100.00"); got.Refund.Status != "SUCCEEDED" {
			t.Errorf("%+v", got)
		}
	})
}

// TestRefundProviderGone: open refunds of a provider that left the config are
// parked and flagged as payments are, also for longer than a week, and go on when
// it is back.
func TestRefundProviderGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		r.sends(sdk.RefundPending, nil)
		r.tells(sdk.RefundPending, nil)
		c := w.refund(p.ID, "r1", "30.00")
		w.close()
		full := w.cfg
		without := *full
		without.Providers, without.Routes = full.Providers[1:], full.Routes[1:]
		w.cfg = &without
		w.open()
		time.Sleep(time.Minute)
		synctest.Wait()
		flagged := func() *Review { return w.get(p.ID).Review }
		if got := flagged(); got == nil || got.Reason != "provider_missing" || !strings.Contains(string(got.Observed), c.Refund.ID) {
			t.Errorf("review %+v", got)
		}
		if _, err := w.notify("one", "signed refund r1"); codeOf(err) != sdk.CodePluginUnavailable {
			t.Errorf("notification of a missing provider: %v", err)
		}
		if _, err := w.review(p.ID, "dismiss", "we know"); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * 24 * time.Hour)
		synctest.Wait()
		if got := flagged(); got != nil {
			t.Errorf("flagged again before a week is over: %+v", got)
		}
		time.Sleep(5 * 24 * time.Hour)
		synctest.Wait()
		if got := flagged(); got == nil || got.Reason != "provider_missing" {
			t.Errorf("forgotten: review %+v", got)
		}
		told := reviews(w.get(p.ID), "refund")
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		if n := reviews(w.get(p.ID), "refund"); n != told {
			t.Errorf("flagged %d times more while a person is looking", n-told)
		}
		w.close()
		w.cfg = full
		r.tells(sdk.RefundSucceeded, nil)
		w.open()
		defer w.close()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.refundIs(c, "SUCCEEDED")
	})
}

// TestRefundDismissedMismatch: a refund that is never asked about again is never
// forgotten, whatever was dismissed before.
func TestRefundDismissedMismatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		other, _ := sdk.ParseMoney("60.01", "HKD")
		r.mu.Lock()
		r.send = func(context.Context, sdk.RefundRequest) (sdk.Refund, error) {
			return sdk.Refund{MerchantRefundID: "r1", Amount: other, Status: sdk.RefundSucceeded}, nil
		}
		r.mu.Unlock()
		r.tells(sdk.RefundPending, nil)
		c := w.refund(p.ID, "r1", "30.00")
		if got := w.get(p.ID); got.Review == nil || got.Review.Reason != "mismatch" {
			t.Fatalf("review %+v", got.Review)
		}
		if _, err := w.review(p.ID, "dismiss", "asked the acquirer"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		w.refundIs(c, "PENDING")
		if got := w.get(p.ID); got.Review == nil || got.Review.Reason != "stale" {
			t.Errorf("review %+v", got.Review)
		}
		if _, err := w.review(p.ID, "dismiss", "ask on"); err != nil {
			t.Fatal(err)
		}
		r.tells(sdk.RefundSucceeded, nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		w.refundIs(c, "SUCCEEDED")
	})
}
