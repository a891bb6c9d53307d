package host

import (
	"fmt"
	"slices"
	"strings"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/sdk"
)

// checkRoutes holds the routes against what their providers can do, as far as
// that is known.
func (s *setup) checkRoutes() (mistakes, doubts config.Errors) {
	return checkRoutes(s.cfg, func(name string) ([]sdk.Capability, bool) {
		d, _, ready := s.accounts[name].snapshot()
		return d.Capabilities.Rows, ready
	})
}

// CheckRoutes holds a config's routes against what Check found out: mistakes are
// routes that name what none of their providers takes; doubts are providers that
// take nothing of what their route names.
func CheckRoutes(cfg *config.Config, checks []ProviderCheck) (mistakes, doubts config.Errors) {
	return checkRoutes(cfg, func(name string) ([]sdk.Capability, bool) {
		i := slices.IndexFunc(checks, func(c ProviderCheck) bool { return c.Name == name })
		if i < 0 {
			return nil, false
		}
		return checks[i].rows, checks[i].rows != nil
	})
}

// A payment by a route that names what none of its providers takes is refused
// for sure. A provider that takes nothing of what its route names is only
// useless there.
func checkRoutes(cfg *config.Config, rowsOf func(provider string) (rows []sdk.Capability, known bool)) (mistakes, doubts config.Errors) {
	for i, route := range cfg.Routes {
		at := fmt.Sprintf("routes[%d]", i)
		all := true
		for _, name := range route.Providers {
			rows, known := rowsOf(name)
			all = all && known
			if known && len(matching(route, rows, "")) == 0 {
				doubts = append(doubts, cfg.At(fmt.Sprintf("%s.providers[%d]", at, slices.Index(route.Providers, name)),
					"provider "+name+" takes none of this route's payments; it takes "+abilities(rows)))
			}
		}
		if all {
			mistakes = append(mistakes, untaken(cfg, at, route, rowsOf)...)
		}
	}
	return mistakes, doubts
}

// matching are the rows that a route leads to, whatever one of its keys says.
func matching(route config.Route, rows []sdk.Capability, but string) []sdk.Capability {
	fits := func(key string, list []string, value string) bool {
		return key == but || list == nil || slices.Contains(list, value)
	}
	var all []sdk.Capability
	for _, row := range rows {
		if fits("methods", route.Methods, string(row.Method)) && fits("flows", route.Flows, string(row.Flow)) &&
			fits("currencies", route.Currencies, row.Currency) && overlaps(route, row) {
			all = append(all, row)
		}
	}
	return all
}

// overlaps reports whether there is an amount that both a route and a row take.
func overlaps(route config.Route, row sdk.Capability) bool {
	above := func(low, high sdk.Money) bool {
		c, ok := low.Cmp(high)
		return ok && c > 0 && !low.IsZero() && !high.IsZero()
	}
	return !above(route.Min, row.Max) && !above(row.Min, route.Max)
}

// untaken are the values that a route names and none of its providers takes.
func untaken(cfg *config.Config, at string, route config.Route, rowsOf func(string) ([]sdk.Capability, bool)) (mistakes config.Errors) {
	for _, key := range []struct {
		name   string
		values []string
		of     func(sdk.Capability) string
	}{
		{"methods", route.Methods, func(c sdk.Capability) string { return string(c.Method) }},
		{"currencies", route.Currencies, func(c sdk.Capability) string { return c.Currency }},
		{"flows", route.Flows, func(c sdk.Capability) string { return string(c.Flow) }},
	} {
		var taken []string
		for _, name := range route.Providers {
			rows, _ := rowsOf(name)
			for _, row := range matching(route, rows, key.name) {
				taken = append(taken, key.of(row))
			}
		}
		for i, value := range key.values {
			if slices.Contains(taken, value) {
				continue
			}
			slices.Sort(taken)
			instead := strings.Join(slices.Compact(taken), ", ")
			if instead == "" {
				instead = "nothing"
			}
			mistakes = append(mistakes, cfg.At(fmt.Sprintf("%s.%s[%d]", at, key.name, i),
				fmt.Sprintf("no provider of this route takes %s with the rest of what it names; they take %s", value, instead)))
		}
	}
	return mistakes
}

// abilities lists what a provider takes, shortly.
func abilities(rows []sdk.Capability) string {
	var all []string
	for _, row := range rows {
		all = append(all, fmt.Sprintf("%s %s in %s", row.Method, row.Flow, row.Currency))
	}
	slices.Sort(all)
	all = slices.Compact(all)
	const most = 12
	if len(all) > most {
		return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", len(all)-most)
	}
	return strings.Join(all, ", ")
}
