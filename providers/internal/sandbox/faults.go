package sandbox

import "slices"

// Faults are those that a sandbox still has to suffer, oldest first. F describes
// one in the sandbox's own words. The sandbox's lock guards them.
type Faults[F any] struct {
	active []*Active[F]
	last   int
}

// Active is a fault that was injected.
type Active[F any] struct {
	Fault F
	ID    int
	Used  int // how often it has happened

	times  int
	delays bool
}

// Inject adds a fault that is to happen so many times, or until it is cleared if
// that is 0, and returns its id. Those that only delay come on top of others.
func (l *Faults[F]) Inject(f F, times int, delays bool) (id int) {
	l.last++
	l.active = append(l.active, &Active[F]{Fault: f, ID: l.last, times: times, delays: delays})
	return l.last
}

// Take uses up the faults for one call: every delay that matches, then the oldest
// other fault.
func (l *Faults[F]) Take(matches func(F) bool) []F {
	var delays, other []F
	for _, f := range slices.Clone(l.active) {
		if other != nil && !f.delays || !matches(f.Fault) {
			continue
		}
		if f.delays {
			delays = append(delays, f.Fault)
		} else {
			other = []F{f.Fault}
		}
		if f.Used++; f.Used == f.times {
			l.Clear(f.ID)
		}
	}
	return append(delays, other...)
}

// List returns the faults, oldest first.
func (l *Faults[F]) List() []Active[F] {
	list := make([]Active[F], len(l.active))
	for i, f := range l.active {
		list[i] = *f
	}
	return list
}

// Clear removes the faults with the ids, or all if none is given, and says how
// many these were.
func (l *Faults[F]) Clear(ids ...int) int {
	before := len(l.active)
	l.active = slices.DeleteFunc(l.active, func(f *Active[F]) bool { return len(ids) == 0 || slices.Contains(ids, f.ID) })
	return before - len(l.active)
}
