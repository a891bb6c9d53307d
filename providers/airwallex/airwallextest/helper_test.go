package airwallextest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
)

// client calls a sandbox in memory with a token of its own.
type client struct {
	t     *testing.T
	srv   *airwallextest.Server
	token string
}

type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func newClient(t *testing.T, srv *airwallextest.Server) *client {
	t.Helper()
	c := &client{t: t, srv: srv}
	login := c.send("POST", "/api/v1/authentication/login", "{}", "X-Client-Id", airwallextest.DefaultClientID, "X-Api-Key", airwallextest.DefaultAPIKey)
	if login.status != http.StatusCreated {
		t.Fatalf("login: %d %s", login.status, login.raw)
	}
	c.token = login.body["token"].(string)
	return c
}

// start returns a sandbox without a listener, and a client of it.
func start(t *testing.T, o airwallextest.Options) (*airwallextest.Server, *client) {
	t.Helper()
	srv := airwallextest.NewServer(o)
	t.Cleanup(srv.Close)
	return srv, newClient(t, srv)
}

func (c *client) send(method, path, body string, headers ...string) answer {
	c.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("X-Api-Version", "2025-06-30")
	r.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	c.srv.ServeHTTP(w, r)
	raw, _ := io.ReadAll(w.Result().Body)
	a := answer{status: w.Code, header: w.Result().Header, raw: string(raw)}
	_ = json.Unmarshal(raw, &a.body) // pages have none
	return a
}

func (c *client) post(path, body string) answer {
	c.t.Helper()
	return c.send("POST", "/api/v1/pa/"+path, body)
}

func (c *client) get(path string) answer {
	c.t.Helper()
	return c.send("GET", "/api/v1/pa/"+path, "")
}

const createBody = `{"request_id":"k-ID","amount":12.50,"currency":"HKD","merchant_order_id":"ID","return_url":"https://shop.example/done"}`

// create makes an intent for the merchant's order id and returns its id.
func (c *client) create(order string) string {
	c.t.Helper()
	a := c.post("payment_intents/create", strings.ReplaceAll(createBody, "ID", order))
	if a.status != http.StatusCreated {
		c.t.Fatalf("create: %d %s", a.status, a.raw)
	}
	return a.body["id"].(string)
}

func (c *client) confirm(id, key string) answer {
	c.t.Helper()
	return c.post("payment_intents/"+id+"/confirm", `{"request_id":"`+key+`","payment_method":{"type":"alipayhk","alipayhk":{"flow":"mobile_web","os_type":"ios"}}}`)
}

// order makes an intent that the payer can pay.
func (c *client) order(order string) string {
	c.t.Helper()
	id := c.create(order)
	if a := c.confirm(id, "c-"+order); a.status != http.StatusOK {
		c.t.Fatalf("confirm: %d %s", a.status, a.raw)
	}
	return id
}

// paid makes an intent that is paid.
func (c *client) paid(order string) string {
	c.t.Helper()
	id := c.order(order)
	if _, err := c.srv.Pay(id); err != nil {
		c.t.Fatal(err)
	}
	return id
}
