package acquirers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/httpapi"
)

// mismatches are what an acquirer can't do, with the words that would be right.
var mismatches = []struct {
	provider, method, currency, flow string
	route                            string // names it
	at, field, fits                  string
}{
	{"stripe", "alipay_hk", "HKD", "mobile_web", "methods: [alipay_hk]", "methods[0]", "method", "alipay_cn"},
	{"cbtis", "alipay_cn", "CNY", "mobile_web", "methods: [alipay_cn], currencies: [CNY]", "currencies[0]", "currency", "HKD"},
	{"airwallex", "alipay_hk", "HKD", "store_qr", "flows: [store_qr]", "flows[0]", "flow", "app, mobile_web, web_qr"},
}

// A route to an acquirer that can't do what it names is found by config check,
// with its place and with what would do.
func TestConfigCheckRefusesMismatch(t *testing.T) {
	s := newSite(t)
	if _, stderr, code := s.paymux(t, s.text("", "routes: [{methods: [alipay_cn], currencies: [HKD], providers: [stripe, cbtis, antom]}]\n"), "config", "check"); code != 0 {
		t.Errorf("a good config: exit code %d\n%s", code, stderr)
	}
	for _, m := range mismatches {
		t.Run(m.provider, func(t *testing.T) {
			line := "  - {" + m.route + ", providers: [" + m.provider + "]}"
			text := s.text("", "routes:\n"+line+"\n")
			_, stderr, code := s.paymux(t, text, "config", "check")
			key, _, _ := strings.Cut(m.at, "[")
			column := strings.Index(line, key+": [") + len(key+": [") + 1
			want := fmt.Sprintf("paymux.yaml:%d:%d: routes[0].%s: no provider of this route takes ", strings.Count(text, "\n"), column, m.at)
			if code != 2 || !strings.Contains(stderr, want) || !strings.Contains(stderr, "they take "+m.fits+"\n") {
				t.Errorf("exit code %d\n%swant %s… they take %s", code, stderr, want, m.fits)
			}
		})
	}
	for _, a := range s.Set {
		if a.Calls() > 0 {
			t.Errorf("%s was called", a.Name)
		}
	}
}

// A payment that gets to such an acquirer is refused before the plugin is asked
// to create it, whether a route or the request chose the acquirer.
func TestNoRouteBeforeAnyCall(t *testing.T) {
	s := newSite(t)
	api, admin := s.open(t)
	asked := func() bool {
		metrics := httptest.NewRecorder()
		admin.ServeHTTP(metrics, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return strings.Contains(metrics.Body.String(), "paymux_provider_calls_total{")
	}
	send := func(provider, body string) (int, problem) {
		r := httptest.NewRequest(http.MethodPost, "/v1/payments", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+keyOf(provider))
		r.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, r)
		var p problem
		if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		return answer.Code, p
	}
	const order = `{"merchant_order_id":"m1","amount":"100.00","currency":%q,"method":%q,"flow":%q,"description":"Tea","return_url":"http://127.0.0.1/"`
	for _, m := range mismatches {
		body := fmt.Sprintf(order, m.currency, m.method, m.flow)
		for _, end := range []string{`}`, `,"provider":"` + m.provider + `"}`} {
			if status, p := send(m.provider, body+end); status != http.StatusUnprocessableEntity || p.Code != "NO_ROUTE" || p.Field != m.field || p.PaymentID != "" {
				t.Errorf("%s%s: HTTP %d %+v", body, end, status, p)
			}
		}
	}
	for _, a := range s.Set {
		if a.Calls() > 0 {
			t.Errorf("%s was called", a.Name)
		}
	}
	if asked() {
		t.Error("a plugin was called")
	}
	if status, p := send("cbtis", fmt.Sprintf(order, "HKD", "alipay_cn", "mobile_web")+"}"); status != http.StatusCreated || !asked() || s.Get("cbtis").Calls() == 0 {
		t.Errorf("a payment that fits: HTTP %d %+v, so that the checks above prove nothing", status, p)
	}
}

// problem is what is read of a refusal.
type problem struct {
	Code, Field, Detail string
	PaymentID           string `json:"payment_id"`
}

func keyOf(provider string) string { return "key-of-the-shop-at-" + provider }

// open opens a host in which each acquirer has a merchant of its own.
func (s *site) open(t *testing.T) (api, admin http.Handler) {
	t.Helper()
	head, rest := "admin_listen: \"\"\napi_keys:\n", "routes:\n"
	for _, a := range s.Set {
		head += "  - {merchant: " + a.Name + ", key: " + keyOf(a.Name) + "}\n"
		rest += "  - {merchants: [" + a.Name + "], providers: [" + a.Name + "]}\n"
	}
	cfg, err := config.Parse("paymux.yaml", []byte(s.text(head, rest)), s.dir, nil)
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
	return httpapi.New(h, httpapi.Options{Keys: cfg.APIKeys}), httpapi.Admin(h)
}
