package host

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// TestCreateTakenOver: what another host has taken up meanwhile, as it held this
// one for dead, is neither sent to the next candidate nor free to be sent again.
func TestCreateTakenOver(t *testing.T) {
	for _, provider := range []string{"", "one"} {
		t.Run("candidates "+provider, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.close()
				w.one.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
					row, err := w.store.Read().PaymentByMerchantOrder(t.Context(), sqlgen.PaymentByMerchantOrderParams{Merchant: "shop-a", MerchantOrderID: r.MerchantOrderID})
					if err == nil {
						err = w.settle(row.ID, func(_ *store.Tx, p *sqlgen.Payment) ([]entry, error) { return w.takeUp(p, row.Holder) })
					}
					if err != nil {
						t.Error(err)
					}
					return sdk.Payment{}, sdk.NotSent(sdk.CodeAcquirerUnavailable, "down")
				})
				w.one.answers(func(context.Context, sdk.QueryRequest) (sdk.Payment, error) { return sdk.Payment{}, lost })
				r := request("o1")
				r.Provider = provider
				c, err := w.Create(t.Context(), "shop-a", r)
				if err != nil || c.Payment.Status != "UNKNOWN" {
					t.Errorf("%+v, %v", c, err)
				}
				if provider == "" && c.Err.Outcome != sdk.OutcomeUnknown {
					t.Errorf("the caller is told that nothing was sent: %v", c.Err)
				}
				again, err := w.Create(t.Context(), "shop-a", r)
				if err != nil || !again.Existing || w.one.created() != 1 || w.two.created() != 0 {
					t.Errorf("sent %d and %d times: %+v, %v", w.one.created(), w.two.created(), again, err)
				}
			})
		})
	}
}

// reopen starts the host anew with another config on the same store.
func (w *world) reopen(text string) {
	w.t.Helper()
	w.close()
	var err error
	if w.cfg, err = config.Parse("paymux.yaml", []byte(text), w.cfg.Dir, nil); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// TestAccountChanged: what belongs to one account is neither sent to nor asked at
// another one, though the provider has the same name.
func TestAccountChanged(t *testing.T) {
	swapped := strings.NewReplacer(`uid: "1"`, `uid: "2"`, `uid: "2"`, `uid: "1"`, "[one, two]", "[one]").Replace(worldConfig)
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, strings.Replace(worldConfig, "[one, two]", "[one]", 1))
		open := w.pay("o1")
		w.one.fails(sdk.NotSent(sdk.CodeAcquirerUnavailable, "down"))
		unsent := w.pay("o2")
		w.two.says(sdk.StatusSucceeded)
		w.reopen(swapped)
		defer w.close()
		if c := w.pay("o2"); c.Payment.ID != unsent.Payment.ID || c.Err == nil || c.Err.Code != sdk.CodePluginUnavailable {
			t.Errorf("%+v", c)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		w.is(unsent.Payment.ID, sdk.StatusCreated)
		if p := w.is(open.Payment.ID, sdk.StatusPending); p.Review == nil || p.Review.Reason != "provider_missing" {
			t.Errorf("review %+v", p.Review)
		}
		if w.two.created() != 0 || w.two.queried() != 0 {
			t.Errorf("sent %d times to another account, asked there %d times", w.two.created(), w.two.queried())
		}
	})
}

// TestParked: what a person looks at already, or what is paid, isn't flagged
// because its provider is gone.
func TestParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		looked := w.mismatched("o1")
		w.one.says(sdk.StatusSucceeded)
		paid := w.pay("o2").Payment.ID
		if _, err := w.Refresh(t.Context(), "shop-a", paid); err != nil {
			t.Error(err)
		}
		w.reopen(`
store: sqlite:paymux.db
admin_listen: ""
api_keys: [{merchant: shop-a, key: key-of-shop-a-0123}]
providers: {two: {plugin: fake, config: {uid: "2", secret: hush-hush}}}
routes: [{providers: [two]}]
`)
		defer w.close()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if p := w.is(looked, sdk.StatusPending); p.Review == nil || p.Review.Reason != "mismatch" {
			t.Errorf("review %+v", p.Review)
		}
		if p, err := w.Refresh(t.Context(), "shop-a", paid); err != nil || p.Status != "SUCCEEDED" || p.Review != nil {
			t.Errorf("%+v, %v", p, err)
		}
		if n := w.count("SELECT COUNT(*) FROM payments WHERE holder <> '' OR status = 'SUCCEEDED' AND due_at > 0"); n != 0 {
			t.Errorf("%d payments are held, or paid and due", n)
		}
	})
}

// TestHeldByAnother: while one host calls the acquirer about a payment or refund,
// no other does; it goes on once that one is dead.
func TestHeldByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, paid := newRefundWorld(t)
		defer w.close()
		w.one.creating(newAcquirer().create)
		id := w.pay("o2").Payment.ID
		r.sends(sdk.RefundPending, nil)
		c := w.refund(paid.ID, "r1", "30.00")
		w.exec("UPDATE payments SET holder = 'host_other'")
		w.exec("UPDATE refunds SET holder = 'host_other'")
		asked := w.one.queried()
		if _, err := w.Refresh(t.Context(), "shop-a", id); err != nil {
			t.Error(err)
		}
		if _, err := w.Cancel(t.Context(), "shop-a", id); codeOf(err) != sdk.CodeInProgress {
			t.Errorf("cancelled: %v", err)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if _, refunds := r.counts(); w.one.queried() != asked || refunds != 0 {
			t.Errorf("asked %d times, and %d about a refund", w.one.queried()-asked, refunds)
		}
		w.one.says(sdk.StatusSucceeded)
		held := func(want int) {
			t.Helper()
			if err := w.takeOver(t.Context()); err != nil {
				t.Error(err)
			}
			err := w.settle(id, func(_ *store.Tx, p *sqlgen.Payment) ([]entry, error) { return w.takeUp(p, "host_third") })
			if n := w.count("SELECT COUNT(*) FROM payments WHERE holder = 'host_other'"); err != nil || n != want {
				t.Errorf("%d payments are held, want %d; %v", n, want, err)
			}
		}
		w.exec("INSERT INTO hosts SELECT 'host_other', beat, commit_id, started_at FROM hosts")
		held(2)
		w.exec("DELETE FROM hosts WHERE id = 'host_other'")
		w.exec("UPDATE refunds SET due_at = 0, tries = 8") // it was being asked about, for the ninth time
		held(0)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		w.is(id, sdk.StatusSucceeded)
		w.refundIs(c, "SUCCEEDED")
	})
}

// TestForgottenHold: what this host holds without being at work on it, as after a
// commit that it was told had failed, is asked about.
func TestForgottenHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.pay("o1").Payment.ID
		w.exec("UPDATE payments SET due_at = 0, holder = '" + w.store.Host() + "'")
		w.one.says(sdk.StatusSucceeded)
		if err := w.takeOver(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		w.is(id, sdk.StatusSucceeded)
	})
}
