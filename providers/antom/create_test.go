package antom

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
)

func TestGoldenCreate(t *testing.T) {
	f := newFake(t, saySigned(200, golden(t, "pay_response.json")))
	payment, err := f.provider(t, "").Create(t.Context(), createRequest(t))
	if err != nil {
		t.Fatal(err)
	}
	body, found := strings.CutPrefix(f.sent()[0], "POST /ams/api/v1/payments/pay ")
	if len(f.sent()) != 1 || !found {
		t.Fatalf("calls: %s", f.sent())
	}
	sameJSON(t, []byte(body), golden(t, "pay_request.json"))
	if created := time.Date(2026, 1, 1, 4, 0, 0, 0, time.UTC); !payment.CreatedAt.Equal(created) {
		t.Errorf("created %v, want %v", payment.CreatedAt, created)
	}
	payment.CreatedAt = time.Time{}
	want := sdk.Payment{
		// The answer has no amount, so none is reported.
		Order:  sdk.Order{MerchantOrderID: ourOrder, AcquirerOrderID: acquirerOrder},
		Status: sdk.StatusPending, RawStatus: "U PAYMENT_IN_PROCESS",
		NextActions: []sdk.NextAction{{Type: sdk.ActionRedirect, URL: "https://open-sea-global.alipay.com/cashier?id=1"}},
	}
	if !reflect.DeepEqual(payment, want) {
		t.Errorf("got  %+v\nwant %+v", payment, want)
	}
}

func TestCreateRequests(t *testing.T) {
	hkd := func(value string) map[string]any { return map[string]any{"currency": "HKD", "value": value} }
	paying := func(money map[string]any) map[string]any {
		return map[string]any{"paymentAmount": money, "order": map[string]any{"referenceOrderId": ourOrder, "orderDescription": "Tea", "orderAmount": money}}
	}
	method := func(word string) map[string]any { return map[string]any{"paymentMethodType": word} }
	tests := []struct {
		name, config, golden string
		change               func(*sdk.CreateRequest)
		want                 map[string]any
	}{
		{"cents", "", "", func(r *sdk.CreateRequest) { r.Money = money(t, "1.5") }, paying(hkd("150"))},
		{"one cent", "", "", func(r *sdk.CreateRequest) { r.Money = money(t, "0.01") }, paying(hkd("1"))},
		{"largest", "", "", func(r *sdk.CreateRequest) { r.Money = money(t, "999999999999.99") }, paying(hkd("99999999999999"))},
		{"Alipay CN", "", "", func(r *sdk.CreateRequest) { r.Method = sdk.AlipayCN }, map[string]any{"paymentMethod": method("ALIPAY_CN")}},
		{"web QR", "", "", func(r *sdk.CreateRequest) { r.Flow = sdk.WebQR }, map[string]any{"env": map[string]any{"terminalType": "WEB"}}},
		{"app", "", "", func(r *sdk.CreateRequest) { r.Flow = sdk.App }, map[string]any{"env": map[string]any{"terminalType": "APP"}}},
		{"app on iOS", `,"os_type":"IOS"`, "", func(r *sdk.CreateRequest) { r.Flow = sdk.App }, map[string]any{"env": map[string]any{"terminalType": "APP", "osType": "IOS"}}},
		{"a desktop has no phone's system", `,"os_type":"IOS"`, "", func(r *sdk.CreateRequest) { r.Flow = sdk.WebQR }, map[string]any{"env": map[string]any{"terminalType": "WEB"}}},
		{"store", "", "pay_request_store.json", func(r *sdk.CreateRequest) { r.Flow = sdk.StoreQR }, nil},
		{"store, any wallet", `,"store_payment_method":"connect_wallet"`, "pay_request_store.json", func(r *sdk.CreateRequest) { r.Flow = sdk.StoreQR }, map[string]any{"paymentMethod": method("CONNECT_WALLET")}},
		{"online, whatever the store has", `,"store_payment_method":"connect_wallet"`, "", func(*sdk.CreateRequest) {}, nil},
		{"store without return_url", "", "pay_request_store.json", func(r *sdk.CreateRequest) { r.Flow, r.ReturnURL = sdk.StoreQR, "" }, map[string]any{"paymentRedirectUrl": nil}},
		{"config's return_url", `,"return_url":"https://shop.example/back"`, "", func(r *sdk.CreateRequest) { r.ReturnURL = "" }, map[string]any{"paymentRedirectUrl": "https://shop.example/back"}},
		{"its own return_url", `,"return_url":"https://shop.example/back"`, "", func(r *sdk.CreateRequest) { r.ReturnURL = "https://shop.example/?a=1&b=<2>" }, map[string]any{"paymentRedirectUrl": "https://shop.example/?a=1&b=<2>"}},
		{"no notify_url", "", "", func(r *sdk.CreateRequest) { r.NotifyURL = "" }, map[string]any{"paymentNotifyUrl": nil}},
		{"settlement", `,"settlement_currency":"USD"`, "", func(*sdk.CreateRequest) {}, map[string]any{"settlementStrategy": map[string]any{"settlementCurrency": "USD"}}},
		{"merchant", `,"order_merchant":{"merchantMCC":"5499"}`, "", func(*sdk.CreateRequest) {}, map[string]any{"order": map[string]any{
			"referenceOrderId": ourOrder, "orderDescription": "Tea", "orderAmount": hkd("100"), "merchant": map[string]any{"merchantMCC": "5499"}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := createRequest(t)
			test.change(&req)
			body, err := settings(t, "https://api.example.com", test.config).buildCreate(req)
			if err != nil {
				t.Fatal(err)
			}
			base := "pay_request.json"
			if test.golden != "" {
				base = test.golden
			}
			sameJSON(t, body, change(t, golden(t, base), test.want))
		})
	}
}

func TestCreateRequestsThatAreNotSent(t *testing.T) {
	const sandboxID = `,"client_id":"SANDBOX_5X00000000000000"`
	tests := []struct {
		name, config, field string
		code                sdk.Code
		change              func(*sdk.CreateRequest)
	}{
		{"method", "", "method", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Method = "wechat" }},
		{"flow", "", "flow", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Flow = "carrier_pigeon" }},
		{"currency", "", "currency", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Money = moneyIn(t, "1", "USD") }},
		{"AlipayHK in CNY", "", "currency", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Money = moneyIn(t, "1", "CNY") }},
		{"not in the contract", `,"currencies":["CNY"]`, "currency", sdk.CodeUnsupported, func(*sdk.CreateRequest) {}},
		{"too little", "", "amount", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Method, r.Money = sdk.AlipayCN, moneyIn(t, "0.09", "CNY") }},
		{"no money", "", "currency", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Money = sdk.Money{} }},
		{"nothing", "", "amount", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.Method = sdk.AlipayCN; r.Money, _ = sdk.Zero("HKD") }},
		{"order id", "", "merchant_order_id", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.MerchantOrderID = strings.Repeat("x", 33) }},
		{"no description", "", "description", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.Description = "" }},
		{"bad UTF-8", "", "description", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.Description = "\xff" }},
		{"nowhere to return", "", "return_url", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.ReturnURL = "" }},
		{"a store in the sandbox", sandboxID, "flow", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Flow = sdk.StoreQR }},
		{"online under the store's path", sandboxID + `,"api_path":"/ams/api/v1"`, "flow", sdk.CodeUnsupported, func(*sdk.CreateRequest) {}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, nil)
			req := createRequest(t)
			test.change(&req)
			p := f.provider(t, "")
			if test.config != "" {
				// The last of two equal members would count, so replace.
				text := string(configJSON(f.URL, test.config))
				if strings.Contains(test.config, "client_id") {
					text = strings.Replace(text, `"client_id":"`+clientID+`",`, "", 1)
				}
				c, err := readConfig(sdk.NewConfig("main", []byte(text)))
				if err != nil {
					t.Fatal(err)
				}
				p.config = c
			}
			_, err := p.Create(t.Context(), req)
			if e := checkError(t, err, test.code, sdk.OutcomeNotSent); e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
			if len(f.sent()) != 0 {
				t.Error("something was sent")
			}
		})
	}
}

func TestNextActions(t *testing.T) {
	const (
		normal  = "https://open-sea-global.alipay.com/cashier?id=1"
		scheme  = "alipays://platformapi/startapp?id=1"
		applink = "https://render.alipay.hk/applink?id=1"
	)
	redirect := sdk.NextAction{Type: sdk.ActionRedirect, URL: normal}
	app := func(url string) sdk.NextAction {
		return sdk.NextAction{Type: sdk.ActionAppLink, URL: url, FallbackURL: normal}
	}
	code := sdk.NextAction{Type: sdk.ActionQRCode, QRCode: "https://qr.alipay.example/28100420", ExpiresAt: time.Date(2026, 1, 1, 12, 14, 0, 0, time.FixedZone("", 8*60*60))}
	detail := func(kind, display, value string) map[string]any {
		return map[string]any{"codeDetails": []any{map[string]any{"codeValueType": kind, "displayType": display, "codeValue": value}}}
	}
	tests := []struct {
		name   string
		method sdk.Method
		flow   sdk.Flow
		change map[string]any
		want   []sdk.NextAction
	}{
		{"mobile web, HK", sdk.AlipayHK, sdk.MobileWeb, nil, []sdk.NextAction{redirect}},
		{"mobile web, CN", sdk.AlipayCN, sdk.MobileWeb, nil, []sdk.NextAction{redirect, app(scheme)}},
		{"mobile web, CN, no scheme", sdk.AlipayCN, sdk.MobileWeb, map[string]any{"schemeUrl": nil}, []sdk.NextAction{redirect}},
		{"web QR", sdk.AlipayCN, sdk.WebQR, nil, []sdk.NextAction{redirect}},
		{"app, HK", sdk.AlipayHK, sdk.App, nil, []sdk.NextAction{app(applink), redirect}},
		{"app, CN", sdk.AlipayCN, sdk.App, nil, []sdk.NextAction{app(scheme), redirect}},
		{"app, HK, only a scheme", sdk.AlipayHK, sdk.App, map[string]any{"applinkUrl": nil}, []sdk.NextAction{redirect}},
		{"app, HK, applink of its own scheme", sdk.AlipayHK, sdk.App, map[string]any{"applinkUrl": scheme}, []sdk.NextAction{redirect}},
		{"store", sdk.AlipayHK, sdk.StoreQR, nil, []sdk.NextAction{code}},
		{"store, no end", sdk.AlipayHK, sdk.StoreQR, map[string]any{"orderCodeForm": detail("QRCODE", "TEXT", "x")}, []sdk.NextAction{{Type: sdk.ActionQRCode, QRCode: "x"}}},

		{"store, only a picture", sdk.AlipayHK, sdk.StoreQR, map[string]any{"orderCodeForm": detail("QRCODE", "SOMEIMAGE", "https://x")}, nil},
		{"store, a bar code", sdk.AlipayHK, sdk.StoreQR, map[string]any{"orderCodeForm": detail("BARCODE", "TEXT", "28")}, nil},
		{"store, no code", sdk.AlipayHK, sdk.StoreQR, map[string]any{"orderCodeForm": nil}, nil},
		{"store, another shape", sdk.AlipayHK, sdk.StoreQR, map[string]any{"orderCodeForm": map[string]any{"codeDetails": "x"}}, nil},
		{"store, huge", sdk.AlipayHK, sdk.StoreQR, map[string]any{"orderCodeForm": detail("QRCODE", "TEXT", strings.Repeat("x", 3000))}, nil},
		{"store, control character", sdk.AlipayHK, sdk.StoreQR, map[string]any{"orderCodeForm": detail("QRCODE", "TEXT", "a\nb")}, nil},
		{"nothing", sdk.AlipayHK, sdk.MobileWeb, map[string]any{"normalUrl": nil}, nil},
		{"relative", sdk.AlipayHK, sdk.MobileWeb, map[string]any{"normalUrl": "/pay"}, nil},
		{"script", sdk.AlipayHK, sdk.MobileWeb, map[string]any{"normalUrl": "javascript:alert(1)"}, nil},
		{"script as app link", sdk.AlipayCN, sdk.App, map[string]any{"normalUrl": nil, "schemeUrl": "javascript://x/%0aalert(1)"}, nil},
		{"upper case script", sdk.AlipayCN, sdk.App, map[string]any{"normalUrl": nil, "schemeUrl": "JavaScript://x/%0aalert(1)"}, nil},
		{"huge link", sdk.AlipayHK, sdk.MobileWeb, map[string]any{"normalUrl": normal + strings.Repeat("x", 9000)}, nil},
	}
	c := settings(t, "https://api.example.com", "")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := createRequest(t)
			req.Method, req.Flow = test.method, test.flow
			payment, err := c.readCreate(signedAnswer(c, callPay, 200, change(t, golden(t, "pay_response.json"), test.change)), req)
			if err != nil || payment.Status != sdk.StatusPending {
				t.Fatalf("got %+v, %v", payment, err)
			}
			if len(payment.NextActions) == len(test.want) {
				for i := range test.want { // times compare by the instant
					if payment.NextActions[i].ExpiresAt.Equal(test.want[i].ExpiresAt) {
						payment.NextActions[i].ExpiresAt = test.want[i].ExpiresAt
					}
				}
			}
			if !reflect.DeepEqual(payment.NextActions, test.want) || (len(test.want) == 0) != (payment.StatusReason != "") {
				t.Errorf("got  %+v %q\nwant %+v", payment.NextActions, payment.StatusReason, test.want)
			}
			for _, action := range payment.NextActions {
				row, err := Plugin().Capabilities.Supports(req.Method, req.Flow, req.Money)
				if err != nil || !strings.Contains(strings.Join(words(row.Actions), " "), string(action.Type)) {
					t.Errorf("%s is not among the capabilities %v, %v", action.Type, row.Actions, err)
				}
			}
		})
	}
}

func words[T ~string](list []T) []string {
	all := make([]string, len(list))
	for i, w := range list {
		all[i] = string(w)
	}
	return all
}

// The answer is reported as it is; what isn't about our order gives no link.
func TestCreateAnswers(t *testing.T) {
	type verdict struct {
		status  sdk.Status
		differs bool
	}
	result := func(status, code string) map[string]any {
		return map[string]any{"resultStatus": status, "resultCode": code}
	}
	hkd := func(value string) map[string]any { return map[string]any{"currency": "HKD", "value": value} }
	tests := map[string]struct {
		change map[string]any
		want   verdict
	}{
		"with the amount":        {map[string]any{"paymentAmount": hkd("100")}, verdict{sdk.StatusPending, false}},
		"other order":            {map[string]any{"paymentRequestId": "P2"}, verdict{sdk.StatusPending, true}},
		"other amount":           {map[string]any{"paymentAmount": hkd("1")}, verdict{sdk.StatusPending, true}},
		"other currency":         {map[string]any{"paymentAmount": map[string]any{"currency": "TWD", "value": "100"}}, verdict{sdk.StatusPending, true}},
		"unreadable amount":      {map[string]any{"paymentAmount": hkd("1.00")}, verdict{sdk.StatusUnknown, false}},
		"paid":                   {map[string]any{"result": result("S", "SUCCESS"), "paymentAmount": hkd("100")}, verdict{sdk.StatusSucceeded, false}},
		"paid, other amount":     {map[string]any{"result": result("S", "SUCCESS"), "paymentAmount": hkd("1")}, verdict{sdk.StatusSucceeded, true}},
		"paid, other order":      {map[string]any{"result": result("S", "SUCCESS"), "paymentAmount": hkd("100"), "paymentRequestId": nil}, verdict{sdk.StatusSucceeded, true}},
		"paid, how much not":     {map[string]any{"result": result("S", "SUCCESS")}, verdict{sdk.StatusUnknown, false}},
		"paid, unreadable":       {map[string]any{"result": result("S", "SUCCESS"), "paymentAmount": hkd("0")}, verdict{sdk.StatusUnknown, false}},
		"no ids, nothing to do":  {map[string]any{"paymentRequestId": nil, "paymentId": nil, "normalUrl": nil}, verdict{sdk.StatusPending, false}},
		"unknown members, times": {map[string]any{"more": []any{}, "paymentCreateTime": "yesterday"}, verdict{sdk.StatusPending, false}},
	}
	c := settings(t, "https://api.example.com", "")
	for name, test := range tests {
		payment, err := c.readCreate(signedAnswer(c, callPay, 200, change(t, golden(t, "pay_response.json"), test.change)), createRequest(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := verdict{payment.Status, len(payment.Differences(createRequest(t).Order)) > 0}
		if got != test.want {
			t.Errorf("%s: got %+v (%s), want %+v", name, got, payment.StatusReason, test.want)
		}
		if len(payment.NextActions) > 0 && (got.differs || got.status != sdk.StatusPending) {
			t.Errorf("%s: an action for another's payment: %+v", name, payment.NextActions)
		}
		if got.status == sdk.StatusUnknown && payment.StatusReason == "" {
			t.Errorf("%s: no reason", name)
		}
	}
}
