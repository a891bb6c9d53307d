package host

import (
	"context"
	commandline "flag" // the package has a function flag
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/host/internal/alarm/alarmtest"
	"github.com/paymux/paymux/host/internal/store"
)

// The simulation: the real host on a real SQLite store, between acquirers that
// keep ledgers of their own and break down, payers, merchants and an operator,
// in virtual time. A seed decides everything that happens; after each step every
// rule is checked against the store and the ledgers. docs/testing.md says how to
// run and extend it.

var (
	simFirst  = commandline.Uint64("sim.first", 1, "the first seed of the simulation")
	simSeeds  = commandline.Uint64("sim.seeds", simDefault, "how many seeds the simulation runs")
	simMost   = commandline.Int64("sim.broken", 3, "the simulation ends after so many seeds that broke a rule")
	simReport = commandline.Bool("sim.report", false, "print how many seeds ran, also without -v")
	simTrace  = commandline.Bool("sim.trace", false, "print what happened in seeds that broke no rule too")
)

func TestSim(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // a third of the time went there
	template := simTemplate(t)
	begun := time.Now()
	var next, ran atomic.Uint64
	var broken atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for broken.Load() < *simMost {
				n := next.Add(1) - 1
				if n >= *simSeeds {
					return
				}
				seed := *simFirst + n
				if !t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { simulate(t, seed, template) }) {
					broken.Add(1)
				}
				ran.Add(1)
			}
		})
	}
	workers.Wait()
	if n := ran.Load(); n > 0 {
		took := time.Since(begun)
		say := t.Logf
		if *simReport { // go test shows no log of what passes
			say = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
		}
		say("%d seeds in %s (%s a seed), %d broken", n, took.Round(time.Millisecond), (took / time.Duration(n)).Round(10*time.Microsecond), broken.Load())
	}
}

// simTemplate makes a migrated database once; each seed gets a copy.
func simTemplate(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "template.db")
	s, err := store.OpenSQLite(context.Background(), path, store.Options{Engine: alarmtest.NewVirtual(), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// simDir is in memory, where there is such a place: nothing has to last.
func simDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "paymux-sim")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// simulate runs one seed in a bubble of its own.
func simulate(t *testing.T, seed uint64, template []byte) {
	dir := simDir(t)
	if err := os.WriteFile(filepath.Join(dir, "paymux.db"), template, 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSim(t, seed, dir)
		s.run()
		s.close()
		if s.broken != "" {
			t.Errorf("BROKEN seed=%d rule=%s\n\nwhat happened:\n%s\nreplay: make sim SEED=%d", seed, s.broken, strings.Join(s.trace, "\n"), seed)
		} else if *simTrace {
			t.Logf("seed %d:\n%s", seed, strings.Join(s.trace, "\n"))
		}
	})
}

// run takes the steps, then lets the world become quiet and a week pass.
func (s *sim) run() {
	for range 6 + s.draw.IntN(12) {
		s.step()
		if s.settled(); s.broken != "" {
			return
		}
	}
	s.log("-- the world becomes quiet")
	s.becomeQuiet()
	s.settled()
	const week = 8 * 24 * time.Hour // and a day: the last question comes a day after the one before
	for range 2 {
		if s.broken != "" {
			return
		}
		s.sleep(week / 2)
		s.settled()
	}
	s.checkEnd()
}

// settled waits until nothing runs, starts the host again if it has died, and
// checks the rules.
func (s *sim) settled() {
	synctest.Wait()
	if s.life.dead() {
		s.restart()
		synctest.Wait()
	}
	s.check()
}

// sleep is here because of the rule that only tests in virtual time sleep.
func (s *sim) sleep(d time.Duration) { time.Sleep(d) }
