package alipayhk

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

func ok(body []byte) acquirer.Response { return acquirer.Response{Status: 200, Body: body} }

func TestGoldenCreate(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer "+testToken+"-1" {
			t.Errorf("headers %v", r.Header)
		}
		_, _ = w.Write(golden(t, "create_response.json"))
	})
	payment, err := f.provider(t, "").Create(t.Context(), createRequest(t))
	if err != nil {
		t.Fatal(err)
	}
	body, found := strings.CutPrefix(f.sent()[0], "POST /mch-api/v1/pa/payment_intents/create ")
	if len(f.sent()) != 1 || !found {
		t.Fatalf("calls: %s", f.sent())
	}
	sameJSON(t, []byte(body), golden(t, "create_request.json"))
	created := time.Date(2023, 8, 30, 20, 44, 5, 928696203, time.UTC)
	if !payment.CreatedAt.Equal(created) {
		t.Errorf("created %v, want %v", payment.CreatedAt, created)
	}
	payment.CreatedAt = time.Time{}
	want := sdk.Payment{
		Order: order(t), Status: sdk.StatusPending, RawStatus: "PENDING", RequestID: rid,
		NextActions: []sdk.NextAction{{Type: sdk.ActionRedirect, URL: "https://intlmapi.alipay.com/gateway.do?_input_charset=UTF-8&body=order+description&currency=HKD"}},
	}
	if !payment.Money.Equal(want.Money) {
		t.Errorf("money %v", payment.Money)
	}
	payment.Money = want.Money
	if !reflect.DeepEqual(payment, want) {
		t.Errorf("got  %+v\nwant %+v", payment, want)
	}
}

func TestCreateRequests(t *testing.T) {
	tests := []struct {
		name, config string
		change       func(*sdk.CreateRequest)
		want         map[string]any
	}{
		{"padded", "", func(r *sdk.CreateRequest) { r.Money = money(t, "1.5") }, map[string]any{"amount": "1.50"}},
		{"whole", "", func(r *sdk.CreateRequest) { r.Money = money(t, "100.00") }, map[string]any{"amount": "100"}},
		{"largest", "", func(r *sdk.CreateRequest) { r.Money = money(t, "999999999999.99") }, map[string]any{"amount": "999999999999.99"}},
		{"minor", `,"amount_unit":"minor"`, func(r *sdk.CreateRequest) { r.Money = money(t, "1.5") }, map[string]any{"amount": "150"}},
		{"minor whole", `,"amount_unit":"minor"`, func(*sdk.CreateRequest) {}, map[string]any{"amount": "100"}},
		{"return_url", "", func(r *sdk.CreateRequest) { r.ReturnURL = "https://shop.example/?a=1&b=<2>" }, map[string]any{"return_url": "https://shop.example/?a=1&b=<2>"}},
		{"no notify_url", "", func(r *sdk.CreateRequest) { r.NotifyURL = "" }, map[string]any{"notify_url": nil}},
		{"AlipayHK by QR", "", func(r *sdk.CreateRequest) { r.Method, r.Flow = sdk.AlipayHK, sdk.WebQR }, map[string]any{
			"payment_method": map[string]any{"type": "alipayhk", "alipayhk": map[string]any{"flow": "web_qrcode", "payment_method": "ALIPAYHK"}}}},
		{"in the store", "", func(r *sdk.CreateRequest) { r.Flow = sdk.StoreQR }, map[string]any{
			"payment_method": map[string]any{"type": "alipayhk", "alipayhk": map[string]any{"flow": "csb_qrcode", "payment_method": "ALIPAYCN"}}}},
		{"options_key", `,"options_key":"wechat"`, func(*sdk.CreateRequest) {}, map[string]any{
			"payment_method": map[string]any{"type": "alipayhk", "wechat": map[string]any{"flow": "mobile_web", "payment_method": "ALIPAYCN"}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := createRequest(t)
			test.change(&req)
			body, err := settings(t, "https://api.example.com", test.config).buildCreate(req)
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, body, change(t, golden(t, "create_request.json"), "", test.want))
		})
	}
}

func TestCreateRequestsThatAreNotSent(t *testing.T) {
	usd, _ := sdk.ParseMoney("1", "USD")
	tests := []struct {
		name, field string
		code        sdk.Code
		change      func(*sdk.CreateRequest)
	}{
		{"method", "method", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Method = "wechat" }},
		{"flow", "flow", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Flow = sdk.App }},
		{"currency", "currency", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Money = usd }},
		{"no money", "currency", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Money = sdk.Money{} }},
		{"nothing", "amount", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.Money, _ = sdk.Zero("HKD") }},
		{"order id", "merchant_order_id", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.MerchantOrderID = strings.Repeat("x", 33) }},
		{"no description", "description", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.Description = "" }},
		{"bad UTF-8", "description", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.Description = "\xff" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, nil)
			req := createRequest(t)
			test.change(&req)
			_, err := f.provider(t, "").Create(t.Context(), req)
			if e := checkError(t, err, test.code, sdk.OutcomeNotSent); e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
			if f.tokensGiven()+len(f.sent()) != 0 {
				t.Error("something was sent")
			}
		})
	}
}

func TestNextActions(t *testing.T) {
	const link = "https://a.payment.link/code"
	tests := []struct {
		name   string
		next   any
		want   []sdk.NextAction
		reason string
	}{
		{"redirect", map[string]any{"type": "redirect", "url": link}, []sdk.NextAction{{Type: sdk.ActionRedirect, URL: link}}, ""},
		{"redirect_url", map[string]any{"type": "redirect", "redirect_url": link}, []sdk.NextAction{{Type: sdk.ActionRedirect, URL: link}}, ""},
		{"QR", map[string]any{"type": "render_qrcode", "url": link}, []sdk.NextAction{{Type: sdk.ActionQRCode, URL: link, QRCode: link}}, ""},
		{"qrcode_url", map[string]any{"type": "render_qrcode", "qrcode_url": link}, []sdk.NextAction{{Type: sdk.ActionQRCode, URL: link, QRCode: link}}, ""},
		{"QR of any text", map[string]any{"type": "render_qrcode", "qrcode_url": "00020101"}, []sdk.NextAction{{Type: sdk.ActionQRCode, QRCode: "00020101"}}, ""},
		{"redirect beside a QR text", map[string]any{"type": "redirect", "qrcode_url": "00020101", "redirect_url": link}, []sdk.NextAction{{Type: sdk.ActionRedirect, URL: link}}, ""},
		{"QR text beside a redirect", map[string]any{"type": "render_qrcode", "redirect_url": link, "qrcode_url": "00020101"}, []sdk.NextAction{{Type: sdk.ActionQRCode, QRCode: "00020101"}}, ""},
		{"url before all", map[string]any{"type": "redirect", "url": link, "redirect_url": link + "2", "qrcode_url": link + "3"}, []sdk.NextAction{{Type: sdk.ActionRedirect, URL: link}}, ""},
		{"http", map[string]any{"type": "redirect", "url": "http://127.0.0.1:1/x"}, []sdk.NextAction{{Type: sdk.ActionRedirect, URL: "http://127.0.0.1:1/x"}}, ""},
		{"none", nil, nil, "no next action"},
		{"text", "redirect", nil, "no next action"},
		{"list", []any{}, nil, "no next action"},
		{"unknown type", map[string]any{"type": "call_sdk", "data": map[string]any{"type": "redirect", "url": link}}, nil, `"call_sdk" is not known`},
		{"no type", map[string]any{"url": link}, nil, `"" is not known`},
		{"no link", map[string]any{"type": "redirect"}, nil, "no usable link"},
		{"relative link", map[string]any{"type": "redirect", "url": "/pay"}, nil, "no usable link"},
		{"script", map[string]any{"type": "redirect", "url": "javascript:alert(1)"}, nil, "no usable link"},
		{"no host", map[string]any{"type": "redirect", "url": "https:///pay"}, nil, "no usable link"},
		{"huge link", map[string]any{"type": "redirect", "url": link + strings.Repeat("x", 9000)}, nil, "no usable link"},
		{"no text", map[string]any{"type": "render_qrcode"}, nil, "fits a QR code"},
		{"huge text", map[string]any{"type": "render_qrcode", "url": strings.Repeat("x", 3000)}, nil, "fits a QR code"},
		{"control character", map[string]any{"type": "render_qrcode", "url": "a\nb"}, nil, "fits a QR code"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := change(t, golden(t, "create_response.json"), "data", map[string]any{"next_action": test.next})
			payment, err := settings(t, "https://api.example.com", "").readCreate(ok(body), createRequest(t).Order)
			if err != nil || payment.Status != sdk.StatusPending {
				t.Fatalf("got %v, %v; want PENDING", payment.Status, err)
			}
			if !reflect.DeepEqual(payment.NextActions, test.want) || (test.reason == "") != (payment.StatusReason == "") || !strings.Contains(payment.StatusReason, test.reason) {
				t.Errorf("got %+v, %q", payment.NextActions, payment.StatusReason)
			}
		})
	}
}

func TestGoldenQuery(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(golden(t, "query_response.json")) })
	p := f.provider(t, "")
	byMerchant := order(t)
	byMerchant.AcquirerOrderID = ""
	for i, test := range []struct {
		order sdk.Order
		file  string
	}{{order(t), "query_request.json"}, {byMerchant, "query_request_by_merchant.json"}} {
		payment, err := p.Query(t.Context(), sdk.QueryRequest{Order: test.order})
		if err != nil {
			t.Fatal(err)
		}
		body, found := strings.CutPrefix(f.sent()[i], "POST /mch-api/v1/pa/payment_intents/query ")
		if !found {
			t.Fatalf("call: %s", f.sent()[i])
		}
		sameJSON(t, []byte(body), golden(t, test.file))
		if payment.Status != sdk.StatusSucceeded || payment.StatusReason != "" || payment.RawStatus != "SUCCEEDED" || payment.PaidAt.IsZero() ||
			payment.RequestID != rid || payment.AcquirerOrderID != acquirerOrder || payment.MerchantOrderID != ourOrder || !payment.Money.Equal(money(t, "1")) {
			t.Errorf("got %+v", payment)
		}
	}
	if _, err := p.Query(t.Context(), sdk.QueryRequest{}); !sdk.IsCode(err, sdk.CodeInvalidRequest) {
		t.Errorf("a query without an id: %v", err)
	}
}

func TestQueryAnswers(t *testing.T) {
	m := func(pairs ...any) map[string]any {
		all := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i].(string)] = pairs[i+1]
		}
		return all
	}
	tests := []struct {
		name   string
		unit   string
		change map[string]any
		want   sdk.Status
		reason string
	}{
		{"pending", "", m("status", "PENDING"), sdk.StatusPending, ""},
		{"cancelled", "", m("status", "CANCELLED"), sdk.StatusCancelled, ""},
		{"padded", "", m("amount", "1.00"), sdk.StatusSucceeded, ""},
		{"a number", "", m("amount", 1), sdk.StatusSucceeded, ""},
		{"minor", "minor", m("amount", "100"), sdk.StatusSucceeded, ""},
		{"no times", "", m("pay_time", nil, "create_time", nil), sdk.StatusSucceeded, ""},
		{"empty time", "", m("pay_time", ""), sdk.StatusSucceeded, ""},
		{"time without fraction", "", m("pay_time", "2025-08-18T03:23:46+08:00"), sdk.StatusSucceeded, ""},
		{"odd times", "", m("pay_time", 1693427045, "create_time", m()), sdk.StatusSucceeded, ""},
		{"unknown members", "", m("uid", 1, "refunds", []any{m()}), sdk.StatusSucceeded, ""},
		{"pending and says little", "", m("status", "PENDING", "order_id", nil, "amount", nil, "currency", nil), sdk.StatusPending, ""},

		{"unknown status", "", m("status", "REFUNDED"), sdk.StatusUnknown, `status "REFUNDED" is not documented`},
		{"lower case", "", m("status", "succeeded"), sdk.StatusUnknown, `is not documented`},
		{"failed", "", m("status", "FAILED"), sdk.StatusUnknown, `is not documented`},
		{"expired", "", m("status", "EXPIRED"), sdk.StatusUnknown, `is not documented`},
		{"spelt with one L", "", m("status", "CANCELED"), sdk.StatusUnknown, `is not documented`},
		{"authorized", "", m("status", "AUTHORIZED"), sdk.StatusUnknown, `is not documented`},
		{"success", "", m("status", "SUCCESS"), sdk.StatusUnknown, `is not documented`},
		{"no status", "", m("status", nil), sdk.StatusUnknown, "names no status"},
		{"number as status", "", m("status", 3), sdk.StatusUnknown, `"3" is not documented`},
		{"other order_id", "", m("order_id", "C2"), sdk.StatusSucceeded, `mismatch: provider_order_id is "C2"`},
		{"other merchant_order_id", "", m("merchant_order_id", "P2"), sdk.StatusSucceeded, `mismatch: merchant_order_id is "P2"`},
		{"other amount", "", m("amount", "1.01"), sdk.StatusSucceeded, `mismatch: amount is "1.01 HKD", not "1.00 HKD"`},
		{"other unit", "", m("amount", "100"), sdk.StatusSucceeded, "mismatch: amount"},
		{"other unit, minor", "minor", m(), sdk.StatusSucceeded, "mismatch: amount"},
		{"the page's own sample", "", m("amount", "50", "currency", "TWD"), sdk.StatusSucceeded, `mismatch: amount is "50.00 TWD", not "1.00 HKD"`},
		{"other currency", "", m("currency", "TWD"), sdk.StatusSucceeded, `mismatch: amount is "1.00 TWD"`},
		{"pending of another", "", m("status", "PENDING", "amount", "2"), sdk.StatusUnknown, "mismatch: amount"},
		{"cancelled of another", "", m("status", "CANCELLED", "order_id", "C2"), sdk.StatusUnknown, "mismatch: provider_order_id"},
		{"cancelled of nobody", "", m("status", "CANCELLED", "order_id", nil, "merchant_order_id", nil), sdk.StatusUnknown, "mismatch: "},
		{"cancelled, amount left out", "", m("status", "CANCELLED", "amount", nil, "currency", nil), sdk.StatusUnknown, "mismatch: amount"},
		{"cancelled, our id left out", "", m("status", "CANCELLED", "merchant_order_id", nil), sdk.StatusUnknown, "mismatch: merchant_order_id"},
		{"paid by nobody", "", m("order_id", nil, "merchant_order_id", nil), sdk.StatusSucceeded, "mismatch: "},
		{"pending of nobody", "", m("status", "PENDING", "order_id", nil, "merchant_order_id", nil), sdk.StatusUnknown, "names no order"},
		{"paid, amount left out", "", m("amount", nil, "currency", nil), sdk.StatusSucceeded, "mismatch: amount"},
		{"amount without currency", "", m("currency", nil), sdk.StatusSucceeded, "can't be read"},
		{"currency without amount", "", m("amount", nil), sdk.StatusSucceeded, "can't be read"},
		{"currency in lower case", "", m("currency", "hkd"), sdk.StatusSucceeded, "can't be read"},
		{"amount in words", "", m("amount", "one"), sdk.StatusSucceeded, `amount "one" with currency "HKD" can't be read`},
		{"amount with exponent", "", m("amount", "1e0"), sdk.StatusSucceeded, "can't be read"},
		{"too many decimals", "", m("amount", "1.000"), sdk.StatusSucceeded, "can't be read"},
		{"negative", "", m("amount", "-1"), sdk.StatusSucceeded, "can't be read"},
		{"nothing", "", m("amount", "0"), sdk.StatusSucceeded, "can't be read"},
		{"decimals in minor", "minor", m("amount", "1.00"), sdk.StatusSucceeded, "can't be read"},
		{"sign in minor", "minor", m("amount", "+100"), sdk.StatusSucceeded, "can't be read"},
		{"amount as object", "", m("amount", m()), sdk.StatusSucceeded, "can't be read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			more := ""
			if test.unit != "" {
				more = `,"amount_unit":"` + test.unit + `"`
			}
			body := change(t, golden(t, "query_response.json"), "data", test.change)
			payment, err := settings(t, "https://api.example.com", more).readQuery(ok(body), order(t))
			if err != nil {
				t.Fatal(err)
			}
			believed := payment.Status != sdk.StatusUnknown && len(payment.Differences(order(t))) == 0
			if believed != (test.reason == "") {
				t.Errorf("%s, believed: %t", payment.Status, believed)
			}
			if payment.Status != test.want || (test.reason == "") != (payment.StatusReason == "") || !strings.Contains(payment.StatusReason, test.reason) {
				t.Errorf("got %s %q, want %s %q", payment.Status, payment.StatusReason, test.want, test.reason)
			}
			if strings.Contains(test.reason, "can't be read") && !payment.Money.IsZero() {
				t.Errorf("money %v was made up", payment.Money)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[acquirer.Text]time.Time{
		"2023-08-31T04:44:05.928696203+08:00": time.Date(2023, 8, 30, 20, 44, 5, 928696203, time.UTC), // the acquirer's answers
		"2023-08-23T18:25:43.511Z":            time.Date(2023, 8, 23, 18, 25, 43, 511e6, time.UTC),    // its notifications
		"2025-08-18T03:23:46+08:00":           time.Date(2025, 8, 17, 19, 23, 46, 0, time.UTC),        // a sibling's answers
		"2023-08-31 04:44:05":                 {},
		"1693427045":                          {},
		"":                                    {},
	} {
		if got := readTime(text); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// What stands in pay_time while an order is unpaid is not documented.
func TestOnlyAPaidOrderHasATimeOfPayment(t *testing.T) {
	for _, status := range []string{"SUCCEEDED", "PENDING", "CANCELLED", "REFUNDED", ""} {
		body := change(t, golden(t, "query_response.json"), "data", map[string]any{"status": status})
		payment, err := settings(t, "https://api.example.com", "").readQuery(ok(body), order(t))
		if err != nil || payment.PaidAt.IsZero() != (status != "SUCCEEDED") {
			t.Errorf("%s: paid at %v, %v", status, payment.PaidAt, err)
		}
	}
}

// The answer to create is what names the order, whatever was known before.
func TestCreateAnswerNamesTheOrder(t *testing.T) {
	payment, err := settings(t, "https://api.example.com", "").readCreate(ok(golden(t, "create_response.json")),
		sdk.Order{MerchantOrderID: ourOrder, AcquirerOrderID: "C1", Money: money(t, "1")})
	if err != nil || payment.Status != sdk.StatusPending || payment.AcquirerOrderID != acquirerOrder {
		t.Errorf("got %+v, %v", payment, err)
	}
}

// A mismatched answer must not hand its link to our payer.
func TestCreateMismatchGivesNoAction(t *testing.T) {
	for member, value := range map[string]any{"merchant_order_id": "P2", "amount": "2", "currency": "USD", "status": "CREATED"} {
		body := change(t, golden(t, "create_response.json"), "data", map[string]any{member: value})
		payment, err := settings(t, "https://api.example.com", "").readCreate(ok(body), createRequest(t).Order)
		if err != nil || payment.Status != sdk.StatusUnknown || payment.StatusReason == "" || payment.NextActions != nil {
			t.Errorf("%s: got %+v, %v", member, payment, err)
		}
	}
}

func TestReasonsAreShort(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, member := range []string{"order_id", "merchant_order_id", "amount", "currency", "status"} {
		body := change(t, golden(t, "query_response.json"), "data", map[string]any{member: long})
		payment, err := settings(t, "https://api.example.com", "").readQuery(ok(body), order(t))
		if err != nil || len(payment.StatusReason) == 0 || len(payment.StatusReason) > 500 || len(payment.RawStatus) > 100 {
			t.Errorf("%s: %s, reason of %d bytes, %v", member, payment.Status, len(payment.StatusReason), err)
		}
	}
}
