package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

// TestCreateMatrix: what the shop may do next stands in the status.
func TestCreateMatrix(t *testing.T) {
	notSent := sdk.NotSent(sdk.CodeAcquirerTimeout, "down")
	for _, c := range []struct {
		name     string
		created  host.Created
		err      error
		status   int
		code     string
		location bool
	}{
		{"pending", host.Created{Payment: full(sdk.StatusPending)}, nil, 201, "", true},
		{"paid at once", host.Created{Payment: full(sdk.StatusSucceeded)}, nil, 201, "", true},
		{"lost", host.Created{Payment: full(sdk.StatusUnknown), Err: sdk.Unknown(sdk.CodeAcquirerTimeout, "lost")}, nil, 202, "", true},
		{"still running", host.Created{Payment: full(sdk.StatusCreated)}, nil, 202, "", true},
		{"refused", host.Created{Payment: full(sdk.StatusFailed), Err: sdk.Refused(sdk.CodeRefused, "no")}, nil, 402, "REFUSED", true},
		{"not sent", host.Created{Payment: full(sdk.StatusCreated), Err: notSent}, nil, 503, "ACQUIRER_TIMEOUT", true},
		{"lost before the payment says so", host.Created{Payment: full(sdk.StatusCreated), Err: sdk.Unknown(sdk.CodeAcquirerTimeout, "lost")}, nil, 202, "", true},
		{"not sent for a reason of the shop's", host.Created{Payment: full(sdk.StatusCreated), Err: sdk.InvalidField("amount", "no")}, nil, 503, "INVALID_REQUEST", true},
		{"lost by the payment, refused by the error", host.Created{Payment: full(sdk.StatusUnknown), Err: sdk.Refused(sdk.CodeRefused, "no")}, nil, 202, "", true},
		{"open by the payment, refused by the error", host.Created{Payment: full(sdk.StatusPending), Err: sdk.Refused(sdk.CodeRefused, "no")}, nil, 201, "", true},
		{"sent meanwhile and lost", host.Created{Payment: full(sdk.StatusUnknown), Err: notSent}, nil, 202, "", true},
		{"sent meanwhile", host.Created{Payment: full(sdk.StatusPending), Err: notSent}, nil, 201, "", true},
		{"sent meanwhile by another", host.Created{Payment: full(sdk.StatusPending), Existing: true, Err: notSent}, nil, 200, "", true},
		{"existing", host.Created{Payment: full(sdk.StatusPending), Existing: true}, nil, 200, "", true},
		{"existing and failed", host.Created{Payment: full(sdk.StatusFailed), Existing: true, Err: sdk.Refused(sdk.CodeRefused, "no")}, nil, 200, "", true},
		{"existing and not sent again", host.Created{Payment: full(sdk.StatusCreated), Existing: true, Err: notSent}, nil, 503, "ACQUIRER_TIMEOUT", true},
		{"bad field", host.Created{}, sdk.InvalidField("amount", "bad"), 400, "INVALID_REQUEST", false},
		{"conflict", host.Created{}, sdk.NotSent(sdk.CodeConflict, "other"), 409, "CONFLICT", false},
		{"no route", host.Created{}, sdk.NotSent(sdk.CodeNoRoute, "none"), 422, "NO_ROUTE", false},
		{"plugin hangs at its start", host.Created{}, sdk.NotSent(sdk.CodePluginTimeout, "hangs"), 503, "PLUGIN_TIMEOUT", false},
		{"store", host.Created{}, sdk.NotSent(sdk.CodeStoreUnavailable, "disk full"), 503, "STORE_UNAVAILABLE", false},
		{"perhaps sent, and the store failed", host.Created{}, sdk.Unknown(sdk.CodeStoreUnavailable, "gone"), 500, "STORE_UNAVAILABLE", false},
		{"a secret in an unforeseen error", host.Created{}, errors.New("dsn with password hush"), 500, "INTERNAL", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := newClient(t)
			api.created, api.err = c.created, c.err
			got := api.call("POST", "/v1/payments", good)
			if got.status != c.status || got.Code != c.code || (got.header.Get("Location") != "") != c.location {
				t.Errorf("%d %v %s", got.status, got.header, got.body)
			}
			if wait := got.header.Get("Retry-After"); (c.status == 503) != (wait != "") || wait == "0" {
				t.Errorf("Retry-After %q", wait)
			}
			if c.location && c.status >= 400 && (got.PaymentID != c.created.Payment.ID || got.Outcome != c.created.Err.Outcome.String()) {
				t.Errorf("payment_id %q, outcome %q", got.PaymentID, got.Outcome)
			}
			if c.status == 503 && got.Remedy != remedyUnsent {
				t.Errorf("remedy %q", got.Remedy)
			}
			if strings.Contains(got.body, "hush") || strings.Contains(got.body, `\u0026`) {
				t.Errorf("%s", got.body)
			}
		})
	}
}

func TestAuthentication(t *testing.T) {
	for header, merchant := range map[string]string{
		"Bearer " + keyA:       "shop-a",
		"Bearer " + keyB:       "shop-b",
		"bearer " + keyA:       "shop-a",
		"BEARER  " + keyB:      "shop-b",
		"":                     "",
		keyA:                   "",
		"Basic " + keyA:        "",
		"Bearer":               "",
		"Bearer ":              "",
		"Bearer " + keyA + "x": "",
		"Bearer " + keyA[:10]:  "",
		"Bearer " + keyA + " ": "",
	} {
		c := newClient(t)
		got := c.call("GET", "/v1/payments/pay_1", "", "Authorization: "+header)
		if merchant != c.merchant || (got.status == 200) != (merchant != "") {
			t.Errorf("%q: %d as %q, want %q", header, got.status, c.merchant, merchant)
		}
		if merchant == "" && (got.status != 401 || got.header.Get("WWW-Authenticate") != "Bearer") {
			t.Errorf("%q: %d %v", header, got.status, got.header)
		}
	}
	c := newClient(t)
	r := httptest.NewRequest("GET", "/v1/payments", nil)
	r.Header["Authorization"] = []string{"Bearer " + keyA, "Bearer " + keyB}
	if got := c.send(r); got.status != 401 {
		t.Errorf("two keys: %d", got.status)
	}
	for _, r := range (&api{host: c.fake}).routes() {
		path := strings.NewReplacer("{id}", "x", "{name}", "x", "{provider}", "x").Replace(r.path)
		got := c.call(r.method, path, "", "Authorization: ")
		open := !strings.HasPrefix(path, "/v1/") || strings.HasPrefix(path, "/v1/notifications/")
		if open == (got.status == 401) {
			t.Errorf("%s %s without a key: %d", r.method, path, got.status)
		}
	}
}

// TestMerchantIsTheKeys: whose payments and providers are reached is said by the
// key alone, on every path.
func TestMerchantIsTheKeys(t *testing.T) {
	bodies := map[string]string{"/v1/payments": good, "/v1/payments/{id}/refunds": goodRefund, "/v1/payments/{id}/review": `{"decision":"accept","note":"ours"}`}
	for _, r := range (&api{}).routes() {
		if !strings.HasPrefix(r.path, "/v1/") || strings.HasPrefix(r.path, "/v1/notifications/") {
			continue
		}
		c := newClient(t)
		c.fake.refund = host.RefundCreated{Refund: fullRefund("SUCCEEDED"), Sent: true}
		body := ""
		if r.method == "POST" {
			body = bodies[r.path]
		}
		path := strings.NewReplacer("{id}", "x", "{rid}", "x", "{name}", "one").Replace(r.path)
		if got := c.call(r.method, path, body, "Authorization: Bearer "+keyB); c.merchant != "shop-b" || got.status >= 300 {
			t.Errorf("%s %s: %d as %q", r.method, r.path, got.status, c.merchant)
		}
	}
}

func TestPaths(t *testing.T) {
	c := newClient(t)
	for _, r := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/v1/payments/pay_1", 200, ""}, {"HEAD", "/v1/payments/pay_1", 200, ""},
		{"POST", "/v1/payments/pay_1/refresh", 200, ""}, {"POST", "/v1/payments/pay_1/cancel", 200, ""},
		{"GET", "/v1/providers", 200, ""}, {"GET", "/v1/providers/one", 200, ""},
		{"GET", "/healthz", 200, ""}, {"GET", "/readyz", 200, ""}, {"GET", "/openapi.json", 200, ""},
		{"PUT", "/v1/payments", 405, "POST, GET, HEAD"}, {"DELETE", "/v1/payments/pay_1", 405, "GET, HEAD"},
		{"GET", "/v1/payments/pay_1/refresh", 405, "POST"}, {"GET", "/v1/notifications/one", 405, "POST"},
		{"GET", "/", 404, ""}, {"GET", "/v1", 404, ""}, {"GET", "/v1/payments/pay_1/x", 404, ""}, {"POST", "/v2/payments", 404, ""},
		{"GET", "/metrics", 404, ""}, {"GET", "/debug/pprof/", 404, ""},
		{"GET", "//", 404, ""}, {"GET", "/v1//payments", 404, ""}, {"GET", "/v1/payments/", 404, ""}, {"GET", "/v1/./payments", 404, ""},
		{"POST", "/v1/payments/../payments", 404, ""}, {"POST", "/v1/notifications//one", 404, ""}, {"POST", "/v1/payments//cancel", 404, ""},
	} {
		got := c.call(r.method, r.path, "")
		if got.status != r.status || got.header.Get("Allow") != r.allow {
			t.Errorf("%s %s: %d, Allow %q", r.method, r.path, got.status, got.header.Get("Allow"))
		}
		if got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s may be cached", r.method, r.path)
		}
	}
	if got := c.call("GET", "/v2/payments", ""); !strings.Contains(got.Remedy, "/openapi.json for the paths") {
		t.Errorf("what to do about a wrong path: %s", got.Remedy)
	}
	if got := c.call("POST", "/v1/payments/pay_1/cancel", `{"amount":"1.00"}`); got.status != 400 {
		t.Errorf("a body where none is taken: %d", got.status)
	}
}

func TestErrors(t *testing.T) {
	c := newClient(t)
	for _, e := range []struct {
		path   string
		method string
		err    error
		status int
	}{
		{"/v1/payments/x", "GET", sdk.NotSent(sdk.CodeNotFound, "none"), 404},
		{"/v1/payments/x/cancel", "POST", sdk.NotSent(sdk.CodeUnsupported, "can't"), 422},
		{"/v1/payments/x/cancel", "POST", sdk.NotSent(sdk.CodeUnimplemented, "can't"), 422},
		{"/v1/payments/x/cancel", "POST", sdk.NotSent(sdk.CodeInvalidState, "paid"), 409},
		{"/v1/payments/x/cancel", "POST", sdk.NotSent(sdk.CodeInProgress, "busy"), 409},
		{"/v1/payments/x/cancel", "POST", sdk.Refused(sdk.CodeRefused, "no"), 402},
		{"/v1/payments/x/cancel", "POST", sdk.Refused(sdk.CodeAcquirerError, "no"), 402},
		{"/v1/payments/x/cancel", "POST", sdk.Unknown(sdk.CodePluginTimeout, "hangs"), 500},
		{"/v1/payments/x/cancel", "POST", sdk.NotSent(sdk.CodePluginUnavailable, "down"), 503},
		{"/v1/payments/x/cancel", "POST", sdk.NotSent(sdk.CodeAcquirerError, "login failed"), 503},
		{"/v1/payments/x/refresh", "POST", sdk.NotSent(sdk.CodeStoreUnavailable, "disk"), 503},
		{"/v1/payments", "GET", sdk.NotSent(sdk.CodeStoreUnavailable, "disk"), 503},
		{"/v1/providers/x", "GET", sdk.NotSent(sdk.CodeNotFound, "none"), 404},
		{"/readyz", "GET", sdk.NotSent(sdk.CodeStoreUnavailable, "disk full"), 503},
		{"/readyz", "GET", sdk.NotSent(sdk.CodeShuttingDown, "stopping"), 503},
	} {
		c.err = e.err
		if got := c.call(e.method, e.path, ""); got.status != e.status {
			t.Errorf("%s %s, %v: %d", e.method, e.path, e.err, got.status)
		}
	}
	c.err, c.panics = nil, true
	if got := c.call("GET", "/v1/payments/x", ""); got.status != 500 || got.Code != "INTERNAL" || strings.Contains(got.body, "broke") {
		t.Errorf("after a panic: %d %s", got.status, got.body)
	}
	if !strings.Contains(c.log.String(), "the host broke") {
		t.Error("the panic isn't in the log")
	}
}

// TestTooLateForAProblem: an answer that has begun isn't followed by another one,
// and one that a handler breaks off stays broken off.
func TestTooLateForAProblem(t *testing.T) {
	for _, p := range []any{"the host broke", http.ErrAbortHandler} {
		c := newClient(t)
		a := &api{host: c.fake, log: hclog.NewNullLogger()}
		begun := a.middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusCreated, "x")
			panic(p)
		}))
		w := httptest.NewRecorder()
		thrown := func() (thrown any) {
			defer func() { thrown = recover() }()
			begun.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			return nil
		}()
		if w.Code != http.StatusCreated || w.Body.String() != "\"x\"\n" || (thrown != nil) != (p == http.ErrAbortHandler) {
			t.Errorf("%v: %d %s, thrown %v", p, w.Code, w.Body, thrown)
		}
	}
}

func TestList(t *testing.T) {
	c := newClient(t)
	c.more = true
	got := c.call("GET", "/v1/payments?merchant_order_id=o1&order_group=g&status=PENDING&review=any&cursor=pay_01M8642HTSTXEM8X27VEMJKXD9&limit=7", "")
	want := host.Filter{MerchantOrderID: "o1", OrderGroup: "g", Status: "PENDING", Review: "any", Before: "pay_01M8642HTSTXEM8X27VEMJKXD9", Limit: 7}
	if c.filter != want || !strings.Contains(got.body, `"next_cursor":"pay_01M8642HTSTXEM8X27VEMJKXD9"`) {
		t.Errorf("%+v: %s", c.filter, got.body)
	}
	c.more = false
	if got := c.call("GET", "/v1/payments", ""); strings.Contains(got.body, "next_cursor") || c.filter != (host.Filter{}) {
		t.Errorf("%+v: %s", c.filter, got.body)
	}
	for query, field := range map[string]string{
		"stauts=PENDING": "stauts", "limit=0": "limit", "limit=201": "limit", "limit=x": "limit", "limit=+5": "limit", "limit=07": "limit",
		"merchant_order_id=a%20b": "merchant_order_id", "merchant_order_id=123456789012345678901234567890123": "merchant_order_id", "order_group=%ff": "order_group",
		"limit=5&limit=6": "limit", "status=": "status", "cursor=1": "cursor", "cursor=pay_x'--": "cursor", "review=maybe": "review", "Status=PENDING": "Status",
	} {
		if got := c.call("GET", "/v1/payments?"+query, ""); got.status != 400 || got.Field != field {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
	if got := c.call("GET", "/v1/payments?a=%zz", ""); got.status != 400 {
		t.Errorf("a broken query: %d", got.status)
	}
}

// TestNoQuery: where no parameter is known, one is a mistake; ?dry_run=true must
// not charge anybody.
func TestNoQuery(t *testing.T) {
	for _, r := range (&api{}).routes() {
		open := !strings.HasPrefix(r.path, "/v1/") || strings.HasPrefix(r.path, "/v1/notifications/") // others add to these
		path := strings.NewReplacer("{id}", "x", "{rid}", "x", "{name}", "x", "{provider}", "one").Replace(r.path)
		c := newClient(t)
		got := c.call(r.method, path+"?dry_run=true", good)
		if refused := got.status == http.StatusBadRequest && got.Field == "dry_run"; refused == open || len(c.requests)+len(c.refunds)+c.finished > 0 {
			t.Errorf("%s %s: %d %s", r.method, path, got.status, got.body)
		}
	}
}

// TestNotification: the plugin gets the very bytes, the acquirer the very answer.
func TestNotification(t *testing.T) {
	c := newClient(t)
	body := " {\"a\" : 1}\r\n\x00\xff"
	c.ack = sdk.HTTPResponse{Header: map[string]string{"Content-Type": "text/x-ok"}, Body: []byte("thanks")}
	got := c.call("POST", "/v1/notifications/one?x=1", body, "Authorization: ", "Content-Type: text/weird", "Signature: abc")
	n := c.notified
	if string(n.Body) != body || n.Get("Signature") != "abc" || n.RawQuery != "x=1" || n.Path != "/v1/notifications/one" || n.Method != "POST" {
		t.Errorf("%+v", n)
	}
	if got.status != 200 || got.body != "thanks" || got.header.Get("Content-Type") != "text/x-ok" {
		t.Errorf("%d %q %v", got.status, got.body, got.header)
	}
	if c.call("POST", "/v1/notifications/%6fne", body); c.notified.Path != "/v1/notifications/%6fne" { // it may be signed
		t.Errorf("path %s", c.notified.Path)
	}
	c.ack = sdk.HTTPResponse{Status: 200}
	if got := c.call("POST", "/v1/notifications/one", body); got.status != 200 || got.body != "" {
		t.Errorf("%d %q", got.status, got.body)
	}
	if got := c.call("POST", "/v1/notifications/one", strings.Repeat("x", 64<<10)); got.status != 200 {
		t.Errorf("the largest body: %d", got.status)
	}
	c.notified = sdk.HTTPRequest{}
	if got := c.call("POST", "/v1/notifications/one", strings.Repeat("x", 64<<10+1)); got.status != 413 || c.notified.Method != "" {
		t.Errorf("a larger body: %d", got.status)
	}
	unavailable := sdk.NotSent(sdk.CodePluginUnavailable, "later")
	unavailable.RetryAfter = 1500 * time.Millisecond
	for _, e := range []struct {
		err    error
		status int
		wait   string
	}{
		{sdk.NotSent(sdk.CodeSignatureInvalid, "forged"), 401, ""},
		{sdk.NotSent(sdk.CodeNotFound, "none"), 404, ""},
		{unavailable, 503, "2"},
		{sdk.NotSent(sdk.CodeInvalidRequest, "odd"), 503, "5"}, // whatever it is: it isn't durable
		{sdk.Unknown(sdk.CodePluginPanic, "broke"), 503, "5"},
		{errors.New("unforeseen"), 503, "5"},
	} {
		c.err = e.err
		if got := c.call("POST", "/v1/notifications/one", body); got.status != e.status || got.header.Get("Retry-After") != e.wait {
			t.Errorf("%v: %d %v", e.err, got.status, got.header)
		} else if (got.Remedy == remedyUnacked) != (e.status == 503) {
			t.Errorf("%v: remedy %q", e.err, got.Remedy)
		}
	}
}

// TestAckCantForge: an adapter's answer can't change what is paymux's own.
func TestAckCantForge(t *testing.T) {
	for kind, want := range map[string]string{"": "text/plain; charset=utf-8", "text/x-ok": "text/x-ok"} {
		c := newClient(t)
		c.ack = sdk.HTTPResponse{Header: map[string]string{"X-Request-Id": "mine", "Set-Cookie": "a=b", "Content-Length": "9999", "X-Content-Type-Options": "sniff"}, Body: []byte("<html>")}
		if kind != "" {
			c.ack.Header["Content-Type"] = kind
		}
		got := c.call("POST", "/v1/notifications/one", "x")
		if got.header.Get("X-Request-Id") == "mine" || got.header.Get("Set-Cookie") != "" || got.header.Get("Content-Length") == "9999" || got.body != "<html>" || got.header.Get("Content-Type") != want {
			t.Errorf("%v", got.header)
		}
	}
}

func TestAccessLog(t *testing.T) {
	c := newClient(t)
	c.call("GET", "/v1/payments?merchant_order_id=private", "")
	line := c.log.String()
	if !strings.Contains(line, `route="GET /v1/payments"`) || !strings.Contains(line, "status=200") || !strings.Contains(line, "merchant=shop-a") || strings.Contains(line, "private") {
		t.Error(line)
	}
	for _, path := range []string{"/healthz", "/readyz"} { // asked again and again
		c.log.Reset()
		if c.call("GET", path, ""); !strings.Contains(c.log.String(), "[DEBUG] request") {
			t.Errorf("%s: %s", path, c.log)
		}
	}
}

// TestCauseIsLogged: what callers aren't told is in the log, but for what a
// plugin said.
func TestCauseIsLogged(t *testing.T) {
	for _, e := range []struct {
		err    error
		logged bool
	}{
		{sdk.NotSent(sdk.CodeStoreUnavailable, "the store failed"), true},
		{errors.New("hush"), true},
		{fmt.Errorf("hush: %w", context.Canceled), false}, // the caller left
		{sdk.NotSent(sdk.CodePluginUnavailable, "down"), false},
		{sdk.NotSent(sdk.CodeNotFound, "none"), false},
	} {
		if known, ok := errors.AsType[*sdk.Error](e.err); ok {
			known.Err = errors.New("hush")
		}
		c := newClient(t)
		c.err = e.err
		got := c.call("GET", "/v1/payments/x", "")
		if strings.Contains(got.body, "hush") || strings.Contains(c.log.String(), "hush") != e.logged {
			t.Errorf("%v: answered %s, logged %s", e.err, got.body, c.log)
		}
		if got.Instance != "urn:paymux:request:"+got.header.Get("X-Request-Id") || !strings.Contains(c.log.String(), got.header.Get("X-Request-Id")) {
			t.Errorf("instance %q", got.Instance)
		}
	}
}

// TestServer: the limits hold on a real connection.
func TestServer(t *testing.T) {
	c := newClient(t)
	s := NewServer(c.handler, hclog.NewNullLogger())
	if s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.WriteTimeout <= host.CreateWait || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Errorf("%+v", s)
	}
	test := httptest.NewUnstartedServer(nil)
	test.Config = s
	test.Start()
	defer test.Close()
	r, err := http.NewRequestWithContext(context.Background(), "GET", test.URL+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Large", strings.Repeat("x", 2*maxHeaderBytes))
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("large headers: %d", a.StatusCode)
	}
	b, err := http.Post(test.URL+"/v1/notifications/one", "text/plain", strings.NewReader(strings.Repeat("x", 2*maxNotification)))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Body.Close()
	if b.StatusCode != http.StatusRequestEntityTooLarge || !b.Close {
		t.Errorf("a large body: %d, closed %v", b.StatusCode, b.Close)
	}
}
