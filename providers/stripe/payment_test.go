package stripe

import (
	"encoding/json"
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

func TestSearchAnswers(t *testing.T) {
	hit := func(id, order string) string {
		return `{"id":"` + id + `","metadata":{"merchant_order_id":"` + order + `"}}`
	}
	tests := []struct {
		name, body string
		want       string
		code       sdk.Code
	}{
		{"one", `{"object":"search_result","has_more":false,"data":[` + hit("pi_1", "P1") + `]}`, "pi_1", 0},
		{"another case beside it", `{"object":"search_result","has_more":false,"data":[` + hit("pi_2", "p1") + `,` + hit("pi_1", "P1") + `]}`, "pi_1", 0},
		{"none", `{"object":"search_result","has_more":false,"data":[]}`, "", sdk.CodeOrderNotFound},
		{"another case", `{"object":"search_result","has_more":false,"data":[` + hit("pi_2", "p1") + `]}`, "", sdk.CodeOrderNotFound},
		{"no metadata", `{"object":"search_result","has_more":false,"data":[{"id":"pi_2"}]}`, "", sdk.CodeOrderNotFound},
		{"two", `{"object":"search_result","has_more":false,"data":[` + hit("pi_1", "P1") + `,` + hit("pi_2", "P1") + `]}`, "", sdk.CodeMismatch},
		{"more", `{"object":"search_result","has_more":true,"data":[]}`, "", sdk.CodeMismatch},
		{"no has_more", `{"object":"search_result","data":[]}`, "", sdk.CodeAcquirerAnswerInvalid},
		{"no data", `{"object":"search_result","has_more":false}`, "", sdk.CodeAcquirerAnswerInvalid},
		{"null data", `{"object":"search_result","has_more":false,"data":null}`, "", sdk.CodeAcquirerAnswerInvalid},
		{"a list", `{"object":"list","has_more":false,"data":[]}`, "", sdk.CodeAcquirerAnswerInvalid},
		{"bad id", `{"object":"search_result","has_more":false,"data":[` + hit("..", "P1") + `]}`, "", sdk.CodeAcquirerAnswerInvalid},
		{"empty", `{}`, "", sdk.CodeAcquirerAnswerInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			id, err := readSearch(ok([]byte(test.body)), order(t))
			if id != test.want {
				t.Errorf("got %q", id)
			}
			if test.code != 0 {
				checkError(t, err, test.code, sdk.OutcomeUnknown)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// Every status, as the table says, and those that are in no table.
func TestStatuses(t *testing.T) {
	null := json.RawMessage("null")
	failure := map[string]any{"type": "invalid_request_error", "code": "payment_intent_payment_attempt_failed"}
	c := settings(t, "")
	for _, rule := range statuses {
		changes := map[string]any{"status": string(rule.raw), "last_payment_error": null, "amount_received": nil}
		if rule.afterFail {
			changes["last_payment_error"] = failure
		}
		got, err := c.readIntent(ok(change(t, golden(t, "create_response.json"), changes)), opQuery)
		if err != nil || got.Status != rule.status || got.RawStatus != string(rule.raw) {
			t.Errorf("%s: %+v, %v", rule.raw, got, err)
		}
		if (len(got.NextActions) > 0) != (rule.raw == "requires_action") {
			t.Errorf("%s: actions %v", rule.raw, got.NextActions)
		}
	}
	want := map[string]sdk.Status{
		"requires_confirmation": sdk.StatusPending, "requires_action": sdk.StatusPending, "processing": sdk.StatusPending,
		"requires_capture": sdk.StatusAuthorized, "succeeded": sdk.StatusSucceeded, "canceled": sdk.StatusCancelled,
		"requires_payment_method": sdk.StatusPending, "": 0, "Succeeded": 0, "paid": 0, "succeeded ": 0,
	}
	for status, want := range want {
		got, err := c.readIntent(ok(change(t, golden(t, "create_response.json"), map[string]any{"status": status, "amount_received": 100})), opQuery)
		if err != nil || got.Status != want || want == 0 && got.StatusReason == "" {
			t.Errorf("%q: %+v, %v", status, got, err)
		}
	}
	failed, err := c.readIntent(ok(change(t, golden(t, "create_response.json"), map[string]any{"status": "requires_payment_method", "last_payment_error": failure})), opQuery)
	if err != nil || failed.Status != sdk.StatusFailed || failed.StatusReason != "the acquirer says payment_intent_payment_attempt_failed" {
		t.Errorf("%+v, %v", failed, err)
	}
}

// What the acquirer says of another payment is reported as it says it: the host
// compares. It is never made to fit.
func TestForeignAnswers(t *testing.T) {
	c := settings(t, "")
	tests := []struct {
		name      string
		changes   map[string]any
		status    sdk.Status
		different string // the field that the host will find
	}{
		{"id", map[string]any{"id": "pi_other"}, sdk.StatusSucceeded, "provider_order_id"},
		{"order id", map[string]any{"metadata": map[string]any{"merchant_order_id": "P2"}}, sdk.StatusSucceeded, "merchant_order_id"},
		{"no metadata", map[string]any{"metadata": nil}, sdk.StatusSucceeded, "merchant_order_id"},
		{"null metadata", map[string]any{"metadata": json.RawMessage("null")}, sdk.StatusSucceeded, "merchant_order_id"},
		{"amount received", map[string]any{"amount_received": 99}, sdk.StatusSucceeded, "amount"},
		{"amount", map[string]any{"amount": 99, "amount_received": nil}, sdk.StatusSucceeded, "amount"},
		{"currency", map[string]any{"currency": "usd"}, sdk.StatusSucceeded, "amount"},
		{"no amount", map[string]any{"amount": nil, "amount_received": nil, "currency": nil}, sdk.StatusSucceeded, "amount"},
		{"nothing received", map[string]any{"amount_received": 0}, sdk.StatusUnknown, ""},
		{"fraction", map[string]any{"amount_received": json.RawMessage("100.5")}, sdk.StatusUnknown, ""},
		{"exponent", map[string]any{"amount_received": json.RawMessage("1e2")}, sdk.StatusUnknown, ""},
		{"negative", map[string]any{"amount_received": -100}, sdk.StatusUnknown, ""},
		{"huge", map[string]any{"amount_received": json.RawMessage("100000000000000000000")}, sdk.StatusUnknown, ""},
		{"half an amount", map[string]any{"currency": nil}, sdk.StatusUnknown, ""},
		{"unheard of currency", map[string]any{"currency": "xxx"}, sdk.StatusUnknown, ""},
		{"upper-case currency", map[string]any{"currency": "HKD"}, sdk.StatusUnknown, ""},
		{"live", map[string]any{"livemode": true}, sdk.StatusUnknown, ""},
		{"no livemode", map[string]any{"livemode": nil}, sdk.StatusUnknown, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := c.readIntent(ok(change(t, golden(t, "query_response.json"), test.changes)), opQuery)
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != test.status || (test.status == sdk.StatusUnknown) != (got.StatusReason != "") {
				t.Errorf("got %+v", got)
			}
			d := got.Differences(order(t))
			if test.different != "" && (len(d) != 1 || d[0].Field != test.different) {
				t.Errorf("differences %v", d)
			}
		})
	}
}

func TestNotAnIntent(t *testing.T) {
	c := settings(t, "")
	for name, body := range map[string]string{
		"refund": string(golden(t, "refund_response.json")), "no object": `{"id":"pi_1"}`, "no id": `{"object":"payment_intent","status":"succeeded"}`,
		"empty": ``, "list": `[]`, "null": `null`, "truncated": `{"id":"pi_1","object":"payment_in`, "twice": `{"id":"pi_1","id":"pi_2","object":"payment_intent"}`,
		"error as text": `{"id":"pi_1","object":"payment_intent","last_payment_error":"x"}`, "path as id": `{"id":"../x","object":"payment_intent"}`,
	} {
		_, err := c.readIntent(ok([]byte(body)), opQuery)
		if e := checkError(t, err, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown); e.AcquirerRequestID != rid {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestNextActions(t *testing.T) {
	alipay := func(members string) string {
		return `{"type":"alipay_handle_redirect","alipay_handle_redirect":{` + members + `}}`
	}
	for raw, want := range map[string]int{
		alipay(`"url":"https://a.example/x"`): 1, alipay(`"url":"https://a.example/x","native_url":null,"native_data":null`): 1,
		alipay(`"native_url":"alipays://platformapi/x"`): 1, alipay(`"url":"javascript:alert(1)","native_url":"javascript:x"`): 0,
		alipay(`"url":"/relative"`): 0, alipay(`"url":"https://a.example/\u0000"`): 0, alipay(``): 0, alipay(`"url":{}`): 0,
		alipay(`"url":"https://a.example/` + strings.Repeat("x", 9000) + `"`):      0,
		`{"type":"redirect_to_url","redirect_to_url":{"url":"https://a.example"}}`: 0, `{"type":"type"}`: 0, `null`: 0, `"x"`: 0, ``: 0,
	} {
		actions, reason := readNextActions([]byte(raw))
		if len(actions) != want || (reason == "") != (want > 0) {
			t.Errorf("%.80s: %v, %q", raw, actions, reason)
		}
	}
}

func TestCancelRequest(t *testing.T) {
	f := newFake(t, say(200, string(change(t, golden(t, "query_response.json"), map[string]any{"status": "canceled", "amount_received": 0}))))
	got, err := f.provider(t, "").Cancel(t.Context(), sdk.CancelRequest{Order: order(t), RequestID: "req_cancel"})
	if err != nil || got.Status != sdk.StatusCancelled || len(got.Differences(order(t))) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if sent := f.sent(); len(sent) != 1 || sent[0] != "POST /v1/payment_intents/pi_3Mt1/cancel cancellation_reason=abandoned" || f.calls[0].Header.Get("Idempotency-Key") != "" {
		t.Errorf("sent %q", sent)
	}
}

// A payment that can't be cancelled is asked about.
func TestCancelOfPaid(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			say(400, `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`)(w, r)
			return
		}
		say(200, string(golden(t, "query_response.json")))(w, r)
	})
	p := f.provider(t, "")
	got, err := p.Cancel(t.Context(), sdk.CancelRequest{Order: order(t), RequestID: "c"})
	if err != nil || got.Status != sdk.StatusSucceeded || len(f.sent()) != 2 {
		t.Errorf("%+v, %v, %q", got, err, f.sent())
	}
	f.answer = say(400, `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state"}}`)
	_, err = p.Cancel(t.Context(), sdk.CancelRequest{Order: order(t), RequestID: "c"})
	checkError(t, err, sdk.CodeAcquirerError, sdk.OutcomeUnknown)
}

// Without the acquirer's id a search comes first; if it fails, nothing was done.
func TestEffectsNeedTheOrder(t *testing.T) {
	for _, answer := range []string{`{"object":"search_result","has_more":false,"data":[]}`, `<html>`, `{}`} {
		f := newFake(t, say(200, answer))
		p := f.provider(t, "")
		_, err := p.Cancel(t.Context(), sdk.CancelRequest{Order: createRequest(t).Order, RequestID: "c"})
		checkError(t, err, sdk.AsError(err).Code, sdk.OutcomeNotSent)
		req := refundRequest(t)
		req.AcquirerOrderID = ""
		_, err = p.Refund(t.Context(), req)
		checkError(t, err, sdk.AsError(err).Code, sdk.OutcomeNotSent)
		for _, sent := range f.sent() {
			if !strings.HasPrefix(sent, "GET ") {
				t.Errorf("sent %s", sent)
			}
		}
	}
}

func TestForeignIDs(t *testing.T) {
	f := newFake(t, say(500, ""))
	p := f.provider(t, "")
	for _, id := range []string{"..", "pi/1", "pi_1/cancel", "pi 1", "pi_1?x", "", strings.Repeat("x", 65)} {
		o := order(t)
		o.AcquirerOrderID, o.MerchantOrderID = id, ""
		_, err := p.Query(t.Context(), sdk.QueryRequest{Order: o})
		checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
		if id != "" {
			q := refundQuery(t)
			q.AcquirerRefundID = id
			_, err = p.QueryRefund(t.Context(), q)
			checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
		}
	}
	if len(f.sent()) > 0 {
		t.Errorf("sent %q", f.sent())
	}
}
