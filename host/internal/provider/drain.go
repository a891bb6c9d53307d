package provider

import "context"

// Drain waits until no call is under way, or ctx is over, and returns how many
// then still are. Calls that come later are served as before.
func (p *Provider) Drain(ctx context.Context) (left int) {
	for _, l := range []lane{p.calls, p.parses} {
		taken := 0
		for waiting := true; waiting && taken < cap(l.slots); {
			select {
			case l.slots <- struct{}{}: // nobody has this one
				taken++
			case <-ctx.Done():
				waiting = false
				left += len(l.slots) - taken
			}
		}
		for range taken {
			<-l.slots
		}
	}
	return left
}
