//go:build linux

package chaos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

var terminal = []string{"SUCCEEDED", "CANCELLED", "EXPIRED", "FAILED"}

// finish waits until nothing moves any more, compares the books, and stops the
// hosts. failed is what the shops met.
func (w *world) finish(family string, points int, failed ...error) {
	w.t.Helper()
	var v verdict
	for _, err := range failed {
		if err != nil {
			v.orphans = append(v.orphans, err.Error())
		}
	}
	var b books
	quiet := time.Now()
	if err := w.await("the books agree", func() bool {
		var err error
		b, err = w.db.read()
		return err == nil && len(w.compare(b).findings()) == 0
	}); err != nil {
		v.add(w.compare(b))
	}
	if late := time.Since(quiet); late > 30*time.Second {
		w.t.Logf("LATE: the books agreed after %s", late.Round(time.Second))
	}
	for _, h := range w.living() {
		if err := h.stop(); err != nil {
			v.orphans = append(v.orphans, err.Error())
		}
	}
	if err := w.await("plugins end with their host", func() bool { return len(w.plugins()) == 0 }); err != nil {
		v.orphans = append(v.orphans, fmt.Sprint("plugins that outlive their host: ", w.plugins()))
	}
	w.mu.Lock()
	v.add(w.verdict)
	payments := w.payments
	logs := ""
	for i, h := range w.hosts {
		logs += fmt.Sprintf("--- host %d of %d\n", i+1, len(w.hosts))
		for line := range strings.Lines(h.log.String()) {
			if !strings.Contains(line, " paymux: request: ") || !strings.Contains(line, " status=200 ") { // the shops poll
				logs += line
			}
		}
	}
	w.mu.Unlock()
	if len(v.findings()) > 0 {
		w.t.Log(logs)
	}
	judge(w.t, family, points, payments, v, time.Since(w.began))
}

// compare holds the acquirer's, the store's and the shop's books against each
// other.
func (w *world) compare(b books) verdict {
	var v verdict
	w.compareAcquirer(b, &v)
	w.compareEvents(b, &v)
	w.mu.Lock()
	defer w.mu.Unlock()
	said := map[string]bool{} // payment and status
	for _, r := range b.timeline {
		said[r.payment+r.status] = true
	}
	for order, acks := range w.acks {
		for _, a := range acks {
			if p := b.payments[order]; p.id != a.id || !said[a.id+a.status] {
				v.lostAcks = append(v.lostAcks, fmt.Sprintf("order %s was answered with %d, %s %s; the store has %+v", order, a.code, a.id, a.status, p))
			}
		}
	}
	for digest := range w.notices {
		if state := b.notifications[digest]; state == "" || state == "unparsed" {
			v.lostAcks = append(v.lostAcks, fmt.Sprintf("notification %s was acknowledged; in the store its state is %q", digest, state))
		}
	}
	return v
}

func (w *world) compareAcquirer(b books, v *verdict) {
	orders, paid := map[string]int{}, map[string]int{}
	for _, o := range w.sandbox.Orders() {
		orders[o.MerchantOrderID]++
		p, known := b.payments[o.MerchantOrderID]
		switch {
		case !known:
			v.orphans = append(v.orphans, "order without a payment: "+o.MerchantOrderID)
		case o.Status == cbtistest.Succeeded && p.status != "SUCCEEDED":
			v.orphans = append(v.orphans, fmt.Sprintf("order %s is paid, the payment isn't: %+v", o.MerchantOrderID, p))
		}
	}
	for _, e := range w.sandbox.Ledger() {
		paid[e.MerchantOrderID]++
	}
	for id, n := range orders {
		if n > 1 || paid[id] > 1 {
			v.doubles = append(v.doubles, fmt.Sprintf("payment %s: %d orders at the acquirer, %d charges", id, n, paid[id]))
		}
	}
	for id, p := range b.payments {
		switch open := !slices.Contains(terminal, p.status); {
		case p.holder != "":
			v.orphans = append(v.orphans, fmt.Sprintf("payment %s is held by %s for good: %+v", id, p.holder, p))
		case open && (p.due == 0 || !b.alarms[p.id]):
			v.orphans = append(v.orphans, fmt.Sprintf("nobody asks about payment %s (alarm: %t): %+v", id, b.alarms[p.id], p))
		case p.status == "SUCCEEDED" && paid[id] == 0, p.status == "FAILED" && orders[id] > 0:
			v.lostAcks = append(v.lostAcks, fmt.Sprintf("payment %s is %s; the acquirer has %d orders and %d charges", id, p.status, orders[id], paid[id]))
		}
	}
}

// compareEvents demands one event for each transition, in a sequence without
// gaps, and that the shop has it.
func (w *world) compareEvents(b books, v *verdict) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lost := func(format string, args ...any) { v.lostEvents = append(v.lostEvents, fmt.Sprintf(format, args...)) }
	owner, sequences := map[string]timelineRow{}, map[string][]int64{}
	for _, r := range b.timeline {
		wanted := r.kind == "review" || r.kind == "status" && r.status != "CREATED"
		_, made := b.events[r.event]
		switch {
		case wanted != (r.event != ""), wanted && !made:
			lost("transition %+v has the event %q", r, r.event)
		case wanted && owner[r.event].event != "":
			lost("event %s tells of two transitions: %+v, %+v", r.event, r, owner[r.event])
		case wanted:
			owner[r.event] = r
		}
	}
	for id, e := range b.events {
		sequences[e.payment] = append(sequences[e.payment], e.sequence)
		if _, told := w.told[id]; !told || b.undelivered[id] != "" {
			lost("event %s (%s) was told: %t; its delivery: %q", id, e.kind, told, b.undelivered[id])
		}
		if owner[id].payment != e.payment {
			lost("event %s tells of no transition of payment %s", id, e.payment)
		}
	}
	for payment, list := range sequences {
		slices.Sort(list)
		for i, n := range list {
			if n != int64(i+1) {
				lost("the events of payment %s have the sequence %v", payment, list)
				break
			}
		}
	}
	for id := range w.told {
		if _, known := b.events[id]; !known {
			lost("the shop was told of event %s, which the store doesn't know", id)
		}
	}
}
