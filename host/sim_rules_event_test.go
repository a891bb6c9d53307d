package host

import (
	"github.com/paymux/paymux/sdk"
)

// checkTimeline: nothing is missing, nothing was changed, and each transition has
// one event. Delivery to endpoints gets a file of its own.
func (s *sim) checkTimeline(before, p *simPayment) {
	order := p.row.MerchantOrderID
	if before != nil {
		for i, e := range before.timeline {
			if i >= len(p.timeline) || p.timeline[i] != e {
				s.fail(ruleTimeline, "entry %d of %s was changed", i+1, order)
				return
			}
		}
	}
	told := map[string]string{} // event ids in the timeline, with the type that they must have
	was := ""
	for i, e := range p.timeline {
		if e.Seq != int64(i+1) {
			s.fail(ruleTimeline, "entry %d of %s has number %d", i+1, order, e.Seq)
		}
		kind := ""
		switch {
		case e.Kind == kindStatus && e.Status == was:
			s.fail(ruleTimeline, "%s became %s twice", order, was)
		case e.Kind == kindStatus:
			was, kind = e.Status, eventTypes[sdk.ParseStatus(e.Status)]
		case e.Kind == kindReview:
			kind = eventReview
		}
		if _, twice := told[e.EventID]; twice || (kind == "") != (e.EventID == "") {
			s.fail(ruleTimeline, "entry %d of %s (%s, %s) has event %q", i+1, order, e.Kind, e.Status, e.EventID)
		}
		if kind != "" {
			told[e.EventID] = kind
		}
	}
	if was != p.row.Status {
		s.fail(ruleTimeline, "%s is %s, but its timeline ends with %s", order, p.row.Status, was)
	}
	for i, e := range p.events {
		if e.sequence != int64(i+1) || told[e.id] != e.kind {
			s.fail(ruleTimeline, "event %d of %s has number %d and type %s; the timeline says %q", i+1, order, e.sequence, e.kind, told[e.id])
		}
	}
	if len(p.events) != len(told) {
		s.fail(ruleTimeline, "%s has %d events for %d transitions", order, len(p.events), len(told))
	}
}
