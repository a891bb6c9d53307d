package providertest

import (
	"fmt"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var instanceRules = []rule{
	{ID: "instance/many", Says: "One plugin holds many instances, each of which works.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		const n = 200
		providers := make([]sdk.Provider, n)
		for i := range providers {
			providers[i] = w.open(fmt.Sprintf("shop-%d", i), w.config)
		}
		order := w.create(w.request())
		atOnce(8, func(i int) {
			p, err := providers[i*n/8].Query(t.Context(), sdk.QueryRequest{Order: order})
			if err != nil || p.Status != sdk.StatusPending {
				t.Errorf("instance %d: %s %v", i*n/8, p.Status, err)
			}
		})
	}},
	{ID: "instance/apart", Says: "Instances with other configs don't mix: each speaks to its own acquirer.", Check: func(t *rules.T, s *subject) {
		a, b := newWorld(t, s), newWorld(t, s)
		atOnce(8, func(i int) {
			w := []*world{a, b}[i%2]
			if _, err := w.provider.Create(t.Context(), w.request()); err != nil {
				t.Errorf("%v", err)
			}
		})
		if n, m := a.proxy.count(OpCreate), b.proxy.count(OpCreate); n < 4 || m < 4 {
			t.Errorf("of 4 orders for each the first acquirer got %d and the second %d", n, m)
		}
	}},
	{ID: "instance/again", Says: "An instance that is opened again takes the new config, and calls on the old one end on the old.", Check: func(t *rules.T, s *subject) {
		a := newWorld(t, s)
		order := a.create(a.request())
		b := newWorld(t, s)
		changed := a.open(a.name, b.config)
		if _, err := changed.Create(t.Context(), b.request()); err != nil {
			t.Errorf("the new one: %v", err)
		}
		if n := b.proxy.count(OpCreate); n == 0 {
			t.Errorf("the new one's order didn't go to its acquirer")
		}
		a.same(order, sdk.StatusPending)
	}},
}
