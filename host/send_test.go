package host

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

// TestSentLater: what is sent only hours after the order came in is sent as if it
// had come in just now.
func TestSentLater(t *testing.T) {
	for name, then := range map[string]struct {
		err    error
		status sdk.Status
	}{
		"taken":   {nil, sdk.StatusPending},
		"refused": {sdk.Refused(sdk.CodeRefused, "no"), sdk.StatusFailed},
		"lost":    {lost, sdk.StatusPending}, // by the second one, which the acquirer permits
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorldWith(t, strings.Replace(worldConfig, "[one, two]", "[one]", 1), func(w *world) {
					w.retry = sdk.CreateRetry{Native: true, Window: 48 * time.Hour}
				})
				defer w.close()
				good := w.one.create
				w.one.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
				first := w.pay("o1")
				time.Sleep(20 * time.Hour)
				w.one.creating(func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
					w.one.creating(good)
					if then.err != nil {
						return sdk.Payment{}, then.err
					}
					return good(ctx, r)
				})
				again := w.pay("o1")
				if again.Existing || again.Payment.ID != first.Payment.ID || sentAt(w, again.Payment.ID) != time.Now() {
					t.Errorf("%+v", again)
				}
				time.Sleep(6 * time.Second)
				synctest.Wait()
				w.is(first.Payment.ID, then.status)
				if sent := w.one.created(); sent != 2 && then.err != lost || sent != 3 && then.err == lost {
					t.Errorf("sent %d times", sent)
				}
				asked := w.one.queried()
				time.Sleep(30 * time.Hour)
				synctest.Wait()
				w.is(first.Payment.ID, then.status)
				if then.status == sdk.StatusFailed && w.one.queried() != asked {
					t.Error("a refused payment is asked about")
				}
			})
		})
	}
}

func sentAt(w *world, id string) time.Time {
	w.t.Helper()
	row, err := w.store.Read().Payment(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return time.UnixMicro(row.SentAt)
}

// TestNeverSentCountsFromTheOrder: the day doesn't begin anew with each try.
func TestNeverSentCountsFromTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.one.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		w.two.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down too"))
		id := w.pay("o1").Payment.ID
		time.Sleep(20 * time.Hour)
		p := w.pay("o1").Payment
		if !has(p, "create", "not sent: ") {
			t.Errorf("timeline %+v", p.Timeline)
		}
		time.Sleep(4*time.Hour + time.Second)
		synctest.Wait()
		w.is(id, sdk.StatusFailed)
	})
}

// TestResendOfWhatWasSent: of two that find a payment unsent one sends it.
func TestResendOfWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		good := w.one.create
		w.one.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		w.two.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down too"))
		id := w.pay("o1").Payment.ID
		unsent, err := w.store.Read().Payment(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		w.one.creating(good)
		w.pay("o1")
		late, err := w.resend(t.Context(), unsent)
		if err != nil || !late.Existing || late.Payment.Status != "PENDING" || w.one.created() != 2 {
			t.Errorf("%+v, %v; sent %d times", late, err, w.one.created())
		}
		w.one.says(sdk.StatusSucceeded)
		if p, err := w.Refresh(t.Context(), "shop-a", id); err != nil || p.Status != "SUCCEEDED" {
			t.Errorf("the payment is stuck: %+v, %v", p, err)
		}
	})
}

// TestNextCandidate: the next one gets the order as the first would have, with an
// order id that is free at its account and the whole settling time.
func TestNextCandidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, strings.Replace(worldConfig, "merchants: [shop-a], ", "", 1))
		defer w.close()
		w.one.creating(func(context.Context, sdk.CreateRequest) (sdk.Payment, error) {
			time.Sleep(20 * time.Second)
			return sdk.Payment{}, sdk.NotSent(sdk.CodeAcquirerUnavailable, "down")
		})
		w.two.fails(lost)
		begun := time.Now()
		c := w.pay("o1")
		time.Sleep(time.Minute)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusPending)
		if r := w.two.creates[0]; r.NotifyURL != "http://127.0.0.1:8080/v1/notifications/two" || sentAt(w, c.Payment.ID).Sub(begun) != 20*time.Second {
			t.Errorf("%+v, sent after %s", r, sentAt(w, c.Payment.ID).Sub(begun))
		}

		r := request("o2")
		r.Provider = "two"
		if _, err := w.Create(t.Context(), "shop-b", r); err != nil {
			t.Fatal(err)
		}
		sent := w.two.created()
		w.one.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		c = w.pay("o2")
		w.is(c.Payment.ID, sdk.StatusCreated)
		if w.two.created() != sent || c.Err == nil || c.Err.Code != sdk.CodeConflict {
			t.Errorf("sent %d times with another's order id: %v", w.two.created()-sent, c.Err)
		}
	})
}

// newFaultyWorld is one whose next commit fails when told to: it happens all the
// same, or doesn't.
func newFaultyWorld(t *testing.T, change func(*world)) (w *world, fail func(happens bool)) {
	var next atomic.Pointer[bool]
	w = newWorldWith(t, worldConfig, func(w *world) {
		w.commit = func(tx *sql.Tx) error {
			switch happens := next.Swap(nil); {
			case happens == nil:
				return tx.Commit()
			case *happens:
				return errors.Join(errors.New("disk I/O error"), tx.Commit())
			default:
				return errors.Join(errors.New("disk I/O error"), tx.Rollback())
			}
		}
		change(w)
	})
	return w, func(happens bool) { next.Store(&happens) }
}

// TestCommitThatSeemedToFail: what is recorded after all is sent, at once; what
// isn't is nowhere.
func TestCommitThatSeemedToFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, fail := newFaultyWorld(t, func(w *world) { w.refunds = &refunds{acquirer: w.one} })
		defer w.close()
		w.refunds.sends(sdk.RefundSucceeded, nil)
		w.one.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			return paymentOf(r.Order, sdk.StatusSucceeded), nil
		})
		fail(true)
		p := w.pay("o1").Payment
		w.is(p.ID, sdk.StatusSucceeded)
		fail(true)
		w.refundIs(w.refund(p.ID, "r1", "60.00"), "SUCCEEDED")
		fail(false)
		if _, err := w.Create(t.Context(), "shop-a", request("o2")); codeOf(err) != sdk.CodeStoreUnavailable {
			t.Errorf("a payment that isn't there: %v", err)
		}
		fail(false)
		if _, err := w.Refund(t.Context(), "shop-a", p.ID, RefundRequest{MerchantRefundID: "r2", Amount: "40.00"}); codeOf(err) != sdk.CodeStoreUnavailable {
			t.Errorf("a refund that isn't there: %v", err)
		}
		if sent, _ := w.refunds.counts(); sent != 1 || w.one.created() != 1 {
			t.Errorf("%d payments and %d refunds were sent", w.one.created(), sent)
		}
		w.refund(p.ID, "r2", "40.00")
		w.pay("o2")
	})
}
