package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
)

// device is a screen and the browser that goes with it.
type device struct {
	name          string
	width, height int64
	scale         float64
	mobile        bool
	agent         string
}

var (
	phone   = device{"phone", 390, 844, 2, true, phoneAgent}
	small   = device{"small", 320, 568, 2, true, phoneAgent} // also a desktop zoomed to 400 %
	desktop = device{"desktop", 1280, 860, 1, false, desktopAgent}
)

// findChromium returns the browser to test with, or skips the test.
func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CHROMIUM"), "/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if file, err := exec.LookPath(name); err == nil {
			return file
		}
	}
	t.Skip("SKIPPED, NOT PASSED: no Chromium found, so nothing was tested in a browser. To test it: apt-get install chromium (or set CHROMIUM to a browser)")
	return ""
}

// browser is one Chromium with a fresh profile.
type browser struct {
	t   *testing.T
	ctx context.Context
	dev device

	mu         sync.Mutex
	complaints []string
}

// newBrowser starts Chromium as a device.
func newBrowser(t *testing.T, dev device) *browser {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{ // no user data folder: it makes a fresh one and removes it
		chromedp.ExecPath(findChromium(t)), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	}
	limit, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	alloc, cancel := chromedp.NewExecAllocator(limit, options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, dev: dev}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	view := []chromedp.EmulateViewportOption{chromedp.EmulateScale(dev.scale)}
	if dev.mobile {
		view = append(view, chromedp.EmulatePortrait, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	b.do(chromedp.EmulateViewport(dev.width, dev.height, view...))
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: dev.agent}); err != nil {
		t.Fatal(err)
	}
	return b
}

// listen collects what the browser complains about: a blocked resource, an
// unknown header, a broken page. Answers of 4xx and 5xx are part of the tests.
func (b *browser) listen(event any) {
	e, ok := event.(*log.EventEntryAdded)
	if !ok || e.Entry.Source == log.EntrySourceNetwork {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, e.Entry.Text)
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
}

// wait waits until an element shows.
func (b *browser) wait(selector string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(selector)))
}

// click clicks an element and waits for what the next page shows. A page that
// refreshes itself may swallow a click; then it is made again.
func (b *browser) click(selector, until string) {
	b.t.Helper()
	var err error
	for range 4 {
		if err = b.tryClick(selector, until); err == nil || b.ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		b.t.Fatalf("clicked %s, waited for %s: %v", selector, until, err)
	}
}

func (b *browser) tryClick(selector, until string) error {
	ctx, cancel := context.WithTimeout(b.ctx, 15*time.Second)
	defer cancel()
	there := fmt.Sprintf("!!document.querySelector(%q)", selector)
	if still, err := chromedp.Run(ctx, chromedp.Evaluate[bool](there)); err == nil && still {
		if err := chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)); err != nil {
			return err
		}
	}
	return chromedp.Do(ctx, chromedp.WaitVisible(chromedp.CSS(until)))
}

// ask runs an action that has a result.
func ask[T any](b *browser, a chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	return ask(b, chromedp.Text(chromedp.CSS(selector)))
}

// shoot checks that the page fits the screen, and all in it its card, and, if $SHOP_SCREENSHOTS names a
// folder, keeps a picture of it there.
func (b *browser) shoot(name string) {
	b.t.Helper()
	if width := ask(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); width > b.dev.width {
		b.t.Errorf("%s: the page is %d px wide on a screen of %d", name, width, b.dev.width)
	}
	if ask(b, chromedp.Evaluate[bool](`[...document.querySelectorAll(".card")].some(c => c.scrollWidth > c.clientWidth)`)) {
		b.t.Errorf("%s: something is wider than its card", name)
	}
	b.mu.Lock()
	for _, c := range b.complaints {
		b.t.Errorf("%s: the browser complains: %s", name, c)
	}
	b.complaints = nil
	b.mu.Unlock()
	folder := os.Getenv("SHOP_SCREENSHOTS")
	if folder == "" {
		return
	}
	png := ask(b, chromedp.FullScreenshot(100))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+"-"+b.dev.name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// On a phone: into AlipayHK, back without paying, to Alipay's QR code, and into
// the Alipay app to pay.
func TestBrowserPhone(t *testing.T) {
	b := newBrowser(t, phone)
	s := newTestShop(t, "")
	b.open(s.srv.URL)
	b.shoot("products")
	b.click("#buy-puerh", "#pay-alipay_hk")
	b.shoot("checkout")
	b.click("#pay-alipay_hk", "#confirm")
	b.click("#leave", "main[data-state=pending]")
	b.shoot("pending")
	b.click("#continue-payment", "#confirm")
	b.click("#leave", "main[data-state=pending]")
	b.click("#back-to-order", "main[data-page=checkout] .attempt")
	b.shoot("checkout-again")
	b.click("#switch-flow", "#pay-alipay_cn")
	b.click("#pay-alipay_cn", "#qr-code")
	b.shoot("qr")
	b.click("#pay-other-flow", "#confirm")
	b.click("#confirm", "main[data-state=paid]")
	b.shoot("paid")
	if got := b.text("#receipt-wallet"); got != "Alipay" {
		t.Errorf("the receipt says %q", got)
	}
	if got := b.text("#receipt-amount"); got != "HKD 168.00" {
		t.Errorf("the receipt says %q", got)
	}
	var flows []string
	for _, c := range s.api.sent() {
		flows = append(flows, c.Flow)
	}
	if want := []string{flowMobile, flowQR, flowMobile}; !slices.Equal(flows, want) {
		t.Errorf("paid by %v, want %v", flows, want)
	}
}

// On a desktop: the QR page turns into the receipt by itself once the phone
// has paid.
func TestBrowserDesktop(t *testing.T) {
	b := newBrowser(t, desktop)
	s := newTestShop(t, "")
	b.open(s.srv.URL)
	b.shoot("products")
	b.click("#buy-tieguanyin", "#pay-alipay_hk")
	b.shoot("checkout")
	b.click("#pay-alipay_hk", "#qr-code")
	b.shoot("qr")
	b.click("#choose-wallet", "#pay-alipay_cn")
	b.shoot("checkout-again")
	b.click("#pay-alipay_cn", "#qr-code")
	s.api.update(s.lastAttempt(), succeed)
	b.wait("main[data-state=paid]")
	b.shoot("paid")
	if sent := s.api.sent(); len(sent) != 2 || sent[0].Flow != flowQR || sent[1].Flow != flowQR {
		t.Errorf("sent %+v", sent)
	}
}

// Every other page, on each screen.
func TestBrowserPages(t *testing.T) {
	scenes := []struct {
		name, until string
		reply       func(*fakeAPI, http.ResponseWriter, CreateRequest)
	}{
		{"failed", "main[data-state=failed]", func(f *fakeAPI, w http.ResponseWriter, req CreateRequest) {
			f.store(req, "FAILED")
			sayProblem(w, http.StatusPaymentRequired, "DECLINED", nil)
		}},
		{"cancelled", "main[data-state=cancelled]", func(f *fakeAPI, w http.ResponseWriter, req CreateRequest) {
			p, _ := f.store(req, "CANCELLED")
			sayJSON(w, http.StatusCreated, p)
		}},
		{"checking", "main[data-state=checking]", func(f *fakeAPI, w http.ResponseWriter, req CreateRequest) {
			p, _ := f.store(req, "UNKNOWN")
			sayJSON(w, http.StatusAccepted, p)
		}},
		{"checking-lost", "#retry-payment", func(_ *fakeAPI, w http.ResponseWriter, _ CreateRequest) { drop(w) }},
		{"unavailable", "main[data-state=unavailable]", func(f *fakeAPI, w http.ResponseWriter, req CreateRequest) {
			f.store(req, "CREATED")
			sayProblem(w, http.StatusServiceUnavailable, "NOT_SENT", http.Header{"Retry-After": {"30"}})
		}},
	}
	for _, dev := range []device{phone, small, desktop} {
		t.Run(dev.name, func(t *testing.T) {
			b := newBrowser(t, dev)
			s := newTestShop(t, "")
			s.agent = dev.agent
			for _, scene := range scenes {
				s.api.next(func(w http.ResponseWriter, req CreateRequest) { scene.reply(s.api, w, req) })
				b.open(s.srv.URL + s.order())
				b.click("#pay-alipay_hk", scene.until)
				b.shoot(scene.name)
			}
			order := s.order()
			s.payWith(order, "alipay_hk")
			b.open(s.srv.URL + order + "/return")
			b.shoot("pending-return")
			s.payWith(order, "alipay_cn")
			b.open(s.srv.URL + order)
			b.shoot("checkout-again")
			for _, p := range s.api.stored() {
				if strings.HasSuffix(order, p.OrderGroup) {
					s.api.update(p.MerchantOrderID, succeed)
				}
			}
			b.open(s.srv.URL + order + "/return")
			b.shoot("duplicate")
			b.open(s.srv.URL + order + "?flow=smoke")
			b.shoot("bad-request")
			b.open(s.srv.URL + "/nowhere")
			b.shoot("not-found")
		})
	}
}
