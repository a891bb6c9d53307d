package providertest

import (
	"fmt"
	"sync"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var concurrencyRules = []rule{
	{ID: "concurrency/orders", Says: "Many payments at once each get their own order.", Check: checkManyOrders},
	{ID: "concurrency/mixed", Says: "All methods can run side by side on one provider.", Check: checkMixed},
	{ID: "concurrency/authorize", Says: "Credentials that have to be fetched are fetched once for many callers.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		atOnce(16, func(int) {
			if _, err := w.provider.Create(t.Context(), w.request()); err != nil {
				t.Errorf("%v", err)
			}
		})
		if n := w.proxy.count(OpAuthorize); n > 1 {
			t.Errorf("they were fetched %d times", n)
		}
	}},
}

func atOnce(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func checkManyOrders(t *rules.T, s *subject) {
	w := newWorld(t, s)
	var mu sync.Mutex
	seen := map[string]string{}
	atOnce(24, func(i int) {
		req := w.request()
		p, err := w.provider.Create(t.Context(), req)
		if err != nil {
			t.Errorf("%v", err)
			return
		}
		for _, d := range p.Differences(req.Order) {
			t.Errorf("%s", d)
		}
		mu.Lock()
		defer mu.Unlock()
		if other, twice := seen[p.AcquirerOrderID]; twice {
			t.Errorf("%s and %s are both the acquirer's order %s", other, req.MerchantOrderID, p.AcquirerOrderID)
		}
		seen[p.AcquirerOrderID] = req.MerchantOrderID
	})
}

func checkMixed(t *rules.T, s *subject) {
	w := newWorld(t, s)
	order := w.paid()
	notice := w.next()
	atOnce(24, func(i int) {
		var err error
		switch i % 4 {
		case 0:
			_, err = w.provider.Create(t.Context(), w.request())
		case 1:
			var p sdk.Payment
			p, err = w.provider.Query(t.Context(), sdk.QueryRequest{Order: order})
			if err == nil && (p.Status != sdk.StatusSucceeded || len(p.Differences(order)) > 0) {
				err = fmt.Errorf("the payment is %s %v", p.Status, p.Differences(order))
			}
		case 2:
			_, err = w.provider.ParseNotification(t.Context(), clone(notice))
		case 3:
			_, err = w.provider.Authorize(t.Context())
		}
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	})
}
