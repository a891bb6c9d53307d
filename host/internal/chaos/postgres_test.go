//go:build linux

package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/paymux/paymux/host/internal/pgtest"
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
func ownServer(t *testing.T) (*world, *pgtest.Server) {
	t.Helper()
	postgres.has(t)
	s := pgtest.Start(t)
	w := newWorld(t, engine{"postgres", func(t testing.TB, _ string) database { return postgresAt(s.New(t)) }})
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
		s.Crash(t)
		errs = append(errs, w.await("the host says that it isn't ready", func() bool { return !w.ready() }))
		away := time.Now()
		s.Restart(t)
		errs = append(errs, w.await("the host is ready again", w.ready))
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
			pids, err = backends(s)
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

// backends are the process ids of the hosts' connections.
func backends(s *pgtest.Server) ([]int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, _ := conn.Query(ctx, "SELECT pid FROM pg_stat_activity WHERE application_name = 'paymux' ORDER BY pid") // CollectRows returns the error
	return pgx.CollectRows(rows, pgx.RowTo[int])
}

// TestCommitCut breaks the connection at the nth COMMIT of a payment, before the
// server has it or after it has done it.
func TestCommitCut(t *testing.T) {
	t.Parallel()
	postgres.has(t)
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
	family, fate := "c cut before COMMIT arrives", pgtest.Vanishes
	if done {
		family, fate = "c cut after COMMIT, before its answer", pgtest.LosesAnswer
	}
	w := newWorld(t, postgres)
	var left atomic.Int64 // COMMITs until the cut; below 0 there is none to come
	// The host goes through the proxy; this test reads the books without it.
	w.configure(pgtest.NewProxy(t, w.db.store, func() pgtest.Fate {
		if left.Add(-1) == 0 {
			return fate
		}
		return pgtest.Passes
	}))
	h := w.mustStart(plain)
	left.Store(int64(n))
	err := w.script()
	if err == nil {
		err = w.settled()
	}
	if !h.alive() {
		err = errors.Join(err, errors.New("the host ended"))
	}
	points := 1
	if left.Load() > 0 {
		missed(family)
		points = 0
	}
	w.finish(family, points, err)
}
