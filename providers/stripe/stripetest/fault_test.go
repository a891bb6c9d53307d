package stripetest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/providers/stripe/stripetest"
)

func TestFaults(t *testing.T) {
	tests := []struct {
		fault stripetest.Fault
		made  bool // the payment exists
		check func(reply) bool
	}{
		{stripetest.Fault{Kind: stripetest.KindCloseBefore}, false, func(r reply) bool { return r.cut }},
		{stripetest.Fault{Kind: stripetest.KindCloseAfter}, true, func(r reply) bool { return r.cut }},
		{stripetest.Fault{Kind: stripetest.KindHTMLBefore}, false, func(r reply) bool { return r.status == 502 && strings.Contains(r.raw, "<html>") }},
		{stripetest.Fault{Kind: stripetest.KindHTMLAfter, Status: 503}, true, func(r reply) bool { return r.status == 503 && strings.Contains(r.raw, "<html>") }},
		{stripetest.Fault{Kind: stripetest.KindError, Status: 402, Type: "card_error", Code: "x"}, false, func(r reply) bool {
			return r.status == 402 && r.Error.Type == "card_error" && r.Error.Code == "x"
		}},
		{stripetest.Fault{Kind: stripetest.KindSavedError}, true, func(r reply) bool { return r.status == 500 && r.Error.Type == "api_error" }},
		{stripetest.Fault{Kind: stripetest.KindTruncatedJSON}, true, func(r reply) bool {
			return r.status == 200 && strings.HasPrefix(r.raw, "{") && !strings.HasSuffix(r.raw, "}")
		}},
		{stripetest.Fault{Kind: stripetest.KindUnauthorized}, false, func(r reply) bool { return r.status == 401 }},
		{stripetest.Fault{Kind: stripetest.KindRateLimited, RetryAfter: 1500 * time.Millisecond}, false, func(r reply) bool { return r.status == 429 && r.header.Get("Retry-After") == "2" }},
		{stripetest.Fault{Kind: stripetest.KindWrongEcho, Field: "id"}, true, func(r reply) bool { return r.ID == "xx_another" }},
		{stripetest.Fault{Kind: stripetest.KindWrongEcho, Field: "metadata"}, true, func(r reply) bool { return r.Metadata["merchant_order_id"] == "another" }},
		{stripetest.Fault{Kind: stripetest.KindWrongEcho, Field: "amount"}, true, func(r reply) bool { return strings.Contains(r.raw, `"amount":987654`) }},
		{stripetest.Fault{Kind: stripetest.KindWrongEcho, Field: "currency"}, true, func(r reply) bool { return strings.Contains(r.raw, `"currency":"thb"`) }},
		{stripetest.Fault{Kind: stripetest.KindWrongEcho, Field: "livemode"}, true, func(r reply) bool { return strings.Contains(r.raw, `"livemode":true`) }},
	}
	for _, test := range tests {
		t.Run(string(test.fault.Kind)+"/"+test.fault.Field, func(t *testing.T) {
			c, srv := newClient(t, stripetest.Options{})
			test.fault.Op, test.fault.Times = stripetest.OpCreate, 1
			srv.Inject(test.fault)
			if got := c.post(intents, form(), "k"); !test.check(got) {
				t.Errorf("got %d %v %s", got.status, got.header, got.raw)
			}
			if n := len(srv.Intents()); (n == 1) != test.made {
				t.Errorf("%d payments", n)
			}
			if log := srv.Requests(stripetest.OpCreate); len(log) != 1 || log[0].Fault != test.fault.Kind || len(srv.Faults()) != 0 {
				t.Errorf("log %+v, left %v", log, srv.Faults())
			}
			c.create("P2")
		})
	}
}

func TestLaggingFaults(t *testing.T) {
	c, srv := newClient(t, stripetest.Options{})
	made := c.create("P1")
	if _, err := srv.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	srv.Inject(stripetest.Fault{Kind: stripetest.KindLaggingQuery, Times: 1})
	srv.Inject(stripetest.Fault{Kind: stripetest.KindLaggingSearch, Times: 1})
	const search = intents + "/search?query=metadata%5B%27merchant_order_id%27%5D:%27P1%27"
	for i, want := range []string{stripetest.RequiresAction, stripetest.Succeeded} {
		if got := c.get(intents + "/" + made.ID); got.Status != want {
			t.Errorf("got %s", got.raw)
		}
		if got := c.get(search); got.status != 200 || len(got.Data) != i {
			t.Errorf("got %s", got.raw)
		}
	}
}

func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, srv := newClient(t, stripetest.Options{})
		srv.Inject(stripetest.Fault{Kind: stripetest.KindDelay, Delay: time.Second, Times: 1})
		srv.Inject(stripetest.Fault{Kind: stripetest.KindDelayAfter, Delay: time.Minute, Times: 1})
		srv.Inject(stripetest.Fault{Kind: stripetest.KindUnauthorized, Times: 1})
		begun := time.Now()
		if got := c.get("/v1/account"); got.status != 401 || time.Since(begun) != time.Second {
			t.Errorf("%d after %s", got.status, time.Since(begun))
		}
		srv.Inject(stripetest.Fault{Kind: stripetest.KindDelayAfter, Delay: time.Minute, Times: 1})
		begun = time.Now()
		if c.create("P1"); time.Since(begun) != time.Minute {
			t.Errorf("after %s", time.Since(begun))
		}
	})
}

func TestFaultsQueueUp(t *testing.T) {
	c, srv := newClient(t, stripetest.Options{})
	srv.Inject(stripetest.Fault{Kind: stripetest.KindUnauthorized, Times: 2})
	id := srv.Inject(stripetest.Fault{Kind: stripetest.KindRateLimited})
	for i, want := range []int{401, 401, 429, 429} {
		if got := c.get("/v1/account"); got.status != want {
			t.Errorf("%d: %d", i, got.status)
		}
	}
	srv.ClearFaults(id)
	if got := c.get("/v1/account"); got.status != 200 || got.ID != stripetest.DefaultAccountID {
		t.Errorf("got %s", got.raw)
	}
}

func TestInvalidFaults(t *testing.T) {
	for _, f := range []stripetest.Fault{
		{}, {Kind: "x"}, {Kind: stripetest.KindDelay}, {Kind: stripetest.KindForged, Op: stripetest.OpCreate}, {Kind: stripetest.KindWrongEcho},
		{Kind: stripetest.KindError}, {Kind: stripetest.KindError, Status: 200, Type: "x"}, {Kind: stripetest.KindHTMLAfter, Status: 999},
		{Kind: stripetest.KindDrop, Times: -1}, {Kind: stripetest.KindSavedError, Op: stripetest.OpQuery},
	} {
		if f.Validate() == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a mistake in a test goes unnoticed")
		}
	}()
	_, srv := newClient(t, stripetest.Options{})
	srv.Inject(stripetest.Fault{})
}
