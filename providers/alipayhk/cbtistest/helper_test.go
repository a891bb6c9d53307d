package cbtistest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

const (
	createPath      = "/mch-api/v1/pa/payment_intents/create"
	queryPath       = "/mch-api/v1/pa/payment_intents/query"
	refundPath      = "/mch-api/v1/pa/refunds/create"
	refundQueryPath = "/mch-api/v1/pa/refunds/query"
)

// goodAuth is a query string that the default options accept.
const goodAuth = "grant_type=client_credentials&uid=" + cbtistest.DefaultUID + "&client_secret=" + cbtistest.DefaultClientSecret

// client speaks to a sandbox over a fresh connection per call, so that a closed
// connection is never mistaken for a stale one and retried.
type client struct {
	t     *testing.T
	do    func(*http.Request) (*http.Response, error)
	base  string
	token string
}

// reply is what came back; err is set if no answer did.
type reply struct {
	status int
	header http.Header
	raw    string
	err    error

	Code    int            `json:"code"`
	Data    map[string]any `json:"data"`
	Message string         `json:"message"`
	RID     string         `json:"rid"`
}

func newClient(t *testing.T, srv *cbtistest.Server) *client {
	t.Helper()
	hc := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c := &client{t: t, do: hc.Do, base: srv.URL}
	c.login()
	return c
}

// inMemory calls the handler directly, for tests inside a synctest bubble.
func inMemory(t *testing.T, srv *cbtistest.Server) *client {
	t.Helper()
	c := &client{t: t, base: "http://sandbox.test", do: func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		return w.Result(), nil
	}}
	c.login()
	return c
}

func (c *client) login() {
	c.t.Helper()
	r := c.send("GET", "/mch-api/v1/auth?"+goodAuth, "", "")
	var token struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(r.raw), &token, json.RejectUnknownMembers(true)); err != nil {
		c.t.Fatalf("auth answered %q: %v", r.raw, err)
	}
	c.token = token.AccessToken
}

func (c *client) post(path, body string) reply {
	c.t.Helper()
	return c.send("POST", path, "application/json", body)
}

func (c *client) send(method, path, contentType, body string) reply {
	c.t.Helper()
	authorization := ""
	if c.token != "" {
		authorization = "Bearer " + c.token
	}
	return c.sendAs(authorization, method, path, contentType, body)
}

func (c *client) sendAs(authorization, method, path, contentType, body string) reply {
	c.t.Helper()
	req, err := http.NewRequest(method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := c.do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{err: err}
	}
	r := reply{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	json.Unmarshal(raw, &r) // not every answer is an envelope
	return r
}

// body writes a create request; edits are pairs of old and new text.
func body(merchantOrderID string, edits ...string) string {
	text := fmt.Sprintf(`{"amount":"100.00","currency":"HKD","merchant_order_id":%q,`+
		`"payment_method":{"type":"alipayhk","alipayhk":{"flow":"mobile_web","payment_method":"ALIPAYHK"}},`+
		`"description":"Tea"}`, merchantOrderID)
	for i := 0; i < len(edits); i += 2 {
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	return text
}

// withURL adds a member holding a URL to a create request.
func withURL(name, value string) []string {
	return []string{`"description"`, fmt.Sprintf(`%q:%q,"description"`, name, value)}
}

// order creates an order and returns its id.
func (c *client) order(merchantOrderID string, edits ...string) string {
	c.t.Helper()
	r := c.post(createPath, body(merchantOrderID, edits...))
	if r.err != nil || r.Code != 0 {
		c.t.Fatalf("create: %v %s", r.err, r.raw)
	}
	return r.Data["order_id"].(string)
}

// status asks the API for the status of an order.
func (c *client) orderStatus(merchantOrderID string) string {
	c.t.Helper()
	r := c.post(queryPath, fmt.Sprintf(`{"merchant_order_id":%q}`, merchantOrderID))
	if r.err != nil || r.Code != 0 {
		c.t.Fatalf("query: %v %s", r.err, r.raw)
	}
	return r.Data["status"].(string)
}

func refundBody(merchantOrderID, refundID, amount string) string {
	return fmt.Sprintf(`{"merchant_payment_order_id":%q,"merchant_refund_id":%q,"amount":%q}`, merchantOrderID, refundID, amount)
}

// got is a notification as a receiver saw it.
type got struct {
	header http.Header
	body   string
}

// receiver answers notifications with status and hands them over.
func receiver(t *testing.T, status int) (address string, notices <-chan got) {
	t.Helper()
	ch := make(chan got, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		ch <- got{r.Header, string(b)}
		w.WriteHeader(status)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, ch
}

// transport is an in-memory receiver.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func respond(status int) *http.Response {
	return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}}
}

func mustPay(t *testing.T, srv *cbtistest.Server, id string) {
	t.Helper()
	if _, err := srv.Pay(id); err != nil {
		t.Fatal(err)
	}
}

func idle(t *testing.T, srv *cbtistest.Server) {
	t.Helper()
	if err := srv.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func path(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Path
}
