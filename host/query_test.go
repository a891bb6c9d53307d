package host

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/sdk"
)

// TestPollingAlone: a payment ends also if no notification ever comes.
func TestPollingAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		begun := time.Now()
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusPending)
		var waits []time.Duration
		last := begun
		for _, at := range w.one.queries {
			waits = append(waits, at.Sub(last).Round(time.Second))
			last = at
		}
		want := []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute}
		if len(waits) != len(want) {
			t.Fatalf("asked after %v, want %v", waits, want)
		}
		for i := range want {
			if waits[i] != want[i] {
				t.Errorf("asked after %v, want %v", waits, want)
			}
		}
		w.one.says(sdk.StatusSucceeded)
		time.Sleep(time.Hour)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusSucceeded)
		asked := w.one.queried()
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if w.one.queried() != asked {
			t.Error("a paid payment is asked about")
		}
	})
}

// TestStale: our clock never ends a payment; after seven days a person has to look.
func TestStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		time.Sleep(8*24*time.Hour + time.Hour)
		synctest.Wait()
		p := w.is(c.Payment.ID, sdk.StatusPending)
		if p.Review == nil || p.Review.Reason != "stale" {
			t.Fatalf("review %+v", p.Review)
		}
		asked := w.one.queried()
		time.Sleep(2 * 24 * time.Hour)
		synctest.Wait()
		if w.one.queried() != asked {
			t.Error("a stale payment is asked about")
		}
		w.one.says(sdk.StatusSucceeded) // the payer was very late
		if _, err := w.notify("one", "signed o1"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusSucceeded)
	})
}

// TestMismatch: an answer about another order, amount or currency is never
// success, whoever gives it.
func TestMismatch(t *testing.T) {
	hkd := func(s string) sdk.Money { m, _ := sdk.ParseMoney(s, "HKD"); return m }
	cny, _ := sdk.ParseMoney("100.00", "CNY")
	for _, c := range []struct {
		name  string
		spoil func(*sdk.Payment)
	}{
		{"less money", func(p *sdk.Payment) { p.Money = hkd("1.00") }},
		{"more money", func(p *sdk.Payment) { p.Money = hkd("100.01") }},
		{"another currency", func(p *sdk.Payment) { p.Money = cny }},
		{"no amount", func(p *sdk.Payment) { p.Money = sdk.Money{} }},
		{"another order", func(p *sdk.Payment) { p.MerchantOrderID = "o2" }},
		{"no order", func(p *sdk.Payment) { p.MerchantOrderID = "" }},
		{"another acquirer's order", func(p *sdk.Payment) { p.AcquirerOrderID = "acq-o2" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				created := w.pay("o1")
				w.one.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
					p := paymentOf(r.Order, sdk.StatusSucceeded)
					c.spoil(&p)
					return p, nil
				})
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				p := w.is(created.Payment.ID, sdk.StatusPending)
				if p.Review == nil || p.Review.Reason != "mismatch" || len(p.Review.Observed) < 10 || p.ProviderOrderID != "acq-o1" {
					t.Errorf("%+v", p.Review)
				}
				w.one.says(sdk.StatusSucceeded) // it comes to its senses
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				w.is(created.Payment.ID, sdk.StatusSucceeded)
			})
		})
	}
}

// TestMismatchAsAnError: a plugin that can't put into a payment what it was told
// says so by the code; a person is told as well.
func TestMismatchAsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		w.one.answers(func(context.Context, sdk.QueryRequest) (sdk.Payment, error) {
			e := sdk.Unknown(sdk.CodeMismatch, "the acquirer says SUCCEEDED without an amount")
			e.AcquirerRequestID = "rid-1"
			return sdk.Payment{}, e
		})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		p := w.is(c.Payment.ID, sdk.StatusPending)
		if p.Review == nil || p.Review.Reason != "mismatch" || !strings.Contains(string(p.Review.Observed), "SUCCEEDED without an amount") || !strings.Contains(string(p.Review.Observed), "rid-1") {
			t.Errorf("%+v", p.Review)
		}
		w.one.says(sdk.StatusSucceeded) // it comes to its senses
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusSucceeded)
	})
}

// TestLateSuccess: a terminal state is final. That the money came after all is
// flagged, also if the acquirer's Query lags behind its notification.
func TestLateSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		w.one.says(sdk.StatusCancelled)
		time.Sleep(time.Minute)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusCancelled)
		if _, err := w.notify("one", "signed o1"); err != nil {
			t.Error(err)
		}
		synctest.Wait() // the acquirer still says CANCELLED
		w.one.says(sdk.StatusSucceeded)
		time.Sleep(time.Minute)
		synctest.Wait()
		p := w.is(c.Payment.ID, sdk.StatusCancelled)
		if p.Review == nil || p.Review.Reason != "late_success" {
			t.Errorf("review %+v", p.Review)
		}
		asked := w.one.queried()
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if w.one.queried() != asked {
			t.Error("it is asked about for ever")
		}
	})
}

// TestNotificationDuringQuery: an answer that is older than a notification
// doesn't make the host forget it.
func TestNotificationDuringQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		w.one.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			answer := paymentOf(r.Order, sdk.StatusCancelled)
			w.one.says(sdk.StatusSucceeded)
			time.Sleep(2 * time.Second)
			return answer, nil
		})
		time.Sleep(6 * time.Second) // the first question is under way
		if _, err := w.notify("one", "signed o1"); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		p := w.is(c.Payment.ID, sdk.StatusCancelled)
		if w.one.queried() != 2 || p.Review == nil || p.Review.Reason != "late_success" {
			t.Errorf("%d questions, review %+v", w.one.queried(), p.Review)
		}
	})
}

// TestHungProvider: one that doesn't answer keeps nobody else waiting.
func TestHungProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.one.answers(func(ctx context.Context, _ sdk.QueryRequest) (sdk.Payment, error) {
			<-ctx.Done()
			return sdk.Payment{}, ctx.Err()
		})
		for _, order := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
			for _, n := range []string{"1", "2", "3", "4", "5"} {
				w.pay(order + n)
			}
		}
		r := request("other")
		r.Provider = "two"
		other, err := w.Create(context.Background(), "shop-a", r)
		if err != nil {
			t.Fatal(err)
		}
		w.two.says(sdk.StatusSucceeded)
		time.Sleep(8 * time.Second)
		synctest.Wait()
		w.is(other.Payment.ID, sdk.StatusSucceeded)
		if w.one.queried() == 0 {
			t.Error("the other provider wasn't even asked")
		}
	})
}

func TestRefreshAndCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		ctx := context.Background()
		c := w.pay("o1")
		w.one.says(sdk.StatusSucceeded)
		if p, err := w.Refresh(ctx, "shop-a", c.Payment.ID); err != nil || p.Status != "SUCCEEDED" {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := w.Cancel(ctx, "shop-a", c.Payment.ID); codeOf(err) != sdk.CodeInvalidState {
			t.Errorf("a paid payment was cancelled: %v", err)
		}
		c = w.pay("o2")
		for _, do := range []func(context.Context, string, string) (Payment, error){w.Refresh, w.Cancel} {
			if _, err := do(ctx, "shop-b", c.Payment.ID); codeOf(err) != sdk.CodeNotFound {
				t.Errorf("another merchant reached the payment: %v", err)
			}
		}
		if p, err := w.Cancel(ctx, "shop-a", c.Payment.ID); err != nil || p.Status != "CANCELLED" {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// TestProviderGone: payments of a provider that left the config are parked and
// flagged, its notifications shall come again, and all goes on when it is back.
func TestProviderGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.pay("o1")
		w.close()
		full := w.cfg
		without := *full
		without.Providers, without.Routes = full.Providers[1:], full.Routes[1:]
		w.cfg = &without
		w.open()
		time.Sleep(time.Minute)
		synctest.Wait()
		p := w.is(c.Payment.ID, sdk.StatusPending)
		if p.Review == nil || p.Review.Reason != "provider_missing" {
			t.Errorf("review %+v", p.Review)
		}
		if _, err := w.notify("one", "signed o1"); codeOf(err) != sdk.CodePluginUnavailable {
			t.Errorf("notification of a missing provider: %v", err)
		}
		w.close()
		w.cfg = full
		w.one.says(sdk.StatusSucceeded)
		w.open()
		defer w.close()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusSucceeded)
	})
}

// TestOneIDForTwoOrders: an acquirer that gives two of our orders one id speaks of
// one of them only; of the other nothing is believed.
func TestOneIDForTwoOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.pay("o1")
		same := func(o sdk.Order, s sdk.Status) sdk.Payment {
			p := paymentOf(o, s)
			p.AcquirerOrderID = "acq-o1"
			return p
		}
		w.one.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			return same(r.Order, sdk.StatusPending), nil
		})
		w.one.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			return same(r.Order, sdk.StatusSucceeded), nil
		})
		c := w.pay("o2")
		time.Sleep(time.Minute)
		synctest.Wait()
		if p := w.is(c.Payment.ID, sdk.StatusUnknown); p.Review == nil || p.Review.Reason != "mismatch" || p.ProviderOrderID != "" {
			t.Errorf("%+v", p)
		}
	})
}

// TestTerseAnswer: what an answer leaves out stays as it was.
func TestTerseAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		w.one.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			return sdk.Payment{Order: sdk.Order{MerchantOrderID: r.MerchantOrderID}, Status: sdk.StatusPending}, nil
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		p := w.is(c.Payment.ID, sdk.StatusPending)
		if w.one.queried() == 0 || p.ProviderOrderID != "acq-o1" || p.NextAction == nil || p.UpdatedAt != time.Now().Add(-40*time.Second).UTC() {
			t.Errorf("%d questions, %+v", w.one.queried(), p)
		}
		if n := w.count("SELECT COUNT(*) FROM payments WHERE raw_status = 'pending'"); n != 1 {
			t.Error("the acquirer's own word is gone")
		}
	})
}

// TestCodeOfAnEnd: by what an earlier try failed isn't why the payment did.
func TestCodeOfAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.one.fails(lost)
		w.one.says(sdk.StatusFailed)
		c := w.pay("o1")
		time.Sleep(time.Minute)
		synctest.Wait()
		if p := w.is(c.Payment.ID, sdk.StatusFailed); p.Code != "" {
			t.Errorf("code %s", p.Code)
		}
	})
}

// TestRefreshUnsent: nobody is asked about an order that nobody got.
func TestRefreshUnsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.one.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		w.two.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down too"))
		c := w.pay("o1")
		if p, err := w.Refresh(t.Context(), "shop-a", c.Payment.ID); err != nil || p.Status != "CREATED" || w.one.queried() != 0 || w.two.queried() != 0 {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := w.notify("two", "signed o1"); err != nil { // whatever it may be about
			t.Error(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if p := w.is(c.Payment.ID, sdk.StatusCreated); w.one.queried() != 0 || w.two.queried() != 0 {
			t.Errorf("%+v", p)
		}
		if n := w.count("SELECT (due_at - created_at) / 3600000000 FROM payments"); n != 24 {
			t.Error("its end after a day is put off or forgotten")
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusFailed)
	})
}

// TestCancelFails: only a question can tell what became of a cancel whose answer
// was lost; what the acquirer refused is the caller's to hear, and polling goes on.
func TestCancelFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		ctx, id := t.Context(), w.pay("o1").Payment.ID
		var asked []sdk.CancelRequest
		fails := func(err error) {
			w.one.mu.Lock()
			defer w.one.mu.Unlock()
			w.one.cancel = func(r sdk.CancelRequest) (sdk.Payment, error) {
				asked = append(asked, r)
				return sdk.Payment{}, err
			}
		}
		for _, failed := range []*sdk.Error{sdk.Refused(sdk.CodeRefused, "too late"), sdk.NotSent(sdk.CodeAcquirerRateLimited, "later")} {
			fails(failed)
			if _, err := w.Cancel(ctx, "shop-a", id); codeOf(err) != failed.Code {
				t.Errorf("%v, want %v", err, failed)
			}
			synctest.Wait()
		}
		if w.is(id, sdk.StatusPending); w.one.queried() != 0 || w.count("SELECT COUNT(*) FROM payments WHERE holder <> ''") != 0 {
			t.Errorf("asked %d times though nothing happened, or still held", w.one.queried())
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if w.one.queried() != 1 {
			t.Errorf("asked %d times by plan", w.one.queried())
		}

		w.one.says(sdk.StatusCancelled)
		fails(sdk.Unknown(sdk.CodeAcquirerTimeout, "lost"))
		if _, err := w.Cancel(ctx, "shop-a", id); err != nil {
			t.Error(err)
		}
		synctest.Wait() // no time passes
		if p := w.is(id, sdk.StatusCancelled); !has(p, "cancel", "unknown outcome") {
			t.Errorf("timeline %+v", p.Timeline)
		}
		for _, r := range asked {
			if r.MerchantOrderID != "o1" || r.RequestID != asked[0].RequestID || r.RequestID == w.one.creates[0].RequestID {
				t.Errorf("cancelled %+v", r)
			}
		}

		id = w.pay("o2").Payment.ID
		fl, _ := w.flights.take(id)
		if _, err := w.Cancel(ctx, "shop-a", id); codeOf(err) != sdk.CodeInProgress {
			t.Errorf("while another call is under way: %v", err)
		}
		w.flights.land(id, fl)
		a := w.account("one")
		a.mu.Lock()
		a.configured.Cancels = false
		a.mu.Unlock()
		if _, err := w.Cancel(ctx, "shop-a", id); codeOf(err) != sdk.CodeUnsupported {
			t.Errorf("where the provider can't: %v", err)
		}
		w.one.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		w.two.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		if _, err := w.Cancel(ctx, "shop-a", w.pay("o3").Payment.ID); codeOf(err) != sdk.CodeInvalidState {
			t.Errorf("what was never sent: %v", err)
		}
		if len(asked) != 3 {
			t.Errorf("the acquirer heard %d cancels", len(asked))
		}
	})
}

// TestDueNow: an alarm that rings early, by another host's clock, rings again; one
// whose reason has moved on doesn't, since that has an alarm of its own.
func TestDueNow(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		set, reason time.Duration // when the alarm was to ring and when its reason is due, from now
		due         bool
		again       time.Duration
	}{
		"in time":                  {0, 0, true, 0},
		"late":                     {-time.Hour, -time.Hour, true, 0},
		"early":                    {3 * time.Second, 3 * time.Second, false, 3 * time.Second},
		"early, in whole seconds":  {2 * time.Second, 3 * time.Second, false, 3 * time.Second},
		"moved":                    {0, 2 * time.Second, false, 0},
		"moved, not due yet":       {time.Second, time.Hour, false, 0},
		"moved to an earlier time": {time.Hour, -time.Second, true, 0},
	} {
		again, due := dueNow(alarm.Alarm{At: now.Add(c.set)}, micros(now.Add(c.reason)), now)
		want := time.Time{}
		if c.again > 0 {
			want = now.Add(c.again)
		}
		if due != c.due || !again.Equal(want) {
			t.Errorf("%s: due %v, again at %v", name, due, again)
		}
	}
	if again, due := dueNow(alarm.Alarm{At: now}, 0, now); due || !again.IsZero() {
		t.Errorf("done: due %v, again at %v", due, again)
	}
}
