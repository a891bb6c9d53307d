package main

import (
	"encoding/json"
	"testing"

	"github.com/paymux/paymux/host"
)

func TestRoutesExplain(t *testing.T) {
	s := newSite(t, "routes: [", `routes: [{currencies: [HKD], amount: {min: "500.00"}, providers: [cbtis]}, `)
	s.run("routes", "explain", "--method", "alipay_hk").want(t, exitOK, "routes[0] (line 15) doesn't: amount", "routes[1] (line 15) matches", "cbtis", "100%", "yes")
	s.run("routes", "explain", "--method", "alipay_hk", "--flow", "app").want(t, exitFailed, "no", "no provider would be asked: NO_ROUTE")
	s.run("routes", "explain", "--method", "alipay_hk", "--currency", "CNY").want(t, exitFailed, "no provider would be asked")
	s.run("routes", "explain", "--method", "visa").want(t, exitUsage, "method")
	s.run("routes", "explain", "--method", "alipay_hk", "--amount", "1e3").want(t, exitUsage, "amount")
	a := s.run("routes", "explain", "--method", "alipay_cn", "--provider", "cbtis", "--json")
	a.want(t, exitOK)
	var e host.Explanation
	if err := json.Unmarshal([]byte(a.stdout), &e); err != nil || len(e.Routes) != 0 || len(e.Providers) != 1 || !e.Providers[0].Takes {
		t.Errorf("%+v: %v", e, err)
	}
	if orders := s.sandbox.Orders(); len(orders) != 0 {
		t.Errorf("it created %v", orders)
	}
}
