package host

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/sdk"
)

// reload gives the host of a world another config: pairs of what is replaced in
// the text, and by what.
func (w *world) reload(pairs ...string) error {
	w.t.Helper()
	text := strings.NewReplacer(pairs...).Replace(worldConfig)
	cfg, err := config.Parse("paymux.yaml", []byte(text), w.cfg.Dir, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.Reload(context.Background(), cfg)
}

// keepsConfig fails unless a reload is refused with these words.
func (w *world) keepsConfig(words string, pairs ...string) {
	w.t.Helper()
	before := w.now()
	if err := w.reload(pairs...); err == nil || !strings.Contains(err.Error(), words) {
		w.t.Errorf("refused with %v, want it to say %q", err, words)
	}
	if w.now() != before {
		w.t.Error("something was changed")
	}
}

const (
	lineOne = `one: {plugin: fake, config: {uid: "1", secret: hush-hush}}`
	lineTwo = `two: {plugin: fake, merchants: [shop-a], config: {uid: "2", secret: hush-hush}}`
)

// A new provider takes payments, and is asked about them, from the reload on.
func TestReloadAddsAProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		first := w.pay("o1")
		err := w.reload(lineTwo, lineTwo+"\n  three: {plugin: fake, config: {uid: \"2\", secret: hush-hush-2}}", "providers: [one, two]", "providers: [three]",
			"key-of-shop-b-0123", "key-of-shop-b-4567")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(w.redact.text("key-of-shop-b-4567"), "4567") {
			t.Error("a new API key isn't kept out of the log")
		}
		second := w.pay("o2")
		if second.Payment.Provider != "three" || w.two.created() != 1 {
			t.Errorf("the new route isn't taken: %+v", second.Payment)
		}
		w.one.says(sdk.StatusSucceeded)
		w.two.says(sdk.StatusSucceeded)
		time.Sleep(time.Hour)
		synctest.Wait()
		w.is(first.Payment.ID, sdk.StatusSucceeded)
		w.is(second.Payment.ID, sdk.StatusSucceeded)
		if strings.Contains(w.log.String(), "hush-hush") {
			t.Error("a secret of the new config is in the log")
		}
	})
}

// Provider accounts don't move under payments (rule 9).
func TestReloadKeepsPayments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		for _, order := range []string{"o1", "o2"} {
			w.pay(order)
		}
		other := []string{`uid: "1"`, `uid: "2"`}
		drop := []string{lineOne, "", "[one, two]", "[two]"}
		w.keepsConfig("paymux.yaml:7:31: providers.one.config: names account 2, but 2 payment(s) at account 1 haven't ended; add the new account as another provider", other...)
		w.keepsConfig("one is dropped, but 2 payment(s) of it haven't ended; keep it, with accepting: false", drop...)

		// The way out that the errors name.
		if err := w.reload(lineOne, strings.Replace(lineOne, "config", "accepting: false, config", 1)); err != nil {
			t.Fatal(err)
		}
		if c := w.pay("o3"); c.Payment.Provider != "two" {
			t.Errorf("it takes new payments: %+v", c.Payment)
		}
		w.one.says(sdk.StatusSucceeded)
		time.Sleep(time.Hour)
		synctest.Wait()
		if err := w.reload(drop...); err != nil {
			t.Errorf("its payments have ended, but: %v", err)
		}
		if _, err := w.notify("one", "signed o1"); codeOf(err) != sdk.CodeNotFound {
			t.Errorf("it is still there: %v", err)
		}
	})
}

// An open refund keeps its provider too.
func TestReloadKeepsRefunds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, refunds, paid := newRefundWorld(t)
		defer w.close()
		refunds.sends(sdk.RefundPending, nil)
		w.refund(paid.ID, "r1", "10.00")
		w.keepsConfig("names account 2, but 1 refund(s) at account 1 haven't ended", `uid: "1"`, `uid: "2"`)
	})
}

// A config that isn't right changes nothing, and says where.
func TestReloadRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.keepsConfig("paymux.yaml:7:37: providers.one.config.uid: must be a string", `uid: "1"`, `uid: 1`)
		w.keepsConfig("providers.one.config.key: unknown key", `uid: "1"`, `uid: "1", key: x`)
		w.keepsConfig("store: can't be changed while paymux runs", "sqlite:paymux.db", "sqlite:other.db")
		w.keepsConfig("admin_listen: can't be changed while paymux runs", `admin_listen: ""`, `admin_listen: "127.0.0.1:1"`)
		w.keepsConfig("listen: can't be changed while paymux runs", `admin_listen: ""`, "admin_listen: \"\"\nlisten: \"127.0.0.1:1\"")
		w.keepsConfig("the binary says that it is plugin fake", "one: {plugin: fake", "one: {plugin: other")
		w.setDown("three", true)
		w.keepsConfig("provider three doesn't get ready, nothing was changed", lineTwo, lineTwo+"\n  three: {plugin: fake, config: {uid: \"2\"}}")
		w.setDown("one", true) // nothing changes about it: it is no worse than before
		if err := w.reload("return_hosts: [shop.example.com]", "return_hosts: [other.example.com]"); err != nil {
			t.Error(err)
		}
		w.setDown("one", false)
		if _, err := w.Create(t.Context(), "shop-a", request("o1")); sdk.AsError(err).Field != "return_url" {
			t.Errorf("the new return_hosts aren't in force: %v", err)
		}
	})
}

// What is under way when its provider is configured anew ends as it began.
func TestReloadDuringACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		answer := make(chan struct{})
		w.one.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			<-answer
			return paymentOf(r.Order, sdk.StatusPending), nil
		})
		paid := make(chan Created, 1)
		go func() { paid <- w.pay("o1") }()
		synctest.Wait()
		if err := w.reload("{uid: \"1\", secret: hush-hush}", "{uid: \"1\", secret: hush-hush-2}"); err != nil {
			t.Fatal(err)
		}
		close(answer)
		if c := <-paid; c.Payment.Status != sdk.StatusPending.String() || c.Err != nil {
			t.Errorf("%+v, %v", c.Payment, c.Err)
		}
		if n := w.one.created(); n != 1 {
			t.Errorf("created %d times", n)
		}
	})
}

// A provider whose account is another than the payment's is never asked to
// create it, whatever let it come so far.
func TestCreateStaysAtItsAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		setup := w.now()
		money, _ := sdk.ParseMoney("100.00", "HKD")
		row := w.newRow(setup, "shop-a", request("o1"), money, []string{"one"})
		row.Account = "another"
		_, err := w.callCreate(row)
		if e := sdk.AsError(err); e == nil || e.Outcome != sdk.OutcomeNotSent || !strings.Contains(e.Error(), "another account now") || w.one.created() != 0 {
			t.Errorf("created %d times: %v", w.one.created(), err)
		}
	})
}

func TestReloadOfAClosedHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.close()
		if err := w.reload(); codeOf(err) != sdk.CodeShuttingDown {
			t.Errorf("%v", err)
		}
	})
}

// What is parked at an account that the provider left before keeps no reload from
// coming: nothing is moved by it. The way back is open, too.
func TestReloadBesideAParkedAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, paid := newRefundWorld(t)
		r.sends(sdk.RefundPending, nil)
		r.tells(sdk.RefundPending, nil)
		c := w.refund(paid.ID, "r1", "10.00")
		w.reopen(strings.Replace(worldConfig, `uid: "1"`, `uid: "2"`, 1))
		defer w.close()
		open := w.pay("o2")
		if err := w.reload(`uid: "1"`, `uid: "2"`, "hush-hush", "hush-hush-2"); err != nil {
			t.Errorf("the account is the same, but: %v", err)
		}
		w.keepsConfig("names account 1, but 1 payment(s) at account 2 haven't ended")
		w.keepsConfig("one is dropped, but 1 refund(s) of it", lineOne, "", "[one, two]", "[two]")
		w.two.says(sdk.StatusSucceeded)
		r.tells(sdk.RefundSucceeded, nil)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.is(open.Payment.ID, sdk.StatusSucceeded)
		w.refundIs(c, "PENDING")
		gone := []string{lineOne, "", "[one, two]", "[two]"}
		w.reopen(strings.NewReplacer(gone...).Replace(worldConfig))
		if err := w.reload(append(gone, "hush-hush", "hush-hush-2")...); err != nil {
			t.Errorf("it was missing already, but: %v", err)
		}
		if err := w.reload(); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.refundIs(c, "SUCCEEDED")
	})
}
