package host

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/sdk"
)

func TestCheckRoutes(t *testing.T) {
	const head = "providers: {a: {plugin: x}, b: {plugin: x}, dark: {plugin: x}}\nroutes:\n"
	fifty, _ := sdk.ParseMoney("50", "HKD")
	checks := []ProviderCheck{
		{Name: "a", rows: []sdk.Capability{{Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Currency: "HKD", Max: fifty}}},
		{Name: "b", rows: []sdk.Capability{{Method: sdk.AlipayCN, Flow: sdk.WebQR, Currency: "HKD"}}},
		{Name: "dark"},
	}
	for _, tt := range []struct {
		route            string
		mistakes, doubts []string
	}{
		{"{providers: [a, b]}", nil, nil},
		{"{methods: [alipay_hk, alipay_cn], providers: [a, b]}", nil, nil},
		{"{methods: [alipay_hk, alipay_cn], providers: [a]}", []string{"methods[1]"}, nil},
		{"{methods: [alipay_cn], flows: [mobile_web], providers: [b]}", []string{"methods[0]", "flows[0]"}, []string{"providers[0]"}},
		{"{currencies: [EUR], providers: [a, b]}", []string{"currencies[0]"}, []string{"providers[0]", "providers[1]"}},
		{"{methods: [alipay_cn], providers: [a, dark]}", nil, []string{"providers[0]"}}, // who knows
		{"{currencies: [HKD], amount: {min: '50.01'}, providers: [a]}", []string{"currencies[0]"}, []string{"providers[0]"}},
		{"{currencies: [HKD], amount: {min: '50.00'}, providers: [a]}", nil, nil},
		{"{methods: [alipay_hk], providers: [b, a]}", nil, []string{"providers[0]"}},
	} {
		cfg, err := config.Parse("f.yaml", []byte(head+"  - "+tt.route+"\n"), ".", nil)
		if err != nil {
			t.Fatal(err)
		}
		paths := func(all config.Errors) (list []string) {
			for _, p := range all {
				list = append(list, strings.TrimPrefix(p.Path, "routes[0]."))
				if p.Line != 3 {
					t.Errorf("%s: line %d", tt.route, p.Line)
				}
			}
			return list
		}
		mistakes, doubts := CheckRoutes(cfg, checks)
		if got := paths(mistakes); !slices.Equal(got, tt.mistakes) {
			t.Errorf("%s: mistakes %q, want %q", tt.route, got, tt.mistakes)
		}
		if got := paths(doubts); !slices.Equal(got, tt.doubts) {
			t.Errorf("%s: doubts %q, want %q", tt.route, got, tt.doubts)
		}
	}
}

// A reload to a route that no provider can serve is refused.
func TestReloadChecksRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.keepsConfig("routes[1].methods[0]", "{methods: [alipay_cn]", "{methods: [alipay_cn], flows: [app]")
		w.keepsConfig("routes[1].flows[0]: no provider of this route takes app with the rest of what it names; they take mobile_web", "{methods: [alipay_cn]", "{flows: [app]")
	})
}

// The draw is made once: the same request finds the same provider, and another
// one takes over only if nothing was sent.
func TestWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, strings.Replace(worldConfig, "providers: [one, two]", "providers: [one, two], weights: {one: 1, two: 1}", 1))
		defer w.close()
		first := map[string]int{}
		for _, order := range strings.Fields("a b c d e f g h i j k l m n o p") {
			p := w.pay(order).Payment
			first[p.Provider]++
			if again := w.pay(order).Payment; again.ID != p.ID || again.Provider != p.Provider {
				t.Errorf("%s went to %s, then to %s", order, p.Provider, again.Provider)
			}
		}
		if first["one"] == 0 || first["two"] == 0 || w.one.created() != first["one"] || w.two.created() != first["two"] {
			t.Errorf("routed %v", first)
		}
		w.setDown("one", true)
		for _, order := range strings.Fields("q r s t u v") {
			if p := w.pay(order).Payment; p.Provider != "two" {
				t.Errorf("%s went to %s", order, p.Provider)
			}
		}
	})
}

func TestExplain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, strings.Replace(worldConfig, "{methods: [alipay_hk], providers: [one, two]}",
			`{currencies: [HKD], amount: {min: "1000.00"}, providers: [two]}`+"\n  - {methods: [alipay_hk], providers: [one, two], weights: {one: 3, two: 1}}", 1))
		defer w.close()
		money, _ := sdk.ParseMoney("100.00", "HKD")
		e := w.explain(t.Context(), "shop-b", request("o1"), money)
		if len(e.Routes) != 2 || e.Routes[0].Matches || e.Routes[0].Because != "amount" || !e.Routes[1].Matches || e.Routes[1].Line != 11 {
			t.Errorf("%+v", e.Routes)
		}
		if len(e.Providers) != 2 || e.Error != "" {
			t.Fatalf("%+v", e)
		}
		for _, p := range e.Providers {
			if want := map[string]float64{"one": .75, "two": .25}[p.Name]; p.Share != want {
				t.Errorf("%+v", p)
			}
			if p.Takes != (p.Name == "one") || p.Name == "two" && p.Because != "is not for this merchant" {
				t.Errorf("%+v", p)
			}
		}
		r := request("o1")
		r.Method, r.Flow = "alipay_cn", "app"
		if e := w.explain(t.Context(), "shop-a", r, money); !strings.Contains(e.Error, "flow") || e.Providers[0].Takes {
			t.Errorf("%+v", e)
		}
		r.Provider = "nobody"
		if e := w.explain(t.Context(), "shop-a", r, money); !strings.Contains(e.Error, "there is no provider of this name") || len(e.Routes) != 0 {
			t.Errorf("%+v", e)
		}
		if w.one.created()+w.two.created() != 0 {
			t.Error("something was created")
		}
	})
}
