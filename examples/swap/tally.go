package main

import (
	"slices"
	"sync"
	"time"
)

// payment is one that a shopper made.
type payment struct {
	phase            int
	order, method    string
	id, provider     string // of the answer
	took             time.Duration
	ended, succeeded bool
	err              error // why it didn't succeed
}

// tally keeps all payments.
type tally struct {
	mu       sync.Mutex
	phase    int
	payments []*payment
	done     int // of this phase
	wanted   int
	enough   chan struct{} // closed when as many have ended as are wanted
}

// begin begins a phase, and returns what closes once enough payments of it ended.
func (t *tally) begin(phase, wanted int) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phase, t.done, t.wanted, t.enough = phase, 0, wanted, make(chan struct{})
	return t.enough
}

// start records a payment before paymux is asked.
func (t *tally) start(order, method string) *payment {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &payment{phase: t.phase, order: order, method: method}
	t.payments = append(t.payments, p)
	return p
}

// answered records how paymux answered.
func (t *tally) answered(p *payment, a answer, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.id, p.provider, p.took = a.ID, a.Provider, took
}

// end records how it ended.
func (t *tally) end(p *payment, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.ended, p.succeeded, p.err = true, err == nil, err
	if p.phase != t.phase {
		return
	}
	if t.done++; t.done == t.wanted {
		close(t.enough)
	}
}

// sum is a line of the table.
type sum struct {
	method, provider                  string
	payments, succeeded, failed, open int
	p50                               time.Duration // of create
}

// sums are the lines of a phase.
func (t *tally) sums(phase int) []sum {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []sum
	took := map[string][]time.Duration{}
	for _, p := range t.payments {
		if p.phase != phase {
			continue
		}
		i := slices.IndexFunc(all, func(s sum) bool { return s.method == p.method && s.provider == p.provider })
		if i < 0 {
			i = len(all)
			all = append(all, sum{method: p.method, provider: p.provider})
		}
		all[i].payments++
		switch {
		case p.succeeded:
			all[i].succeeded++
		case p.ended:
			all[i].failed++
		default:
			all[i].open++
		}
		if p.id != "" {
			took[p.method+p.provider] = append(took[p.method+p.provider], p.took)
		}
	}
	for i, s := range all {
		if list := took[s.method+s.provider]; len(list) > 0 {
			slices.Sort(list)
			all[i].p50 = list[len(list)/2]
		}
	}
	slices.SortFunc(all, func(a, b sum) int {
		return slices.Compare([]string{b.method, a.provider}, []string{a.method, b.provider}) // alipay_hk first
	})
	return all
}

// all returns copies of all payments.
func (t *tally) all() []payment {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]payment, 0, len(t.payments))
	for _, p := range t.payments {
		list = append(list, *p)
	}
	return list
}
