package cbtistest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// Each fault hits one create; it then must have recorded the order or not.
func TestFaultsOfCreate(t *testing.T) {
	tests := map[string]struct {
		fault    cbtistest.Fault
		recorded bool
		check    func(reply) bool
	}{
		"close before":  {cbtistest.Fault{Kind: cbtistest.KindCloseBefore}, false, func(r reply) bool { return r.err != nil }},
		"close after":   {cbtistest.Fault{Kind: cbtistest.KindCloseAfter}, true, func(r reply) bool { return r.err != nil }},
		"error before":  {cbtistest.Fault{Kind: cbtistest.KindHTTPErrorBefore}, false, isPage(502)},
		"error after":   {cbtistest.Fault{Kind: cbtistest.KindHTTPErrorAfter, Status: 504}, true, isPage(504)},
		"code":          {cbtistest.Fault{Kind: cbtistest.KindCode, Code: 12345, Message: "no"}, false, func(r reply) bool { return r.status == 200 && r.Code == 12345 && r.Message == "no" }},
		"default code":  {cbtistest.Fault{Kind: cbtistest.KindCode, Status: 400}, false, func(r reply) bool { return r.status == 400 && r.Code == 50000 }},
		"truncated":     {cbtistest.Fault{Kind: cbtistest.KindTruncatedJSON}, true, func(r reply) bool { return r.status == 200 && !jsontext.Value(r.raw).IsValid() && len(r.raw) > 50 }},
		"token invalid": {cbtistest.Fault{Kind: cbtistest.KindTokenInvalid}, false, func(r reply) bool { return r.status == 401 && r.Code == 40101 }},
		"429":           {cbtistest.Fault{Kind: cbtistest.KindRateLimited}, false, func(r reply) bool { return r.status == 429 && r.header.Get("Retry-After") == "" }},
		"429 later":     {cbtistest.Fault{Kind: cbtistest.KindRateLimited, RetryAfter: 1500 * time.Millisecond}, false, func(r reply) bool { return r.status == 429 && r.header.Get("Retry-After") == "2" }},
		"order_id":      {cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "order_id"}, true, func(r reply) bool { return r.Data["order_id"] == "C000000000000000000000" }},
		"merchant id":   {cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "merchant_order_id"}, true, func(r reply) bool { return r.Data["merchant_order_id"] != "A" }},
		"amount":        {cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "amount"}, true, func(r reply) bool { return r.Data["amount"] == "9100.00" }},
		"currency":      {cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "currency"}, true, func(r reply) bool { return r.Data["currency"] == "TWD" }},
		"huge":          {cbtistest.Fault{Kind: cbtistest.KindHugeBody}, true, func(r reply) bool { return len(r.raw) >= 1<<20 && jsontext.Value(r.raw).IsValid() }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			srv := cbtistest.Start(t, cbtistest.Options{})
			c := newClient(t, srv)
			tt.fault.Op, tt.fault.Times = cbtistest.OpCreate, 1
			srv.Inject(tt.fault)
			if r := c.post(createPath, body("A")); !tt.check(r) {
				t.Errorf("answered %d %v %.300s, %v", r.status, r.header, r.raw, r.err)
			}
			if _, ok := srv.Order("A"); ok != tt.recorded {
				t.Errorf("recorded: %v, want %v", ok, tt.recorded)
			}
			if log := srv.Requests(createPath); len(log) != 1 || log[0].Fault != tt.fault.Kind {
				t.Errorf("log: %+v", log)
			}
			if tt.fault.Kind == cbtistest.KindTokenInvalid {
				c.login()
			}
			if r := c.post(createPath, body("B")); r.Code != 0 || len(srv.Faults()) != 0 {
				t.Errorf("the fault outlived its one time: %s", r.raw)
			}
		})
	}
}

func isPage(status int) func(reply) bool {
	return func(r reply) bool {
		return r.status == status && strings.HasPrefix(r.header.Get("Content-Type"), "text/html") && strings.Contains(r.raw, "<h1>")
	}
}

func TestCloseAfterRefundRecordsIt(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	c.order("A")
	mustPay(t, srv, "A")
	srv.Inject(cbtistest.Fault{Kind: cbtistest.KindCloseAfter, Op: cbtistest.OpRefund, Times: 1})
	if r := c.post(refundPath, refundBody("A", "R1", "10")); r.err == nil {
		t.Errorf("answered %s", r.raw)
	}
	if r := c.post(refundQueryPath, `{"merchant_refund_id":"R1"}`); r.Data["status"] != "SUCCEEDED" {
		t.Errorf("refund query answered %s", r.raw)
	}
}

func TestDelays(t *testing.T) {
	for _, kind := range []cbtistest.Kind{cbtistest.KindDelay, cbtistest.KindDelayAfter} {
		synctest.Test(t, func(t *testing.T) {
			srv := cbtistest.NewServer(cbtistest.Options{})
			defer srv.Close()
			c := inMemory(t, srv)
			srv.Inject(cbtistest.Fault{Kind: kind, Op: cbtistest.OpCreate, Delay: 3 * time.Second})
			srv.Inject(cbtistest.Fault{Kind: kind, Op: cbtistest.OpCreate, Delay: 4 * time.Second, Times: 1})
			start := time.Now()
			c.order("A")
			o, _ := srv.Order("A")
			if d := time.Since(start); d != 7*time.Second {
				t.Errorf("%s: answered after %v, want 7s", kind, d)
			}
			if before := o.CreatedAt.Sub(start) == 7*time.Second; before != (kind == cbtistest.KindDelay) {
				t.Errorf("%s: recorded after %v", kind, o.CreatedAt.Sub(start))
			}
		})
	}
}

// A call that is being delayed must not keep Close waiting.
func TestCloseEndsDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := cbtistest.NewServer(cbtistest.Options{OrderTimeout: -1})
		c := inMemory(t, srv)
		srv.Inject(cbtistest.Fault{Kind: cbtistest.KindDelay, Op: cbtistest.OpCreate, Delay: time.Hour})
		cut := make(chan any)
		go func() {
			defer func() { cut <- recover() }() // a recorder can't be hijacked
			c.post(createPath, body("A"))
		}()
		synctest.Wait()
		start := time.Now()
		go srv.Close()
		if got := <-cut; got != http.ErrAbortHandler || time.Since(start) != 0 {
			t.Errorf("after %v: %v", time.Since(start), got)
		}
		if n := len(srv.Orders()); n != 0 {
			t.Errorf("%d orders were recorded", n)
		}
	})
}

func TestFaultsQueueAndMatch(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	srv.Inject(cbtistest.Fault{Kind: cbtistest.KindCode, Code: 1, MatchMerchantOrderID: "B", Times: 1})
	srv.Inject(cbtistest.Fault{Kind: cbtistest.KindCode, Code: 2, Op: cbtistest.OpCreate, Times: 2})
	forever := srv.Inject(cbtistest.Fault{Kind: cbtistest.KindCode, Code: 3, Op: cbtistest.OpAny})
	var codes []int
	for _, id := range []string{"A", "B", "A", "A", "A"} {
		codes = append(codes, c.post(createPath, body(id)).Code)
	}
	if !slices.Equal(codes, []int{2, 1, 2, 3, 3}) {
		t.Errorf("codes %v", codes)
	}
	if f := srv.Faults(); len(f) != 1 || f[0].ID != forever || f[0].Used != 2 {
		t.Errorf("faults: %+v", f)
	}
	if n := srv.ClearFaults(forever); n != 1 || c.post(createPath, body("A")).Code != 0 {
		t.Error("the fault wasn't cleared")
	}
}

func TestLaggingQuery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := cbtistest.NewServer(cbtistest.Options{})
		defer srv.Close()
		c := inMemory(t, srv)
		c.order("A")
		srv.Inject(cbtistest.Fault{Kind: cbtistest.KindLaggingQuery, Times: 2})
		var seen []string
		seen = append(seen, c.orderStatus("A")) // unpaid: not counted
		mustPay(t, srv, "A")
		for range 3 {
			seen = append(seen, c.orderStatus("A"))
		}
		srv.Inject(cbtistest.Fault{Kind: cbtistest.KindLaggingQuery, Delay: time.Minute})
		seen = append(seen, c.orderStatus("A"))
		time.Sleep(time.Minute)
		seen = append(seen, c.orderStatus("A"))
		if want := []string{"PENDING", "PENDING", "PENDING", "SUCCEEDED", "PENDING", "SUCCEEDED"}; !slices.Equal(seen, want) {
			t.Errorf("saw %q, want %q", seen, want)
		}
	})
}

func TestFaultsOfNotifications(t *testing.T) {
	signed := func(n cbtistest.Notification) bool {
		return n.Signature == cbtistest.Sign([]byte(n.Body), cbtistest.DefaultWebhookKey)
	}
	tests := map[string]struct {
		fault   cbtistest.Fault
		offsets []time.Duration
		first   func(cbtistest.Notification) bool
	}{
		"bad signature": {cbtistest.Fault{Kind: cbtistest.KindBadSignature}, seconds(0),
			func(n cbtistest.Notification) bool { return len(n.Signature) == 64 && !signed(n) }},
		"missing signature": {cbtistest.Fault{Kind: cbtistest.KindMissingSignature}, seconds(0),
			func(n cbtistest.Notification) bool { return n.Signature == "" }},
		"unknown type": {cbtistest.Fault{Kind: cbtistest.KindUnknownType}, seconds(0),
			func(n cbtistest.Notification) bool {
				return strings.HasPrefix(n.Body, `{"notify_type":"payment_unheard_of",`) && signed(n)
			}},
		"huge": {cbtistest.Fault{Kind: cbtistest.KindHugeBody, Size: 9999}, seconds(0),
			func(n cbtistest.Notification) bool { return len(n.Body) > 9999 && signed(n) }},
		"duplicate": {cbtistest.Fault{Kind: cbtistest.KindDuplicate, Count: 2}, seconds(0, 0, 0), signed},
		"drop": {cbtistest.Fault{Kind: cbtistest.KindDrop}, seconds(0, 15),
			func(n cbtistest.Notification) bool { return n.Status == 0 && !n.Delivered }},
		"delay":   {cbtistest.Fault{Kind: cbtistest.KindDelay, Delay: 7 * time.Second}, seconds(7), signed},
		"reorder": {cbtistest.Fault{Kind: cbtistest.KindReorder, Delay: 9 * time.Second}, seconds(9), signed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.fault.Op, tt.fault.Times = cbtistest.OpNotify, 1
			attempts, start := bubble(t, cbtistest.Options{}, time.Hour, always(200), tt.fault)
			if got := offsets(attempts, start); !slices.Equal(got, tt.offsets) || !tt.first(attempts[0]) {
				t.Errorf("attempts: %+v", attempts)
			}
			for i, a := range attempts {
				if a.Extra != (tt.fault.Kind == cbtistest.KindDuplicate && i > 0) {
					t.Errorf("attempt %d: extra is %v", i, a.Extra)
				}
			}
		})
	}
}

func TestRefundNoticeBeforePaymentNotice(t *testing.T) {
	address, notices := receiver(t, http.StatusOK)
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	srv.Inject(cbtistest.Fault{Kind: cbtistest.KindReorder, Times: 1})
	c.order("A", withURL("notify_url", address)...)
	mustPay(t, srv, "A")
	idle(t, srv)
	if n := srv.Notifications(); len(n) != 0 {
		t.Fatalf("it wasn't held back: %+v", n)
	}
	c.post(refundPath, refundBody("A", "R1", "1"))
	for _, want := range []string{"refund_success", "payment_success"} {
		if n := <-notices; !strings.Contains(n.body, want) {
			t.Errorf("got %s, want %s", n.body, want)
		}
	}
}

func TestInvalidFaults(t *testing.T) {
	for _, f := range []cbtistest.Fault{
		{}, {Kind: "?"}, {Kind: cbtistest.KindDelay}, {Kind: cbtistest.KindDrop, Op: cbtistest.OpCreate},
		{Kind: cbtistest.KindWrongEcho}, {Kind: cbtistest.KindCode, Op: "pay"}, {Kind: cbtistest.KindCode, Times: -1},
		{Kind: cbtistest.KindCode, Status: 99}, {Kind: cbtistest.KindHugeBody, Size: 1 << 30},
		{Kind: cbtistest.KindTokenInvalid, Op: cbtistest.OpAuth},
	} {
		if f.Validate() == nil {
			t.Errorf("%+v is said to be valid", f)
		}
	}
	srv := cbtistest.Start(t, cbtistest.Options{})
	defer func() {
		if recover() == nil {
			t.Error("Inject took an invalid fault")
		}
	}()
	srv.Inject(cbtistest.Fault{})
}
