package airwallextest_test

import (
	"strings"
	"testing"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
)

func TestWalletPage(t *testing.T) {
	srv, c := start(t, airwallextest.Options{})
	for button, status := range map[string]airwallextest.Status{"pay": airwallextest.Succeeded, "cancel": airwallextest.RequiresPaymentMethod} {
		id := c.order("A-" + button)
		page := c.send("GET", "/wallet/"+id, "")
		for _, want := range []string{"SANDBOX – no real money", "AlipayHK", "HKD 12.5", "A-" + button, `id="pay"`, `id="cancel"`, `name="viewport"`, `lang="en"`} {
			if page.status != 200 || !strings.Contains(page.raw, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if r := c.send("POST", "/wallet/"+id+"/"+button, ""); r.status != 303 || r.header.Get("Location") != "https://shop.example/done" {
			t.Errorf("%s: %d %v", button, r.status, r.header)
		}
		if in, _ := srv.Intent(id); in.Status != status {
			t.Errorf("%s: %s", button, in.Status)
		}
		if r := c.send("POST", "/wallet/"+id+"/"+button, ""); r.status != 409 || strings.Contains(r.raw, "<form") {
			t.Errorf("%s twice: %d %s", button, r.status, r.raw)
		}
	}
	open := c.order("B")
	for path, want := range map[string]int{"/wallet/" + c.create("C"): 404, "/wallet/int_1": 404, "/wallet/B": 404, "/wallet/" + open: 200} {
		if r := c.send("GET", path, ""); r.status != want {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	for path, want := range map[string]int{"/wallet/B/pay": 404, "/wallet/" + open + "/dance": 404} {
		if r := c.send("POST", path, ""); r.status != want {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := c.send("POST", "/wallet/"+open+"/pay", "", "Sec-Fetch-Site", "cross-site"); r.status != 403 {
		t.Errorf("another site's page: %d", r.status)
	}
	if in, _ := srv.Intent(open); in.Status != airwallextest.RequiresCustomerAction {
		t.Errorf("the intent is %s", in.Status)
	}
	for _, move := range []func(string) (airwallextest.Intent, error){srv.Pay, srv.Reject, srv.Intent} {
		if _, err := move("X"); err != airwallextest.ErrNotFound {
			t.Errorf("an unknown intent: %v", err)
		}
	}
}

func TestShopperActions(t *testing.T) {
	srv, c := start(t, airwallextest.Options{})
	for action, status := range map[string]airwallextest.Status{"pay": airwallextest.Succeeded, "reject": airwallextest.RequiresPaymentMethod} {
		id := c.order("A-" + action)
		in, _ := srv.Intent(id)
		press := func() answer {
			return c.send("POST", "/api/v1/simulation/pa/shopper_actions/"+action, `{"url":"`+in.Link+`"}`)
		}
		if a := press(); a.status != 200 || a.raw != "" {
			t.Errorf("%s: %d %s", action, a.status, a.raw)
		}
		if got, _ := srv.Intent(id); got.Status != status {
			t.Errorf("%s: %s", action, got.Status)
		}
		if a := press(); a.status != 400 {
			t.Errorf("%s twice: %d", action, a.status)
		}
	}
	if a := c.send("POST", "/api/v1/simulation/pa/shopper_actions/dance", `{"url":"x"}`); a.status != 404 {
		t.Errorf("got %d", a.status)
	}
	if a := c.send("POST", "/api/v1/simulation/pa/shopper_actions/pay", `{"url":"https://x.example/"}`); a.status != 400 {
		t.Errorf("got %d", a.status)
	}
}

func TestRefundRefusals(t *testing.T) {
	srv, c := start(t, airwallextest.Options{RefundSettleAfter: -1})
	open, paid := c.order("A"), c.paid("B")
	refund := func(key, id, amount string) answer {
		return c.post("refunds/create", `{"request_id":"`+key+`","payment_intent_id":"`+id+`","amount":`+amount+`}`)
	}
	for _, test := range []struct {
		key, id, amount string
		status          int
		code            string
	}{
		{"1", open, "1", 400, "invalid_status"}, {"2", "int_1", "1", 404, "not_found"}, {"3", paid, "12.51", 400, "amount_above_limit"},
		{"4", paid, `"1"`, 400, "invalid_argument"}, {"5", paid, "12", 201, ""}, {"6", paid, "0.51", 400, "amount_above_limit"},
		{"6", paid, "0.5", 201, ""}, {"7", paid, "0.01", 400, "amount_above_limit"},
	} {
		a := refund(test.key, test.id, test.amount)
		if code, _ := a.body["code"].(string); a.status != test.status || code != test.code {
			t.Errorf("%s %s: %d %s", test.id, test.amount, a.status, a.raw)
		}
	}
	if _, err := srv.SettleRefund(srv.Refunds()[0].ID, false); err != nil {
		t.Fatal(err)
	}
	if a := refund("8", paid, "12"); a.status != 201 { // what failed can go back again
		t.Errorf("after a failed refund: %s", a.raw)
	}
	if a := c.get("refunds?payment_intent_id=" + paid); len(a.body["items"].([]any)) != 3 {
		t.Error(a.raw)
	}
	if _, err := srv.SettleRefund("rfd_1", true); err != airwallextest.ErrNotFound {
		t.Errorf("got %v", err)
	}
}

func TestSetStatusContradicts(t *testing.T) {
	srv, c := start(t, airwallextest.Options{})
	id := c.order("A")
	for _, to := range []airwallextest.Status{airwallextest.Cancelled, airwallextest.Succeeded, "HALF_PAID"} {
		if _, err := srv.SetStatus("A", to); err != nil {
			t.Fatal(err)
		}
		if a := c.get("payment_intents/" + id); a.body["status"] != string(to) {
			t.Errorf("to %s: %s", to, a.raw)
		}
	}
	if _, err := srv.SetStatus("X", airwallextest.Cancelled); err != airwallextest.ErrNotFound {
		t.Errorf("an unknown intent: %v", err)
	}
}
