package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	p := payment{ID: "pay_1", ProviderOrderID: "C9", Amount: "168.00", Currency: "HKD"}
	for _, c := range []struct {
		step step
		want string
	}{
		{step{Kind: "status", Source: "merchant", Status: "CREATED"}, "CREATED    the shop asked; pay_1 is on disk before the acquirer is called"},
		{step{Kind: "status", Source: "create", Status: "PENDING"}, "PENDING    the acquirer has it as C9; next: the wallet"},
		{step{Kind: "note", Source: "notification", Detail: "notification payment_success"}, "notified   payment_success: signature checked, stored, acknowledged; now paymux asks"},
		{step{Kind: "status", Source: "query", Status: "SUCCEEDED"}, "SUCCEEDED  the acquirer, asked, names our order and HKD 168.00"},
		{step{Kind: "status", Source: "create", Status: "UNKNOWN", Detail: "timeout"}, "UNKNOWN    says create: timeout"},
	} {
		if got := words(p, c.step); got != c.want {
			t.Errorf("%+v\n got %q\nwant %q", c.step, got, c.want)
		}
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"bin/shop": "bin/shop", "http://127.0.0.1:80": "http://127.0.0.1:80", "my shop": "'my shop'", "o'clock": `'o'\''clock'`, "$HOME": "'$HOME'",
	} {
		if got := quote(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}

func TestBusyPort(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	port := busy.Addr().(*net.TCPAddr).Port
	var said bytes.Buffer
	l, err := listen("shop", port, newNarrator(&said))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if want := fmt.Sprintf("  port %d is busy: shop takes %s\n", port, l.Addr()); said.String() != want {
		t.Errorf("said %q, want %q", &said, want)
	}
}

const formPage = `<h1>Checkout</h1><form method="post" action="/pay"><input type="hidden" name="attempt" value="a1">
<select name="quantity"><option>1</option><option>2</option></select>
<button id="hk" name="method" value="alipay_hk">AlipayHK</button><button id="cn" name="method" value="alipay_cn">Alipay</button></form>`

// TestPress: a button sends its form as a browser does, and only its own value.
func TestPress(t *testing.T) {
	var sent url.Values
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, formPage) })
	mux.HandleFunc("POST /pay", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		sent = r.PostForm
		http.Redirect(w, r, "/done", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /done", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `<main data-state="paid">`) })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	s := newShopper(&settings{}, newNarrator(io.Discard))
	if err := s.get(t.Context(), srv.URL+"/"); err != nil {
		t.Fatal(err)
	}
	if err := s.press(t.Context(), "nothing"); err == nil || !strings.Contains(err.Error(), "has no button #nothing") {
		t.Errorf("a button that isn't there: %v", err)
	}
	if err := s.press(t.Context(), "cn"); err != nil {
		t.Fatal(err)
	}
	if want := "attempt=a1&method=alipay_cn&quantity=1"; sent.Encode() != want {
		t.Errorf("sent %s, want %s", sent.Encode(), want)
	}
	if s.state() != "paid" || s.at.Path != "/done" {
		t.Errorf("is at %s, state %q", s.at, s.state())
	}
	if err := s.get(t.Context(), srv.URL+"/nowhere"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a page that isn't there: %v", err)
	}
}

// TestFirstReason: when the payment fails, that is what is said, at once, and not
// that the shopper waited in vain.
func TestFirstReason(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	made := false // both handlers' requests come one after the other
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/v1/payments":
			io.WriteString(w, `{"id":"pay_1","status":"FAILED","status_reason":"DECLINED"}`)
		case made:
			io.WriteString(w, `{"data":[{"id":"pay_1"}]}`)
		default:
			made = true
			io.WriteString(w, `{"data":[]}`)
		}
	}))
	defer host.Close()
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer shop.Close()
	s := &settings{host: strings.TrimPrefix(host.URL, "http://"), shop: strings.TrimPrefix(shop.URL, "http://")}
	if err := buy(ctx, s, newNarrator(io.Discard)); err == nil || err.Error() != "payment pay_1 ended FAILED: DECLINED" {
		t.Error(err)
	}
	if ctx.Err() != nil {
		t.Error("it waited for the shopper")
	}
}

// TestObituaries: which program died, how, and its last words are part of the error.
func TestObituaries(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	c := &child{name: "shop", logPath: log, command: []string{"sh", "-c", "echo shop listening on http://here; echo no tea >&2; exit 3"}}
	if err := c.start(t.Context()); err != nil && !strings.Contains(err.Error(), "no tea") {
		t.Fatal(err)
	}
	<-c.Exited
	if got, want := obituaries([]*child{c}), "\nshop ended (exit status 3):\n"; !strings.HasPrefix(got, want) || !strings.Contains(got, "    no tea") {
		t.Errorf("got %q, want %q and the log", got, want)
	}
}
