package host

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

// TestRefundPlan: what can't be sent is sent again soon, and hourly to the end
// of the day; what is open is first asked about after five seconds.
func TestRefundPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		var sent, asked []time.Duration
		begun := time.Now()
		r.mu.Lock()
		r.send = func(context.Context, sdk.RefundRequest) (sdk.Refund, error) {
			sent = append(sent, time.Since(begun))
			return sdk.Refund{}, sdk.NotSent(sdk.CodeAcquirerRateLimited, "later")
		}
		r.mu.Unlock()
		c := w.refund(p.ID, "r1", "60.00")
		time.Sleep(24*time.Hour + time.Second)
		synctest.Wait()
		if got := w.refundIs(c, "FAILED"); got.Code != "NEVER_SENT" || !has(w.get(p.ID), "host", c.Refund.ID+" over 60.00 HKD is FAILED") {
			t.Errorf("after a day: %+v; timeline %+v", got, w.get(p.ID).Timeline)
		}
		steps := []time.Duration{0, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, time.Hour, time.Hour}
		at := time.Duration(0)
		for i, step := range steps {
			if at += step; i >= len(sent) || sent[i].Round(time.Second) != at {
				t.Fatalf("sent after %v, want number %d after %v", sent, i, at)
			}
		}
		if last := sent[len(sent)-1]; len(sent) < 26 || last >= 24*time.Hour {
			t.Errorf("sent %d times, the last after %v", len(sent), last)
		}
		r.sends(sdk.RefundPending, nil)
		r.mu.Lock()
		r.ask = func(_ context.Context, q sdk.RefundQuery) (sdk.Refund, error) {
			asked = append(asked, time.Since(begun).Round(time.Second))
			return refundAnswer(q.MerchantRefundID, sdk.RefundPending), nil
		}
		r.mu.Unlock()
		begun = time.Now()
		w.refund(p.ID, "r2", "60.00")
		time.Sleep(90 * time.Second)
		synctest.Wait()
		if len(asked) != 3 || asked[0] != 5*time.Second || asked[1] != 20*time.Second || asked[2] != 80*time.Second {
			t.Errorf("asked after %v", asked)
		}
	})
}

// TestRefundSpokenOf: once the acquirer has said anything of a refund it has
// reached it. NOT_FOUND must not free its amount then.
func TestRefundSpokenOf(t *testing.T) {
	for name, answer := range map[string]sdk.Refund{
		"an answer about another amount": {MerchantRefundID: "r1", Status: sdk.RefundSucceeded, Amount: hkd(t, "59.99")},
		"an answer without a status":     {MerchantRefundID: "r1"},
	} {
		for _, lost := range []bool{false, true} { // the first answer says it, or that of a question
			synctest.Test(t, func(t *testing.T) {
				w, r, p := newRefundWorld(t)
				defer w.close()
				r.mu.Lock()
				r.send = func(context.Context, sdk.RefundRequest) (sdk.Refund, error) {
					if lost {
						return sdk.Refund{}, sdk.Unknown(sdk.CodeAcquirerTimeout, "lost")
					}
					return answer, nil
				}
				r.ask = func(context.Context, sdk.RefundQuery) (sdk.Refund, error) { return answer, nil }
				r.mu.Unlock()
				c := w.refund(p.ID, "r1", "60.00")
				time.Sleep(time.Minute)
				synctest.Wait()
				r.tells(0, sdk.NotSent(sdk.CodeOrderNotFound, "never heard of it"))
				time.Sleep(3 * time.Hour)
				synctest.Wait()
				w.refundIs(c, "UNKNOWN")
				if _, err := w.Refund(context.Background(), "shop-a", p.ID, RefundRequest{MerchantRefundID: "r2", Amount: "60.00"}); codeOf(err) != sdk.CodeRefundTooLarge {
					t.Errorf("%s (lost %t): its amount is free: %v", name, lost, err)
				}
			})
		}
	}
}

// TestRefundFailedByAnswer: the acquirer's own FAILED is a refusal too.
func TestRefundFailedByAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(sdk.RefundFailed, nil)
		c := w.refund(p.ID, "r1", "60.00")
		if c.Refund.Status != "FAILED" || c.Refund.Code != "REFUSED" {
			t.Errorf("%+v", c)
		}
		if n := w.count("SELECT COUNT(*) FROM timeline WHERE kind = 'refund' AND event_id <> ''"); n != 1 {
			t.Errorf("%d events in the timeline", n)
		}
	})
}

// TestRefundIDOfAnother: one id of the acquirer for two of our refunds is one
// movement of money, so the second is not believed.
func TestRefundIDOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		same := func(id string) sdk.Refund {
			return sdk.Refund{MerchantRefundID: id, AcquirerRefundID: "acq-same", Status: sdk.RefundSucceeded}
		}
		r.mu.Lock()
		r.send = func(_ context.Context, q sdk.RefundRequest) (sdk.Refund, error) { return same(q.MerchantRefundID), nil }
		r.ask = func(_ context.Context, q sdk.RefundQuery) (sdk.Refund, error) { return same(q.MerchantRefundID), nil }
		r.mu.Unlock()
		w.refund(p.ID, "r1", "30.00")
		c := w.refund(p.ID, "r2", "30.00")
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := w.refundIs(c, "UNKNOWN"); got.Code != "MISMATCH" {
			t.Errorf("%+v", got)
		}
		if got := w.get(p.ID); got.AmountRefunded != "30.00" || got.Review == nil || got.Review.Reason != "mismatch" {
			t.Errorf("refunded %s, review %+v", got.AmountRefunded, got.Review)
		}
	})
}

// TestRefundSentTooLate: a host that was frozen before the call doesn't make it:
// another may have taken the refund up and found it lost.
func TestRefundSentTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		row, err := w.store.Read().Payment(context.Background(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		late := w.newRefund(row, RefundRequest{MerchantRefundID: "r1"}, hkd(t, "30.00"))
		time.Sleep(time.Minute)
		if _, err := w.callRefund(late); err == nil || sdk.AsError(err).Outcome != sdk.OutcomeNotSent {
			t.Errorf("%v", err)
		}
		if sent, _ := r.counts(); sent != 0 {
			t.Error("it was sent")
		}
	})
}

// TestRefundAnswerAfterTakeOver: what a host reports that others took for dead
// changes nothing which was learnt since.
func TestRefundAnswerAfterTakeOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		answer := make(chan error)
		r.mu.Lock()
		r.send = func(context.Context, sdk.RefundRequest) (sdk.Refund, error) { return sdk.Refund{}, <-answer }
		r.mu.Unlock()
		got := make(chan RefundCreated)
		go func() { got <- w.refund(p.ID, "r1", "60.00") }()
		synctest.Wait()
		held, err := w.store.Read().HeldRefunds(context.Background())
		if err != nil || len(held) != 1 {
			t.Fatalf("%+v, %v", held, err)
		}
		if err := w.takeUpRefund(held[0].ID, "another"); err != nil {
			t.Fatal(err)
		}
		if row, err := w.store.Read().Refund(context.Background(), held[0].ID); err != nil || row.Holder != held[0].Holder || row.Status != "PENDING" {
			t.Errorf("taken from a host that isn't its holder: %+v, %v", row, err)
		}
		if err := w.takeUpRefund(held[0].ID, held[0].Holder); err != nil {
			t.Fatal(err)
		}
		answer <- sdk.NotSent(sdk.CodePluginUnavailable, "surely not")
		c := <-got
		w.refundIs(c, "UNKNOWN") // only a question can tell now
		r.mu.Lock()
		r.ask = func(context.Context, sdk.RefundQuery) (sdk.Refund, error) {
			w.exec("UPDATE refunds SET holder = 'host_other'") // which asks about it, too
			r.tells(sdk.RefundSucceeded, nil)
			return refundAnswer("r1", sdk.RefundPending), nil
		}
		r.mu.Unlock()
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if w.count("SELECT COUNT(*) FROM refunds WHERE holder = 'host_other'") != 1 {
			t.Error("the hold of another host was released")
		}
		w.exec("UPDATE refunds SET holder = '', due_at = 1")
		if err := w.sweep(t.Context(), time.Now()); err != nil {
			t.Error(err)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if got := w.refundIs(c, "SUCCEEDED"); got.StatusReason != "" {
			t.Errorf("%+v", got)
		}
		if sent, _ := r.counts(); sent != 1 {
			t.Errorf("sent %d times", sent)
		}
	})
}

func hkd(t *testing.T, amount string) sdk.Money {
	t.Helper()
	m, err := sdk.ParseMoney(amount, "HKD")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestAnotherRefund: with the merchant_refund_id of a refund, another payment,
// amount or reason makes it another request.
func TestAnotherRefund(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		other := w.pay("o2").Payment
		w.refund(p.ID, "r1", "30.00")
		for name, c := range map[string]struct{ payment, amount, reason string }{
			"payment": {other.ID, "30.00", ""}, "amount": {p.ID, "30.01", ""}, "reason": {p.ID, "30.00", "broken"},
		} {
			_, err := w.Refund(t.Context(), "shop-a", c.payment, RefundRequest{MerchantRefundID: "r1", Amount: c.amount, Reason: c.reason})
			if codeOf(err) != sdk.CodeConflict || sdk.AsError(err).Field != "merchant_refund_id" {
				t.Errorf("another %s: %v", name, err)
			}
		}
		if sent, _ := r.counts(); sent != 1 {
			t.Errorf("sent %d times", sent)
		}
	})
}

// TestRefundRepeatedWhileOpen: who repeats the request of a refund that is open
// doesn't keep the host from asking on about it.
func TestRefundRepeatedWhileOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(sdk.RefundPending, nil)
		c := w.refund(p.ID, "r1", "30.00")
		if again := w.refund(p.ID, "r1", "30.00"); !again.Existing || again.Refund.Status != "PENDING" {
			t.Errorf("%+v", again)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		w.refundIs(c, "SUCCEEDED")
	})
}

// TestRefundBeforeSetUp: a provider whose plugin hasn't run yet since the start
// isn't one that can't refund.
func TestRefundBeforeSetUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		w.close()
		w.setDown("one", true)
		w.open()
		defer w.close()
		_, err := w.Refund(t.Context(), "shop-a", p.ID, RefundRequest{MerchantRefundID: "r1", Amount: "30.00"})
		if codeOf(err) != sdk.CodePluginUnavailable {
			t.Errorf("%v", err)
		}
		w.setDown("one", false)
		time.Sleep(2 * time.Minute)
		w.refund(p.ID, "r1", "30.00")
		if sent, _ := r.counts(); sent != 1 {
			t.Errorf("sent %d times", sent)
		}
	})
}

// TestRefundAlarmTwice: of two alarms for one reason, as when one was set again
// for fear that it was lost, one finds nothing to do.
func TestRefundAlarmTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(sdk.RefundPending, nil)
		r.tells(sdk.RefundPending, nil)
		id := w.refund(p.ID, "r1", "30.00").Refund.ID
		fl, _ := w.flights.take(id)
		time.Sleep(6 * time.Second) // the first one waits
		done := make(chan error)
		go func() {
			_, err := w.ring(t.Context(), w.alarmOfRefund(id, "one", micros(time.Now())))
			done <- err
		}()
		synctest.Wait()
		w.flights.land(id, fl)
		if err := <-done; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if _, asked := r.counts(); asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// TestSentAfterADay: what another host sent just before its time was over isn't
// ended by this one's clock.
func TestSentAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(0, sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		r.tells(sdk.RefundPending, nil)
		c := w.refund(p.ID, "r1", "30.00")
		w.one.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		w.two.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		payment := w.pay("o2").Payment.ID
		time.Sleep(23*time.Hour + 59*time.Minute)
		refund, _ := w.flights.take(c.Refund.ID)
		order, _ := w.flights.take(payment)
		time.Sleep(time.Hour) // the alarms of both ends wait
		w.exec("UPDATE refunds SET send_state = 'answered', status = 'UNKNOWN'")
		w.exec("UPDATE payments SET create_state = 'answered', status = 'UNKNOWN' WHERE id = '" + payment + "'")
		w.flights.land(c.Refund.ID, refund)
		w.flights.land(payment, order)
		synctest.Wait()
		w.refundIs(c, "UNKNOWN")
		w.is(payment, sdk.StatusUnknown)
	})
}
