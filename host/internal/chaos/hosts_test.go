package chaos

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// takeOverTime is how long the work of a dead host may lie.
const takeOverTime = 30 * time.Second

// TestHosts: three hosts share a database; again and again one is killed at
// random and started again. That no payment is asked about by two at a time is
// seen by the acquirer: see take.
func TestHosts(t *testing.T) {
	t.Parallel()
	needPostgres(t)
	w := newWorld(t, postgres)
	random := seed(t)
	for range 3 {
		w.mustStart(plain)
	}
	var errs []error
	n := rounds(1, 8)
	for round := range n {
		// Calls are slow, so that many are under way when the host dies.
		slow := []int{
			w.sandbox.Inject(cbtistest.Fault{Kind: cbtistest.KindDelay, Op: cbtistest.OpCreate, Delay: time.Duration(random.IntN(200)+1) * time.Millisecond}),
			w.sandbox.Inject(cbtistest.Fault{Kind: cbtistest.KindDelayAfter, Op: cbtistest.OpCreate, Delay: time.Duration(random.IntN(400)+1) * time.Millisecond}),
			w.sandbox.Inject(cbtistest.Fault{Kind: cbtistest.KindDelayAfter, Op: cbtistest.OpQuery, Delay: time.Duration(random.IntN(400)+1) * time.Millisecond}),
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
		errs = append(errs, w.some(4+random.IntN(20)))
		living := w.living()
		living[random.IntN(len(living))].kill()
		killed := time.Now()
		w.sandbox.ClearFaults(slow...)
		errs = append(errs, shops.Wait(), w.within(takeOverTime-time.Since(killed), "the work of the dead host is taken over", func() bool {
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
		}))
		t.Logf("round %d: all done %s after the kill", round, time.Since(killed).Round(100*time.Millisecond))
		if took := time.Since(killed); took > takeOverTime {
			errs = append(errs, fmt.Errorf("it took %s to take over the work of a killed host", took))
		}
		w.mustStart(plain)
	}
	w.finish("e three hosts, one killed", n, errs...)
}
