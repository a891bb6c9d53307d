package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// start runs the command on a free port and returns its address; stop ends it
// and reports what run returned.
func start(t *testing.T, env map[string]string, args ...string) (address string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), func(name string) string { return env[name] }, in, io.Discard)
		in.CloseWithError(errors.Join(io.EOF, err))
		ended <- err
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	found := regexp.MustCompile(`^sandbox acquirer listening on (http://127\.0\.0\.1:[1-9][0-9]*)\n$`).FindStringSubmatch(line)
	if found == nil {
		cancel()
		t.Fatalf("it said %q, %v", line, err)
	}
	t.Cleanup(cancel)
	return found[1], func() error { cancel(); return <-ended }
}

func fetch(t *testing.T, method, url, body string, header ...string) string {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCommand(t *testing.T) {
	address, stop := start(t, map[string]string{"SANDBOX_CLIENT_SECRET": "s3cret"}, "-uid", "7", "-public-url", "https://pay.example")
	auth := fetch(t, "GET", address+"/mch-api/v1/auth?grant_type=client_credentials&uid=7&client_secret=s3cret", "")
	token := regexp.MustCompile(`[0-9a-f]{84}`).FindString(auth)
	created := fetch(t, "POST", address+"/mch-api/v1/pa/payment_intents/create",
		`{"amount":"1","currency":"HKD","merchant_order_id":"order-<1>","description":"Tea","payment_method":`+
			`{"type":"alipayhk","alipayhk":{"flow":"mobile_web","payment_method":"ALIPAYCN"}}}`,
		"Authorization", "Bearer "+token, "Content-Type", "application/json")
	if !strings.Contains(created, `"url":"https://pay.example/wallet/C`) {
		t.Errorf("create answered %s", created)
	}
	if added := fetch(t, "POST", address+"/sandbox/faults", `{"kind":"rate_limited","op":"query","times":1}`); !strings.Contains(added, `"id": 1`) {
		t.Errorf("the switch answered %s", added)
	}
	query := func() string {
		return fetch(t, "POST", address+"/mch-api/v1/pa/payment_intents/query", `{"merchant_order_id":"order-<1>"}`,
			"Authorization", "Bearer "+token, "Content-Type", "application/json")
	}
	if limited, good := query(), query(); !strings.Contains(limited, `"code":42900`) || !strings.Contains(good, `"code":0`) {
		t.Errorf("query answered %s, then %s", limited, good)
	}
	page := fetch(t, "GET", address+"/", "")
	for _, want := range []string{"SANDBOX", "Orders (1)", "order-&lt;1&gt;", `href="/wallet/C`, "/sandbox/faults", address} {
		if !strings.Contains(page, want) {
			t.Errorf("the index lacks %q: %s", want, page)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestEmptyIndexAndDefaults(t *testing.T) {
	address, stop := start(t, nil, "-state", t.TempDir()+"/state.json")
	if page := fetch(t, "GET", address+"/", ""); !strings.Contains(page, "None yet.") {
		t.Errorf("index: %s", page)
	}
	auth := fetch(t, "GET", address+"/mch-api/v1/auth?grant_type=client_credentials&uid="+cbtistest.DefaultUID+
		"&client_secret="+cbtistest.DefaultClientSecret, "")
	if !strings.Contains(auth, "access_token") {
		t.Errorf("auth answered %s", auth)
	}
	if err := stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestBadUsage(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, args := range [][]string{
		{"-speedup", "0"}, {"extra"}, {"-secret", "x"}, {"-listen", l.Addr().String()},
		{"-listen", "127.0.0.1:0", "-public-url", "nonsense"},
	} {
		if err := run(t.Context(), args, func(string) string { return "" }, io.Discard, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
	if err := run(t.Context(), []string{"-h"}, func(string) string { return "" }, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
}

func TestReachable(t *testing.T) {
	for ip, want := range map[string]string{"0.0.0.0": "127.0.0.1:80", "::": "127.0.0.1:80", "192.0.2.1": "192.0.2.1:80"} {
		if got := reachable(&net.TCPAddr{IP: net.ParseIP(ip), Port: 80}); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}
