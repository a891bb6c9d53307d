package host

import (
	"context"
	"time"

	"github.com/paymux/paymux/sdk"
)

// payer does with an order what people do, in a goroutine of its own.
func (s *sim) payer(o *simOrder) {
	r := s.stream("payer", o.a.name, o.order, o.requestID == "")
	what := r.IntN(10)
	soon, later := simBetween(r, time.Second, 2*time.Minute), simBetween(r, time.Second, 90*time.Minute)
	s.early(o)
	s.spawn(func() {
		s.sleep(soon)
		switch {
		case o.lazy && !s.canAct(o): // nobody has a link to it
		case what < 4:
			s.move(o, sdk.StatusSucceeded)
		case what < 5:
			s.sleep(later)
			s.move(o, sdk.StatusSucceeded)
		case what < 6:
			s.move(o, sdk.StatusCancelled)
		case what < 7:
			s.move(o, sdk.StatusFailed)
		case what < 8: // closed by the acquirer's clock
			s.sleep(later)
			s.move(o, sdk.StatusExpired)
		case what < 9: // paid in the wallet after all
			s.move(o, sdk.StatusCancelled)
			s.sleep(later)
			s.move(o, sdk.StatusSucceeded)
		}
	})
}

// canAct reports whether the host has given out a next action.
func (s *sim) canAct(o *simOrder) bool {
	var actions string
	err := s.db.QueryRowContext(context.Background(), "SELECT next_actions FROM payments WHERE request_id = $1", o.requestID).Scan(&actions)
	return err == nil && actions != noActions
}
