package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/httpapi"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// journey is the real thing behind the shop: paymux with the alipayhk plugin as
// its own process, and a sandbox acquirer with its wallet pages.
type journey struct {
	*testShop
	acquirer *cbtistest.Server
	host     *host.Host
}

const journeyConfig = `
public_url: %s
admin_listen: ""
plugins: {dir: plugins}
api_keys: [{merchant: shop, key: %s}]
providers:
  cbtis:
    plugin: alipayhk
    config: {base_url: "%s", uid: "%s", client_secret: "%s", webhook_keys: ["%s"]}
routes: [{providers: [cbtis]}]
`

func newJourney(t *testing.T) *journey {
	t.Helper()
	j := &journey{acquirer: cbtistest.Start(t, cbtistest.Options{})}
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "plugins", "paymux-provider-alipayhk"),
		"github.com/paymux/paymux/providers/alipayhk/cmd/paymux-provider-alipayhk")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var handler atomic.Pointer[http.Handler]
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*handler.Load()).ServeHTTP(w, r) }))
	t.Cleanup(api.Close)
	text := fmt.Sprintf(journeyConfig, api.URL, testKey, j.acquirer.URL, cbtistest.DefaultUID, cbtistest.DefaultClientSecret, cbtistest.DefaultWebhookKey)
	cfg, err := config.Parse("paymux.yaml", []byte(text), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j.host, err = host.Open(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.host.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	h := httpapi.New(j.host, httpapi.Options{Keys: cfg.APIKeys})
	handler.Store(&h)
	j.testShop = newTestShopAt(t, api.URL)
	return j
}

// statuses returns how each attempt ended, the newest first.
func (j *journey) statuses() []string {
	j.t.Helper()
	all, _, err := j.host.List(j.t.Context(), "shop", host.Filter{})
	if err != nil {
		j.t.Fatal(err)
	}
	var statuses []string
	for _, p := range all {
		statuses = append(statuses, string(p.Method)+" "+p.Status)
	}
	return statuses
}

// settled waits until the attempts have ended as wanted, the newest first.
func (j *journey) settled(want ...string) {
	j.t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for fmt.Sprint(j.statuses()) != fmt.Sprint(want) {
		select {
		case <-tick.C:
		case <-deadline.C:
			j.t.Fatalf("attempts are %v, want %v", j.statuses(), want)
		}
	}
}

// Each wallet, from the shop to the receipt.
func TestJourneyPay(t *testing.T) {
	for _, method := range []string{"alipay_hk", "alipay_cn"} {
		t.Run(method, func(t *testing.T) {
			b := newBrowser(t, phone)
			j := newJourney(t)
			b.open(j.srv.URL)
			b.click("#buy-puerh", "#pay-"+method)
			b.click("#pay-"+method, "#pay")
			b.shoot("wallet-" + method)
			b.click("#pay", "main[data-state=paid]")
			b.shoot("paid-" + method)
			if got := b.text("#receipt-amount"); got != "HKD 168.00" {
				t.Errorf("the receipt says %q", got)
			}
			j.settled(method + " SUCCEEDED")
		})
	}
}

// A payer who cancels in one wallet pays with the other; one who only comes back
// without deciding does so, too.
func TestJourneyOtherWallet(t *testing.T) {
	b := newBrowser(t, phone)
	j := newJourney(t)
	b.open(j.srv.URL)
	b.click("#buy-gaiwan", "#pay-alipay_hk")
	b.click("#pay-alipay_hk", "#cancel")
	b.click("#cancel", "main[data-state=cancelled]")
	b.shoot("cancelled")
	b.click("#choose-wallet", "#pay-alipay_cn")
	b.click("#pay-alipay_cn", "#pay")
	j.settled("alipay_cn PENDING", "alipay_hk CANCELLED")
	b.open(j.srv.URL + j.orderPath())
	b.click("#pay-alipay_hk", "#pay")
	b.click("#pay", "main[data-state=paid]")
	j.settled("alipay_hk SUCCEEDED", "alipay_cn PENDING", "alipay_hk CANCELLED")
}

// The return page asks the host: its own address proves nothing.
func TestJourneyReturnWithoutPaying(t *testing.T) {
	b := newBrowser(t, phone)
	j := newJourney(t)
	b.open(j.srv.URL)
	b.click("#buy-puerh", "#pay-alipay_hk")
	b.shoot("checkout")
	b.click("#pay-alipay_hk", "#pay")
	b.open(j.srv.URL + j.orderPath() + "/return")
	b.wait("main[data-state=pending]")
	b.shoot("not-paid")
	j.settled("alipay_hk PENDING")
}

// On a desktop the QR code is scanned by another device.
func TestJourneyDesktop(t *testing.T) {
	b := newBrowser(t, desktop)
	j := newJourney(t)
	b.open(j.srv.URL)
	b.shoot("shop")
	b.click("#buy-tieguanyin", "#pay-alipay_hk")
	b.click("#pay-alipay_hk", "#qr-code")
	b.shoot("scan")
	for _, o := range j.acquirer.Orders() {
		if _, err := j.acquirer.Pay(o.ID); err != nil {
			t.Fatal(err)
		}
	}
	b.wait("main[data-state=paid]")
	j.settled("alipay_hk SUCCEEDED")
}

// orderPath is the page of the one order that there is.
func (j *journey) orderPath() string {
	j.t.Helper()
	all, _, err := j.host.List(j.t.Context(), "shop", host.Filter{Limit: 1})
	if err != nil || len(all) != 1 {
		j.t.Fatalf("%v, %v", all, err)
	}
	return "/orders/" + all[0].OrderGroup
}
