package host

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/paymux/paymux/sdk"
)

// TestBadRequests: each fault names its field, records nothing and reaches no plugin.
func TestBadRequests(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	many := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[long(i+1)] = "v"
		}
		return m
	}
	tests := map[string][]func(*CreateRequest){}
	add := func(field string, spoil func(*CreateRequest, string), values ...string) {
		for _, v := range values {
			tests[field] = append(tests[field], func(r *CreateRequest) { spoil(r, v) })
		}
	}
	add("merchant_order_id", func(r *CreateRequest, v string) { r.MerchantOrderID = v }, "", " ", "a b", "é", long(33), "a/b", "a\n")
	add("amount", func(r *CreateRequest, v string) { r.Amount = v },
		"", "0", "0.00", "-1", "+1", "1e3", "1E2", ".5", "5.", "01", "00", "1,000", "1 ", " 1", "١", "１", "0x10", "NaN", "Inf", "1.001", "1.000", "1000000000000", "1_000", "\x001")
	add("currency", func(r *CreateRequest, v string) { r.Currency = v }, "", "hkd", "HK", "HKDX", "XXX", "ZZZ", "Hkd")
	add("method", func(r *CreateRequest, v string) { r.Method = v }, "", "alipay", "ALIPAY_HK", "visa", "alipay_hk ")
	add("flow", func(r *CreateRequest, v string) { r.Flow = v }, "", "mobile", "MOBILE_WEB", "web_qrcode")
	add("description", func(r *CreateRequest, v string) { r.Description = v }, "", long(256), "a\nb", "a\x00b", "\xff", "a\u202eb")
	add("return_url", func(r *CreateRequest, v string) { r.ReturnURL = v },
		"shop.example.com/back", "//shop.example.com/", "javascript:alert(1)", "http://shop.example.com/", "https://", "https://user:pass@shop.example.com/",
		"https://evil.example.com/", "https://shop.example.com.evil.example.com/", "https://shop.example.com@evil.example.com/", "https://evil.example.com\\@shop.example.com/",
		"https://shop.example.com/"+long(2048), "https://shop.example.com/a b", "ftp://shop.example.com/", "https://shop.example.com/\x00", "http://127.0.0.1.evil.example.com/", "https://shop.example.com:99999/", "https://shop.example.com:0/", "https://shop.example.com:/",
		"https://shop.example.com/<b>", "https://shop.example.com/?q=\"", "https://shop.example.com/{id}", "https://shop.example.com/a|b", "https://shop.example.com/`a^b",
		"https://shop.example.com/茶", "https://shop.example.com/?q=é", "https://shop.example.com/\u00a0")
	add("order_group", func(r *CreateRequest, v string) { r.OrderGroup = v }, "a b", long(65), "é")
	add("provider", func(r *CreateRequest, v string) { r.Provider = v }, "three", "One", "one ")
	tests["metadata"] = []func(*CreateRequest){
		func(r *CreateRequest) { r.Metadata = many(21) },
		func(r *CreateRequest) { r.Metadata = map[string]string{"": "v"} },
		func(r *CreateRequest) { r.Metadata = map[string]string{long(41): "v"} },
	}
	tests["metadata.k"] = []func(*CreateRequest){
		func(r *CreateRequest) { r.Metadata = map[string]string{"k": long(501)} },
		func(r *CreateRequest) { r.Metadata = map[string]string{"k": "a\x00"} },
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		for field, spoils := range tests {
			for i, spoil := range spoils {
				r := request("o1")
				spoil(&r)
				_, err := w.Create(context.Background(), "shop-a", r)
				e := sdk.AsError(err)
				if e == nil || e.Field != field || e.Outcome != sdk.OutcomeNotSent || e.Code.Info().Blame != sdk.BlameMerchant {
					t.Errorf("%s, case %d: %+v: %v", field, i, r, err)
				}
			}
		}
		if n := w.count("SELECT COUNT(*) FROM payments"); n != 0 || w.one.created()+w.two.created() != 0 {
			t.Errorf("%d payments are recorded, %d calls were made", n, w.one.created())
		}
	})
}

// TestSameFault: of several faults it is always the same one that is named.
func TestSameFault(t *testing.T) {
	r := request("o1")
	r.Metadata = map[string]string{}
	for i := range maxMetadataKeys {
		r.Metadata[fmt.Sprintf("k%02d", i)] = strings.Repeat("x", maxMetadataValue+1)
	}
	for range 50 {
		if _, err := r.validate(nil); sdk.AsError(err).Field != "metadata.k00" {
			t.Fatal(err)
		}
	}
}

// TestUnprintable: what can't be seen is told by its number.
func TestUnprintable(t *testing.T) {
	for text, words := range map[string]string{
		"普洱\u3000茶餅": "U+3000", "a\u200db": "U+200D", "a\nb": "U+000A", "\u00a0": "U+00A0", "a\xff": "UTF-8", strings.Repeat("x", 256): "255 printable characters",
	} {
		r := request("o1")
		r.Description = text
		if _, err := r.validate(nil); err == nil || sdk.AsError(err).Field != "description" || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestReturnURLAnywhere: without return_hosts any host will do, but one that
// browsers and acquirers may read in two ways.
func TestReturnURLAnywhere(t *testing.T) {
	for text, words := range map[string]string{
		"https://any.example.org/back?a=b&c=%E8%8C%B6#top": "",
		"https://xn--eckwd4c7c.example/":                   "",
		"http://[::1]:8080/back":                           "",
		"http://localhost/back":                            "",
		"https://shop.example。evil.example/":               "as %XX",
		"https://shop.example／evil.example/":               "as %XX",
		"https://shöp.example/":                            "xn--",
		"https://shop.example/a\tb":                        "as %XX",
		"https://shop.example/ ":                           "as %XX",
	} {
		err := validateReturnURL(text, nil)
		if words == "" && err != nil || words != "" && (err == nil || !strings.Contains(err.Error(), words)) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestGoodRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		for i, change := range []func(*CreateRequest){
			func(r *CreateRequest) { r.Amount = "0.01" },
			func(r *CreateRequest) { r.Amount = "999999999999.99" },
			func(r *CreateRequest) { r.MerchantOrderID = "A-z_09" + strings.Repeat("x", 26) },
			func(r *CreateRequest) { r.Description = "普洱茶餅 🍵" },
			func(r *CreateRequest) { r.Description = strings.Repeat("茶", 255) },
			func(r *CreateRequest) { r.ReturnURL = "" },
			func(r *CreateRequest) { r.ReturnURL = "https://SHOP.example.com:8443/a?b=c&d=%20#e" },
			func(r *CreateRequest) { r.Metadata = map[string]string{"k": strings.Repeat("v", 500), "空": ""} },
			func(r *CreateRequest) { r.Provider = "two" },
		} {
			r := request("good-" + string(rune('a'+i)))
			change(&r)
			c, err := w.Create(context.Background(), "shop-a", r)
			if err != nil || c.Payment.Status != "PENDING" || c.Payment.ReturnURL != r.ReturnURL || len(c.Payment.Metadata) != len(r.Metadata) {
				t.Errorf("%+v: %+v, %v", r, c, err)
			}
		}
	})
}

// TestRoutes: who may use what, and why not.
func TestRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		for i, c := range []struct {
			merchant, method, flow, currency, provider string
			want                                       string // the provider, or a part of the error
			field                                      string // of the error
		}{
			{"shop-a", "alipay_hk", "mobile_web", "HKD", "", "one", ""},
			{"shop-a", "alipay_cn", "mobile_web", "HKD", "", "two", ""},
			{"shop-b", "alipay_cn", "mobile_web", "HKD", "", "not for this merchant", "method"},
			{"shop-b", "alipay_hk", "mobile_web", "HKD", "two", "not for this merchant", "provider"},
			{"shop-b", "alipay_cn", "mobile_web", "HKD", "one", "one", ""},
			{"shop-a", "alipay_hk", "web_qr", "HKD", "", "flow web_qr is not taken", "flow"},
			{"shop-a", "alipay_hk", "mobile_web", "CNY", "", "currency CNY is not taken", "currency"},
			{"shop-a", "alipay_cn", "app", "HKD", "", "flow app is not taken", "flow"},
		} {
			r := request(fmt.Sprint("o", i))
			r.Method, r.Flow, r.Currency, r.Provider = c.method, c.flow, c.currency, c.provider
			created, err := w.Create(context.Background(), c.merchant, r)
			switch {
			case err == nil && created.Payment.Provider != c.want:
				t.Errorf("%+v: provider %s", c, created.Payment.Provider)
			case err != nil && (!strings.Contains(err.Error(), c.want) || codeOf(err) != sdk.CodeNoRoute || sdk.AsError(err).Field != c.field):
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		for _, order := range []string{"a", "b", "c", "d", "e"} {
			r := request(order)
			r.OrderGroup = "cart"
			if _, err := w.Create(context.Background(), "shop-a", r); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		f := Filter{OrderGroup: "cart", Limit: 2}
		for {
			page, more, err := w.List(context.Background(), "shop-a", f)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page {
				got = append(got, p.MerchantOrderID)
			}
			if !more {
				break
			}
			f.Before = page[len(page)-1].ID
		}
		if strings.Join(got, "") != "edcba" {
			t.Errorf("pages hold %v", got)
		}
		for _, f := range []Filter{{MerchantOrderID: "c"}, {Status: "PENDING", MerchantOrderID: "c"}, {OrderGroup: "cart", MerchantOrderID: "c"}} {
			if page, _, err := w.List(context.Background(), "shop-a", f); err != nil || len(page) != 1 || page[0].MerchantOrderID != "c" {
				t.Errorf("%+v: %v, %v", f, page, err)
			}
		}
		for _, f := range []Filter{{Status: "SUCCEEDED"}, {Review: "any"}, {OrderGroup: "other"}, {MerchantOrderID: "x"}} {
			if page, _, err := w.List(context.Background(), "shop-a", f); err != nil || len(page) != 0 {
				t.Errorf("%+v: %v, %v", f, page, err)
			}
		}
		if page, _, _ := w.List(context.Background(), "shop-b", Filter{}); len(page) != 0 {
			t.Error("another merchant's payments are listed")
		}
	})
}

// TestAnotherRequest: with the merchant_order_id of a payment, whatever else
// differs makes it another request, which is not answered with that payment.
func TestAnotherRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		full := func() CreateRequest {
			r := request("o1")
			r.OrderGroup, r.Metadata, r.Provider = "g1", map[string]string{"a": "1", "b": "2"}, "one"
			return r
		}
		if _, err := w.Create(t.Context(), "shop-a", full()); err != nil {
			t.Fatal(err)
		}
		if c, err := w.Create(t.Context(), "shop-a", full()); err != nil || !c.Existing {
			t.Errorf("the same request: %+v, %v", c, err)
		}
		for name, change := range map[string]func(*CreateRequest){
			"amount":      func(r *CreateRequest) { r.Amount = "100.01" },
			"currency":    func(r *CreateRequest) { r.Currency = "CNY" },
			"method":      func(r *CreateRequest) { r.Method = "alipay_cn" },
			"flow":        func(r *CreateRequest) { r.Flow = "web_qr" },
			"description": func(r *CreateRequest) { r.Description = "Coffee" },
			"return_url":  func(r *CreateRequest) { r.ReturnURL = "" },
			"order_group": func(r *CreateRequest) { r.OrderGroup = "g2" },
			"provider":    func(r *CreateRequest) { r.Provider = "" },
			"metadata":    func(r *CreateRequest) { r.Metadata["b"] = "3" },
			"a key less":  func(r *CreateRequest) { delete(r.Metadata, "b") },
		} {
			r := full()
			change(&r)
			if _, err := w.Create(t.Context(), "shop-a", r); codeOf(err) != sdk.CodeConflict || sdk.AsError(err).Field != "merchant_order_id" {
				t.Errorf("another %s: %v", name, err)
			}
		}
		if w.one.created() != 1 || w.two.created() != 0 {
			t.Errorf("sent %d and %d times", w.one.created(), w.two.created())
		}
	})
}
