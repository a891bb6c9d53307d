package config

import "testing"

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

func TestRouteMatches(t *testing.T) {
	r := Route{Methods: []string{"alipay_hk"}, Currencies: []string{"HKD", "CNY"}}
	for _, tt := range []struct {
		method, currency, flow string
		want                   bool
	}{
		{"alipay_hk", "CNY", "app", true},
		{"alipay_cn", "CNY", "app", false},
		{"alipay_hk", "USD", "app", false},
	} {
		if got := r.Matches(tt.method, tt.currency, tt.flow); got != tt.want {
			t.Errorf("Matches(%s, %s, %s) = %v", tt.method, tt.currency, tt.flow, got)
		}
	}
	if !(Route{}).Matches("alipay_hk", "HKD", "app") || (Route{Flows: []string{"app"}}).Matches("alipay_hk", "HKD", "web_qr") {
		t.Error("an empty list must match any, a full one only its members")
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
