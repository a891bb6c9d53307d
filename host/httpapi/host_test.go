package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
)

// hostConfig has a provider whose plugin is missing: whatever breaks no rule is
// routed to it, and is 503 because nothing can be sent.
const hostConfig = `
listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
public_url: https://pay.example.com
store: "sqlite:paymux.db"
plugins: {dir: plugins, lock: paymux.lock}
api_keys: [{merchant: shop-a, key: "` + keyA + `"}]
return_hosts: [shop.example.com]
providers:
  one: {plugin: fake, config: {}}
routes:
  - {methods: [alipay_hk, alipay_cn], currencies: [HKD], providers: [one]}
`

func openHost(t *testing.T) (*host.Host, *config.Config) {
	t.Helper()
	cfg, err := config.Parse("paymux.yaml", []byte(hostConfig), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return h, cfg
}

// valueBodies are well-formed requests and the field that is at fault, if any.
var valueBodies = map[string]string{
	good:                                                      "",
	with(`"100.00"`, `"0.01"`):                                "",
	with(`"100.00"`, `"1e3"`):                                 "amount",
	with(`"100.00"`, `"+1"`):                                  "amount",
	with(`"100.00"`, `"-1.00"`):                               "amount",
	with(`"100.00"`, `".5"`):                                  "amount",
	with(`"100.00"`, `"5."`):                                  "amount",
	with(`"100.00"`, `"01.00"`):                               "amount",
	with(`"100.00"`, `"1,000.00"`):                            "amount",
	with(`"100.00"`, `" 1.00"`):                               "amount",
	with(`"100.00"`, `"1.00\n"`):                              "amount",
	with(`"100.00"`, `"0x10"`):                                "amount",
	with(`"100.00"`, `"NaN"`):                                 "amount",
	with(`"100.00"`, `"١"`):                                   "amount",
	with(`"100.00"`, `"0.00"`):                                "amount",
	with(`"100.00"`, `"1.001"`):                               "amount",
	with(`"HKD"`, `"hkd"`):                                    "currency",
	with(`"HKD"`, `"HKDD"`):                                   "currency",
	with(`"o1"`, `"o 1"`):                                     "merchant_order_id",
	with(`"o1"`, `"`+strings.Repeat("x", 33)+`"`):             "merchant_order_id",
	with(`"alipay_hk"`, `"ALIPAY_HK"`):                        "method",
	with(`"mobile_web"`, `"web"`):                             "flow",
	with(`"Tea"`, `"`+strings.Repeat("茶", 255)+`"`):           "",
	with(`"Tea"`, `"`+strings.Repeat("x", 256)+`"`):           "description",
	with(`"Tea"`, `"a\u0000b"`):                               "description",
	plus(`"order_group":"a b"`):                               "order_group",
	plus(`"return_url":"https://shop.example.com/x?a=1&b=2"`): "",
	plus(`"return_url":"http://shop.example.com/"`):           "return_url",
	plus(`"return_url":"https://else.example.com/"`):          "return_url",
	plus(`"return_url":"https://shop.example.com/` + strings.Repeat("x", 2048) + `"`): "return_url",
	plus(`"return_url":"https://shop.example.com/茶"`):                                 "return_url",
	plus(`"return_url":"https://shop.example.com/a|b"`):                               "return_url",
	plus(`"return_url":"https://shop.example.com/[x]-;,:@!$&'()*+=%20_~"`):            "",
	plus(`"metadata":{"":"v"}`):                                                       "metadata",
	plus(`"metadata":{"k":"` + strings.Repeat("x", 501) + `"}`):                       "metadata.k",
}

// unsaid are faults that the schema doesn't say.
var unsaid = []string{
	with(`"100.00"`, `"0.00"`), with(`"100.00"`, `"1.001"`), with(`"Tea"`, `"a\u0000b"`),
	plus(`"return_url":"http://shop.example.com/"`), plus(`"return_url":"https://else.example.com/"`),
}

// TestValues: the API over a real host refuses by name what breaks a rule,
// without a payment, and the document says the same as far as it can.
func TestValues(t *testing.T) {
	h, cfg := openHost(t)
	api := newClient(t)
	api.handler = New(h, Options{Keys: cfg.APIKeys})
	schema := schemaAt(t, "/components/schemas/CreatePayment")
	for body, field := range valueBodies {
		got := api.call("POST", "/v1/payments", body)
		switch {
		case field == "" && (got.status != http.StatusServiceUnavailable || got.Code != "PLUGIN_UNAVAILABLE" || got.Outcome != "NOT_SENT"):
			t.Errorf("%.200s: %d %s", body, got.status, got.body)
		case field != "" && (got.status != http.StatusBadRequest || got.Field != field):
			t.Errorf("%.200s: %d %s, want field %s", body, got.status, got.body, field)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if valid := schema.Validate(value) == nil; valid != (field == "") && !slices.Contains(unsaid, body) {
			t.Errorf("by the document %.200s is valid: %v", body, valid)
		}
	}
	if got := api.call("GET", "/v1/payments?status=SUCCEEDED", ""); got.status != 200 || got.body != "{\"data\":[]}\n" {
		t.Errorf("no payments: %d %s", got.status, got.body)
	}
	for path, status := range map[string]int{
		"/v1/payments?status=PAID": 400, "/v1/payments/pay_1": 404, "/v1/payments/%2e%2e": 404, "/v1/providers": 200, "/v1/providers/one": 200,
		"/v1/providers/two": 404, "/healthz": 200, "/readyz": 200,
	} {
		if got := api.call("GET", path, ""); got.status != status {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := api.call("POST", "/v1/notifications/two", "x"); got.status != 404 {
		t.Errorf("a stranger's notification: %d", got.status)
	}
	if got := api.call("POST", "/v1/notifications/one", "x"); got.status != 503 {
		t.Errorf("a notification without its plugin: %d", got.status)
	}
}

func TestAdmin(t *testing.T) {
	h, _ := openHost(t)
	admin := Admin(h)
	for path, status := range map[string]int{
		"/metrics": 200, "/healthz": 200, "/debug/pprof/": 200, "/debug/pprof/goroutine?debug=1": 200, "/debug/pprof/symbol": 200,
		"/debug/pprof/cmdline": 200, "/": 404, "/v1/payments": 404, "/openapi.json": 404,
	} {
		w := httptest.NewRecorder()
		admin.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != status {
			t.Errorf("%s: %d %.200s", path, w.Code, w.Body)
		}
	}
}
