package stripetest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/providers/stripe/stripetest"
)

func TestCreateAndQuery(t *testing.T) {
	c, srv := newClient(t, stripetest.Options{BaseURL: "https://sandbox.example"})
	made := c.create("P1")
	for _, want := range []string{
		`"object":"payment_intent"`, `"amount":1250`, `"currency":"hkd"`, `"livemode":false`, `"type":"alipay_handle_redirect"`,
		`"url":"https://sandbox.example/wallet/` + made.ID + `"`, `"last_payment_error":null`, `"merchant_order_id":"P1"`,
	} {
		if !strings.Contains(made.raw, want) {
			t.Errorf("no %s in %s", want, made.raw)
		}
	}
	if got := c.get(intents + "/" + made.ID); got.raw != made.raw || got.header.Get("Request-Id") == "" {
		t.Errorf("got %s", got.raw)
	}
	if got := c.get(intents + "/pi_x"); got.status != 404 || got.Error.Code != "resource_missing" {
		t.Errorf("got %s", got.raw)
	}
	if _, err := srv.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	if got := c.get(intents + "/" + made.ID); got.Status != "succeeded" || !strings.Contains(got.raw, `"amount_received":1250`) || !strings.Contains(got.raw, `"next_action":null`) {
		t.Errorf("got %s", got.raw)
	}
}

func TestRefusals(t *testing.T) {
	c, srv := newClient(t, stripetest.Options{})
	for param, changes := range map[string][]string{
		"amount": {"amount", "1.5"}, "currency": {"currency", "HKD"}, "payment_method_data[type]": {"payment_method_data[type]", "alipayhk"},
		"payment_method_types[]": {"payment_method_types[]", "card"}, "confirm": {"confirm", "false"}, "return_url": {"return_url", ""},
		"merchant_order_id": {"merchant_order_id", "P1"}, "description": {"description", strings.Repeat("x", 1001)}, "metadata[": {"metadata[", "x"},
	} {
		if got := c.post(intents, form(changes...), ""); got.status != 400 || got.Error.Type != "invalid_request_error" || got.Error.Param != param {
			t.Errorf("%s: %s", param, got.raw)
		}
	}
	for _, amount := range []string{"0", "-1", "+1", "01", "1e2", "100000000", "x"} {
		if got := c.post(intents, form("amount", amount), ""); got.status != 400 {
			t.Errorf("%s: %s", amount, got.raw)
		}
	}
	if got := c.post(intents, form()+"&amount=1", ""); got.status != 400 {
		t.Errorf("twice: %s", got.raw)
	}
	req := httptest.NewRequest("POST", intents, strings.NewReader(`{"amount":1}`))
	req.Header.Set("Content-Type", "application/json")
	if got := c.do(req); got.status != 400 {
		t.Errorf("JSON: %s", got.raw)
	}
	if got := c.get("/v1/charges"); got.status != 404 {
		t.Errorf("path: %s", got.raw)
	}
	for _, key := range []string{"", "sk_test_x"} {
		c.key = key
		if got := c.post(intents, form(), "k"); got.status != 401 {
			t.Errorf("key %q: %s", key, got.raw)
		}
	}
	if len(srv.Intents()) != 0 {
		t.Errorf("%d payments", len(srv.Intents()))
	}
}

func TestIdempotency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, srv := newClient(t, stripetest.Options{})
		first := c.post(intents, form(), "k1")
		if _, err := srv.Pay("P1"); err != nil {
			t.Fatal(err)
		}
		if again := c.post(intents, form(), "k1"); again.raw != first.raw {
			t.Errorf("replayed %s", again.raw)
		}
		if other := c.post(intents, form("amount", "1"), "k1"); other.status != 400 || other.Error.Type != "idempotency_error" {
			t.Errorf("other parameters: %s", other.raw)
		}
		if path := c.post("/v1/refunds", form(), "k1"); path.Error.Type != "idempotency_error" {
			t.Errorf("other path: %s", path.raw)
		}
		// What was not executed is not kept.
		if bad := c.post(intents, form("amount", "x"), "k2"); bad.status != 400 {
			t.Errorf("got %s", bad.raw)
		}
		if good := c.post(intents, form(), "k2"); good.status != 200 {
			t.Errorf("got %s", good.raw)
		}
		// A failure in the middle is.
		srv.Inject(stripetest.Fault{Kind: stripetest.KindSavedError, Times: 1})
		for range 2 {
			if got := c.post(intents, form(), "k3"); got.status != 500 || got.Error.Type != "api_error" {
				t.Errorf("got %s", got.raw)
			}
		}
		if long := c.post(intents, form(), strings.Repeat("k", 256)); long.status != 400 {
			t.Errorf("got %s", long.raw)
		}
		if n := len(srv.Intents()); n != 3 {
			t.Errorf("%d payments", n)
		}
		time.Sleep(24 * time.Hour)
		if again := c.post(intents, form(), "k1"); again.ID == first.ID || len(srv.Intents()) != 4 {
			t.Errorf("after a day: %s", again.raw)
		}
	})
}

// Of two requests with one key at the same time, the second is told so.
func TestIdempotencyInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, srv := newClient(t, stripetest.Options{})
		statuses := make(chan int, 20)
		for range 20 {
			go func() { statuses <- c.post(intents, form(), "k").status }()
		}
		for range 20 {
			if s := <-statuses; s != 200 && s != 409 {
				t.Errorf("got %d", s)
			}
		}
		if n := len(srv.Intents()); n != 1 {
			t.Errorf("%d payments", n)
		}
	})
}

func TestSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := newClient(t, stripetest.Options{SearchLag: time.Minute})
		search := func(query, more string) reply {
			return c.get(intents + "/search?query=" + url.QueryEscape(query) + more)
		}
		for range 12 {
			c.create("P1")
		}
		if got := search("metadata['merchant_order_id']:'P1'", ""); got.status != 200 || len(got.Data) != 0 || got.HasMore {
			t.Errorf("at once: %s", got.raw)
		}
		time.Sleep(time.Minute)
		if got := search("metadata['merchant_order_id']:'p1'", ""); len(got.Data) != 10 || !got.HasMore {
			t.Errorf("later: %d, %v", len(got.Data), got.HasMore)
		}
		if got := search("metadata['merchant_order_id']:'P1'", "&limit=12"); len(got.Data) != 12 || got.HasMore {
			t.Errorf("all: %d, %v", len(got.Data), got.HasMore)
		}
		for _, bad := range []string{"", "P1", "metadata['merchant_order_id']:\"P1\"", "metadata['a']:'b' AND status:'x'"} {
			if got := search(bad, ""); got.status != 400 {
				t.Errorf("%s: %s", bad, got.raw)
			}
		}
		if got := search("metadata['a']:'b'", "&limit=0"); got.status != 400 {
			t.Errorf("limit: %s", got.raw)
		}
	})
}

func TestCancel(t *testing.T) {
	c, srv := newClient(t, stripetest.Options{})
	made := c.create("P1")
	if got := c.post(intents+"/"+made.ID+"/cancel", "cancellation_reason=whim", ""); got.status != 400 {
		t.Errorf("reason: %s", got.raw)
	}
	if got := c.post(intents+"/"+made.ID+"/cancel", "cancellation_reason=abandoned", ""); got.Status != "canceled" {
		t.Errorf("got %s", got.raw)
	}
	if got := c.post(intents+"/"+made.ID+"/cancel", "", ""); got.Error.Code != "payment_intent_unexpected_state" {
		t.Errorf("twice: %s", got.raw)
	}
	if _, err := srv.Pay("P1"); err != stripetest.ErrClosed {
		t.Errorf("paid after it: %v", err)
	}
	if _, err := srv.Fail("P2"); err != stripetest.ErrNotFound {
		t.Errorf("got %v", err)
	}
	made = c.create("P2")
	if _, err := srv.Fail("P2"); err != nil {
		t.Error(err)
	}
	if got := c.get(intents + "/" + made.ID); got.Status != "requires_payment_method" || strings.Contains(got.raw, `"last_payment_error":null`) {
		t.Errorf("failed: %s", got.raw)
	}
	if got := c.post(intents+"/"+made.ID+"/cancel", "", ""); got.Status != "canceled" {
		t.Errorf("got %s", got.raw)
	}
}

func TestWallet(t *testing.T) {
	c, srv := newClient(t, stripetest.Options{})
	c.key = stripetest.DefaultSecretKey
	made := c.create("P1")
	page := c.get("/wallet/" + made.ID)
	for _, want := range []string{"HKD 12.50", `action="/wallet/` + made.ID + `/pay"`, "no real money"} {
		if page.status != 200 || !strings.Contains(page.raw, want) {
			t.Errorf("no %s in %d %s", want, page.status, page.raw)
		}
	}
	if got := c.get("/wallet/P1"); got.status != 404 {
		t.Errorf("by our id: %d", got.status)
	}
	cross := httptest.NewRequest("POST", "/wallet/"+made.ID+"/pay", nil)
	cross.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := c.do(cross); got.status != http.StatusForbidden || srv.Intents()[0].Status != stripetest.RequiresAction {
		t.Errorf("from another page: %d", got.status)
	}
	if got := c.post("/wallet/"+made.ID+"/pay", "", ""); got.status != 303 || got.header.Get("Location") != "https://shop.example.com/" {
		t.Errorf("pay: %d", got.status)
	}
	if got := c.post("/wallet/"+made.ID+"/cancel", "", ""); got.status != 409 || !strings.Contains(got.raw, "Payment successful") {
		t.Errorf("cancel of paid: %d %s", got.status, got.raw)
	}
	if got := c.post("/wallet/pi_x/pay", "", ""); got.status != 404 {
		t.Errorf("unheard of: %d", got.status)
	}
}
