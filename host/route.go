package host

import (
	"context"
	"slices"
	"strings"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/sdk"
)

// route picks the providers that may take a payment, in the order in which they
// are tried. It is decided once and kept with the payment. Without any the
// error says of each provider why not.
func (h *Host) route(ctx context.Context, setup *setup, merchant string, r CreateRequest, money sdk.Money) ([]string, error) {
	names, err := setup.routed(r)
	if err != nil {
		return nil, err
	}
	var candidates, reasons, fields []string
	var unavailable *sdk.Error
	for _, name := range names {
		switch err := h.takes(ctx, setup.accounts[name], merchant, r, money); {
		case err == nil:
			candidates = append(candidates, name)
		default:
			if err.Code != sdk.CodeUnsupported && err.Code != sdk.CodeNoRoute {
				unavailable = notSent(err)
			}
			reasons = append(reasons, name+": "+reason(err))
			fields = append(fields, err.Field)
		}
	}
	switch {
	case len(candidates) > 0:
		return candidates, nil
	case unavailable != nil: // it might take the payment once it runs
		unavailable.RetryAfter = max(unavailable.RetryAfter, retrySetUp)
		return nil, unavailable
	default:
		e := sdk.NotSent(sdk.CodeNoRoute, "no provider takes this payment (%s)", strings.Join(reasons, "; "))
		e.Field = fieldAtFault(r, fields)
		return nil, e
	}
}

func reason(err *sdk.Error) string {
	if err.Field != "" {
		return err.Field + " " + err.Message
	}
	return err.Message
}

// fieldAtFault is the field to change: the one that no provider takes, or else
// what chose the providers.
func fieldAtFault(r CreateRequest, fields []string) string {
	if all := slices.Compact(slices.Clone(fields)); len(all) == 1 && all[0] != "" {
		return all[0]
	}
	if r.Provider != "" {
		return "provider"
	}
	return "method"
}

// routed returns the providers that the request or the config names.
func (s *setup) routed(r CreateRequest) ([]string, error) {
	if r.Provider != "" {
		if s.accounts[r.Provider] == nil {
			e := sdk.NotSent(sdk.CodeNoRoute, "there is no provider of this name")
			e.Field = "provider"
			return nil, e
		}
		return []string{r.Provider}, nil
	}
	for _, route := range s.cfg.Routes {
		if matches(route, r) {
			return route.Providers, nil
		}
	}
	e := sdk.NotSent(sdk.CodeNoRoute, "no route of the config matches %s, %s, %s; name a provider, or add a route", r.Method, r.Flow, r.Currency)
	e.Field = s.unrouted(r)
	return nil, e
}

// unrouted is the field that no route takes, or else the method.
func (s *setup) unrouted(r CreateRequest) string {
	for _, f := range []struct {
		name, value string
		allowed     func(config.Route) []string
	}{
		{"method", r.Method, func(route config.Route) []string { return route.Methods }},
		{"currency", r.Currency, func(route config.Route) []string { return route.Currencies }},
		{"flow", r.Flow, func(route config.Route) []string { return route.Flows }},
	} {
		if !slices.ContainsFunc(s.cfg.Routes, func(route config.Route) bool { return fits(f.allowed(route), f.value) }) {
			return f.name
		}
	}
	return "method"
}

func matches(route config.Route, r CreateRequest) bool {
	return fits(route.Methods, r.Method) && fits(route.Currencies, r.Currency) && fits(route.Flows, r.Flow)
}

// fits reports whether a route takes a value; without a list it takes any.
func fits(allowed []string, value string) bool {
	return allowed == nil || slices.Contains(allowed, value)
}

// takes reports why a provider can't take a payment, or nil.
func (h *Host) takes(ctx context.Context, a *account, merchant string, r CreateRequest, money sdk.Money) *sdk.Error {
	if !a.serves(merchant) {
		return sdk.NotSent(sdk.CodeNoRoute, "is not for this merchant")
	}
	if !a.cfg.Accepting {
		return sdk.NotSent(sdk.CodeNoRoute, "accepts no new payments")
	}
	if err := h.makeReady(ctx, a); err != nil {
		return sdk.AsError(err)
	}
	description, _, _ := a.snapshot()
	_, err := description.Capabilities.Supports(sdk.Method(r.Method), sdk.Flow(r.Flow), money)
	return err
}
