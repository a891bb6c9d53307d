package main

import (
	"context"
	"fmt"
	"time"
)

// eventTime is how long events may still come. A delivery that failed is tried
// again after 5 s.
const eventTime = 30 * time.Second

// count is how it ended.
type count struct {
	payments, failed int
	doubled          int // attempts that have more than one order at the acquirers
	astray           int // paid here but not at the acquirer, or the other way round
	lost             int // events
}

// verdict counts and prints, and fails if money was lost or doubled.
func (w *world) verdict(ctx context.Context) error {
	for _, a := range w.acquirers {
		_ = a.Idle(ctx)
	}
	payments := w.tally.all()
	c := count{payments: len(payments)}
	var succeeded []string
	for _, p := range payments {
		if p.succeeded {
			succeeded = append(succeeded, p.id)
			continue
		}
		c.failed++
		w.printf("\n  %s: %v", p.order, p.err)
	}
	c.lost = w.events.wait(ctx, succeeded, eventTime)
	c.doubled, c.astray = w.ledgers(payments)
	w.printf("\n  %-58s %6d\n", "payments in all", c.payments)
	for _, line := range []struct {
		what string
		n    int
	}{
		{"failed", c.failed},
		{"doubled: two orders or two charges for one attempt", c.doubled},
		{"astray: paid here and not at the acquirer, or vice versa", c.astray},
		{"events lost", c.lost},
	} {
		w.printf("  %-58s %6d\n", line.what, line.n)
	}
	return c.err()
}

func (c count) err() error {
	if c.failed+c.doubled+c.astray+c.lost > 0 {
		return fmt.Errorf("%d failed, %d doubled, %d astray, %d events lost", c.failed, c.doubled, c.astray, c.lost)
	}
	return nil
}

// ledgers holds the payments against what the acquirers have.
func (w *world) ledgers(payments []payment) (doubled, astray int) {
	type at struct {
		provider string
		paid     bool
	}
	orders := map[string][]at{}
	for _, a := range w.acquirers {
		for _, o := range a.Orders() {
			orders[o.MerchantOrderID] = append(orders[o.MerchantOrderID], at{a.Name, o.Paid})
		}
	}
	for _, p := range payments {
		all := orders[p.order]
		delete(orders, p.order)
		switch {
		case len(all) > 1:
			doubled++
		case p.succeeded != (len(all) == 1 && all[0] == at{p.provider, true}):
			astray++
		}
	}
	return doubled, astray + len(orders) // the rest nobody asked for
}
