//go:build linux

package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// seed drives what happens at random; CHAOS_SEED replays one.
func seed(t testing.TB) *rand.Rand {
	n, err := strconv.ParseUint(os.Getenv("CHAOS_SEED"), 10, 64)
	if err != nil {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("CHAOS_SEED=%d", n)
	return rand.New(rand.NewPCG(n, n))
}

// load has shops buy until more is closed, and returns what they met.
func (w *world) load(prefix string, shops int, more <-chan struct{}) func() error {
	var group errgroup.Group
	for shop := range shops {
		group.Go(func() error {
			for n := 0; ; n++ {
				select {
				case <-more:
					return nil
				default:
				}
				if err := w.buy(request{id: fmt.Sprintf("%s-%d-%d", prefix, shop, n)}); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait
}

// some waits until n more orders were answered: the load is under way.
func (w *world) some(n int) error {
	before := w.answered()
	return w.await(fmt.Sprintf("%d more orders are answered", n), func() bool { return w.answered() >= before+n })
}

func (w *world) answered() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acks)
}

// ownServer is a world with a PostgreSQL server that may be harmed.
func ownServer(t *testing.T) (*world, *server) {
	t.Helper()
	needPostgres(t)
	s, err := newServer(t)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	w := newWorld(t, engine{"postgres", func(t testing.TB, _ string) database {
		d, err := s.newDatabase()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}})
	// A connection that breaks while River takes jobs over it leaves them marked
	// as running. They are rung again after two to three minutes: late, not lost.
	w.patience = 4 * time.Minute
	return w, s
}

func rounds(few, many int) int {
	if full {
		return many
	}
	return few
}

// TestDatabaseCrash: PostgreSQL stops at once, under load, and starts again.
func TestDatabaseCrash(t *testing.T) {
	t.Parallel()
	w, s := ownServer(t)
	random := seed(t)
	h := w.mustStart(plain)
	more := make(chan struct{})
	wait := w.load("crash", 4, more)
	var errs []error
	n := rounds(1, 10)
	for range n {
		errs = append(errs, w.some(10+random.IntN(30)))
		s.crash()
		errs = append(errs, w.await("the host says that it isn't ready", func() bool { return !w.ready() }))
		away := time.Now()
		errs = append(errs, s.start(), w.await("the host is ready again", w.ready))
		ready := time.Since(away)
		errs = append(errs, w.some(1))
		t.Logf("ready %s after the start of the server, next order after %s", ready.Round(time.Millisecond), time.Since(away).Round(time.Millisecond))
	}
	errs = append(errs, w.some(10))
	close(more)
	last := time.Now()
	errs = append(errs, wait())
	t.Logf("the last payments took %s", time.Since(last).Round(time.Millisecond))
	if !h.alive() {
		t.Error("the host ended")
	}
	w.finish("c database stopped at once", n, errs...)
}

// TestBackendKilled: connections of the host end, by an administrator's word or
// by SIGKILL of their backend, which makes PostgreSQL start all of them anew.
func TestBackendKilled(t *testing.T) {
	t.Parallel()
	w, s := ownServer(t)
	random := seed(t)
	h := w.mustStart(plain)
	more := make(chan struct{})
	wait := w.load("backend", 4, more)
	var errs []error
	n := rounds(2, 60)
	for i := range n {
		errs = append(errs, w.some(1+random.IntN(10)))
		var pids []int
		errs = append(errs, w.await("the host has connections", func() (has bool) { // the server may be recovering
			var err error
			pids, err = s.backends()
			return err == nil && len(pids) > 0
		}))
		if len(pids) == 0 {
			break
		}
		signal := syscall.SIGTERM // what pg_terminate_backend sends
		if i%2 == 1 {
			signal = syscall.SIGKILL
		}
		_ = syscall.Kill(pids[random.IntN(len(pids))], signal)
	}
	errs = append(errs, w.some(10))
	close(more)
	errs = append(errs, wait())
	if !h.alive() {
		t.Error("the host ended")
	}
	w.finish("c backend killed", n, errs...)
}

// TestCommitCut resets the connection at the nth COMMIT of a payment, before the
// server has it or after it has done it.
func TestCommitCut(t *testing.T) {
	t.Parallel()
	needPostgres(t)
	for n := 1; n <= rounds(2, 16); n++ {
		for _, done := range []bool{true, false} {
			if !full && !done {
				continue
			}
			name := map[bool]string{true: "done", false: "undone"}[done]
			t.Run(fmt.Sprintf("%d-%s", n, name), func(t *testing.T) {
				t.Parallel()
				cutCommit(t, n, done)
			})
		}
	}
}

func cutCommit(t *testing.T, n int, done bool) {
	family := "c reset before COMMIT arrives"
	if done {
		family = "c reset after COMMIT, before its answer"
	}
	w := newWorld(t, postgres)
	c := newCutter(t, shared.s)
	host, port, _ := strings.Cut(c.listener.Addr().String(), ":")
	// The host goes through the cutter; this test reads the books without it.
	w.configure(strings.Split(w.db.store, "&host=")[0] + "&host=" + host + "&port=" + port)
	h := w.mustStart(plain)
	c.arm(n, done)
	err := w.script()
	if err == nil {
		err = w.settled()
	}
	if !h.alive() {
		err = errors.Join(err, errors.New("the host ended"))
	}
	points := 1
	if !c.wasCut() {
		missed(family)
		points = 0
	}
	w.finish(family, points, err)
}
