package antomtest

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPayQueryCancel(t *testing.T) {
	s := Start(t, Options{})
	id := mustPay(t, s, "P1")
	for _, key := range []string{`{"paymentId":"` + id + `"}`, `{"paymentRequestId":"P1"}`, `{"paymentId":"` + id + `","paymentRequestId":"other"}`} {
		got := post(t, s, "inquiryPayment", key)
		wantCode(t, got, "S", "SUCCESS")
		if b := got.body; b.PaymentStatus != Processing || b.PaymentID != id || b.PaymentRequestID != "P1" || b.PaymentAmount != (Amount{"HKD", "150"}) || b.PaymentTime != "" {
			t.Errorf("got %s", got.raw)
		}
	}
	wantCode(t, post(t, s, "inquiryPayment", `{"paymentRequestId":"P2"}`), "F", "MADE_UP_NO_SUCH_ORDER")
	wantCode(t, post(t, s, "inquiryPayment", `{}`), "F", "MADE_UP_NO_SUCH_ORDER")
	if got := post(t, s, "cancel", `{"paymentRequestId":"P1"}`); got.body.Result != success || got.body.CancelTime == "" || got.body.PaymentID != id {
		t.Errorf("got %s", got.raw)
	}
	if got := post(t, s, "inquiryPayment", `{"paymentRequestId":"P1"}`); got.body.PaymentStatus != Cancelled {
		t.Errorf("got %s", got.raw)
	}
	if _, err := s.Pay("P1"); err != ErrClosed {
		t.Errorf("got %v", err)
	}
	if _, err := s.Pay("P9"); err != ErrNotFound {
		t.Errorf("got %v", err)
	}
}

// The same request has the same result; another with its id is refused.
func TestSameIDSameResult(t *testing.T) {
	s := Start(t, Options{})
	id := mustPay(t, s, "P1")
	if again := mustPay(t, s, "P1"); again != id || len(s.Orders()) != 1 {
		t.Errorf("%s and %s, %d orders", id, again, len(s.Orders()))
	}
	wantCode(t, post(t, s, "pay", strings.ReplaceAll(goodPay, "150", "151")), "F", "MADE_UP_ID_REUSED")
	if _, err := s.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, post(t, s, "pay", goodPay), "S", "SUCCESS")
	if ledger := s.Ledger(); len(ledger) != 1 || ledger[0].Minor != 150 {
		t.Errorf("ledger %+v", ledger)
	}
	refund := `{"refundRequestId":"R1","paymentId":"` + id + `","refundAmount":{"currency":"HKD","value":"50"}}`
	first, second := post(t, s, "refund", refund), post(t, s, "refund", refund)
	if first.body.Result != success || first.body.RefundID != second.body.RefundID || len(s.Ledger()) != 2 {
		t.Errorf("%s, %s, %+v", first.raw, second.raw, s.Ledger())
	}
	wantCode(t, post(t, s, "refund", strings.ReplaceAll(refund, "50", "51")), "F", "MADE_UP_ID_REUSED")
}

// A cancel of a paid payment gives all back, and no later notice changes it.
func TestCancelAfterPayment(t *testing.T) {
	s := Start(t, Options{})
	id := mustPay(t, s, "P1")
	if _, err := s.Pay(id); err != nil {
		t.Fatal(err)
	}
	wantCode(t, post(t, s, "cancel", `{"paymentId":"`+id+`"}`), "S", "SUCCESS")
	if ledger := s.Ledger(); len(ledger) != 2 || ledger[1].Kind != "cancel" || ledger[1].Minor != 150 {
		t.Errorf("ledger %+v", ledger)
	}
	wantCode(t, post(t, s, "refund", `{"refundRequestId":"R1","paymentId":"`+id+`","refundAmount":{"currency":"HKD","value":"1"}}`), "F", "MADE_UP_NOT_PAID")
	if _, err := s.Pay(id); err != ErrClosed {
		t.Errorf("got %v", err)
	}
}

func TestTimeRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		defer s.Close()
		mustPay(t, s, "P1")
		time.Sleep(14 * time.Minute)
		if got := post(t, s, "inquiryPayment", `{"paymentRequestId":"P1"}`); got.body.PaymentStatus != Fail {
			t.Errorf("got %s", got.raw)
		}
		wantCode(t, post(t, s, "cancel", `{"paymentRequestId":"P1"}`), "F", "MADE_UP_TOO_LATE")

		id := mustPay(t, s, "P2")
		if _, err := s.Pay(id); err != nil {
			t.Fatal(err)
		}
		// Until 00:15 of the next day in Hong Kong.
		time.Sleep(time.Until(lastCancel(time.Now())))
		wantCode(t, post(t, s, "cancel", `{"paymentId":"`+id+`"}`), "F", "MADE_UP_TOO_LATE")
		refund := func(n string) string {
			return `{"refundRequestId":"R` + n + `","paymentId":"` + id + `","refundAmount":{"currency":"HKD","value":"1"}}`
		}
		time.Sleep(364 * 24 * time.Hour)
		wantCode(t, post(t, s, "refund", refund("1")), "S", "SUCCESS")
		time.Sleep(24 * time.Hour)
		wantCode(t, post(t, s, "refund", refund("2")), "F", "MADE_UP_TOO_LATE")
	})
}

func TestRefunds(t *testing.T) {
	s := Start(t, Options{RefundsPend: true})
	id := mustPay(t, s, "P1")
	refund := func(n, value, currency string) response {
		return post(t, s, "refund", `{"refundRequestId":"`+n+`","paymentId":"`+id+`","refundAmount":{"currency":"`+currency+`","value":"`+value+`"}}`)
	}
	wantCode(t, refund("R1", "1", "HKD"), "F", "MADE_UP_NOT_PAID")
	if _, err := s.Pay(id); err != nil {
		t.Fatal(err)
	}
	wantCode(t, refund("R1", "100", "HKD"), "S", "SUCCESS")
	wantCode(t, refund("R2", "51", "HKD"), "F", "MADE_UP_TOO_MUCH")
	wantCode(t, refund("R2", "50", "CNY"), "F", "MADE_UP_TOO_MUCH")
	wantCode(t, refund("R2", "0", "HKD"), "F", "MADE_UP_BAD_REQUEST")
	wantCode(t, refund("", "1", "HKD"), "F", "MADE_UP_BAD_REQUEST")
	wantCode(t, post(t, s, "refund", `{"refundRequestId":"R2","paymentId":"P1","refundAmount":{"currency":"HKD","value":"1"}}`), "F", "MADE_UP_NO_SUCH_ORDER")
	if got := post(t, s, "inquiryRefund", `{"refundRequestId":"R1"}`); got.body.RefundStatus != Processing || got.body.RefundTime != "" {
		t.Errorf("got %s", got.raw)
	}
	if err := s.SettleRefund("R1", Success); err != nil {
		t.Fatal(err)
	}
	if err := s.SettleRefund("R1", Fail); err != ErrClosed {
		t.Errorf("got %v", err)
	}
	if err := s.SettleRefund("R9", Fail); err != ErrNotFound {
		t.Errorf("got %v", err)
	}
	got := post(t, s, "inquiryRefund", `{"refundRequestId":"R1"}`)
	if b := got.body; b.RefundStatus != Success || b.RefundAmount != (Amount{"HKD", "100"}) || b.RefundTime == "" {
		t.Errorf("got %s", got.raw)
	}
	if got := post(t, s, "inquiryRefund", `{"refundId":"`+got.body.RefundID+`"}`); got.body.RefundRequestID != "R1" {
		t.Errorf("got %s", got.raw)
	}
	wantCode(t, post(t, s, "inquiryRefund", `{"refundRequestId":"R9"}`), "F", "MADE_UP_NO_SUCH_REFUND")
}

func TestLinksOfWalletAndTerminal(t *testing.T) {
	s := Start(t, Options{})
	for i, test := range []struct {
		wallet, terminal        string
		normal, scheme, applink bool
	}{
		{"ALIPAY_HK", "WEB", true, false, false}, {"ALIPAY_HK", "WAP", true, false, false}, {"ALIPAY_HK", "APP", true, false, true},
		{"ALIPAY_CN", "WEB", true, false, false}, {"ALIPAY_CN", "WAP", true, true, false}, {"ALIPAY_CN", "APP", true, true, false},
	} {
		body := strings.NewReplacer("ALIPAY_HK", test.wallet, "WAP", test.terminal, `"P1"`, `"P`+string(rune('a'+i))+`"`).Replace(goodPay)
		got := post(t, s, "pay", body)
		if b := got.body; (b.NormalURL != "") != test.normal || (b.SchemeURL != "") != test.scheme || (b.ApplinkURL != "") != test.applink || len(b.OrderCodeForm.CodeDetails) != 0 {
			t.Errorf("%+v: %s", test, got.raw)
		}
	}
	store := strings.Replace(goodPay, "CASHIER_PAYMENT", "IN_STORE_PAYMENT", 1)
	wantCode(t, post(t, s, "pay", store), "F", "MADE_UP_BAD_REQUEST")
	store = strings.Replace(store, `"env"`, `"paymentFactor":{"inStorePaymentScenario":"OrderCode"},"env"`, 1)
	got := post(t, s, "pay", store)
	if form := got.body.OrderCodeForm; len(form.CodeDetails) != 1 || form.CodeDetails[0].DisplayType != "TEXT" || form.ExpireTime == "" || got.body.NormalURL != "" {
		t.Errorf("got %s", got.raw)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	s := Start(t, Options{})
	for name, body := range map[string]string{
		"not JSON": `hello`, "unknown member": strings.Replace(goodPay, `"env"`, `"enw"`, 1), "a number": strings.Replace(goodPay, `"150"`, `150`, 1),
		"named twice": strings.Replace(goodPay, `"productCode"`, `"productCode":"CASHIER_PAYMENT","productCode"`, 1), "major units": strings.ReplaceAll(goodPay, "150", "1.50"),
		"amounts differ": strings.Replace(goodPay, "150", "151", 1), "zero": strings.ReplaceAll(goodPay, "150", "0"), "currency": strings.ReplaceAll(goodPay, "HKD", "USD"),
		"too little CNY": strings.NewReplacer("HKD", "CNY", "150", "9").Replace(goodPay), "product": strings.Replace(goodPay, "CASHIER", "OTHER", 1), "wallet": strings.Replace(goodPay, "ALIPAY_HK", "WECHAT", 1),
		"terminal": strings.Replace(goodPay, "WAP", "TV", 1), "no redirect": strings.Replace(goodPay, "https://shop.example/thanks", "", 1), "no id": strings.Replace(goodPay, `"paymentRequestId":"P1"`, `"paymentRequestId":""`, 1),
		"long id": strings.ReplaceAll(goodPay, `"P1"`, `"`+strings.Repeat("x", 65)+`"`), "no description": strings.Replace(goodPay, "Tea", "", 1), "system": strings.Replace(goodPay, `"terminalType"`, `"osType":"X","terminalType"`, 1),
		"notify": strings.Replace(goodPay, "http://shop.example/notify", "notify", 1),
	} {
		got := post(t, s, "pay", body)
		if got.body.Result.Code != "MADE_UP_BAD_REQUEST" {
			t.Errorf("%s: %s", name, got.raw)
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	path := livePath + "/payments/pay"
	for name, test := range map[string]struct {
		change func(*http.Request)
		code   string
	}{
		"media type":    {header("Content-Type", "text/plain"), "MADE_UP_BAD_REQUEST"},
		"no charset":    {header("Content-Type", "application/json"), "MADE_UP_BAD_REQUEST"},
		"client":        {header("Client-Id", "x"), "MADE_UP_BAD_CLIENT"},
		"time":          {header("Request-Time", "now"), "MADE_UP_BAD_REQUEST"},
		"another time":  {header("Request-Time", "1"), "MADE_UP_BAD_SIGNATURE"},
		"no signature":  {header("Signature", ""), "MADE_UP_BAD_SIGNATURE"},
		"not escaped":   {header("Signature", "algorithm=RSA256,keyVersion=1,signature=%zz"), "MADE_UP_BAD_SIGNATURE"},
		"not base64":    {header("Signature", "algorithm=RSA256,keyVersion=1,signature=!"), "MADE_UP_BAD_SIGNATURE"},
		"wrong version": {header("Signature", "algorithm=RSA256,keyVersion=2,signature=AAAA"), "MADE_UP_BAD_SIGNATURE"},
		"wrong key": {func(r *http.Request) {
			r.Header.Set("Signature", Sign(forgersKey(), "POST", path, DefaultClientID, r.Header.Get("Request-Time"), []byte(goodPay)))
		}, "MADE_UP_BAD_SIGNATURE"},
	} {
		r := request(s, path, goodPay)
		test.change(r)
		if got := send(t, s, r); got.body.Result.Code != test.code {
			t.Errorf("%s: %s", name, got.raw)
		}
	}
	if len(s.Orders()) != 0 {
		t.Error("a refused request made an order")
	}
	wantCode(t, send(t, s, request(s, sandboxPath+"/payments/pay", goodPay)), "F", "MADE_UP_BAD_CLIENT")
}

// Clients of the acquirer's sandbox have a path of their own, but in a store.
func TestPathsOfTheSandbox(t *testing.T) {
	s := Start(t, Options{ClientID: "SANDBOX_1"})
	wantCode(t, send(t, s, request(s, livePath+"/payments/pay", goodPay)), "F", "MADE_UP_BAD_REQUEST")
	wantCode(t, send(t, s, request(s, sandboxPath+"/payments/pay", goodPay)), "U", "PAYMENT_IN_PROCESS")
	wantCode(t, send(t, s, request(s, livePath+"/payments/inquiryPayment", `{"paymentRequestId":"P1"}`)), "F", "MADE_UP_NO_SUCH_ORDER")
	wantCode(t, send(t, s, request(s, sandboxPath+"/payments/inquiryPayment", `{"paymentRequestId":"P1"}`)), "S", "SUCCESS")
}

func TestClosedServer(t *testing.T) {
	s := New(Options{})
	s.Close()
	s.Close()
	if got := send(t, s, request(s, livePath+"/payments/pay", goodPay)); got.status != http.StatusServiceUnavailable {
		t.Errorf("got %d", got.status)
	}
}
