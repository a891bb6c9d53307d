package stripe

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
)

func TestCreateRequest(t *testing.T) {
	f := newFake(t, say(200, string(golden(t, "create_response.json"))))
	p := f.provider(t, "")
	for range 2 {
		if _, err := p.Create(t.Context(), createRequest(t)); err != nil {
			t.Fatal(err)
		}
	}
	r := f.calls[0]
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	if got := lines(r.PostForm); got != string(golden(t, "create_request.txt")) {
		t.Errorf("got\n%s", got)
	}
	if f.body[0] != f.body[1] {
		t.Errorf("a repetition differs, which the acquirer refuses:\n%s\n%s", f.body[0], f.body[1])
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer " + testKey, "Stripe-Version": "2026-08-26.dahlia", "Idempotency-Key": "req_create",
		"Content-Type": "application/x-www-form-urlencoded",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if r.Method != "POST" || r.URL.RequestURI() != "/v1/payment_intents" {
		t.Errorf("%s %s", r.Method, r.URL)
	}
}

func TestAmountsSent(t *testing.T) {
	c := settings(t, "")
	for text, want := range map[string]string{"1.50 HKD": "150 hkd", "150 JPY": "150 jpy", "0.01 CNY": "1 cny", "999999.99 USD": "99999999 usd", "99999999 JPY": "99999999 jpy"} {
		amount, currency, _ := strings.Cut(text, " ")
		req := createRequest(t)
		req.Money = money(t, amount, currency)
		form, err := c.buildCreate(req)
		if err != nil || form.Get("amount")+" "+form.Get("currency") != want {
			t.Errorf("%s: %v, %v", text, form, err)
		}
	}
}

func TestCreateRefusedBeforeSending(t *testing.T) {
	tests := []struct {
		name, field string
		code        sdk.Code
		change      func(*sdk.CreateRequest)
	}{
		{"AlipayHK", "method", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Method = sdk.AlipayHK }},
		{"store", "flow", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Flow = sdk.StoreQR }},
		{"currency", "currency", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Money = money(t, "100", "THB") }},
		{"currency of others", "currency", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Money = money(t, "100", "JPY") }},
		{"too much", "amount", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Money = money(t, "1000000", "HKD") }},
		{"too little", "amount", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Money = money(t, "0.49", "USD") }},
		{"no id", "merchant_order_id", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.MerchantOrderID = "" }},
		{"quote in id", "merchant_order_id", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.MerchantOrderID = "P'1" }},
		{"no description", "description", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.Description = "" }},
		{"not UTF-8", "description", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.Description = "\xff" }},
		{"no return_url", "return_url", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.ReturnURL = "" }},
		{"app as return_url", "return_url", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.ReturnURL = "shop://back" }},
		{"no key", "request_id", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.RequestID = "" }},
		{"long key", "request_id", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.RequestID = strings.Repeat("x", 256) }},
		{"key with a newline", "request_id", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.RequestID = "a\nb" }},
	}
	f := newFake(t, say(500, ""))
	p := f.provider(t, `,"currencies":["HKD","USD"]`)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := createRequest(t)
			test.change(&req)
			_, err := p.Create(t.Context(), req)
			if e := checkError(t, err, test.code, sdk.OutcomeNotSent); e.Field != test.field {
				t.Errorf("field %s", e.Field)
			}
		})
	}
	if len(f.sent()) > 0 {
		t.Errorf("sent %q", f.sent())
	}
}

func TestDefaultReturnURL(t *testing.T) {
	req := createRequest(t)
	req.ReturnURL = ""
	form, err := settings(t, `,"return_url":"https://shop.example.com/thanks"`).buildCreate(req)
	if err != nil || form.Get("return_url") != "https://shop.example.com/thanks" {
		t.Errorf("%v, %v", form, err)
	}
}

func TestCreateAnswer(t *testing.T) {
	redirect := sdk.NextAction{Type: sdk.ActionRedirect, URL: "https://hooks.example.com/redirect/authenticate/src_1?client_secret=x"}
	app := sdk.NextAction{Type: sdk.ActionAppLink, URL: "alipay://pay/?id=1", FallbackURL: redirect.URL}
	android := sdk.NextAction{Type: sdk.ActionSDK, Params: map[string]string{"native_data": "app_id=1&sign=a%2Bb"}}
	for flow, want := range map[sdk.Flow][]sdk.NextAction{
		sdk.MobileWeb: {redirect}, sdk.WebQR: {redirect}, sdk.App: {app, android, redirect},
	} {
		f := newFake(t, say(200, string(golden(t, "create_response.json"))))
		req := createRequest(t)
		req.Flow = flow
		got, err := f.provider(t, "").Create(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if want := (sdk.Payment{
			Order: order(t), Status: sdk.StatusPending, RawStatus: "requires_action", NextActions: want,
			CreatedAt: time.Unix(1795863600, 0).UTC(), RequestID: rid,
		}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", flow, got, want)
		}
	}
}

func TestQueryByBothIDs(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		name := "query_response.json"
		if strings.HasSuffix(r.URL.Path, "/search") {
			name = "search_response.json"
		}
		say(200, string(golden(t, name)))(w, r)
	})
	p := f.provider(t, "")
	for _, id := range []string{intent, ""} {
		o := order(t)
		o.AcquirerOrderID = id
		got, err := p.Query(t.Context(), sdk.QueryRequest{Order: o})
		if err != nil || got.Status != sdk.StatusSucceeded || got.AcquirerOrderID != intent || len(got.Differences(o)) > 0 {
			t.Errorf("%+v, %v", got, err)
		}
	}
	want := []string{
		"GET /v1/payment_intents/pi_3Mt1",
		"GET /v1/payment_intents/search?limit=10&query=metadata%5B%27merchant_order_id%27%5D%3A%27P1%27",
		"GET /v1/payment_intents/pi_3Mt1",
	}
	if got := f.sent(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	for _, r := range f.calls {
		if r.Header.Get("Idempotency-Key") != "" {
			t.Error("a question has an Idempotency-Key")
		}
	}
}
