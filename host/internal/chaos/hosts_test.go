//go:build linux

package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// takeOverTime is how long the work of a dead host may lie.
const takeOverTime = 30 * time.Second

// harm is what happens to one of three hosts.
type harm struct {
	name string
	do   func(*host) (undo func())
}

var harms = []harm{
	{"killed", func(h *host) func() {
		h.kill()
		return func() { h.w.mustStart(plain) }
	}},
	// As a virtual machine is that moves: it comes back and thinks that no time
	// has passed, after the others took it for dead.
	{"frozen", func(h *host) func() {
		h.away.Store(true)
		_ = h.cmd.Process.Signal(syscall.SIGSTOP)
		return func() {
			_ = h.cmd.Process.Signal(syscall.SIGCONT)
			h.away.Store(false)
		}
	}},
}

// TestHosts: three hosts share a database; again and again one is killed or
// frozen at random. That no payment is asked about by two at a time is seen by
// the acquirer: see take.
func TestHosts(t *testing.T) {
	t.Parallel()
	for _, how := range harms {
		if how.name == "frozen" && !full {
			continue
		}
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			postgres.has(t)
			w := newWorld(t, postgres)
			random := seed(t)
			for range 3 {
				w.mustStart(plain)
			}
			var errs []error
			n := rounds(1, 8)
			for round := range n {
				errs = append(errs, w.lose(round, random, how))
			}
			w.finish("e three hosts, one "+how.name, n, errs...)
		})
	}
}

// lose has shops buy while a host is lost, and waits until the others have done
// all that it was doing.
func (w *world) lose(round int, random *rand.Rand, how harm) error {
	// Calls are slow, so that many are under way then.
	upTo := func(ms int) time.Duration { return time.Duration(random.IntN(ms)+1) * time.Millisecond }
	slow := []int{
		w.sandbox.Inject(cbtistest.Fault{Kind: cbtistest.KindDelay, Op: cbtistest.OpCreate, Delay: upTo(200)}),
		w.sandbox.Inject(cbtistest.Fault{Kind: cbtistest.KindDelayAfter, Op: cbtistest.OpCreate, Delay: upTo(400)}),
		w.sandbox.Inject(cbtistest.Fault{Kind: cbtistest.KindDelayAfter, Op: cbtistest.OpQuery, Delay: upTo(400)}),
	}
	var shops errgroup.Group
	for shop := range 8 {
		shops.Go(func() error {
			for i := range 4 {
				if err := w.buy(request{id: fmt.Sprintf("r%d-%d-%d", round, shop, i)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	begun := w.some(4 + random.IntN(20))
	living := w.living()
	undo := how.do(living[random.IntN(len(living))])
	lost := time.Now()
	w.sandbox.ClearFaults(slow...)
	bought := shops.Wait()
	taken := w.within(takeOverTime, "the work of the lost host is taken over", func() bool {
		b, err := w.db.read()
		if err != nil {
			return false
		}
		for _, p := range b.payments {
			if p.holder != "" {
				return false
			}
		}
		return true
	})
	took := time.Since(lost)
	w.t.Logf("round %d: all done %s after the host was lost", round, took.Round(100*time.Millisecond))
	if took > takeOverTime {
		taken = fmt.Errorf("it took %s to take over the work of a lost host", took)
	}
	undo()
	return errors.Join(begun, bought, taken)
}
