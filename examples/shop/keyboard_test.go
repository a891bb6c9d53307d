package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// focused describes what has the focus: its id, else its class; and the contrast
// of its outline to the page and to a card, 0 if there is none or it is thin.
const focused = `(() => {
	const e = document.activeElement
	if (!e || e === document.body) return ""
	const style = getComputedStyle(e), part = v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 }
	const light = c => { const [r, g, b] = c.match(/[\d.]+/g).map(Number); return .2126 * part(r) + .7152 * part(g) + .0722 * part(b) }
	const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) }
	const box = e.getBoundingClientRect()
	let worst = 0
	if (style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2 && box.width > 1 && box.height > 1 && box.right > 0 && box.left < innerWidth)
		worst = Math.min(contrast(style.outlineColor, getComputedStyle(document.body).backgroundColor), contrast(style.outlineColor, "rgb(255, 255, 255)"))
	return (e.id || e.className || e.getAttribute("href")) + " " + worst.toFixed(2)
})()`

// headings lists the levels of a page's headings, in order.
const headings = `[...document.querySelectorAll("h1,h2,h3,h4,h5,h6")].map(h => h.tagName[1]).join("")`

// tabs presses Tab until the focus leaves the page, and checks that it shows.
func (b *browser) tabs(page string) []string {
	b.t.Helper()
	var order []string
	for range 30 {
		b.do(chromedp.KeyEvent("\t"))
		name, contrast, ok := strings.Cut(ask(b, chromedp.Evaluate[string](focused)), " ")
		if !ok || slices.Contains(order, name) {
			break
		}
		order = append(order, name)
		if c, err := strconv.ParseFloat(contrast, 64); err != nil || c < 3 {
			b.t.Errorf("%s: the focus on %s doesn't show (contrast %s)", page, name, contrast)
		}
	}
	if got := ask(b, chromedp.Evaluate[string](headings)); strings.Trim(got, "2") != "1" || got[0] != '1' {
		b.t.Errorf("%s: headings of levels %s", page, got)
	}
	return order
}

// TestBrowserKeyboard: everything can be reached by Tab in the order in which it
// reads, and one sees where one is.
func TestBrowserKeyboard(t *testing.T) {
	b := newBrowser(t, desktop)
	s := newTestShop(t, "")
	s.agent = desktopAgent
	order := s.order()
	want := func(page, target string, names ...string) {
		t.Helper()
		b.open(s.srv.URL + target)
		names = append(append([]string{"skip", "brand"}, names...), "mailto:orders@harbourtea.example")
		if got := b.tabs(page); !slices.Equal(got, names) {
			t.Errorf("%s: Tab goes to %q, want %q", page, got, names)
		}
	}
	want("checkout", order, "pay-alipay_hk", "pay-alipay_cn", "switch-flow")
	// A page that reloads would take the focus away: the reader has ended that.
	want("QR code", s.payWith(order, "alipay_hk").location+noReload, "pay-other-flow", "choose-wallet", "check-now")
	want("pending", order+"/return"+noReload, "continue-payment", "pay-alipay_cn", "pay-other-flow", "check-now", "back-to-order")
	s.api.update(s.lastAttempt(), succeed)
	want("receipt", order+"/return", "keep-shopping")
}
