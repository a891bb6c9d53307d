package host

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

func newRetryWorld(t *testing.T, retry sdk.CreateRetry) *world {
	t.Helper()
	return newWorldWith(t, worldConfig, func(w *world) { w.retry = retry })
}

// lost is an answer of which nobody knows what came.
var lost = sdk.Unknown(sdk.CodeAcquirerTimeout, "no answer")

// TestCreateRetry: where the acquirer promises that the identical request has its
// effect once, a Create whose answer was lost is sent again, and the shopper gets
// the way to pay. Elsewhere it is only asked about.
func TestCreateRetry(t *testing.T) {
	for name, tt := range map[string]struct {
		retry sdk.CreateRetry
		sent  int
	}{
		"native":                     {sdk.CreateRetry{Native: true, Window: time.Hour}, 2},
		"none":                       {sdk.CreateRetry{}, 1},
		"native, a window too short": {sdk.CreateRetry{Native: true, Window: repeatMargin}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newRetryWorld(t, tt.retry)
				defer w.close()
				good := w.one.create
				w.one.fails(lost)
				c := w.pay("o1")
				w.is(c.Payment.ID, sdk.StatusUnknown)
				w.one.creating(good)
				time.Sleep(6 * time.Second)
				synctest.Wait()
				p := w.is(c.Payment.ID, sdk.StatusPending)
				if len(w.one.creates) != tt.sent || (p.NextAction != nil) != (tt.sent == 2) {
					t.Errorf("sent %d times, next action %v", len(w.one.creates), p.NextAction)
				}
				for _, r := range w.one.creates {
					if r.RequestID != w.one.creates[0].RequestID || r.MerchantOrderID != "o1" || !r.Money.Equal(w.one.creates[0].Money) {
						t.Errorf("not the identical request: %+v", r)
					}
				}
			})
		})
	}
}

// TestCreateRetryEnds: it is repeated a few times, and each time has the whole
// settling time before the order is called lost.
func TestCreateRetryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newRetryWorld(t, sdk.CreateRetry{Native: true, Window: time.Hour})
		defer w.close()
		w.one.fails(lost)
		w.one.answers(func(context.Context, sdk.QueryRequest) (sdk.Payment, error) {
			return sdk.Payment{}, sdk.Unknown(sdk.CodeOrderNotFound, "never heard of it")
		})
		begun := time.Now()
		c := w.pay("o1")
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if n := w.one.created(); n != 1+maxRepeats {
			t.Fatalf("sent %d times", n)
		}
		var last time.Time // when it was sent last: the timeline tells
		for _, e := range w.get(c.Payment.ID).Timeline {
			if e.Source == sourceCreate {
				last = e.At
			}
		}
		var end time.Time
		for end.IsZero() {
			time.Sleep(time.Minute)
			synctest.Wait()
			if p := w.get(c.Payment.ID); p.Status == "FAILED" {
				end = time.Now()
				if p.Code != "CREATE_LOST" {
					t.Errorf("code %s", p.Code)
				}
			}
		}
		if end.Sub(last) < 10*time.Minute || last.Sub(begun) < time.Minute {
			t.Errorf("sent last after %s, called lost %s later", last.Sub(begun), end.Sub(last))
		}
	})
}

// TestHintWhileCancelling: the answer of Cancel may be older than a notification
// that came meanwhile.
func TestHintWhileCancelling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		w.one.says(sdk.StatusSucceeded)
		w.one.mu.Lock()
		w.one.cancel = func(r sdk.CancelRequest) (sdk.Payment, error) {
			if _, err := w.notify("one", "signed o1"); err != nil {
				t.Error(err)
			}
			return paymentOf(r.Order, sdk.StatusCancelled), nil
		}
		w.one.mu.Unlock()
		if _, err := w.Cancel(context.Background(), "shop-a", c.Payment.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if p := w.is(c.Payment.ID, sdk.StatusCancelled); p.Review == nil || p.Review.Reason != "late_success" {
			t.Errorf("the money was missed: %+v", p.Review)
		}
	})
}

// TestMismatchHidesNoLateSuccess: an answer about something else doesn't end the
// questions about a payment that may have been paid late.
func TestMismatchHidesNoLateSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		w.one.says(sdk.StatusCancelled)
		time.Sleep(time.Minute)
		synctest.Wait()
		other := func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			p := paymentOf(r.Order, sdk.StatusSucceeded)
			p.MerchantOrderID = "another"
			return p, nil
		}
		w.one.answers(other)
		if _, err := w.notify("one", "signed o1"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if p := w.get(c.Payment.ID); p.Review == nil || p.Review.Reason != "mismatch" {
			t.Fatalf("review %+v", p.Review)
		}
		w.one.says(sdk.StatusSucceeded)
		time.Sleep(time.Hour)
		synctest.Wait()
		w.one.answers(other)
		if _, err := w.notify("one", "signed o1"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if p := w.is(c.Payment.ID, sdk.StatusCancelled); p.Review == nil || p.Review.Reason != "late_success" {
			t.Errorf("review %+v", p.Review)
		}
	})
}

// TestEarlyByAcquirerID: a notification that names only the acquirer's order, and
// comes while the question is asked whose answer first names it, is followed.
func TestEarlyByAcquirerID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.one.fails(lost)
		w.one.mu.Lock()
		w.one.parse = func(sdk.HTTPRequest) (sdk.Notification, error) {
			return sdk.Notification{Events: []sdk.NotificationEvent{{Kind: sdk.EventPayment, AcquirerOrderID: "acq-o1"}}}, nil
		}
		w.one.mu.Unlock()
		w.one.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			w.one.says(sdk.StatusSucceeded)
			if _, err := w.notify("one", "paid"); err != nil {
				t.Error(err)
			}
			return paymentOf(r.Order, sdk.StatusPending), nil // from before it was paid
		})
		c := w.pay("o1")
		time.Sleep(7 * time.Second) // the first question, and what follows from the notification
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusSucceeded)
	})
}

// TestNotificationIsAsked: where a Create may be sent again, what a notification
// says is asked about all the same.
func TestNotificationIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newRetryWorld(t, sdk.CreateRetry{Native: true, Window: time.Hour})
		defer w.close()
		w.one.creating(func(context.Context, sdk.CreateRequest) (sdk.Payment, error) {
			if _, err := w.notify("one", "signed o1"); err != nil {
				t.Error(err)
			}
			return sdk.Payment{}, lost
		})
		w.one.says(sdk.StatusSucceeded)
		c := w.pay("o1")
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusSucceeded)
		if w.one.created() != 1 {
			t.Errorf("sent %d times", w.one.created())
		}
	})
}

// TestNoRetryOfWhatIsThere: once the acquirer has said anything of an order it is
// asked about and not sent again.
func TestNoRetryOfWhatIsThere(t *testing.T) {
	for name, answer := range map[string]func(*sdk.Payment){
		"an id":   func(p *sdk.Payment) { p.Status = sdk.StatusUnknown },
		"a state": func(p *sdk.Payment) { p.AcquirerOrderID = "" },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newRetryWorld(t, sdk.CreateRetry{Native: true, Window: time.Hour})
				defer w.close()
				w.one.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
					p := paymentOf(r.Order, sdk.StatusPending)
					answer(&p)
					return p, nil
				})
				w.pay("o1")
				time.Sleep(time.Minute)
				synctest.Wait()
				if w.one.created() != 1 || w.one.queried() == 0 {
					t.Errorf("sent %d times, asked %d times", w.one.created(), w.one.queried())
				}
			})
		})
	}
}

// TestCreateRetryTakenOver: what another host holds is not sent again here.
func TestCreateRetryTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newRetryWorld(t, sdk.CreateRetry{Native: true, Window: time.Hour})
		defer w.close()
		w.one.fails(lost)
		row, err := w.store.Read().Payment(t.Context(), w.pay("o1").Payment.ID)
		if err != nil {
			t.Fatal(err)
		}
		row.Holder = w.store.Host() // when it was read; it is no longer
		w.repeatCreate(row)
		if w.one.created() != 1 {
			t.Errorf("sent %d times", w.one.created())
		}
	})
}
