package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/paymux/paymux/host/config"
)

// fakeHost answers with handler and checks that the key is sent.
func fakeHost(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+testKey {
			t.Errorf("%s %s without the key", r.Method, r.URL)
		}
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// call runs a command that needs no config file.
func call(t *testing.T, args ...string) answer {
	t.Helper()
	return callUntil(t, t.Context(), args...)
}

func callUntil(t *testing.T, ctx context.Context, args ...string) answer {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, &stdout, &stderr, withKey)
	noSecret(t, stdout.String()+stderr.String())
	return answer{code, stdout.String(), stderr.String()}
}

func withKey(name string) (string, bool) {
	if name == "PAYMUX_API_KEY" {
		return testKey, true
	}
	return "", false
}

func refuse(w http.ResponseWriter, status int, document string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, document)
}

func TestPaymentsCreateSendsWhatIsGiven(t *testing.T) {
	var got map[string]any
	at := fakeHost(t, func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.URL.Path != "/base/v1/payments" || r.Header.Get("Content-Type") != "application/json" {
			t.Error(err, r.URL, r.Header)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"pay_1","status":"PENDING","amount":"1.00","currency":"HKD","next_action":{"type":"qr_code","qr_code":"https://w.example/?a=1&b=2"}}`)
	})
	args := strings.Fields("payments create --url " + at + "/base --amount 1 --method alipay_cn --flow web_qr --merchant-order-id o-1 --order-group g --provider p --return-url https://s.example/ --metadata a=1;2 --metadata b=3=4 --description Tea")
	call(t, args...).want(t, exitOK, "qr_code: draw a QR code of the text", "https://w.example/?a=1&b=2")
	want := map[string]any{
		"merchant_order_id": "o-1", "amount": "1", "currency": "HKD", "method": "alipay_cn", "flow": "web_qr", "description": "Tea",
		"return_url": "https://s.example/", "order_group": "g", "provider": "p", "metadata": map[string]any{"a": "1;2", "b": "3=4"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("sent %v\nwant %v", got, want)
	}
	// JSON is what the host said, with URLs that can be copied.
	call(t, append(args, "--json")...).want(t, exitOK, `"qr_code": "https://w.example/?a=1&b=2"`)
}

func TestPaymentsErrors(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    []string
	}{
		{"problem", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "5")
			refuse(w, 503, `{"status":503,"title":"No","code":"ACQUIRER_UNAVAILABLE","outcome":"NOT_SENT","detail":"it is down\u001b[31m","payment_id":"pay_7"}`)
		}, []string{"paymux: ACQUIRER_UNAVAILABLE: it is down [31m\n", "payment_id: pay_7", "outcome: NOT_SENT", "retry after: 5"}},
		{"field", func(w http.ResponseWriter, _ *http.Request) {
			refuse(w, 400, `{"code":"INVALID_REQUEST","field":"amount","detail":"must be above zero"}`)
		}, []string{"INVALID_REQUEST: amount: must be above zero"}},
		{"a proxy", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) },
			[]string{"HTTP 502: Bad Gateway; this is no answer of a paymux host"}},
		{"redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
			[]string{"HTTP 302"}},
		{"lost", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			[]string{"the host's answer was lost", "The payment may exist. Repeat the command with --merchant-order-id cli-"}},
		{"no JSON", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
			[]string{"answered no JSON", "Repeat the command with --merchant-order-id cli-"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := fakeHost(t, tt.handler)
			a := call(t, "payments", "create", "--url", at, "--amount", "1", "--method", "alipay_hk")
			a.want(t, exitFailed, tt.want...)
			if a.stdout != "" {
				t.Errorf("stdout: %s", a.stdout)
			}
		})
	}
}

func TestPaymentsProblemAsJSON(t *testing.T) {
	at := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, `{"code":"NOT_FOUND","new":1}`) })
	a := call(t, "payments", "get", "pay_1", "--url", at, "--json")
	a.want(t, exitFailed, "paymux: NOT_FOUND")
	var document map[string]any
	if err := json.Unmarshal([]byte(a.stdout), &document); err != nil || document["new"] == nil {
		t.Errorf("%v in %s", err, a.stdout)
	}
}

func TestPaymentsNobodyThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	call(t, "payments", "list", "--url", server.URL).want(t, exitFailed, "no host answers at "+server.URL, "is paymux serve running there?")
	for _, bad := range []string{"ftp://h", "h:80", "https://u:p@h", "https://h?x=1"} {
		call(t, "payments", "list", "--url", bad).want(t, exitUsage, "--url must be an http or https URL")
	}
}

func TestPaymentsList(t *testing.T) {
	at := fakeHost(t, func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query().Encode(); q != "cursor=pay_9&limit=2&merchant_order_id=o&order_group=g&review=any&status=PENDING" {
			t.Errorf("query %s", q)
		}
		_, _ = io.WriteString(w, `{"data":[{"id":"pay_2","status":"PENDING","amount":"1.00","currency":"HKD","review":{"reason":"mismatch"}},{"id":"pay_1"}],"next_cursor":"pay_1"}`)
	})
	args := strings.Fields("payments list --limit 2 --cursor pay_9 --merchant-order-id o --order-group g --review any --status PENDING --url " + at)
	call(t, args...).want(t, exitOK, "pay_2", "1.00 HKD", "mismatch", "more: --cursor pay_1")
	call(t, append(args, "--json")...).want(t, exitOK, `"next_cursor": "pay_1"`)
}

func TestPaymentsWatch(t *testing.T) {
	for status, code := range map[string]int{"SUCCEEDED": exitOK, "CANCELLED": exitFailed, "EXPIRED": exitFailed, "FAILED": exitFailed} {
		var calls atomic.Int32
		at := fakeHost(t, func(w http.ResponseWriter, r *http.Request) {
			const first = `{"sequence":1,"at":"2026-01-02T03:04:05Z","kind":"status","status":"CREATED","source":"merchant"}`
			switch calls.Add(1) {
			case 1:
				_, _ = io.WriteString(w, `{"id":"pay_1","status":"PENDING","timeline":[`+first+`]}`)
			case 2:
				panic(http.ErrAbortHandler)
			case 3:
				refuse(w, 503, `{"code":"SHUTTING_DOWN"}`)
			default:
				_, _ = io.WriteString(w, `{"id":"pay_1","status":"`+status+`","timeline":[`+first+`,{"sequence":2,"kind":"status","status":"`+status+`","source":"query"}]}`)
			}
		})
		a := call(t, "payments", "watch", "pay_1", "--url", at, "--interval", "1ms")
		a.want(t, code, "2026-01-02T03:04:05.000Z  CREATED", status, "trying on", "the host answers again")
		if n := strings.Count(a.stdout, "CREATED"); n != 1 {
			t.Errorf("an entry is printed %d times:\n%s", n, a.stdout)
		}
		if n := strings.Count(a.stderr, "trying on"); n != 1 {
			t.Errorf("one outage is reported %d times:\n%s", n, a.stderr)
		}
		calls.Store(0)
		a = call(t, "payments", "watch", "pay_1", "--url", at, "--interval", "1ms", "--json")
		a.want(t, code)
		got := strings.Split(strings.TrimSpace(a.stdout), "\n")
		if len(got) != 3 || !strings.HasPrefix(got[0], `{"entry":{"sequence":1,`) || !strings.HasPrefix(got[2], `{"payment":{"id":"pay_1"`) {
			t.Errorf("lines %q", got)
		}
	}
}

func TestPaymentsWatchRefused(t *testing.T) {
	at := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) { refuse(w, 404, `{"code":"NOT_FOUND"}`) })
	call(t, "payments", "watch", "pay_1", "--url", at).want(t, exitFailed, "NOT_FOUND")
}

func TestPaymentsWatchInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	at := fakeHost(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"pay_1","status":"PENDING"}`)
		cancel()
	})
	callUntil(t, ctx, "payments", "watch", "pay_1", "--url", at, "--interval", "1h").want(t, exitInterrupted, "the payment goes on")
}

func TestKeyOf(t *testing.T) {
	key := func(merchant, key string) config.APIKey {
		return config.APIKey{Merchant: merchant, Key: config.NewSecret(key)}
	}
	for _, tt := range []struct {
		name     string
		keys     []config.APIKey
		merchant string
		want     string
		err      string
	}{
		{"the only one", []config.APIKey{key("a", "1")}, "", "1", ""},
		{"the newest", []config.APIKey{key("a", "2"), key("a", "1")}, "", "2", ""},
		{"by merchant", []config.APIKey{key("a", "1"), key("b", "2")}, "b", "2", ""},
		{"several", []config.APIKey{key("a", "1"), key("b", "2")}, "", "", "--merchant a or --merchant b"},
		{"unknown", []config.APIKey{key("a", "1")}, "c", "", `no key of merchant "c"; it has a`},
		{"none", nil, "", "", "there is no API key"},
	} {
		got, err := keyOf(&config.Config{APIKeys: tt.keys}, tt.merchant)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}

// Without --url the address is that of the config, in a form that can be called.
func TestDefaultURL(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080", "0.0.0.0:80": "http://127.0.0.1:80", ":81": "http://127.0.0.1:81", "[::]:82": "http://127.0.0.1:82",
	} {
		u, err := apiFlags{}.base(&config.Config{Listen: listen})
		if err != nil || u.String() != want {
			t.Errorf("%s: %v, %v", listen, u, err)
		}
	}
	if _, err := (apiFlags{}).base(&config.Config{Listen: "127.0.0.1:0"}); err == nil || !strings.Contains(err.Error(), "give --url") {
		t.Error(err)
	}
}
