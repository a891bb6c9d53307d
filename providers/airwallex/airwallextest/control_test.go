package airwallextest_test

import (
	"strings"
	"testing"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
)

func TestControl(t *testing.T) {
	_, c := start(t, airwallextest.Options{})
	id := c.order("A")
	if a := c.send("GET", "/sandbox/intents", ""); a.status != 200 || !strings.Contains(a.raw, id) {
		t.Errorf("got %d %s", a.status, a.raw)
	}
	if a := c.send("POST", "/sandbox/faults", `{"kind":"rate_limited","op":"retrieve","times":1,"retry_after":"3s"}`); a.status != 204 {
		t.Errorf("got %d %s", a.status, a.raw)
	}
	if a := c.get("payment_intents/" + id); a.status != 429 || a.header.Get("Retry-After") != "3" {
		t.Errorf("got %d %v", a.status, a.header)
	}
	c.send("POST", "/sandbox/faults", `{"kind":"code"}`)
	if a := c.send("DELETE", "/sandbox/faults", ""); a.status != 204 {
		t.Errorf("got %d", a.status)
	}
	if a := c.get("payment_intents/" + id); a.status != 200 {
		t.Errorf("got %d", a.status)
	}
	for body, want := range map[string]string{
		``:                                "EOF",
		`{"kind":"explode"}`:              "explode",
		`{"kind":"code","colour":"red"}`:  "colour",
		`{"kind":"code","kind":"code"}`:   "duplicate",
		`{"kind":"delay","delay":"soon"}`: "soon",
		`{"kind":"delay","delay":"-1s"}`:  "negative",
		`{"kind":"code","status":99}`:     "99",
		`{"kind":"drop","op":"create"}`:   "notify",
	} {
		if a := c.send("POST", "/sandbox/faults", body); a.status != 400 || !strings.Contains(a.raw, want) {
			t.Errorf("%s: %d %s", body, a.status, a.raw)
		}
	}
}
