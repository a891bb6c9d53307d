package host

import (
	"sync"

	"github.com/paymux/paymux/sdk"
)

// flights holds the calls that run, one a payment at most, so that two answers
// about the same payment are never judged in the wrong order.
type flights struct {
	mu      sync.Mutex
	running map[string]*flight
}

// flight is one call of a provider about a payment.
type flight struct {
	done chan struct{}
	err  *sdk.Error // why nothing came of it; valid after done
}

// take begins a flight for a payment. If one is under way it returns that one
// and false.
func (f *flights) take(id string) (fl *flight, mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl = f.running[id]; fl != nil {
		return fl, false
	}
	if f.running == nil {
		f.running = map[string]*flight{}
	}
	fl = &flight{done: make(chan struct{})}
	f.running[id] = fl
	return fl, true
}

// await takes a flight once those before it have landed. An alarm must not be
// content with another's flight: what it rings for may have come since.
func (f *flights) await(id string) *flight {
	for {
		fl, mine := f.take(id)
		if mine {
			return fl
		}
		<-fl.done
	}
}

// land ends a flight.
func (f *flights) land(id string, fl *flight) {
	f.mu.Lock()
	delete(f.running, id)
	f.mu.Unlock()
	close(fl.done)
}
