package host

import (
	"context"
	"slices"
	"strings"

	"github.com/paymux/paymux/sdk"
)

// route picks the providers that may take a payment, in the order in which they
// are tried. It is decided once and kept with the payment. Without any the
// error says of each provider why not.
func (h *Host) route(ctx context.Context, setup *setup, merchant string, r CreateRequest, money sdk.Money) ([]string, error) {
	names, err := setup.routed(merchant, r, money)
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

// routed returns the providers that the request or the config names, in the
// order in which they are tried.
func (s *setup) routed(merchant string, r CreateRequest, money sdk.Money) ([]string, error) {
	if r.Provider != "" {
		if s.accounts[r.Provider] == nil {
			e := sdk.NotSent(sdk.CodeNoRoute, "there is no provider of this name")
			e.Field = "provider"
			return nil, e
		}
		return []string{r.Provider}, nil
	}
	for _, route := range s.cfg.Routes {
		if route.Mismatch(merchant, r.Method, r.Flow, money) == "" {
			return route.Order(merchant, r.MerchantOrderID), nil
		}
	}
	e := sdk.NotSent(sdk.CodeNoRoute, "no route of the config matches %s, %s, %s; name a provider, or add a route", r.Method, r.Flow, money)
	e.Field = s.unrouted(merchant, r, money)
	return nil, e
}

// unrouted is the field that keeps the payment from the route that it comes
// nearest to, or else the method.
func (s *setup) unrouted(merchant string, r CreateRequest, money sdk.Money) string {
	fields := map[string]string{"methods": "method", "currencies": "currency", "flows": "flow", "amount": "amount"}
	nearest := slices.Index(mismatchOrder, "methods")
	for _, route := range s.cfg.Routes {
		nearest = max(nearest, slices.Index(mismatchOrder, route.Mismatch(merchant, r.Method, r.Flow, money)))
	}
	if field := fields[mismatchOrder[nearest]]; field != "" {
		return field
	}
	return "method"
}

// mismatchOrder is the order in which a route looks at a payment.
var mismatchOrder = []string{"methods", "currencies", "flows", "merchants", "amount"}

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
