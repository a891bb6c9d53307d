package cbtistest_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// The documentation's sample, with its options moved to where its table has them.
const sampleCreate = `{
"amount": "1",
"currency": "HKD",
"merchant_order_id": "P9297895081903",
"payment_method": {
"type": "alipayhk",
"alipayhk": {
"flow": "mobile_web",
"payment_method": "ALIPAYCN"
}
},
"description": "App Payment",
"notify_url": "https://put_your_site_here/example_url"
}`

func TestSampleOfThePage(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{HTTPClient: &http.Client{Transport: transport(
		func(*http.Request) (*http.Response, error) { return respond(200), nil })}})
	c := newClient(t, srv)

	r := c.post(createPath, sampleCreate)
	id := `C[0-9]{21}`
	instant := `[0-9-]{10}T[0-9:]{8}\.[0-9]{9}\+08:00`
	want := regexp.MustCompile(`^\{"code":0,"data":\{"order_id":"` + id + `","merchant_order_id":"P9297895081903","amount":"1",` +
		`"currency":"HKD","create_time":"` + instant + `","next_action":\{"type":"redirect","url":"` +
		regexp.QuoteMeta(srv.URL) + `/wallet/` + id + `"\},"status":"PENDING"\},"message":"ok","rid":"[0-9a-f]{32}"\}$`)
	if !want.MatchString(r.raw) {
		t.Errorf("create answered %s", r.raw)
	}

	mustPay(t, srv, "P9297895081903")
	r = c.post(queryPath, fmt.Sprintf(`{"order_id":%q,"merchant_order_id":"P9297895081903"}`, r.Data["order_id"]))
	want = regexp.MustCompile(`^\{"code":0,"data":\{"order_id":"` + id + `","merchant_order_id":"P9297895081903","amount":"1",` +
		`"currency":"HKD","status":"SUCCEEDED","create_time":"` + instant + `","pay_time":"` + instant + `"\},"message":"ok","rid":"[0-9a-f]{32}"\}$`)
	if !want.MatchString(r.raw) {
		t.Errorf("query answered %s", r.raw)
	}
}

func TestWechatKeyOfTheFaultySample(t *testing.T) {
	faulty := strings.Replace(sampleCreate, `"alipayhk": {`, `"wechat": {`, 1)
	c := newClient(t, cbtistest.Start(t, cbtistest.Options{}))
	if r := c.post(createPath, faulty); r.Code != 40000 || !strings.Contains(r.Message, "payment_method.alipayhk") {
		t.Errorf("by default it answered %s", r.raw)
	}
	c = newClient(t, cbtistest.Start(t, cbtistest.Options{AcceptWechatKey: true}))
	if r := c.post(createPath, faulty); r.Code != 0 {
		t.Errorf("with AcceptWechatKey it answered %s", r.raw)
	}
}

func TestToken(t *testing.T) {
	c := newClient(t, cbtistest.Start(t, cbtistest.Options{}))
	if b, err := hex.DecodeString(c.token); err != nil || len(b) != 42 {
		t.Errorf("token %q is not 84 hex digits", c.token)
	}
	r := c.send("GET", "/mch-api/v1/auth?"+goodAuth, "", "")
	if !regexp.MustCompile(`^\{"access_token":"[0-9a-f]{84}","expires_in":3600\}$`).MatchString(r.raw) {
		t.Errorf("auth answered %s", r.raw)
	}
	c.order("still-valid") // a new token leaves the old one good
}

func TestSingleTokenAndRevoke(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{SingleToken: true})
	old, c := newClient(t, srv), newClient(t, srv)
	if r := old.post(queryPath, `{}`); r.status != 401 || r.Code != 40101 {
		t.Errorf("the older token got %d %s", r.status, r.raw)
	}
	c.order("A")
	srv.RevokeTokens()
	if r := c.post(createPath, body("B")); r.status != 401 {
		t.Errorf("a revoked token got %d %s", r.status, r.raw)
	}
}

func TestTokenExpiresAndOrderTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := cbtistest.NewServer(cbtistest.Options{OrderTimeout: 90 * time.Minute})
		defer srv.Close()
		c := inMemory(t, srv)
		c.order("A")
		time.Sleep(time.Hour - time.Nanosecond) // the bubble's clock jumps
		if s := c.orderStatus("A"); s != "PENDING" {
			t.Errorf("after an hour the order is %s", s)
		}
		time.Sleep(time.Nanosecond)
		if r := c.post(queryPath, `{"merchant_order_id":"A"}`); r.status != 401 {
			t.Errorf("an expired token got %d %s", r.status, r.raw)
		}
		c.login()
		time.Sleep(30 * time.Minute)
		if s := c.orderStatus("A"); s != "CANCELLED" {
			t.Errorf("after its timeout the order is %s", s)
		}
		if _, err := srv.Pay("A"); err != cbtistest.ErrClosed {
			t.Errorf("paying an expired order: %v", err)
		}
	})
}

func TestOptionsOfAnswers(t *testing.T) {
	noFraction := regexp.MustCompile(`"create_time":"[0-9-]{10}T[0-9:]{8}\+08:00"`)
	tests := map[string]struct {
		options cbtistest.Options
		flow    string
		create  *regexp.Regexp
		query   *regexp.Regexp
	}{
		"no fraction":  {cbtistest.Options{DropFraction: true}, "mobile_web", noFraction, noFraction},
		"null":         {cbtistest.Options{UnpaidPayTime: cbtistest.PayTimeNull}, "mobile_web", nil, regexp.MustCompile(`"pay_time":null`)},
		"empty":        {cbtistest.Options{UnpaidPayTime: cbtistest.PayTimeEmpty}, "mobile_web", nil, regexp.MustCompile(`"pay_time":""`)},
		"absent":       {cbtistest.Options{}, "mobile_web", nil, regexp.MustCompile(`\+08:00"\},"message"`)},
		"redirect_url": {cbtistest.Options{LinkKey: cbtistest.LinkRedirectURL}, "mobile_web", regexp.MustCompile(`\{"type":"redirect","redirect_url":"http`), nil},
		"qrcode_url":   {cbtistest.Options{LinkKey: cbtistest.LinkQRCodeURL}, "csb_qrcode", regexp.MustCompile(`\{"type":"render_qrcode","qrcode_url":"http`), nil},
		"web_qrcode":   {cbtistest.Options{}, "web_qrcode", regexp.MustCompile(`\{"type":"render_qrcode","url":"http`), nil},
		"base url":     {cbtistest.Options{BaseURL: "https://pay.example/"}, "mobile_web", regexp.MustCompile(`"url":"https://pay.example/wallet/C`), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, cbtistest.Start(t, tt.options))
			if r := c.post(createPath, body("A", "mobile_web", tt.flow)); tt.create != nil && !tt.create.MatchString(r.raw) {
				t.Errorf("create answered %s", r.raw)
			}
			if r := c.post(queryPath, `{"merchant_order_id":"A"}`); tt.query != nil && !tt.query.MatchString(r.raw) {
				t.Errorf("query answered %s", r.raw)
			}
		})
	}
}

func TestMinorUnit(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{AmountUnit: cbtistest.Minor})
	c := newClient(t, srv)
	if r := c.post(createPath, body("A")); r.Code != 40002 {
		t.Errorf("100.00 cents: %s", r.raw)
	}
	id := c.order("A", "100.00", "12345")
	if page := c.send("GET", "/wallet/"+id, "", ""); !strings.Contains(page.raw, "123.45") {
		t.Errorf("the wallet page shows another amount: %s", page.raw)
	}
}

func TestDuplicateOrder(t *testing.T) {
	for _, policy := range []cbtistest.DuplicatePolicy{cbtistest.RejectDuplicate, cbtistest.ReturnSame, cbtistest.CreateSecond} {
		t.Run(string(policy), func(t *testing.T) {
			srv := cbtistest.Start(t, cbtistest.Options{DuplicateOrder: policy})
			c := newClient(t, srv)
			first := c.order("A")
			same, other := c.post(createPath, body("A")), c.post(createPath, body("A", "100.00", "200.00"))
			wantCode := map[cbtistest.DuplicatePolicy][2]int{
				cbtistest.RejectDuplicate: {40900, 40900}, cbtistest.ReturnSame: {0, 40900}, cbtistest.CreateSecond: {0, 0},
			}[policy]
			if same.Code != wantCode[0] || other.Code != wantCode[1] {
				t.Fatalf("answered %s and %s", same.raw, other.raw)
			}
			switch policy {
			case cbtistest.ReturnSame:
				if same.Data["order_id"] != first {
					t.Errorf("another order: %s", same.raw)
				}
			case cbtistest.CreateSecond:
				if o, _ := srv.Order("A"); len(srv.Orders()) != 3 || o.ID != other.Data["order_id"] {
					t.Errorf("A means %s of %d orders, not the newest", o.ID, len(srv.Orders()))
				}
			}
		})
	}
}

func TestConcurrentCreates(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() { c.post(createPath, body(fmt.Sprintf("order-%d", i/2))) })
	}
	wg.Wait()
	ids := map[string]bool{}
	for _, o := range srv.Orders() {
		ids[o.ID], ids[o.MerchantOrderID] = true, true
	}
	if len(srv.Orders()) != 25 || len(ids) != 50 {
		t.Errorf("%d orders with %d different ids, want 25 and 50", len(srv.Orders()), len(ids))
	}
}

func TestRequestsAreLoggedWithoutSecrets(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{LogSize: 3})
	c := newClient(t, srv)
	c.send("GET", "/mch-api/v1/auth?grant_type=client_credentials&uid=1&client_secret=of-another", "", "")
	c.order("A")
	c.post(createPath, body("A", "Tea", cbtistest.DefaultClientSecret))
	c.post(queryPath, `{"merchant_order_id":"A"}`)
	if n := len(srv.Requests()); n != 3 {
		t.Errorf("%d calls remembered, want 3", n)
	}
	creates := srv.Requests(createPath)
	if len(creates) != 2 || creates[0].Body != body("A") || creates[1].Code != 40900 || creates[1].MerchantOrderID != "A" {
		t.Errorf("create calls: %+v", creates)
	}
	c.send("GET", "/mch-api/v1/auth?grant_type=client_credentials&uid=1&client_secret=of-another", "", "")
	log := fmt.Sprint(srv.Requests())
	for _, secret := range []string{cbtistest.DefaultClientSecret, "of-another", c.token} {
		if strings.Contains(log, secret) {
			t.Errorf("the log shows %q: %s", secret, log)
		}
	}
}

func TestInvalidOptions(t *testing.T) {
	for _, o := range []cbtistest.Options{
		{AmountUnit: "pounds"}, {DuplicateOrder: "?"}, {LinkKey: "?"}, {UnpaidPayTime: "?"}, {RefundOutcome: "?"},
		{SpeedUp: -1}, {TokenLifetime: time.Millisecond}, {BaseURL: "/relative"}, {RefundSettleAfter: -1}, {LogSize: -1},
	} {
		if srv, err := cbtistest.New(o); err == nil {
			srv.Close()
			t.Errorf("%+v was accepted", o)
		}
	}
}
