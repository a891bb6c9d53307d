package main

import (
	"context"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestCheckoutOffersBothWallets(t *testing.T) {
	s := newTestShop(t, "")
	page := s.get(s.order())
	if page.status != http.StatusOK || !page.has("pay-alipay_hk") || !page.has("pay-alipay_cn") {
		t.Fatalf("HTTP %d, without both wallets:\n%s", page.status, page.body)
	}
	_, hk := formOf(t, page.body, "pay-alipay_hk")
	_, cn := formOf(t, page.body, "pay-alipay_cn")
	if hk.Get("attempt") == cn.Get("attempt") {
		t.Error("both wallets share an attempt, which paymux would refuse")
	}
	if !strings.Contains(page.body, "HKD 88.50") {
		t.Error("the price is missing")
	}
}

func TestPhoneGoesToWallet(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	a := s.payWith(order, "alipay_hk")
	want := s.api.srv.URL + "/wallet/" + s.lastAttempt()
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, want) {
		t.Fatalf("HTTP %d to %q, want %q", a.status, a.location, want)
	}
	got := s.api.sent()[0]
	if got.OrderGroup != orderID(order) || got.Amount != "88.50" || got.Currency != "HKD" || got.Method != "alipay_hk" ||
		got.Flow != "mobile_web" || got.Description != "1 x Porcelain Gaiwan" || got.ReturnURL != s.srv.URL+order+"/return" {
		t.Errorf("sent %+v", got)
	}
}

func TestDesktopShowsQRCode(t *testing.T) {
	s := newTestShop(t, "")
	s.agent = desktopAgent
	order := s.order()
	page := s.land(s.payWith(order, "alipay_cn"))
	s.want(page, http.StatusOK, statePending)
	if !page.has("qr-code") || !strings.Contains(page.body, `http-equiv="refresh"`) || !strings.Contains(page.body, "Waiting for payment") {
		t.Errorf("not a page to scan:\n%s", page.body)
	}
	first := s.lastAttempt()
	a := s.press(page, "pay-other-flow")
	if s.lastAttempt() == first || s.api.sent()[1].Flow != flowMobile || !strings.Contains(a.location, "/wallet/") {
		t.Errorf("the other flow did not start a new attempt: %+v", s.api.sent())
	}
	s.api.update(first, succeed)
	if got := s.get(page.path); got.location != order+"/return" {
		t.Errorf("a paid QR page leads to %q", got.location)
	}
}

func TestQRFallsBackToURL(t *testing.T) {
	s := newTestShop(t, "")
	s.agent = desktopAgent
	page := s.land(s.payWith(s.order(), "alipay_hk"))
	want := s.api.stored()[0].NextAction.URL
	s.api.update(s.lastAttempt(), func(p *Payment) { p.NextAction.QRCode = "" })
	svg, err := qrSVG(want)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.get(page.path); !strings.Contains(got.body, string(svg)) {
		t.Error("without qr_code, the page does not draw the URL")
	}
}

func TestSameFormTwiceIsOneAttempt(t *testing.T) {
	s := newTestShop(t, "")
	page := s.get(s.order())
	first, second := s.press(page, "pay-alipay_hk"), s.press(page, "pay-alipay_hk")
	if first.location == "" || first.location != second.location {
		t.Errorf("led to %q and %q", first.location, second.location)
	}
	if n := len(s.api.stored()); n != 1 {
		t.Errorf("%d payments", n)
	}
}

func TestDoubleClickAtOnce(t *testing.T) {
	s := newTestShop(t, "")
	page := s.get(s.order())
	got := make([]answer, 8)
	var wait sync.WaitGroup
	for i := range got {
		wait.Go(func() { got[i] = s.press(page, "pay-alipay_hk") })
	}
	wait.Wait()
	for _, a := range got {
		if a.status != http.StatusSeeOther || a.location != got[0].location {
			t.Errorf("HTTP %d to %q, others to %q", a.status, a.location, got[0].location)
		}
	}
	if n := len(s.api.stored()); n != 1 {
		t.Errorf("%d payments", n)
	}
}

// A second click makes the browser give up the first request; what that one
// began goes on, and the second one joins it.
func TestDroppedRequestStillCounts(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	page := s.get(order)
	began, release := make(chan struct{}), make(chan struct{})
	s.api.next(func(w http.ResponseWriter, req CreateRequest) {
		close(began)
		<-release
		p, _ := s.api.store(req, "PENDING")
		sayJSON(w, http.StatusCreated, p)
	})
	action, fields := formOf(t, page.body, "pay-alipay_hk")
	ctx, giveUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.srv.URL+action, strings.NewReader(fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			resp.Body.Close()
		}
	}()
	<-began
	giveUp()
	<-gone
	close(release)
	if a := s.press(page, "pay-alipay_hk"); !strings.Contains(a.location, "/wallet/"+fields.Get("attempt")) {
		t.Errorf("the second click led to %q", a.location)
	}
	if n := len(s.api.stored()); n != 1 {
		t.Errorf("%d payments", n)
	}
}

func TestNoSecondChargeOncePaid(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	stale := s.get(order)
	s.press(stale, "pay-alipay_hk")
	// The host hasn't heard of the payment yet: only a refresh brings it.
	s.api.onRefresh(succeed)
	for _, id := range []string{"pay-alipay_cn", "pay-alipay_hk"} {
		if a := s.press(stale, id); a.location != order+"/return" {
			t.Errorf("%s led to %q", id, a.location)
		}
	}
	if n := len(s.api.sent()); n != 1 {
		t.Errorf("%d attempts were sent", n)
	}
	if a := s.get(order); a.location != order+"/return" {
		t.Errorf("checkout of a paid order led to %q", a.location)
	}
	s.want(s.get(order+"/return"), http.StatusOK, statePaid)
}

// Whatever may hold the shopper's money blocks a new attempt.
func TestNoSecondChargeWhileUnsure(t *testing.T) {
	cases := map[string]func(*Payment){
		"authorized":                 setStatus("AUTHORIZED"),
		"unknown after a link":       setStatus("UNKNOWN"),
		"status of a later version":  setStatus("LEVITATING"),
		"succeeded, another amount":  func(p *Payment) { succeed(p); p.Amount = "8.85" },
		"succeeded, other currency":  func(p *Payment) { succeed(p); p.Currency = "CNY" },
		"succeeded, amount unusable": func(p *Payment) { succeed(p); p.Amount = "all of it" },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			s := newTestShop(t, "")
			order := s.order()
			s.payWith(order, "alipay_hk")
			s.api.update(s.lastAttempt(), change)
			a := s.payWith(order, "alipay_cn")
			if a.location != order+"/return" || len(s.api.sent()) != 1 {
				t.Errorf("led to %q after %d attempts", a.location, len(s.api.sent()))
			}
			s.want(s.land(a), http.StatusOK, stateChecking)
		})
	}
}

func TestNoNewAttemptWithoutTheHostsWord(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	s.payWith(order, "alipay_hk")
	page := s.get(order)
	s.api.setDown(true)
	a := s.press(page, "pay-alipay_cn")
	if a.location != order+"/return" || len(s.api.sent()) != 1 {
		t.Errorf("led to %q after %d attempts", a.location, len(s.api.sent()))
	}
	s.want(s.land(a), http.StatusOK, stateChecking)
	if got := s.get(order); got.status != http.StatusOK || !got.has("pay-alipay_hk") {
		t.Error("the checkout page fails without the host")
	}
}

// Backing out of one wallet and paying with the other.
func TestOtherWalletAfterBackingOut(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	s.payWith(order, "alipay_hk")
	page := s.get(order)
	if !strings.Contains(page.body, `<li class="attempt" data-state="pending">`) {
		t.Errorf("the earlier try is not listed:\n%s", page.body)
	}
	a := s.press(page, "pay-alipay_cn")
	if !strings.Contains(a.location, "/wallet/") {
		t.Fatalf("led to %q", a.location)
	}
	sent := s.api.sent()
	if sent[0].MerchantOrderID == sent[1].MerchantOrderID || sent[0].OrderGroup != sent[1].OrderGroup {
		t.Errorf("sent %+v", sent)
	}
	s.api.update(s.lastAttempt(), succeed)
	s.want(s.get(order+"/return"), http.StatusOK, statePaid)
}

func TestRedirectsToTheWebOnly(t *testing.T) {
	for _, link := range []string{"javascript:alert(1)", "alipays://pay", "//evil.example", "data:text/html,x", ""} {
		s := newTestShop(t, "")
		s.api.next(func(w http.ResponseWriter, req CreateRequest) {
			s.api.store(req, "PENDING")
			s.api.update(req.MerchantOrderID, func(p *Payment) { p.NextAction.URL = link })
			p, _ := s.api.store(req, "PENDING")
			sayJSON(w, http.StatusCreated, p)
		})
		a := s.payWith(s.order(), "alipay_hk")
		if !strings.HasPrefix(a.location, "/orders/") {
			t.Errorf("%q: led to %q", link, a.location)
		}
		if page := s.land(a); page.has("continue-payment") || page.state() != "pending" {
			t.Errorf("%q: state %s, with a link to it", link, page.state())
		}
	}
}

func TestBadPayForms(t *testing.T) {
	s := newTestShop(t, filepath.Join(t.TempDir(), "orders"))
	order := s.order()
	page := s.get(order)
	action, good := formOf(t, page.body, "pay-alipay_hk")
	s.press(page, "pay-alipay_hk")
	_, other := formOf(t, s.get(s.order()).body, "pay-alipay_hk")
	cases := map[string]struct{ field, value string }{
		"method":             {"method", "wechat"},
		"no method":          {"method", ""},
		"flow":               {"flow", "carrier_pigeon"},
		"attempt":            {"attempt", "../../x"},
		"no attempt":         {"attempt", ""},
		"lower-case attempt": {"attempt", strings.ToLower(other.Get("attempt"))},
		"wallet swapped":     {"method", "alipay_cn"},
	}
	for name, c := range cases {
		form := url.Values{"attempt": good["attempt"], "method": good["method"], "flow": good["flow"]}
		form.Set(c.field, c.value)
		if a := s.do(http.MethodPost, action, form, nil); a.status != http.StatusBadRequest || !strings.Contains(a.body, "That did not work") {
			t.Errorf("%s: HTTP %d", name, a.status)
		}
	}
	elsewhere := strings.Replace(action, orderID(order), orderID(s.order()), 1)
	if a := s.do(http.MethodPost, elsewhere, good, nil); a.status != http.StatusBadRequest {
		t.Errorf("another order's attempt: HTTP %d", a.status)
	}
	if n := len(s.api.sent()); n != 1 {
		t.Errorf("%d attempts were sent", n)
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	s.api.onRefresh(setStatus("CANCELLED"))
	for range maxAttempts {
		s.payWith(order, "alipay_hk")
	}
	if a := s.payWith(order, "alipay_hk"); a.status != http.StatusTooManyRequests || len(s.api.sent()) != maxAttempts {
		t.Errorf("HTTP %d after %d attempts", a.status, len(s.api.sent()))
	}
}
