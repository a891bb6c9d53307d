package main

import (
	"net/http"
	"path"
	"strings"
	"testing"
	"time"
)

func TestReturnWithoutPaying(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	for _, query := range []string{"", "?status=SUCCEEDED", "?paid=true&trade_status=TRADE_SUCCESS"} {
		page := s.get(order + "/return" + query)
		s.want(page, http.StatusOK, statePending)
		if !page.has("pay-alipay_hk") || page.has("receipt") {
			t.Errorf("%s: no way to pay, or a receipt", query)
		}
	}
}

func TestReturnWhilePending(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	link := s.payWith(order, "alipay_hk").location
	page := s.get(order + "/return?status=SUCCEEDED")
	s.want(page, http.StatusOK, statePending)
	if !strings.Contains(page.body, "We have not received your payment yet") || !strings.Contains(page.body, `http-equiv="refresh"`) {
		t.Error("does not wait")
	}
	if !page.has("continue-payment") || !strings.Contains(page.body, strings.SplitN(link, "?", 2)[0]) {
		t.Error("no way on in the same wallet")
	}
	if !page.has("pay-alipay_cn") || page.has("pay-alipay_hk") || !page.has("pay-other-flow") {
		t.Error("not the right other ways to pay")
	}
	if !s.api.asked(`^POST /v1/payments/pay_\w+/refresh`) {
		t.Error("the host was not told to ask the acquirer")
	}
}

// TestPageEndsReloading: a reload takes a keyboard's place away, so a reader can
// end it, and it ends by itself.
func TestPageEndsReloading(t *testing.T) {
	for screen, agent := range map[string]string{"return": phoneAgent, "QR code": desktopAgent} {
		for name, old := range map[string]bool{"told to": false, "after ten minutes": true} {
			t.Run(screen+"/"+name, func(t *testing.T) {
				s := newTestShop(t, "")
				s.agent = agent
				target := s.order() + "/return"
				if to := s.payWith(path.Dir(target), "alipay_hk").location; agent == desktopAgent {
					target = to
				}
				page := s.get(target)
				if !strings.Contains(page.body, `http-equiv="refresh" content="3"`) || !page.has("check-now") || !page.has("stop-reload") {
					t.Fatalf("not a page that can be stopped:\n%s", page.body)
				}
				if old {
					s.shop.now = func() time.Time { return time.Now().Add(11 * time.Minute) }
				} else {
					target += noReload
				}
				page = s.get(target)
				s.want(page, http.StatusOK, statePending)
				if strings.Contains(page.body, `http-equiv="refresh"`) || page.has("stop-reload") || strings.Contains(page.body, "page checks again") {
					t.Error("still reloads, or says so")
				}
				if !page.has("check-now") || !strings.Contains(page.body, `href="`+target+`">Check now`) || !strings.Contains(page.body, "if you have paid, we will know") {
					t.Errorf("no way to check %s now", target)
				}
			})
		}
	}
}

func TestExpiredLinkIsNotOffered(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	s.payWith(order, "alipay_hk")
	past := time.Now().Add(-time.Minute)
	s.api.update(s.lastAttempt(), func(p *Payment) { p.NextAction.ExpiresAt = &past })
	page := s.get(order + "/return")
	s.want(page, http.StatusOK, statePending)
	if page.has("continue-payment") || !page.has("pay-alipay_hk") || !page.has("pay-alipay_cn") {
		t.Error("want both wallets and no stale link")
	}
}

// TestPendingWithoutItsLink: the answer that had the wallet's link was lost, so
// the shopper never was in the wallet, and isn't told that they left it.
func TestPendingWithoutItsLink(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	s.payWith(order, "alipay_hk")
	s.api.update(s.lastAttempt(), func(p *Payment) { p.NextAction = nil })
	page := s.get(order + "/return")
	s.want(page, http.StatusOK, statePending)
	if !strings.Contains(page.body, "We could not take you to AlipayHK") || !page.has("pay-alipay_hk") || !page.has("pay-alipay_cn") {
		t.Error("want both wallets, and the reason")
	}
}

func TestPendingQRLeadsBackToItsCode(t *testing.T) {
	s := newTestShop(t, "")
	s.agent = desktopAgent
	order := s.order()
	qrPage := s.payWith(order, "alipay_hk").location
	page := s.get(order + "/return")
	s.want(page, http.StatusOK, statePending)
	if !strings.Contains(page.body, `href="`+qrPage+`"`) {
		t.Errorf("no link to %s", qrPage)
	}
}

func TestReceipt(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	s.payWith(order, "alipay_hk")
	at := time.Date(2025, 3, 1, 4, 5, 0, 0, time.UTC)
	s.api.update(s.lastAttempt(), func(p *Payment) { p.Status, p.PaidAt, p.Amount = "SUCCEEDED", &at, "88.5" })
	page := s.get(order + "/return")
	s.want(page, http.StatusOK, statePaid)
	for _, want := range []string{orderID(order), "HKD 88.50", "AlipayHK", s.api.stored()[0].ID, "1 Mar 2025, 12:05 HKT"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the receipt lacks %q", want)
		}
	}
	if strings.Contains(page.body, `http-equiv="refresh"`) || page.has("duplicate-notice") {
		t.Error("a paid page that waits, or speaks of a second payment")
	}
}

func TestTwoPayments(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	s.payWith(order, "alipay_hk")
	s.payWith(order, "alipay_cn")
	for _, p := range s.api.stored() {
		s.api.update(p.MerchantOrderID, succeed)
	}
	page := s.get(order + "/return")
	s.want(page, http.StatusOK, statePaid)
	if !page.has("duplicate-notice") || !strings.Contains(page.body, "We received more than one payment") {
		t.Error("does not own up to two payments")
	}
	if strings.Contains(page.body, "We will") {
		t.Error("promises what nobody does")
	}
	first, second := s.api.stored()[0].ID, s.api.stored()[1].ID
	if !strings.Contains(page.body, `<code id="receipt-payment">`+first) || !strings.Contains(page.body, "<code>"+second) {
		t.Error("the receipt is not for the first payment, or the notice not about the second")
	}
	if !strings.Contains(s.log.String(), second) {
		t.Error("the log doesn't name the second payment")
	}
}

func TestStatesOnTheReturnPage(t *testing.T) {
	cases := map[string]struct {
		change func(*Payment)
		want   state
		both   bool
	}{
		"cancelled":                  {setStatus("CANCELLED"), stateCancelled, true},
		"expired":                    {setStatus("EXPIRED"), stateCancelled, true},
		"failed":                     {setStatus("FAILED"), stateFailed, true},
		"unknown":                    {setStatus("UNKNOWN"), stateChecking, false},
		"authorized":                 {setStatus("AUTHORIZED"), stateChecking, false},
		"created":                    {func(p *Payment) { p.Status, p.NextAction = "CREATED", nil }, stateChecking, false},
		"paid another amount":        {func(p *Payment) { succeed(p); p.Amount = "1.00" }, stateChecking, false},
		"paid in another currency":   {func(p *Payment) { succeed(p); p.Currency = "USD" }, stateChecking, false},
		"paid, of another order":     {func(p *Payment) { succeed(p); p.OrderGroup = "else" }, stateChecking, false},
		"paid, no status we know of": {setStatus("succeeded"), stateChecking, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newTestShop(t, "")
			order := s.order()
			s.payWith(order, "alipay_hk")
			s.api.update(s.lastAttempt(), c.change)
			page := s.get(order + "/return")
			s.want(page, http.StatusOK, c.want)
			if got := page.has("pay-alipay_hk") && page.has("pay-alipay_cn"); got != c.both {
				t.Errorf("both wallets offered: %v", got)
			}
			if page.has("receipt") {
				t.Error("a receipt")
			}
		})
	}
}

func TestLatestAttemptLeads(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	s.payWith(order, "alipay_hk")
	first := s.lastAttempt()
	s.payWith(order, "alipay_cn")
	s.api.update(s.lastAttempt(), setStatus("CANCELLED"))
	s.want(s.get(order+"/return"), http.StatusOK, stateCancelled)
	s.api.update(first, succeed)
	s.want(s.get(order+"/return"), http.StatusOK, statePaid)
}

func TestHostOutOfReach(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	s.payWith(order, "alipay_hk")
	attempt := order + "/attempts/" + s.lastAttempt()
	s.api.update(s.lastAttempt(), succeed)
	s.api.setDown(true)
	for _, target := range []string{order + "/return", attempt} {
		page := s.get(target)
		s.want(page, http.StatusOK, stateChecking)
		if page.has("pay-alipay_hk") || page.has("retry-payment") {
			t.Errorf("%s offers to pay again", target)
		}
	}
	s.api.setDown(false)
	if a := s.get(attempt); a.location != order+"/return" {
		t.Errorf("a paid attempt led to %q", a.location)
	}
}

func TestUnknownAttemptAndOrder(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	for _, target := range []string{"/orders/nope", "/orders/nope/return", "/orders/" + newID(), order + "/attempts/" + newID(), order + "/attempts/x", "/nope"} {
		if a := s.get(target); a.status != http.StatusNotFound || !strings.Contains(a.body, "could not find that page") {
			t.Errorf("%s: HTTP %d", target, a.status)
		}
	}
}

func TestRefreshEvery(t *testing.T) {
	for age, want := range map[time.Duration]int{0: 3, 30 * time.Second: 5, 2 * time.Minute: 10, 9 * time.Minute: 30, 10 * time.Minute: 0, 30 * 24 * time.Hour: 0} {
		if got := refreshEvery(age); got != want {
			t.Errorf("%v: %d, want %d", age, got, want)
		}
	}
}
