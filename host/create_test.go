package host

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

func TestCreatePending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		p := w.is(c.Payment.ID, sdk.StatusPending)
		if c.Err != nil || c.Existing || p.NextAction == nil || p.NextAction.URL != "https://wallet.example.com/o1" ||
			p.ProviderOrderID != "acq-o1" || p.Provider != "one" || p.Amount != "100.00" || p.AmountRefunded != "0.00" {
			t.Errorf("%+v, %+v", c, p)
		}
		if r := w.one.creates[0]; r.NotifyURL != "http://127.0.0.1:8080/v1/notifications/one" || r.ReturnURL != "https://shop.example.com/back" || r.RequestID == "" {
			t.Errorf("the plugin was asked %+v", r)
		}
		if len(p.Timeline) != 2 || p.Timeline[0].Status != "CREATED" || p.Timeline[0].Source != "merchant" || p.Timeline[1].Status != "PENDING" || p.Timeline[1].Source != "create" {
			t.Errorf("timeline %+v", p.Timeline)
		}
	})
}

// TestCreateRepeated: the same request is the same payment, however often and
// however much at once it is made.
func TestCreateRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		ids := make([]string, 50)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				c, err := w.Create(context.Background(), "shop-a", request("o1"))
				if err != nil {
					t.Error(err)
				}
				ids[i] = c.Payment.ID
			})
		}
		all.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Fatalf("two payments: %s, %s", ids[0], id)
			}
		}
		if w.one.created() != 1 {
			t.Errorf("the acquirer was asked %d times", w.one.created())
		}
		r := request("o1")
		r.Amount = "100" // as a number the same
		if c, err := w.Create(context.Background(), "shop-a", r); err != nil || !c.Existing || c.Payment.ID != ids[0] {
			t.Errorf("%+v, %v", c, err)
		}
		r.Amount = "100.01"
		if _, err := w.Create(context.Background(), "shop-a", r); codeOf(err) != sdk.CodeConflict || sdk.AsError(err).Field != "merchant_order_id" {
			t.Errorf("another amount: %v", err)
		}
	})
}

// TestOrderIDPerAccount: an order id is unique for ever at an acquirer's account,
// whichever merchant used it.
func TestOrderIDPerAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		mine := w.pay("o1")
		if _, err := w.Create(context.Background(), "shop-b", request("o1")); codeOf(err) != sdk.CodeConflict {
			t.Errorf("another merchant took the same order id at the same account: %v", err)
		}
		if w.one.created() != 1 {
			t.Errorf("the acquirer was asked %d times", w.one.created())
		}
		if _, err := w.Get(context.Background(), "shop-b", mine.Payment.ID); codeOf(err) != sdk.CodeNotFound {
			t.Errorf("another merchant reads the payment: %v", err)
		}
	})
}

// TestCandidates: the next provider is asked only if surely nothing happened.
func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		second int // how often the second provider is asked
		status sdk.Status
	}{
		{"not sent", sdk.NotSent(sdk.CodeAcquirerRateLimited, "later"), 1, sdk.StatusPending},
		{"refused", sdk.Refused(sdk.CodeRefused, "no"), 0, sdk.StatusFailed},
		{"unknown", sdk.Unknown(sdk.CodeAcquirerTimeout, "lost"), 0, sdk.StatusUnknown},
		{"an error without an outcome", context.DeadlineExceeded, 0, sdk.StatusUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				w.one.fails(c.err)
				created := w.pay("o1")
				w.is(created.Payment.ID, c.status)
				if w.two.created() != c.second {
					t.Errorf("the second provider was asked %d times, want %d", w.two.created(), c.second)
				}
				if (created.Err == nil) != (c.status == sdk.StatusPending) {
					t.Errorf("error %v", created.Err)
				}
			})
		})
	}
}

// TestNotSent: what surely wasn't sent stays CREATED; the same request tries
// again, and after a day it is over.
func TestNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.one.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		w.two.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down too"))
		first := w.pay("o1")
		w.is(first.Payment.ID, sdk.StatusCreated)
		if first.Err == nil || first.Err.Outcome != sdk.OutcomeNotSent || first.Existing {
			t.Errorf("%+v", first)
		}
		other := w.pay("o2")

		w.one.creating(newAcquirer().create)
		again := w.pay("o1")
		if again.Err != nil || again.Existing || again.Payment.ID != first.Payment.ID {
			t.Errorf("%+v", again)
		}
		w.is(first.Payment.ID, sdk.StatusPending)

		time.Sleep(25 * time.Hour)
		synctest.Wait()
		p := w.is(other.Payment.ID, sdk.StatusFailed)
		if p.Code != "NEVER_SENT" || w.one.queried() == 0 {
			t.Errorf("%+v", p)
		}
		late := w.pay("o2")
		if late.Err != nil || !late.Existing || late.Payment.Status != "FAILED" {
			t.Errorf("a payment that is over was tried again: %+v", late)
		}
	})
}

// TestSlowCreate: the caller gets the payment as it is after ten seconds; the
// call goes on, also if the caller leaves.
func TestSlowCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		quick := w.one.create
		w.one.creating(func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			time.Sleep(20 * time.Second)
			return quick(ctx, r)
		})
		begun := time.Now()
		c := w.pay("o1")
		if took := time.Since(begun); took != CreateWait || c.Payment.Status != "CREATED" || c.Err != nil {
			t.Errorf("after %v: %+v", took, c)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		left, err := w.Create(ctx, "shop-a", request("o2"))
		if err != nil || left.Payment.Status != "CREATED" {
			t.Errorf("%+v, %v", left, err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusPending)
		w.is(left.Payment.ID, sdk.StatusPending)
		if w.one.created() != 2 {
			t.Errorf("the acquirer was asked %d times", w.one.created())
		}
	})
}

// TestLostCreate: a lost answer is resolved by asking, never by sending again.
func TestLostCreate(t *testing.T) {
	for _, c := range []struct {
		name  string
		query error // nil: the order is there and paid
		want  sdk.Status
		after time.Duration
	}{
		{"the order exists and is paid", nil, sdk.StatusSucceeded, time.Minute},
		{"the acquirer doesn't know it yet", sdk.NotSent(sdk.CodeOrderNotFound, "none"), sdk.StatusUnknown, 5 * time.Minute},
		{"the acquirer doesn't know it for good", sdk.NotSent(sdk.CodeOrderNotFound, "none"), sdk.StatusFailed, 2 * time.Hour},
		{"the acquirer is away", sdk.Unknown(sdk.CodeAcquirerTimeout, "away"), sdk.StatusUnknown, 2 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				w.one.fails(sdk.Unknown(sdk.CodeAcquirerTimeout, "lost"))
				w.one.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
					return paymentOf(r.Order, sdk.StatusSucceeded), c.query
				})
				created := w.pay("o1")
				if created.Err == nil || created.Payment.Status != "UNKNOWN" || created.Payment.Code != "ACQUIRER_TIMEOUT" {
					t.Errorf("%+v", created)
				}
				time.Sleep(c.after)
				synctest.Wait()
				p := w.is(created.Payment.ID, c.want)
				if c.want == sdk.StatusFailed && p.Code != "CREATE_LOST" {
					t.Errorf("code %s", p.Code)
				}
				if c.want == sdk.StatusSucceeded && p.Code != "" {
					t.Errorf("a paid payment has the error %s", p.Code)
				}
				if w.one.created() != 1 || w.two.created() != 0 {
					t.Errorf("Create was called %d and %d times", w.one.created(), w.two.created())
				}
			})
		})
	}
}

// TestHostEndsDuringCreate: at the next start the payment is UNKNOWN and is
// asked about; it is not sent again.
func TestHostEndsDuringCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.one.creating(func(ctx context.Context, _ sdk.CreateRequest) (sdk.Payment, error) {
			<-ctx.Done()
			return sdk.Payment{}, ctx.Err()
		})
		c := w.pay("o1")
		w.abandon()

		w.one.says(sdk.StatusSucceeded)
		w.open()
		defer w.close()
		time.Sleep(time.Minute)
		synctest.Wait()
		p := w.is(c.Payment.ID, sdk.StatusSucceeded)
		if w.one.created() != 1 || !has(p, "create", "the host ended") {
			t.Errorf("%d calls, timeline %+v", w.one.created(), p.Timeline)
		}
	})
}

// TestCreateOfAFrozenHost: what another host may have taken up is not sent.
func TestCreateOfAFrozenHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		row, err := w.store.Read().Payment(context.Background(), c.Payment.ID)
		if err != nil {
			t.Fatal(err)
		}
		row.SentAt = micros(time.Now().Add(-sendWithin - time.Second))
		if _, err := w.callCreate(row); sdk.AsError(err).Outcome != sdk.OutcomeNotSent || w.one.created() != 1 {
			t.Errorf("%v, %d orders", err, w.one.created())
		}
	})
}

// TestPaidAtOnce: a payment that Create calls paid is asked about no more, also if
// a notification was faster.
func TestPaidAtOnce(t *testing.T) {
	for _, event := range []sdk.NotificationEvent{
		{Kind: sdk.EventPayment, MerchantOrderID: "o1"},
		{Kind: sdk.EventPayment, AcquirerOrderID: "acq-o1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.close()
			w.one.parse = func(sdk.HTTPRequest) (sdk.Notification, error) {
				return sdk.Notification{Events: []sdk.NotificationEvent{event}}, nil
			}
			w.one.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
				if _, err := w.notify("one", "paid"); err != nil {
					t.Error(err)
				}
				return paymentOf(r.Order, sdk.StatusSucceeded), nil
			})
			c := w.pay("o1")
			time.Sleep(48 * time.Hour)
			synctest.Wait()
			w.is(c.Payment.ID, sdk.StatusSucceeded)
			if w.one.queried() != 0 {
				t.Errorf("%+v: asked %d times", event, w.one.queried())
			}
		})
	}
}
