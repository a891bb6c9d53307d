package host

import (
	"context"
	"slices"
	"time"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// The rules, by their names in a report. Each family has a file.
const (
	ruleIntent   = "1 durable intent"          // sim_rules_order_test.go
	ruleOneOrder = "2 one order for a payment" // sim_rules_order_test.go
	ruleFinal    = "3 ends are final and true" // sim_rules_state_test.go
	rulePaid     = "4 paid means paid"         // sim_rules_state_test.go
	ruleNotices  = "5 notifications"           // sim_rules_notice_test.go
	ruleTimeline = "6 timeline and events"     // sim_rules_event_test.go
	ruleFlagged  = "8 contrary reports"        // sim_rules_state_test.go
	ruleTold     = "9 what merchants hear"     // sim_merchant_test.go
	ruleAlive    = "10 nothing is forgotten"   // sim_rules_end_test.go
	ruleMoney    = "11 the money adds up"      // sim_rules_end_test.go
)

// simPayment is a payment as the store has it.
type simPayment struct {
	row      sqlgen.Payment
	timeline []sqlgen.Timeline
	events   []simEvent
}

type simEvent struct {
	id, kind string
	sequence int64
}

// simRules is what the rules remember.
type simRules struct {
	commits  int // when the store was last read
	seen     map[string]*simPayment
	order    []string // ids in seen, by age
	mustFlag map[string]*simLife
}

// check checks every rule against the store, if it has changed.
func (s *sim) check() {
	s.mu.Lock()
	changed := s.store.commits != s.rules.commits
	s.rules.commits = s.store.commits
	s.mu.Unlock()
	if !changed {
		return
	}
	for _, id := range s.changed() {
		p, before := s.load(id), s.rules.seen[id]
		s.checkState(before, p)
		s.checkTimeline(before, p)
		if before == nil {
			s.rules.order = append(s.rules.order, id)
		}
		s.rules.seen[id] = p
		if before == nil || before.row.Status != p.row.Status || before.row.ReviewReason != p.row.ReviewReason {
			s.log("   payment %s is %s %s, due in %s", p.row.MerchantOrderID, p.row.Status, p.row.ReviewReason, time.Until(fromMicros(p.row.DueAt)).Round(time.Second))
		}
	}
	for _, id := range s.rules.order { // what the world knows may have changed
		s.checkTruth(s.rules.seen[id])
		s.checkFlagged(s.rules.seen[id])
	}
	s.checkNotices()
}

// changed returns the payments that were written since the last check.
func (s *sim) changed() (ids []string) {
	rows, err := s.db.QueryContext(context.Background(), "SELECT id, version FROM payments ORDER BY created_at, id")
	s.must(err)
	defer rows.Close()
	for rows.Next() {
		var id string
		var version int64
		s.must(rows.Scan(&id, &version))
		if p := s.rules.seen[id]; p == nil || p.row.Version != version {
			ids = append(ids, id)
		}
	}
	s.must(rows.Err())
	return ids
}

func (s *sim) load(id string) *simPayment {
	ctx, q := context.Background(), sqlgen.New(s.db)
	var p simPayment
	var err error
	p.row, err = q.Payment(ctx, id)
	s.must(err)
	p.timeline, err = q.Timeline(ctx, id)
	s.must(err)
	rows, err := s.db.QueryContext(ctx, "SELECT id, type, sequence FROM events WHERE payment_id = $1 ORDER BY sequence", id)
	s.must(err)
	defer rows.Close()
	for rows.Next() {
		var e simEvent
		s.must(rows.Scan(&e.id, &e.kind, &e.sequence))
		p.events = append(p.events, e)
	}
	s.must(rows.Err())
	return &p
}

func (s *sim) must(err error) {
	if err != nil {
		s.t.Fatal(err)
	}
}

// ledgerOf returns the order of a payment, nil if no acquirer has one.
func (s *sim) ledgerOf(p *simPayment) *simOrder {
	s.mu.Lock()
	defer s.mu.Unlock()
	if all := s.ledger.orders[p.row.RequestID]; len(all) > 0 {
		return all[0]
	}
	return nil
}

// history returns the states that an order has had.
func (s *sim) history(o *simOrder) []simState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(o.history)
}
