package host

import (
	"time"

	"github.com/paymux/paymux/sdk"
)

// checkNotices: what was acknowledged is there, and what is forged isn't.
func (s *sim) checkNotices() {
	states := s.notifications()
	s.mu.Lock()
	acked := s.notices.acked
	forged := ""
	for key := range s.notices.refused {
		if states[key] != "" {
			forged = states[key]
		}
	}
	s.mu.Unlock()
	if forged != "" {
		s.fail(ruleNotices, "a forged notification is in the store, as %s", forged)
	}
	for _, n := range acked {
		switch state := states[n.key()]; state {
		case notificationMatched:
		case notificationUnmatched, "":
			// Those about nothing of ours are forgotten after a day. What waited for
			// the answer of Create has had it by then.
			if state == "" && time.Since(n.at) < keepUnmatched-time.Hour {
				s.fail(ruleNotices, "the acknowledged notification %q is gone", n.body)
			}
		default:
			s.fail(ruleNotices, "the acknowledged notification %q is %s", n.body, state)
		}
	}
}

// checkAsked: each acknowledged notification about an open payment made the host
// ask.
func (s *sim) checkAsked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := map[string]time.Time{}
	for _, q := range s.ledger.queries {
		last[q.a.name+"/"+q.order] = q.at
	}
	for _, id := range s.rules.order {
		p := s.rules.seen[id]
		if statusOf(p.row) == sdk.StatusSucceeded {
			continue
		}
		for _, n := range s.notices.acked {
			if n.order == p.row.MerchantOrderID && n.provider == p.row.Provider && last[n.provider+"/"+n.order].Before(n.at) {
				s.mu.Unlock()
				s.fail(ruleNotices, "%s is %s, and nobody asked about it after the notification %q", n.order, p.row.Status, n.body)
				s.mu.Lock()
			}
		}
	}
}
