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
		w.abandon()
	})
}
