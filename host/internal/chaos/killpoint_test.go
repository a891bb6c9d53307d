package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// script is what the host does while it is killed: a payment that goes well, and
// one whose answer of Create is lost.
func (w *world) script() error {
	w.sandbox.Inject(cbtistest.Fault{Kind: cbtistest.KindCloseAfter, Op: cbtistest.OpCreate, Times: 1, MatchMerchantOrderID: "lost"})
	var shops errgroup.Group
	for _, id := range []string{"good", "lost"} {
		shops.Go(func() error { return w.buy(request{id: id}) })
	}
	return shops.Wait()
}

// settled waits until nothing is left to be done, so that the points at the end
// are met too.
func (w *world) settled() error {
	return w.await("the events are delivered", func() bool {
		b, err := w.db.read()
		return err == nil && len(w.compare(b).findings()) == 0
	})
}

// TestKillPoints kills the host at each of its writes, before and after each
// call of a plugin, of a shop, and before each answer.
func TestKillPoints(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			for _, point := range pointsOf(t, e) {
				t.Run(point, func(t *testing.T) {
					t.Parallel()
					family := "a kill point, " + e.name
					w := newWorld(t, e)
					ended := make(chan struct{})
					host := w.keep(life{binary: "paymux-failpoint", env: []string{"PAYMUX_FAILPOINT=" + point}}, ended)
					err := w.script()
					if err == nil {
						err = w.settled()
					}
					close(ended)
					kept := <-host
					if kept.err == nil && !kept.killed {
						missed(family)
						return
					}
					w.finish(family, 1, err, kept.err)
				})
			}
		})
	}
}

// pointsOf runs the script once and returns the points that it came to: all of
// them, or the second of each name, which is in the middle of a payment.
func pointsOf(t *testing.T, e engine) []string {
	t.Helper()
	w := newWorld(t, e)
	path := filepath.Join(w.dir, "points")
	w.mustStart(life{binary: "paymux-failpoint", env: []string{"PAYMUX_FAILPOINT_LOG=" + path}})
	err := w.script()
	if err == nil {
		err = w.settled()
	}
	if err != nil {
		t.Fatal(err)
	}
	w.finish("a kill point, "+e.name, 0)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	var points []string
	for name := range strings.Lines(string(text)) {
		name = strings.TrimSpace(name)
		counts[name]++
		if full || counts[name] == 2 {
			points = append(points, fmt.Sprintf("%s:%d", name, counts[name]))
		}
	}
	if len(counts) < 9 {
		t.Fatalf("the script came to these points only: %v", counts)
	}
	slices.Sort(points)
	t.Logf("%s: %d points: %v", e.name, len(points), counts)
	return points
}
