package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestProductsPage(t *testing.T) {
	s := newTestShop(t, "")
	page := s.get("/")
	for _, p := range catalog {
		if !strings.Contains(page.body, p.Name) || !page.has("buy-"+p.SKU) {
			t.Errorf("no %s", p.Name)
		}
	}
}

func TestBadOrders(t *testing.T) {
	s := newTestShop(t, "")
	for _, c := range []struct{ product, quantity string }{
		{"gaiwan", "0"}, {"gaiwan", "-1"}, {"gaiwan", "10"}, {"gaiwan", "1.5"}, {"gaiwan", ""}, {"gaiwan", "9999999999999999999"}, {"<script>", "1"}, {"", "1"},
	} {
		a := s.do(http.MethodPost, "/orders", url.Values{"product": {c.product}, "quantity": {c.quantity}}, nil)
		if a.status != http.StatusBadRequest || strings.Contains(a.body, "<script>") {
			t.Errorf("%+v: HTTP %d", c, a.status)
		}
	}
	if a := s.do(http.MethodPost, "/orders", url.Values{"product": {strings.Repeat("x", 2*maxForm)}}, nil); a.status != http.StatusBadRequest {
		t.Errorf("a huge form: HTTP %d", a.status)
	}
}

func TestPriceIsTheServers(t *testing.T) {
	s := newTestShop(t, "")
	a := s.do(http.MethodPost, "/orders", url.Values{"product": {"gaiwan"}, "quantity": {"3"}, "amount": {"0.01"}}, nil)
	if page := s.get(a.location); !strings.Contains(page.body, "HKD 265.50") {
		t.Error("three gaiwans are not HKD 265.50")
	}
}

func TestCrossSitePostsAreRefused(t *testing.T) {
	s := newTestShop(t, "")
	page := s.get(s.order())
	action, fields := formOf(t, page.body, "pay-alipay_hk")
	for name, header := range map[string]http.Header{
		"fetch site": {"Sec-Fetch-Site": {"cross-site"}},
		"origin":     {"Origin": {"https://evil.example"}},
	} {
		if a := s.do(http.MethodPost, action, fields, header); a.status != http.StatusForbidden {
			t.Errorf("%s: HTTP %d", name, a.status)
		}
	}
	if len(s.api.sent()) != 0 {
		t.Error("an attempt was sent")
	}
	if a := s.do(http.MethodPost, action, fields, http.Header{"Origin": {s.srv.URL}}); a.status != http.StatusSeeOther {
		t.Errorf("our own origin: HTTP %d", a.status)
	}
}

func TestHeaders(t *testing.T) {
	s := newTestShop(t, "")
	for _, target := range []string{"/", s.order(), "/nope"} {
		h := s.get(target).header
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
			t.Errorf("%s: policy %q", target, policy)
		}
		if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || len(h["Set-Cookie"]) > 0 {
			t.Errorf("%s: headers %v", target, h)
		}
	}
	css := s.get("/style.css")
	if css.header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(css.header.Get("Cache-Control"), "immutable") {
		t.Errorf("style sheet: headers %v", css.header)
	}
}

func TestPagesHaveNoScriptNorStyle(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	s.payWith(order, "alipay_hk")
	for _, target := range []string{"/", order, order + "/return", order + "/attempts/" + s.lastAttempt()} {
		body := s.get(target).body
		for _, bad := range []string{"<script", "style=", "<style", "onclick", "https://", "javascript:"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s contains %q", target, bad)
			}
		}
	}
}

func TestReloadedPayAddress(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	if a := s.get(order + "/pay"); a.location != order {
		t.Errorf("led to %q", a.location)
	}
}

func TestFlowChoice(t *testing.T) {
	s := newTestShop(t, "")
	order := s.order()
	flow := func(target string, header http.Header) string {
		_, fields := formOf(t, s.do(http.MethodGet, target, nil, header).body, "pay-alipay_hk")
		return fields.Get("flow")
	}
	cases := []struct {
		agent, hint, query, want string
	}{
		{phoneAgent, "", "", flowMobile},
		{desktopAgent, "", "", flowQR},
		{phoneAgent, "?0", "", flowQR},
		{desktopAgent, "?1", "", flowMobile},
		{"", "", "", flowQR},
		{phoneAgent, "", "?flow=web_qr", flowQR},
		{desktopAgent, "", "?flow=mobile_web", flowMobile},
	}
	for _, c := range cases {
		s.agent = c.agent
		header := http.Header{}
		if c.hint != "" {
			header["Sec-Ch-Ua-Mobile"] = []string{c.hint}
		}
		if got := flow(order+c.query, header); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	if a := s.get(order + "?flow=smoke"); a.status != http.StatusBadRequest {
		t.Errorf("a flow we don't know: HTTP %d", a.status)
	}
}

func TestSpell(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Second: "1 second", 30 * time.Second: "30 seconds", 2 * time.Minute: "2 minutes", 119 * time.Second: "2 minutes"} {
		if got := spell(d); got != want {
			t.Errorf("%v: %q", d, got)
		}
	}
}
