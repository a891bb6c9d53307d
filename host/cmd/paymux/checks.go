package main

import (
	"fmt"
	"slices"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
)

// checkRoutes holds the routes against what the plugins can take. A provider
// whose plugin didn't answer counts as able to take everything.
func checkRoutes(cfg *config.Config, checks []host.ProviderCheck) []config.Problem {
	abilities := map[string][]host.Ability{}
	for _, c := range checks {
		if c.Info.Capabilities != nil {
			abilities[c.Name] = c.Info.Capabilities.Payments
		}
	}
	var all []config.Problem
	for i, route := range cfg.Routes {
		for j, name := range route.Providers {
			if rows, known := abilities[name]; known && !slices.ContainsFunc(rows, func(a host.Ability) bool { return takes(route, a) }) {
				all = append(all, cfg.At(fmt.Sprintf("routes[%d].providers[%d]", i, j), "provider "+name+" takes none of this route's payments; see paymux providers describe "+name))
			}
		}
		for j, method := range route.Methods {
			if !anyTakes(route, method, abilities) {
				all = append(all, cfg.At(fmt.Sprintf("routes[%d].methods[%d]", i, j), "no provider of this route takes "+method+" in its currencies and flows"))
			}
		}
	}
	return all
}

func takes(route config.Route, a host.Ability) bool {
	fits := func(allowed []string, value string) bool { return allowed == nil || slices.Contains(allowed, value) }
	return fits(route.Methods, string(a.Method)) && fits(route.Flows, string(a.Flow)) && fits(route.Currencies, a.Currency)
}

func anyTakes(route config.Route, method string, abilities map[string][]host.Ability) bool {
	route.Methods = []string{method}
	return slices.ContainsFunc(route.Providers, func(name string) bool {
		rows, known := abilities[name]
		return !known || slices.ContainsFunc(rows, func(a host.Ability) bool { return takes(route, a) })
	})
}
