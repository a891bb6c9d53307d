//go:build linux

package chaos

import (
	"fmt"
	"hash/crc32"
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
	t.Parallel()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			e.has(t)
			family := "a kill point, " + e.name
			for _, point := range pointsOf(t, e) {
				t.Run(point, func(t *testing.T) {
					t.Parallel()
					die(t, newWorld(t, e), family, failing(point))
				})
				if !full {
					continue
				}
				// The next host may be killed while it takes up what was cut off.
				second := takingUp[int(crc32.ChecksumIEEE([]byte(point)))%len(takingUp)]
				t.Run(point+"+"+second, func(t *testing.T) {
					t.Parallel()
					die(t, newWorld(t, e), "a killed again, "+e.name, failing(point), failing(second))
				})
			}
		})
	}
}

// takingUp are points that a host comes to soon after its start.
var takingUp = []string{
	"commit.before:1", "commit.after:1", "alarms.before:1", "alarms.after:1", "commit.before:2", "commit.after:2",
	"commit.before:3", "commit.after:3", "alarms.after:2", "rpc.before:1", "rpc.after:1", "event.before:1", "event.after:1",
}

func failing(point string) life {
	return life{binary: "paymux-failpoint", env: []string{"PAYMUX_FAILPOINT=" + point}}
}

// die runs the script while hosts are killed, and compares the books.
func die(t *testing.T, w *world, family string, lives ...life) {
	t.Helper()
	planned, ended := len(lives), make(chan struct{})
	hosts := w.keep(ended, lives...)
	err := w.script()
	if err == nil {
		err = w.settled()
	}
	close(ended)
	kept := <-hosts
	if kept.err == nil && kept.killed < len(lives) {
		if killed, err := w.stopDoomed(); err != nil {
			kept.err = err
		} else if killed {
			kept.killed++
		}
		lives = lives[:kept.killed] // what it did come to counts all the same
	}
	if kept.err == nil && kept.killed < planned {
		missed(family)
	}
	w.finish(family, len(lives), err, kept.err)
}

// stopDoomed stops a host that hasn't met its point, which may be in the stop.
func (w *world) stopDoomed() (killed bool, err error) {
	for _, h := range w.living() {
		err = h.stop()
		killed = h.killed()
	}
	if killed {
		_, err = w.start(plain)
	}
	return killed, err
}

// few are the points that a short run takes on PostgreSQL, where another host
// waits twelve seconds before it takes one for dead.
var few = []string{"commit.before", "commit.after", "rpc.before", "rpc.after", "event.after", "answer.notify"}

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
		if full || counts[name] == 2 && (e.name != postgres.name || slices.Contains(few, name)) {
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
