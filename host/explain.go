package host

import (
	"context"
	"fmt"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/sdk"
)

// Explanation is what would become of a payment, and why.
type Explanation struct {
	// Routes are those of the config up to the one that matches.
	Routes []RouteVerdict `json:"routes"`
	// Providers are those that the route or the request names, in the order in
	// which they would be tried.
	Providers []ProviderVerdict `json:"providers"`
	// Error is why no provider would be asked.
	Error string `json:"error,omitempty"`
}

// RouteVerdict is what one route says of a payment.
type RouteVerdict struct {
	Index   int    `json:"index"`
	Line    int    `json:"line"`
	Matches bool   `json:"matches"`
	Because string `json:"because,omitempty"` // the key that doesn't match
}

// ProviderVerdict is what is known of a provider with regard to a payment.
type ProviderVerdict struct {
	Name    string  `json:"name"`
	Takes   bool    `json:"takes"`
	Because string  `json:"because,omitempty"` // why it wouldn't be asked
	Share   float64 `json:"share"`             // of such payments for which it is the first to be tried
}

// Explain starts the plugins of a config as Check does, and says to which
// providers a payment would go. Nothing is created.
func Explain(ctx context.Context, cfg *config.Config, merchant string, r CreateRequest, opts ...Option) (Explanation, error) {
	h := newHost(cfg, opts)
	defer h.cancel()
	defer h.plugins.stop()
	money, err := r.validate(cfg.ReturnHosts)
	if err != nil {
		return Explanation{}, err
	}
	if err := h.startPlugins(ctx); err != nil {
		return Explanation{}, err
	}
	return h.explain(ctx, merchant, r, money), nil
}

func (h *Host) explain(ctx context.Context, merchant string, r CreateRequest, money sdk.Money) Explanation {
	s := h.now()
	e := Explanation{Routes: []RouteVerdict{}, Providers: []ProviderVerdict{}}
	var chosen config.Route
	for i, route := range s.cfg.Routes {
		if r.Provider != "" {
			break // the request names it: no route is looked at
		}
		line, _ := s.cfg.Position(fmt.Sprintf("routes[%d]", i))
		v := RouteVerdict{Index: i, Line: line, Because: route.Mismatch(merchant, r.Method, r.Flow, money)}
		v.Matches = v.Because == ""
		e.Routes = append(e.Routes, v)
		if v.Matches {
			chosen = route
			break
		}
	}
	names, err := s.routed(merchant, r, money)
	if err != nil {
		e.Error = err.Error()
		return e
	}
	for i, name := range names {
		v := ProviderVerdict{Name: name, Takes: true, Share: share(chosen, name, i)}
		if err := h.takes(ctx, s.accounts[name], merchant, r, money); err != nil {
			v.Takes, v.Because = false, reason(err)
		}
		e.Providers = append(e.Providers, v)
	}
	if _, err := h.route(ctx, s, merchant, r, money); err != nil {
		e.Error = err.Error()
	}
	return e
}

// share is how often a provider is the first to be tried.
func share(route config.Route, name string, at int) float64 {
	switch total := route.TotalWeight(); {
	case total > 0:
		return float64(route.Weights[name]) / float64(total)
	case at == 0:
		return 1
	default:
		return 0
	}
}
