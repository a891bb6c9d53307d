package config

import (
	"fmt"
	"slices"
	"testing"

	"github.com/paymux/paymux/sdk"
)

func TestWarnings(t *testing.T) {
	const head = "providers: {p: {plugin: a}, q: {plugin: b}}\n"
	const none = "paymux.yaml:1:1: no routes: every payment must name its provider"
	tests := []struct{ name, routes, want string }{
		{"none", "", none},
		{"empty", "routes: []", none},
		{"disjoint", "routes: [{methods: [alipay_hk], providers: [p]}, {methods: [alipay_cn], providers: [p]}]", ""},
		{"wider later", "routes: [{flows: [app], providers: [p]}, {providers: [p]}]", ""},
		{"some currencies before any", "routes: [{currencies: [HKD], providers: [p]}, {providers: [p]}]", ""},
		{"crossed", "routes: [{flows: [app], providers: [p]}, {methods: [alipay_hk], providers: [p]}]", ""},
		{"any first", "routes: [{providers: [p]}, {currencies: [HKD], providers: [q]}]",
			"paymux.yaml:2:28: routes[1]: no payment reaches this route: the one at 2:10 matches all that it would"},
		{"every method is any", "routes: [{methods: [alipay_cn, alipay_hk], providers: [p]}, {providers: [q]}]",
			"paymux.yaml:2:61: routes[1]: no payment reaches this route: the one at 2:10 matches all that it would"},
		{"same", "routes: [{currencies: [HKD, CNY], providers: [p]}, {currencies: [CNY], providers: [q]}]",
			"paymux.yaml:2:52: routes[1]: no payment reaches this route: the one at 2:10 matches all that it would"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := mustParse(t, head+tt.routes, nil, nil)
			if got := Errors(cfg.Warnings()).Error(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func hkd(text string) sdk.Money {
	m, err := sdk.ParseMoney(text, "HKD")
	if err != nil {
		panic(err)
	}
	return m
}

func TestRouteMatches(t *testing.T) {
	cny, err := sdk.ParseMoney("10.00", "CNY")
	if err != nil {
		t.Fatal(err)
	}
	r := Route{Methods: []string{"alipay_hk"}, Currencies: []string{"HKD"}, Flows: []string{"app"}, Merchants: []string{"shop-a"}, Min: hkd("10.00"), Max: hkd("20.00")}
	for _, tt := range []struct {
		merchant, method, flow string
		money                  sdk.Money
		want                   string
	}{
		{"shop-a", "alipay_hk", "app", hkd("10"), ""},
		{"shop-a", "alipay_hk", "app", hkd("20.0"), ""},
		{"shop-a", "alipay_hk", "app", hkd("9.99"), "amount"},
		{"shop-a", "alipay_hk", "app", hkd("20.01"), "amount"},
		{"shop-b", "alipay_hk", "app", hkd("10"), "merchants"},
		{"shop-a", "alipay_cn", "app", hkd("10"), "methods"},
		{"shop-a", "alipay_hk", "web_qr", hkd("10"), "flows"},
		{"shop-a", "alipay_hk", "app", cny, "currencies"},
	} {
		if got := r.Mismatch(tt.merchant, tt.method, tt.flow, tt.money); got != tt.want {
			t.Errorf("Mismatch(%s, %s, %s, %s) = %q, want %q", tt.merchant, tt.method, tt.flow, tt.money, got, tt.want)
		}
	}
	if got := (Route{}).Mismatch("shop-a", "alipay_hk", "app", cny); got != "" {
		t.Errorf("a route without conditions must match any: %q", got)
	}
	if (Route{Min: hkd("10")}).Mismatch("", "", "", cny) != "amount" || (Route{Max: hkd("10")}).Mismatch("", "", "", cny) != "amount" {
		t.Error("a bound in HKD says nothing of CNY")
	}
}

// The share of each provider comes near to its weight, a payment is always
// routed alike, and each provider is there once.
func TestRouteOrder(t *testing.T) {
	r := Route{Providers: []string{"a", "b", "c"}, Weights: map[string]int{"a": 70, "b": 30}}
	first := map[string]int{}
	for i := range 10_000 {
		order := r.Order("shop", fmt.Sprint("order-", i))
		if len(order) != 3 || !slices.Equal(slices.Sorted(slices.Values(order)), r.Providers) || order[0] == "a" && !slices.Equal(order, r.Providers) {
			t.Fatal(order)
		}
		if again := r.Order("shop", fmt.Sprint("order-", i)); !slices.Equal(order, again) {
			t.Fatalf("%v, then %v", order, again)
		}
		first[order[0]]++
	}
	if first["c"] > 0 || first["a"] < 6700 || first["a"] > 7300 {
		t.Errorf("%v", first)
	}
	// Two merchants count their orders alike; neither's first ones all go one way.
	alike := 0
	for i := range 1000 {
		if id := fmt.Sprint("order-", i); r.Order("shop-a", id)[0] == r.Order("shop-b", id)[0] {
			alike++
		}
	}
	if alike > 700 {
		t.Errorf("%d of 1000 orders go the same way for two merchants", alike)
	}
	if got := (Route{Providers: []string{"b", "a"}}).Order("shop", "o"); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("without weights: %v", got)
	}
}

func TestRouteBoundErrors(t *testing.T) {
	const two = "providers:\n  a: {plugin: x}\n  b: {plugin: x}\napi_keys: [{merchant: shop-a, key: test-api-key-0123456789}]\n"
	runBad(t, []badFile{
		{"amount", two + `routes:
  - {amount: {min: "1.00"}, providers: [a]}
  - {currencies: [HKD, CNY], amount: {min: "1.00"}, providers: [a]}
  - {currencies: [HKD], amount: {min: 1.00, max: "1.001"}, providers: [a]}
  - {currencies: [HKD], amount: {}, providers: [a]}
  - {currencies: [HKD], amount: {min: "2", max: "1"}, providers: [a]}
  - {currencies: [HKD], amount: {least: "2"}, providers: [a]}
`, `
paymux.yaml:6:14: routes[0].amount: an amount is in one currency; expected currencies with one, such as [HKD]; write a route for each
paymux.yaml:7:38: routes[1].amount: an amount is in one currency; expected currencies with one, such as [HKD]; write a route for each
paymux.yaml:8:39: routes[2].amount.min: found a number; expected an amount in quotes, such as "100.00"; write it in quotes
paymux.yaml:8:50: routes[2].amount.max: found "1.001"; expected an amount of HKD in quotes, such as "100.00"
paymux.yaml:9:33: routes[3].amount: found no bound; expected min, max or both
paymux.yaml:10:33: routes[4].amount: min is greater than max: no payment matches
paymux.yaml:11:34: routes[5].amount.least: unknown key; expected min or max`},
		{"weights", two + `routes:
  - {providers: [a, b], weights: {a: 1, c: 2}}
  - {providers: [a, b], weights: {a: -1, b: 0.5}}
  - {providers: [a, b], weights: {a: 0}}
  - {providers: [a, b], weights: [a]}
  - {merchants: [shop-b], providers: [a, b], weights: {a: 10001}}
`, `
paymux.yaml:6:41: routes[0].weights.c: isn't one of the route's providers; expected a or b
paymux.yaml:7:38: routes[1].weights.a: expected a whole number from 0 to 10000
paymux.yaml:7:45: routes[1].weights.b: expected a whole number from 0 to 10000
paymux.yaml:8:34: routes[2].weights: the weights add up to 0; expected one that is greater
paymux.yaml:9:34: routes[3].weights: found a list; expected a mapping of providers to numbers
paymux.yaml:10:18: routes[4].merchants[0]: "shop-b" is not in api_keys; did you mean "shop-a"?
paymux.yaml:10:59: routes[4].weights.a: expected a whole number from 0 to 10000`},
	})
}

// A route is said to be unreachable only if the one before takes all of it.
func TestRoutesThatReach(t *testing.T) {
	narrow := Route{Currencies: []string{"HKD"}, Min: hkd("10"), Max: hkd("20"), Merchants: []string{"shop-a"}}
	for i, tt := range []struct {
		earlier Route
		covers  bool
	}{
		{Route{}, true},
		{narrow, true},
		{Route{Min: hkd("10")}, true},
		{Route{Max: hkd("20")}, true},
		{Route{Min: hkd("10.01")}, false},
		{Route{Max: hkd("19.99")}, false},
		{Route{Merchants: []string{"shop-b"}}, false},
		{Route{Merchants: []string{"shop-a", "shop-b"}}, true},
	} {
		if got := tt.earlier.covers(narrow); got != tt.covers {
			t.Errorf("%d: covers %t", i, got)
		}
	}
	if narrow.covers(Route{Currencies: []string{"HKD"}, Merchants: []string{"shop-a"}}) {
		t.Error("a bounded route covers an unbounded one")
	}
}

func TestDidYouMean(t *testing.T) {
	options := []string{"accepting", "merchants", "mobile_web"}
	for word, want := range map[string]string{
		"acepting": "accepting", "accpeting": "accepting", "Merchants": "merchants", "merchant": "merchants",
		"mobileweb": "mobile_web", "xyz": "", "": "",
	} {
		if want != "" {
			want = `; did you mean "` + want + `"?`
		}
		if got := didYouMean(word, options); got != want {
			t.Errorf("didYouMean(%q) = %q, want %q", word, got, want)
		}
	}
}
