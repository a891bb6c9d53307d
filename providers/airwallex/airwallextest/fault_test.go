package airwallextest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
)

func TestFaults(t *testing.T) {
	tests := []struct {
		fault   airwallextest.Fault
		fits    func(answer) bool
		intents int
	}{
		{airwallextest.Fault{Kind: airwallextest.KindHTTPErrorBefore}, func(a answer) bool { return a.status == 502 && strings.Contains(a.raw, "<html>") }, 0},
		{airwallextest.Fault{Kind: airwallextest.KindHTTPErrorAfter, Status: 504}, func(a answer) bool { return a.status == 504 && strings.Contains(a.header.Get("Content-Type"), "html") }, 1},
		{airwallextest.Fault{Kind: airwallextest.KindCode}, func(a answer) bool { return a.status == 400 && a.body["code"] == "internal_error" }, 0},
		{airwallextest.Fault{Kind: airwallextest.KindCode, Status: 403, Code: "x"}, func(a answer) bool { return a.status == 403 && a.body["code"] == "x" }, 0},
		{airwallextest.Fault{Kind: airwallextest.KindTruncatedJSON}, func(a answer) bool { return a.status == 201 && a.body == nil && len(a.raw) > 50 }, 1},
		{airwallextest.Fault{Kind: airwallextest.KindTokenInvalid}, func(a answer) bool { return a.status == 401 }, 0},
		{airwallextest.Fault{Kind: airwallextest.KindRateLimited, RetryAfter: 1500 * time.Millisecond}, func(a answer) bool { return a.status == 429 && a.header.Get("Retry-After") == "2" }, 0},
		{airwallextest.Fault{Kind: airwallextest.KindRateLimited}, func(a answer) bool { return a.status == 429 && a.header["Retry-After"] == nil }, 0},
		{airwallextest.Fault{Kind: airwallextest.KindWrongEcho, Field: "id"}, func(a answer) bool { return a.body["id"] == "int_of_another_merchant" }, 1},
		{airwallextest.Fault{Kind: airwallextest.KindWrongEcho, Field: "amount"}, func(a answer) bool { return strings.Contains(a.raw, `"amount":912.5,`) }, 1},
		{airwallextest.Fault{Kind: airwallextest.KindDelay, Delay: time.Millisecond}, func(a answer) bool { return a.status == 201 }, 1},
		{airwallextest.Fault{Kind: airwallextest.KindDelayAfter, Delay: time.Millisecond}, func(a answer) bool { return a.status == 201 }, 1},
	}
	for _, test := range tests {
		srv, c := start(t, airwallextest.Options{})
		test.fault.Op, test.fault.Times = airwallextest.OpCreate, 1
		srv.Inject(test.fault)
		if a := c.post("payment_intents/create", createBody); !test.fits(a) {
			t.Errorf("%s: %d %s", test.fault.Kind, a.status, a.raw)
		}
		if got := len(srv.Intents()); got != test.intents {
			t.Errorf("%s: %d intents", test.fault.Kind, got)
		}
		log := srv.Requests()
		if last := log[len(log)-1]; last.Fault != test.fault.Kind || last.Op != airwallextest.OpCreate || last.Body != createBody {
			t.Errorf("log %+v", last)
		}
		if test.fault.Kind == airwallextest.KindTokenInvalid {
			c = newClient(t, srv)
		}
		if a := c.get("payment_intents"); a.status != 200 {
			t.Errorf("after %s: %d", test.fault.Kind, a.status)
		}
	}
}

func TestCutConnections(t *testing.T) {
	for kind, intents := range map[airwallextest.Kind]int{airwallextest.KindCloseBefore: 0, airwallextest.KindCloseAfter: 1} {
		srv := airwallextest.Start(t, airwallextest.Options{})
		c := newClient(t, srv)
		srv.Inject(airwallextest.Fault{Kind: kind, Times: 1})
		req, _ := http.NewRequestWithContext(t.Context(), "POST", srv.URL+"/api/v1/pa/payment_intents/create", strings.NewReader(createBody))
		req.Header = http.Header{"Authorization": {"Bearer " + c.token}, "X-Api-Version": {"2025-06-30"}, "Content-Type": {"application/json"}}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s: HTTP %d", kind, resp.StatusCode)
		}
		if got := len(srv.Intents()); got != intents {
			t.Errorf("%s: %d intents", kind, got)
		}
	}
}

func TestLaggingAnswers(t *testing.T) {
	srv, c := start(t, airwallextest.Options{})
	id := c.paid("A")
	srv.Inject(airwallextest.Fault{Kind: airwallextest.KindLagging})
	if a := c.get("payment_intents/" + id); a.body["status"] != "REQUIRES_CUSTOMER_ACTION" {
		t.Error(a.raw)
	}
	if a := c.get("payment_intents?merchant_order_id=A"); a.raw != `{"has_more":false,"items":[]}` {
		t.Error(a.raw)
	}
	srv.ClearFaults()
	if a := c.get("payment_intents/" + id); a.body["status"] != "SUCCEEDED" {
		t.Error(a.raw)
	}
}

func TestInvalidFaults(t *testing.T) {
	srv, _ := start(t, airwallextest.Options{})
	for _, f := range []airwallextest.Fault{
		{}, {Kind: "?"}, {Kind: airwallextest.KindDrop, Op: airwallextest.OpCreate}, {Kind: airwallextest.KindWrongEcho},
		{Kind: airwallextest.KindTokenInvalid, Op: airwallextest.OpLogin}, {Kind: airwallextest.KindCode, Op: "pay"},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Inject took %+v", f)
				}
			}()
			srv.Inject(f)
		}()
	}
}
