package cbtistest_test

import (
	"strings"
	"testing"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

func TestControlFaults(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	r := c.send("POST", "/sandbox/faults", "", `{"kind":"rate_limited","op":"create","times":1,"retry_after":"3s"}`)
	if r.status != 201 || !strings.Contains(r.raw, `"id": 1`) {
		t.Errorf("post: %d %s", r.status, r.raw)
	}
	c.send("POST", "/sandbox/faults", "", `{"kind":"delay","delay":"2s"}`)
	if r := c.send("GET", "/sandbox/faults", "", ""); !strings.Contains(r.raw, `"retry_after": "3s"`) || !strings.Contains(r.raw, `"delay": "2s"`) {
		t.Errorf("get: %s", r.raw)
	}
	if r := c.send("DELETE", "/sandbox/faults/2", "", ""); r.status != 200 || len(srv.Faults()) != 1 {
		t.Errorf("delete one: %d %s", r.status, r.raw)
	}
	if r := c.post(createPath, body("A")); r.status != 429 || r.header.Get("Retry-After") != "3" {
		t.Errorf("create: %d %v", r.status, r.header)
	}
	c.send("POST", "/sandbox/faults", "", `{"kind":"code","code":5}`)
	if r := c.send("DELETE", "/sandbox/faults", "", ""); !strings.Contains(r.raw, `"cleared": 1`) || len(srv.Faults()) != 0 {
		t.Errorf("delete: %s", r.raw)
	}
}

func TestControlRefuses(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	for body, want := range map[string]string{
		``:                                  "EOF",
		`{"kind":"code","colour":"red"}`:    "colour",
		`{"kind":"explode"}`:                "explode",
		`{"kind":"delay","delay":5}`:        "delay",
		`{"kind":"delay","delay":"soon"}`:   "soon",
		`{"kind":"code","retry_after":"x"}`: "retry_after",
		`{"kind":"drop","op":"create"}`:     "notify",
		`{"kind":"code","kind":"code"}`:     "duplicate",
		`{"kind":"code","id":4}`:            "id",
	} {
		if r := c.send("POST", "/sandbox/faults", "", body); r.status != 400 || !strings.Contains(r.raw, want) {
			t.Errorf("%s: %d %s, want %q", body, r.status, r.raw, want)
		}
	}
	for _, p := range []string{"/sandbox/faults/9", "/sandbox/faults/x"} {
		if r := c.send("DELETE", p, "", ""); r.status < 400 {
			t.Errorf("DELETE %s: %d", p, r.status)
		}
	}
}

func TestControlOrders(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	id := c.order("A")
	c.order("B")
	if r := c.send("POST", "/sandbox/orders/"+id+"/pay", "", ""); r.status != 200 || !strings.Contains(r.raw, `"SUCCEEDED"`) {
		t.Errorf("pay: %d %s", r.status, r.raw)
	}
	if r := c.send("POST", "/sandbox/orders/B/cancel", "", ""); r.status != 200 || !strings.Contains(r.raw, `"CANCELLED"`) {
		t.Errorf("cancel: %d %s", r.status, r.raw)
	}
	if r := c.send("POST", "/sandbox/orders/B/pay", "", ""); r.status != 409 || !strings.Contains(r.raw, "CANCELLED") {
		t.Errorf("pay again: %d %s", r.status, r.raw)
	}
	if r := c.send("POST", "/sandbox/orders/X/pay", "", ""); r.status != 404 {
		t.Errorf("pay nothing: %d %s", r.status, r.raw)
	}
	if r := c.send("GET", "/sandbox/orders", "", ""); strings.Count(r.raw, `"merchant_order_id"`) != 2 {
		t.Errorf("orders: %s", r.raw)
	}
	if r := c.send("GET", "/sandbox/orders?merchant_order_id=A", "", ""); strings.Count(r.raw, `"merchant_order_id"`) != 1 || !strings.Contains(r.raw, `"A"`) {
		t.Errorf("orders of A: %s", r.raw)
	}
	if r := c.send("GET", "/sandbox/orders/"+id, "", ""); r.status != 200 || !strings.Contains(r.raw, `"merchant_order_id": "A"`) {
		t.Errorf("order: %d %s", r.status, r.raw)
	}
	if r := c.send("POST", "/sandbox/orders/B/status", "", `{"status":"HALF_PAID"}`); r.status != 200 || !strings.Contains(r.raw, `"HALF_PAID"`) {
		t.Errorf("status: %d %s", r.status, r.raw)
	}
	for path, body := range map[string]string{"/sandbox/orders/X/status": `{"status":"PENDING"}`, "/sandbox/orders/B/status": `{"state":"PENDING"}`} {
		if r := c.send("POST", path, "", body); r.status < 400 || r.status > 499 {
			t.Errorf("%s %s: %d %s", path, body, r.status, r.raw)
		}
	}
	if r := c.send("GET", "/sandbox/orders/X", "", ""); r.status != 404 {
		t.Errorf("no order: %d %s", r.status, r.raw)
	}
	for _, p := range []string{"/sandbox/requests", "/sandbox/notifications"} {
		if r := c.send("GET", p, "", ""); r.status != 200 || !strings.HasPrefix(r.raw, "[") || strings.Contains(r.raw, c.token) {
			t.Errorf("%s: %d %s", p, r.status, r.raw)
		}
	}
}

func TestControlSigns(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	const body = "{\"a\": 1}"
	signs := func(path, key string) {
		t.Helper()
		if r := c.send("POST", path, "", body); r.status != 200 || !strings.Contains(r.raw, `"Signature": "`+cbtistest.Sign([]byte(body), key)+`"`) {
			t.Errorf("%s: %d %s", path, r.status, r.raw)
		}
	}
	signs("/sandbox/sign", cbtistest.DefaultWebhookKey)
	signs("/sandbox/sign?key=another", "another")
	if r := c.send("PUT", "/sandbox/webhook_key", "", `{"key":"the-next"}`); r.status != 200 {
		t.Errorf("key: %d %s", r.status, r.raw)
	}
	signs("/sandbox/sign", "the-next")
	if r := c.send("PUT", "/sandbox/webhook_key", "", `{}`); r.status != 400 || !strings.Contains(r.raw, "key is missing") {
		t.Errorf("no key: %d %s", r.status, r.raw)
	}
}
