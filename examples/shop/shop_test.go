package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"
)

const (
	phoneAgent   = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
	desktopAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)

// testShop is a shop in front of a fake API, and a shopper.
type testShop struct {
	t     *testing.T
	api   *fakeAPI // nil in front of a real one
	url   string   // of the API
	shop  *server
	srv   *httptest.Server
	log   *syncBuffer
	agent string
}

// syncBuffer collects log output of several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newTestShop starts a shop; journal is a path, or "" for memory.
func newTestShop(t *testing.T, journal string) *testShop {
	t.Helper()
	api := newFakeAPI(t)
	s := &testShop{t: t, api: api, url: api.srv.URL, log: &syncBuffer{}, agent: phoneAgent}
	s.open(journal)
	return s
}

// newTestShopAt starts a shop in front of a real API.
func newTestShopAt(t *testing.T, url string) *testShop {
	t.Helper()
	s := &testShop{t: t, url: url, log: &syncBuffer{}, agent: phoneAgent}
	s.open("")
	return s
}

func (s *testShop) open(journal string) {
	s.t.Helper()
	j, err := OpenJournal(journal)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { j.Close() })
	s.start(j)
}

func (s *testShop) start(j *Journal) {
	s.t.Helper()
	client, err := NewClient(s.url, testKey)
	if err != nil {
		s.t.Fatal(err)
	}
	s.srv = httptest.NewUnstartedServer(nil)
	public := &url.URL{Scheme: "http", Host: s.srv.Listener.Addr().String()}
	shop, err := newServer(client, j, public, slog.New(slog.NewTextHandler(s.log, nil)))
	if err != nil {
		s.t.Fatal(err)
	}
	s.shop = shop
	s.srv.Config.Handler = shop.handler()
	s.srv.Start()
	s.t.Cleanup(s.srv.Close)
	s.t.Cleanup(func() {
		if strings.Contains(s.log.String(), testKey) {
			s.t.Error("the API key is in the log")
		}
	})
}

// answer is a page as a test looks at it.
type answer struct {
	status   int
	location string
	header   http.Header
	body     string
	path     string
}

// state is main's data-state.
func (a answer) state() string {
	m := regexp.MustCompile(`<main [^>]*data-state="([a-z]*)"`).FindStringSubmatch(a.body)
	if m == nil {
		return ""
	}
	return m[1]
}

func (a answer) has(id string) bool { return strings.Contains(a.body, `id="`+id+`"`) }

// do makes one request and follows no redirect.
func (s *testShop) do(method, target string, form url.Values, header http.Header) answer {
	s.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = s.srv.URL + target
	}
	req, err := http.NewRequest(method, target, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("User-Agent", s.agent)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{status: resp.StatusCode, location: resp.Header.Get("Location"), header: resp.Header, body: string(body), path: req.URL.Path}
}

func (s *testShop) get(target string) answer {
	s.t.Helper()
	return s.do(http.MethodGet, target, nil, nil)
}

// order buys one gaiwan (HKD 88.50) and returns the order's path.
func (s *testShop) order() string {
	s.t.Helper()
	a := s.do(http.MethodPost, "/orders", url.Values{"product": {"gaiwan"}, "quantity": {"1"}}, nil)
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.location, "/orders/") {
		s.t.Fatalf("POST /orders: %d to %q", a.status, a.location)
	}
	return a.location
}

// press posts the form of a button on a page.
func (s *testShop) press(on answer, button string) answer {
	s.t.Helper()
	action, fields := formOf(s.t, on.body, button)
	return s.do(http.MethodPost, action, fields, nil)
}

// land follows redirects within the shop.
func (s *testShop) land(a answer) answer {
	s.t.Helper()
	for range 5 {
		if a.location == "" || !strings.HasPrefix(a.location, "/") {
			return a
		}
		a = s.get(a.location)
	}
	s.t.Fatal("redirected in circles")
	return a
}

// payWith opens an order's checkout and presses a wallet's button.
func (s *testShop) payWith(order, method string) answer {
	s.t.Helper()
	return s.press(s.get(order), "pay-"+method)
}

// lastAttempt is the id that the shop sent last.
func (s *testShop) lastAttempt() string {
	s.t.Helper()
	sent := s.api.sent()
	if len(sent) == 0 {
		s.t.Fatal("no attempt was sent")
	}
	return sent[len(sent)-1].MerchantOrderID
}

// want checks what a page tells.
func (s *testShop) want(a answer, status int, st state) {
	s.t.Helper()
	if a.status != status || a.state() != string(st) {
		s.t.Fatalf("%s: got HTTP %d, state %q; want %d, %q", a.path, a.status, a.state(), status, st)
	}
}

// formOf finds the form around the element with an id.
func formOf(t *testing.T, body, id string) (action string, fields url.Values) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if attr(n, "id") != id {
			continue
		}
		for f := n.Parent; f != nil; f = f.Parent {
			if f.Data == "form" {
				return attr(f, "action"), inputs(f)
			}
		}
	}
	t.Fatalf("no form with #%s on this page:\n%s", id, body)
	return "", nil
}

func inputs(form *html.Node) url.Values {
	fields := url.Values{}
	for n := range form.Descendants() {
		if n.Data == "input" {
			fields.Set(attr(n, "name"), attr(n, "value"))
		}
	}
	return fields
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// orderID is the last part of an order's path.
func orderID(orderPath string) string { return path.Base(orderPath) }
