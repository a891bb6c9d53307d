package host

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

// TestNotification: it moves nothing by itself; the acquirer's answer does.
func TestNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		ack, err := w.notify("one", "signed o1")
		if err != nil || ack.Status != 200 || string(ack.Body) != "thanks" {
			t.Errorf("%+v, %v", ack, err)
		}
		synctest.Wait()
		if w.one.queried() != 1 {
			t.Errorf("the acquirer was asked %d times", w.one.queried())
		}
		w.is(c.Payment.ID, sdk.StatusPending) // the acquirer says so

		w.one.says(sdk.StatusSucceeded)
		if _, err := w.notify("one", "signed o1"); err != nil { // the same bytes again
			t.Error(err)
		}
		synctest.Wait()
		p := w.is(c.Payment.ID, sdk.StatusSucceeded)
		if p.PaidAt.IsZero() || p.NextAction != nil || !has(p, "notification", "paid") {
			t.Errorf("%+v", p)
		}
	})
}

func TestNotificationsInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		w.one.says(sdk.StatusSucceeded)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if _, err := w.notify("one", "signed o1"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		synctest.Wait()
		p := w.is(c.Payment.ID, sdk.StatusSucceeded)
		paid := 0
		for _, e := range p.Timeline {
			if e.Kind == "status" && e.Status == "SUCCEEDED" {
				paid++
			}
		}
		if paid != 1 {
			t.Errorf("%d transitions to SUCCEEDED", paid)
		}
	})
}

// TestEarlyNotification: it may come while Create is still running.
func TestEarlyNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		quick := w.one.create
		w.one.creating(func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			time.Sleep(2 * time.Second)
			return quick(ctx, r)
		})
		w.one.says(sdk.StatusSucceeded)
		var c Created
		done := make(chan struct{})
		go func() { c = w.pay("o1"); close(done) }()
		time.Sleep(time.Second)
		if _, err := w.notify("one", "signed o1"); err != nil {
			t.Error(err)
		}
		<-done
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusSucceeded)
		if took := time.Since(c.Payment.CreatedAt); took > 3*time.Second {
			t.Errorf("it took %v: the notification wasn't used", took)
		}
	})
}

// TestEarlyByAcquirerOrder: a notification that names only the acquirer's id
// waits for the answer of Create.
func TestEarlyByAcquirerOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.one.parse = func(sdk.HTTPRequest) (sdk.Notification, error) {
			return sdk.Notification{Events: []sdk.NotificationEvent{{Kind: sdk.EventPayment, RawType: "paid", AcquirerOrderID: "acq-o1"}}}, nil
		}
		w.one.says(sdk.StatusSucceeded)
		if _, err := w.notify("one", "about acq-o1"); err != nil {
			t.Error(err)
		}
		c := w.pay("o1")
		synctest.Wait()
		p := w.is(c.Payment.ID, sdk.StatusSucceeded)
		if !has(p, "notification", "came before an answer") {
			t.Errorf("timeline %+v", p.Timeline)
		}
	})
}

func TestForgedNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.pay("o1")
		if _, err := w.notify("one", "o1 is paid, I swear"); codeOf(err) != sdk.CodeSignatureInvalid {
			t.Errorf("forged: %v", err)
		}
		if _, err := w.notify("nobody", "signed o1"); codeOf(err) != sdk.CodeNotFound {
			t.Errorf("unknown provider: %v", err)
		}
		synctest.Wait()
		if n := w.count("SELECT COUNT(*) FROM notifications"); n != 0 || w.one.queried() != 0 {
			t.Errorf("%d notifications are stored, %d questions", n, w.one.queried())
		}
	})
}

// TestForeignNotification: signed, but about nothing of ours. It is acknowledged
// and its references are kept for a day.
func TestForeignNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		if ack, err := w.notify("one", "signed o9"); err != nil || ack.Status != 200 {
			t.Errorf("%+v, %v", ack, err)
		}
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'unmatched' AND request = ''"); n != 1 {
			t.Errorf("%d are kept without their body", n)
		}
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		if n := w.count("SELECT COUNT(*) FROM notifications"); n != 0 {
			t.Errorf("%d are kept after a day", n)
		}
	})
}

// TestPluginDown: a notification that can't be read is kept and not
// acknowledged; it is read when the plugin is back.
func TestPluginDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		w.one.says(sdk.StatusSucceeded)
		w.setDown("one", true)
		_, err := w.notify("one", "signed o1")
		if e := sdk.AsError(err); e == nil || e.Code != sdk.CodePluginUnavailable || e.RetryAfter == 0 {
			t.Errorf("%v", err)
		}
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'unparsed'"); n != 1 {
			t.Errorf("%d are kept", n)
		}
		w.setDown("one", false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'matched'"); n != 1 {
			t.Error("it wasn't read later")
		}
		w.is(c.Payment.ID, sdk.StatusSucceeded)
	})
}

// TestForgeryWhilePluginIsDown: what can't be verified yet may be forged. It keeps
// no genuine notification from being read later, and leaves nothing behind.
func TestForgeryWhilePluginIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		w.one.mu.Lock()
		w.one.parse = func(r sdk.HTTPRequest) (sdk.Notification, error) {
			if r.Get("Signature") != "good" {
				return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "bad signature")
			}
			return sdk.Notification{Events: []sdk.NotificationEvent{{Kind: sdk.EventPayment, MerchantOrderID: string(r.Body)}}}, nil
		}
		w.one.mu.Unlock()
		w.setDown("one", true)
		for _, signature := range []string{"forged", "good", "forged"} {
			_, err := w.Notify(context.Background(), "one", sdk.HTTPRequest{Method: "POST", Body: []byte("o1"), Header: map[string][]string{"Signature": {signature}}})
			if codeOf(err) != sdk.CodePluginUnavailable {
				t.Fatal(err)
			}
		}
		w.one.says(sdk.StatusSucceeded)
		w.setDown("one", false)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'matched'"); n != 1 {
			t.Errorf("%d genuine ones were read", n)
		}
		if n := w.count("SELECT COUNT(*) FROM notifications"); n != 1 {
			t.Errorf("%d are kept: a forged one is stored", n)
		}
		w.is(c.Payment.ID, sdk.StatusSucceeded)
	})
}

// TestStoreDown: what can't be stored is not acknowledged.
func TestStoreDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.pay("o1")
		if err := w.Ready(context.Background()); err != nil {
			t.Error(err)
		}
		_ = w.store.Close()
		if _, err := w.notify("one", "signed o1"); codeOf(err) != sdk.CodeStoreUnavailable {
			t.Errorf("acknowledged without a store: %v", err)
		}
		if _, err := w.Create(context.Background(), "shop-a", request("o2")); codeOf(err) != sdk.CodeStoreUnavailable {
			t.Errorf("taken without a store: %v", err)
		}
		if w.one.created() != 1 {
			t.Error("the acquirer was asked without a durable intent")
		}
		time.Sleep(2 * time.Second) // what was found holds for one
		if err := w.Ready(context.Background()); codeOf(err) != sdk.CodeStoreUnavailable {
			t.Errorf("ready without a store: %v", err)
		}
		w.abandon()
	})
}

// events makes every notification speak of these.
func (w *world) events(events ...sdk.NotificationEvent) {
	w.one.mu.Lock()
	defer w.one.mu.Unlock()
	w.one.parse = func(sdk.HTTPRequest) (sdk.Notification, error) {
		return sdk.Notification{Events: events, Ack: sdk.HTTPResponse{Status: 200}}, nil
	}
}

func (w *world) hears(body string) {
	w.t.Helper()
	if _, err := w.notify("one", body); err != nil {
		w.t.Error(err)
	}
	synctest.Wait()
}

// TestNotificationOfSeveral: each event is followed, whatever the others are
// about.
func TestNotificationOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		first, last := w.pay("o1"), w.pay("o2")
		w.one.says(sdk.StatusSucceeded)
		event := func(order string) sdk.NotificationEvent {
			return sdk.NotificationEvent{Kind: sdk.EventPayment, MerchantOrderID: order}
		}
		w.events(event("o1"), event("o2"), event("not-ours"), sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "newsletter"})
		w.hears("four")
		w.is(first.Payment.ID, sdk.StatusSucceeded)
		w.is(last.Payment.ID, sdk.StatusSucceeded)
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'matched' AND payment_id <> '' AND request <> ''"); n != 1 {
			t.Error("it counts as a stranger's")
		}
		w.events(sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "newsletter"})
		w.hears("one")
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'other' AND raw_type = 'newsletter'"); n != 1 {
			t.Error("what is of another kind isn't kept as such")
		}
	})
}

// TestNotificationByEitherID: the order is found by one id alone, and once if both
// are named.
func TestNotificationByEitherID(t *testing.T) {
	for _, e := range []sdk.NotificationEvent{
		{Kind: sdk.EventPayment, RawType: "paid", MerchantOrderID: "o1"},
		{Kind: sdk.EventPayment, RawType: "paid", AcquirerOrderID: "acq-o1"},
		{Kind: sdk.EventPayment, RawType: "paid", MerchantOrderID: "o1", AcquirerOrderID: "acq-o1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.close()
			c := w.pay("o1")
			w.events(e)
			w.hears("a")
			notes := 0
			for _, line := range w.get(c.Payment.ID).Timeline {
				if line.Source == sourceNotification {
					notes++
				}
			}
			if w.one.queried() != 1 || notes != 1 {
				t.Errorf("%+v: asked %d times, %d notes", e, w.one.queried(), notes)
			}
			w.one.says(sdk.StatusSucceeded)
			w.hears("b")
			w.is(c.Payment.ID, sdk.StatusSucceeded)
			w.hears("c")
			if w.one.queried() != 2 {
				t.Errorf("a paid payment is asked about")
			}
		})
	}
}

// TestNotificationBeforeTheOrder: one that names our order while that is still
// being committed is followed as soon as it is there.
func TestNotificationBeforeTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.one.says(sdk.StatusSucceeded)
		w.hears("signed o1")
		c := w.pay("o1")
		synctest.Wait() // no time passes
		w.is(c.Payment.ID, sdk.StatusSucceeded)
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'matched' AND payment_id = '" + c.Payment.ID + "'"); n != 1 {
			t.Error("nobody can tell that it was about the payment")
		}
	})
}

// TestNotificationRestartsThePlan: the acquirer's answers may lag behind it.
func TestNotificationRestartsThePlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.pay("o1")
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		asked := w.one.queried()
		w.hears("signed o1")
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if n := w.one.queried() - asked; n != 2 {
			t.Errorf("asked %d times within 20 seconds", n)
		}
	})
}

// TestNotificationOfALostCreate: the acquirer has the order, so that it is not
// sent again, although that would be permitted.
func TestNotificationOfALostCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newRetryWorld(t, sdk.CreateRetry{Native: true, Window: time.Hour})
		defer w.close()
		w.one.fails(lost)
		w.one.says(sdk.StatusSucceeded)
		c := w.pay("o1")
		w.hears("signed o1")
		w.is(c.Payment.ID, sdk.StatusSucceeded)
		if w.one.created() != 1 {
			t.Errorf("sent %d times", w.one.created())
		}
	})
}
