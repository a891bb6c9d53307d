package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymux/paymux/examples/internal/acquirers"
	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/httpapi"
)

// fourAcquirers is the shop in front of paymux, whose config leads to one
// acquirer after the other. The shop doesn't know.
type fourAcquirers struct {
	*testShop
	acquirers.Set
	host *host.Host
	dir  string
	api  string
}

func newFourAcquirers(t *testing.T) *fourAcquirers {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED, NOT PASSED: it builds the plugins; run it without -short")
	}
	f := &fourAcquirers{dir: t.TempDir()}
	if err := acquirers.BuildPlugins(filepath.Join(f.dir, "plugins")); err != nil {
		t.Fatal(err)
	}
	var err error
	if f.Set, err = acquirers.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Set.Close)
	if err := f.WriteSecrets(f.dir); err != nil {
		t.Fatal(err)
	}
	var handler atomic.Pointer[http.Handler]
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	t.Cleanup(api.Close)
	f.api = api.URL
	f.NotifyAt(api.URL)
	cfg := f.config(t, "cbtis")
	if f.host, err = host.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.host.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	h := httpapi.New(f.host, httpapi.Options{Keys: cfg.APIKeys})
	handler.Store(&h)
	f.testShop = newTestShopAt(t, api.URL)
	return f
}

// config leads every payment to one provider.
func (f *fourAcquirers) config(t *testing.T, provider string) *config.Config {
	t.Helper()
	text := fmt.Sprintf("public_url: %s\nadmin_listen: \"\"\nplugins: {dir: %q}\napi_keys: [{merchant: shop, key: %s}]\nproviders:\n",
		f.api, filepath.Join(f.dir, "plugins"), testKey)
	for _, a := range f.Set {
		text += a.Config(true)
	}
	cfg, err := config.Parse("paymux.yaml", []byte(text+"routes: [{providers: ["+provider+"]}]\n"), f.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// The same shop takes payments through each acquirer, on a phone and on a desktop,
// and changes acquirer by a line of paymux's config.
func TestFourAcquirers(t *testing.T) {
	f := newFourAcquirers(t)
	for _, at := range []struct{ provider, method string }{
		{"cbtis", "alipay_hk"}, {"cbtis", "alipay_cn"}, {"airwallex", "alipay_hk"},
		{"antom", "alipay_hk"}, {"antom", "alipay_cn"}, {"stripe", "alipay_cn"},
	} {
		if err := f.host.Reload(t.Context(), f.config(t, at.provider)); err != nil {
			t.Fatal(err)
		}
		for device, agent := range map[string]string{"phone": phoneAgent, "desktop": desktopAgent} {
			t.Run(at.provider+"/"+at.method+"/"+device, func(t *testing.T) {
				f.testShop.t, f.agent = t, agent
				f.buy(at.provider, at.method)
			})
			f.testShop.t = t
		}
	}
}

// buy goes from the product to the receipt.
func (f *fourAcquirers) buy(provider, method string) {
	f.t.Helper()
	a := f.Get(provider)
	before := len(a.Orders())
	order := f.order()
	sent := f.payWith(order, method)
	all := a.Orders()
	if len(all) != before+1 || all[before].Paid {
		f.t.Fatalf("%s has %d new orders; the shop: HTTP %d to %s\n%s", provider, len(all)-before, sent.status, sent.location, f.log)
	}
	wallet := a.URL + "/wallet/" + all[before].ID
	if page := f.land(sent); !strings.HasPrefix(page.location, a.URL) { // nowhere to go: there is a code to scan
		if !page.has("qr-code") {
			f.t.Fatalf("HTTP %d to %q, state %q", page.status, page.location, page.state())
		}
	} else if page.location != wallet {
		f.t.Errorf("sent to %s, not to %s", page.location, wallet)
	}
	back := f.do(http.MethodPost, wallet+"/pay", url.Values{}, nil)
	if back.status != http.StatusSeeOther || !strings.HasPrefix(back.location, f.srv.URL+order) {
		f.t.Fatalf("the wallet: HTTP %d to %q", back.status, back.location)
	}
	f.paid(back.location)
	if orders := a.Orders(); len(orders) != before+1 || !orders[before].Paid {
		f.t.Errorf("%s has %+v", provider, orders[before:])
	}
}

// paid reloads the return page as it does itself, until it says paid.
func (f *fourAcquirers) paid(target string) {
	f.t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		a := f.get(target)
		if a.state() == string(statePaid) {
			if !strings.Contains(a.body, "88.50") {
				f.t.Error("the receipt doesn't say HKD 88.50")
			}
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			f.t.Fatalf("the page says %q\n%s", a.state(), f.log)
		}
	}
}
