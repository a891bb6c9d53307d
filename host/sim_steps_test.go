package host

import (
	"fmt"
	"time"
)

// simStep is something that may happen next. Add a kind of actor by adding its
// steps here and a file of its own.
type simStep struct {
	weight int
	name   string
	do     func(*sim)
}

var simSteps = []simStep{
	{8, "a merchant wants a payment", (*sim).stepPay},
	{2, "a merchant repeats a request", (*sim).stepRepeat},
	{1, "a merchant uses an order id for something else", (*sim).stepOther},
	{1, "another merchant uses the same order id", (*sim).stepSameOrder},
	{2, "a merchant refreshes", (*sim).stepRefresh},
	{1, "a merchant cancels", (*sim).stepCancel},
	{1, "somebody forges a notification", (*sim).stepForge},
	{1, "an acquirer reports an unknown order", (*sim).stepForeign},
	{1, "an acquirer repeats a notification", (*sim).stepReplay},
	{1, "a plugin crashes", func(s *sim) { s.plugin().restart() }},
	{1, "a plugin is down for a while", func(s *sim) { s.plugin().stop(simBetween(s.draw, time.Second, 20*time.Minute)) }},
	{2, "the store fails for a while", (*sim).stepStore},
	{1, "the host is killed", func(s *sim) { s.life.kill() }},
	{2, "the host will be killed at a commit", (*sim).stepKill},
	{1, "the host is stopped and started", (*sim).stepStop},
	{1, "nothing, for hours", func(s *sim) { s.pass(simBetween(s.draw, time.Hour, 30*time.Hour)) }},
}

// step does one thing and lets some time pass.
func (s *sim) step() {
	total := 0
	for _, step := range simSteps {
		total += step.weight
	}
	n := s.draw.IntN(total)
	for _, step := range simSteps {
		if n -= step.weight; n < 0 {
			s.log("-- %s", step.name)
			step.do(s)
			break
		}
	}
	switch s.draw.IntN(6) {
	case 0: // at once
	case 1:
		s.pass(simBetween(s.draw, time.Minute, 15*time.Minute))
	default:
		s.pass(simBetween(s.draw, time.Millisecond, 20*time.Second))
	}
}

func (s *sim) plugin() *simPlugin { return s.plugins[simPick(s.draw, "plain", "native")] }

func (s *sim) patience() time.Duration {
	return simPick(s.draw, time.Second, time.Minute, time.Minute, time.Minute)
}

func (s *sim) stepPay() {
	r := s.newRequest()
	for range simPick(s.draw, 1, 1, 1, 3) {
		s.create(r, s.patience())
	}
}

func (s *sim) stepRepeat() {
	if r, ok := s.oldRequest(); ok {
		for range 1 + s.draw.IntN(2) {
			s.create(r, s.patience())
		}
	}
}

func (s *sim) stepOther() {
	if r, ok := s.oldRequest(); ok {
		s.create(s.another(r), s.patience())
	}
}

func (s *sim) stepSameOrder() {
	if r, ok := s.oldRequest(); ok {
		if r.merchant == "shop-a" {
			r.merchant = "shop-b"
		} else {
			r.merchant = "shop-a"
		}
		s.create(r, s.patience())
	}
}

func (s *sim) stepRefresh() {
	if r, ok := s.oldRequest(); ok {
		s.byID(r, "refresh", s.life.host.Refresh)
	}
}

func (s *sim) stepCancel() {
	if r, ok := s.oldRequest(); ok {
		s.byID(r, "cancel", s.life.host.Cancel)
	}
}

func (s *sim) stepForge() {
	r, ok := s.oldRequest()
	if !ok {
		return
	}
	name := simPick(s.draw, "plain", "native")
	s.deliver(simNotice{name, r.MerchantOrderID, fmt.Sprintf("forged %d %s -", s.draw.Uint64(), r.MerchantOrderID), false}, 0)
}

func (s *sim) stepForeign() {
	name, n := simPick(s.draw, "plain", "native"), s.draw.Uint64()
	s.deliver(simNotice{name, "", fmt.Sprintf("signed %d stranger%d acq%d", n, n%1000, n), true}, 0)
}

func (s *sim) stepReplay() {
	s.mu.Lock()
	var n simNotice
	if len(s.notices.bodies) > 0 {
		n = s.notices.bodies[s.draw.IntN(len(s.notices.bodies))]
	}
	s.mu.Unlock()
	if n.body != "" {
		s.deliver(n, 0)
	}
}

func (s *sim) stepStore() {
	from := time.Now().Add(simBetween(s.draw, 0, 3*time.Second))
	s.mu.Lock()
	s.store.downFrom, s.store.downUntil = from, from.Add(simBetween(s.draw, 10*time.Millisecond, 30*time.Second))
	s.mu.Unlock()
	if s.draw.IntN(2) == 0 { // its intent may be stored and its answer not
		s.stepPay()
	}
}

func (s *sim) stepKill() {
	s.mu.Lock()
	s.store.dieIn = 1 + s.draw.IntN(8)
	s.mu.Unlock()
	if s.draw.IntN(2) == 0 {
		s.stepPay()
	}
}

func (s *sim) stepStop() {
	l := s.life
	_ = l.host.Close(s.t.Context())
	l.kill()
}
