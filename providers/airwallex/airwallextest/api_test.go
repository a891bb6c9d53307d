package airwallextest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
)

func TestLoginAndTokens(t *testing.T) {
	now := time.Date(2026, 5, 11, 23, 30, 0, 0, time.UTC)
	srv := airwallextest.NewServer(airwallextest.Options{Now: func() time.Time { return now }})
	t.Cleanup(srv.Close)
	c := &client{t: t, srv: srv}
	login := c.send("POST", "/api/v1/authentication/login", "{}", "X-Client-Id", airwallextest.DefaultClientID, "X-Api-Key", airwallextest.DefaultAPIKey)
	if login.status != 201 || login.body["expires_at"] != "2026-05-12T00:00:00+0000" || login.body["token"] == "" {
		t.Fatalf("got %d %s", login.status, login.raw)
	}
	if a := c.send("POST", "/api/v1/authentication/login", "{}", "X-Client-Id", airwallextest.DefaultClientID, "X-Api-Key", "wrong"); a.status != 401 {
		t.Errorf("a wrong key: %d", a.status)
	}
	c.token = login.body["token"].(string)
	for header, value := range map[string]string{"Authorization": "", "X-Api-Version": "", "Content-Type": "text/plain"} {
		want := map[string]int{"Authorization": 401}[header]
		if a := c.send("POST", "/api/v1/pa/payment_intents/create", createBody, header, value); a.status != max(want, 400) {
			t.Errorf("without %s: %d", header, a.status)
		}
	}
	if a := c.get("payment_intents/int_1"); a.status != 404 {
		t.Errorf("got %d", a.status)
	}
	now = now.Add(30 * time.Minute)
	if a := c.get("payment_intents/int_1"); a.status != 401 || srv.Tokens() != 0 {
		t.Errorf("an old token: %d", a.status)
	}
}

func TestTwoSteps(t *testing.T) {
	srv, c := start(t, airwallextest.Options{BaseURL: "https://wallet.example/"})
	id := c.create("A")
	if _, err := srv.Pay("A"); err != airwallextest.ErrState {
		t.Errorf("an intent that isn't confirmed was paid: %v", err)
	}
	if got := c.get("payment_intents/" + id); got.body["status"] != "REQUIRES_PAYMENT_METHOD" || got.body["next_action"] != nil || got.body["latest_payment_attempt"] != nil || !strings.Contains(got.raw, `"amount":12.5,`) {
		t.Errorf("created: %s", got.raw)
	}
	confirmed := c.confirm(id, "c1")
	next, _ := confirmed.body["next_action"].(map[string]any)
	if confirmed.body["status"] != "REQUIRES_CUSTOMER_ACTION" || next["url"] != "https://wallet.example/wallet/"+id {
		t.Errorf("confirmed: %s", confirmed.raw)
	}
	if a := c.confirm(id, "c2"); a.status != 400 || a.body["code"] != "invalid_status" {
		t.Errorf("confirmed again: %d %s", a.status, a.raw)
	}
	if _, err := srv.Reject("A"); err != nil {
		t.Fatal(err)
	}
	if a := c.confirm(id, "c3"); a.status != 200 { // the next attempt
		t.Errorf("after a failed attempt: %d %s", a.status, a.raw)
	}
	if in, err := srv.Pay("A"); err != nil || in.Status != airwallextest.Succeeded || in.PaidAt.IsZero() {
		t.Errorf("paid: %+v, %v", in, err)
	}
	if got := c.get("payment_intents/" + id); got.body["status"] != "SUCCEEDED" || !strings.Contains(got.raw, `"captured_amount":12.5`) {
		t.Errorf("paid: %s", got.raw)
	}
	if a := c.post("payment_intents/"+id+"/cancel", `{"request_id":"x1"}`); a.status != 400 {
		t.Errorf("a paid intent was cancelled: %s", a.raw)
	}
}

func TestRefusals(t *testing.T) {
	_, c := start(t, airwallextest.Options{})
	id := c.create("A")
	create := func(old, new string) (string, string) {
		return "payment_intents/create", strings.Replace(createBody, old, new, 1)
	}
	confirm := func(method string) (string, string) {
		return "payment_intents/" + id + "/confirm", `{"request_id":"c1","payment_method":` + method + `}`
	}
	tests := map[string]func() (string, string){
		"amount as a string":  func() (string, string) { return create("12.50", `"12.50"`) },
		"three decimals":      func() (string, string) { return create("12.50", "12.505") },
		"exponent":            func() (string, string) { return create("12.50", "1e2") },
		"nothing":             func() (string, string) { return create("12.50", "0.00") },
		"negative":            func() (string, string) { return create("12.50", "-1") },
		"currency":            func() (string, string) { return create("HKD", "hkd") },
		"no order":            func() (string, string) { return create(`"merchant_order_id":"ID",`, "") },
		"no request id":       func() (string, string) { return create(`"request_id":"k-ID",`, "") },
		"long request id":     func() (string, string) { return create("k-ID", strings.Repeat("x", 65)) },
		"unknown member":      func() (string, string) { return create("{", `{"notify_url":"https://x.example",`) },
		"member twice":        func() (string, string) { return create("{", `{"amount":1,`) },
		"relative return_url": func() (string, string) { return create("https://shop.example", "") },
		"no JSON":             func() (string, string) { return "payment_intents/create", "<xml>" },
		"unknown method":      func() (string, string) { return confirm(`{"type":"wechatpay"}`) },
		"no options":          func() (string, string) { return confirm(`{"type":"alipayhk"}`) },
		"both options": func() (string, string) {
			return confirm(`{"type":"alipayhk","alipayhk":{"flow":"qrcode"},"alipaycn":{"flow":"qrcode"}}`)
		},
		"wrong currency":  func() (string, string) { return confirm(`{"type":"alipaycn","alipaycn":{"flow":"qrcode"}}`) },
		"unknown flow":    func() (string, string) { return confirm(`{"type":"alipayhk","alipayhk":{"flow":"web_qr"}}`) },
		"HK mini program": func() (string, string) { return confirm(`{"type":"alipayhk","alipayhk":{"flow":"mini_program"}}`) },
		"unknown system": func() (string, string) {
			return confirm(`{"type":"alipayhk","alipayhk":{"flow":"mobile_web","os_type":"x"}}`)
		},
		"long reason": func() (string, string) {
			return "refunds/create", `{"request_id":"r","payment_intent_id":"` + id + `","reason":"` + strings.Repeat("x", 129) + `"}`
		},
	}
	for name, request := range tests {
		path, body := request()
		if a := c.post(path, body); a.status != 400 || a.body["code"] != "invalid_argument" || a.body["message"] == "" {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	for _, path := range []string{"payment_intents/int_1/confirm", "payment_intents/int_1/cancel", "payment_intents/int_1/dance", "refunds/rfd_1"} {
		a := c.post(path, `{"request_id":"x","payment_method":{"type":"alipayhk","alipayhk":{"flow":"qrcode"}}}`)
		if strings.HasSuffix(path, "/cancel") {
			a = c.post(path, `{"request_id":"x"}`)
		}
		if a.status != 404 {
			t.Errorf("%s: %d %s", path, a.status, a.raw)
		}
	}
	if got := len(c.srv.Intents()); got != 1 {
		t.Errorf("%d intents", got)
	}
}

func TestRequestIDs(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		srv, c := start(t, airwallextest.Options{RefuseRepeats: refuse, RefundSettleAfter: -1})
		id := c.paid("A")
		body := strings.ReplaceAll(createBody, "ID", "A")
		refund := `{"request_id":"r1","payment_intent_id":"` + id + `","amount":1}`
		if a := c.post("refunds/create", refund); a.status != 201 {
			t.Fatal(a.raw)
		}
		other := c.order("B")
		cancel := `{"request_id":"x1"}`
		if a := c.post("payment_intents/"+other+"/cancel", cancel); a.status != 200 {
			t.Fatal(a.raw)
		}
		for _, again := range []answer{c.post("payment_intents/create", body), c.confirm(id, "c-A"), c.post("refunds/create", refund), c.post("payment_intents/"+other+"/cancel", cancel)} {
			if refuse && (again.status != 400 || again.body["code"] != "duplicate_request") || !refuse && (again.status != 200 || again.body["id"] == "") {
				t.Errorf("repeated: %d %s", again.status, again.raw)
			}
		}
		if a := c.post("payment_intents/create", strings.Replace(body, "12.50", "13", 1)); a.status != 400 || a.body["code"] != "duplicate_request" {
			t.Errorf("another body: %d %s", a.status, a.raw)
		}
		if len(srv.Intents()) != 2 || len(srv.Refunds()) != 1 {
			t.Errorf("%d intents, %d refunds", len(srv.Intents()), len(srv.Refunds()))
		}
	}
}

func TestLists(t *testing.T) {
	_, c := start(t, airwallextest.Options{})
	for i := range 12 {
		c.create(fmt.Sprintf("A%d", i))
	}
	items := func(a answer) []any { list, _ := a.body["items"].([]any); return list }
	first, second := c.get("payment_intents?_t=1"), c.get("payment_intents?page_num=1")
	if len(items(first)) != 10 || first.body["has_more"] != true || len(items(second)) != 2 || second.body["has_more"] != false {
		t.Errorf("pages: %s, %s", first.raw, second.raw)
	}
	if newest := items(first)[0].(map[string]any); newest["merchant_order_id"] != "A11" {
		t.Errorf("the first is %v", newest)
	}
	if a := c.get("payment_intents?merchant_order_id=A1"); len(items(a)) != 1 {
		t.Errorf("got %s", a.raw)
	}
	if a := c.get("payment_intents?merchant_order_id=B"); a.raw != `{"has_more":false,"items":[]}` {
		t.Errorf("got %s", a.raw)
	}
}

func TestUnknownMembersAreAnOption(t *testing.T) {
	_, c := start(t, airwallextest.Options{AllowUnknownFields: true})
	if a := c.post("payment_intents/create", strings.Replace(createBody, "{", `{"order":{},`, 1)); a.status != http.StatusCreated {
		t.Errorf("got %d %s", a.status, a.raw)
	}
}
