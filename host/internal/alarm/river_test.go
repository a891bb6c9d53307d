package alarm

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver called "pgx"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	_ "modernc.org/sqlite" // the driver called "sqlite"

	"github.com/paymux/paymux/host/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// database is a migrated one that engines are made for, one after another.
type database struct {
	db     *sql.DB
	driver riverdriver.Driver[*sql.Tx]
	shared bool
}

var engines = map[string]func(t *testing.T) database{
	"sqlite": func(t *testing.T) database {
		db := connect(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "x.db")+"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
		db.SetMaxOpenConns(1) // as the store does
		return database{db: db, driver: riversqlite.New(db)}
	},
	"postgres": func(t *testing.T) database {
		url := pgtest.New(t)
		pool, err := pgxpool.New(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		db := connect(t, "pgx", url)
		db.SetMaxOpenConns(12)
		return database{db: db, driver: riverdatabasesql.NewWithPgxListener(db, pool), shared: true}
	},
}

func connect(t *testing.T, driver, source string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// each runs a test on both engines, at a time: it waits for the clock mostly.
func each(t *testing.T, test func(t *testing.T, d database)) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			if err := Migrate(t.Context(), d.driver); err != nil {
				t.Fatal(err)
			}
			test(t, d)
		})
	}
}

// new returns an engine, as a start of the host does.
func (d database) new(t *testing.T) *River {
	t.Helper()
	if !d.shared { // see the store
		if _, err := d.db.ExecContext(t.Context(), "DELETE FROM river_leader"); err != nil {
			t.Fatal(err)
		}
	}
	r, err := NewRiver(d.driver, hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// start rings, and stops when the test ends.
func start(t *testing.T, r *River, queues map[string]int, ring Ring) {
	t.Helper()
	if err := r.Start(queues, ring); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

// set sets alarms in a transaction of their own; without commit it is undone.
func (d database) set(t *testing.T, r *River, commit bool, alarms ...Alarm) {
	t.Helper()
	tx, err := d.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := r.Set(t.Context(), tx, alarms); err != nil {
		t.Fatal(err)
	}
	if !commit {
		return
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	r.Committed(alarms)
}

// bell writes down what rang.
type bell chan Alarm

func (b bell) ring(_ context.Context, a Alarm) (time.Time, error) {
	b <- a
	return time.Time{}, nil
}

func newBell() bell { return make(bell, 100) }

func (b bell) next(t *testing.T) Alarm {
	t.Helper()
	select {
	case a := <-b:
		return a
	case <-time.After(time.Minute):
		t.Fatal("nothing rang")
		return Alarm{}
	}
}

func (b bell) quiet(t *testing.T) {
	t.Helper()
	select {
	case a := <-b:
		t.Errorf("%+v rang", a)
	default:
	}
}

var main = map[string]int{"main": 2}

func alarmOf(id string) Alarm { return Alarm{Kind: Payment, ID: id, Queue: "main"} }

func TestRingsAfterCommit(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		r, b := d.new(t), newBell()
		d.set(t, r, true, alarmOf("before the start"))
		d.set(t, r, false, alarmOf("undone"))
		start(t, r, main, b.ring)
		if a := b.next(t); a.ID != "before the start" {
			t.Errorf("%+v rang", a)
		}
		for _, kind := range Kinds {
			d.set(t, r, false, Alarm{Kind: kind, ID: "undone", Queue: "main"})
			want := Alarm{Kind: kind, ID: "id/" + string(kind), Queue: "main"}
			d.set(t, r, true, want)
			got := b.next(t)
			got.At = time.Time{}
			if got != want {
				t.Errorf("%+v rang, not %+v", got, want)
			}
		}
		b.quiet(t)
	})
}

// No alarm rings while its transaction isn't committed: what it names isn't
// there. On SQLite nothing else gets the one connection.
func TestNotBeforeCommit(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		if !d.shared {
			return
		}
		r, b := d.new(t), newBell()
		start(t, r, main, b.ring)
		tx, err := d.db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Set(t.Context(), tx, []Alarm{alarmOf("open")}); err != nil {
			t.Fatal(err)
		}
		d.set(t, r, true, alarmOf("second"))
		if a := b.next(t); a.ID != "second" {
			t.Errorf("%s rang", a.ID)
		}
		b.quiet(t)
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if a := b.next(t); a.ID != "open" {
			t.Errorf("%s rang", a.ID)
		}
	})
}

func TestRingsAtItsTime(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		r, b := d.new(t), newBell()
		start(t, r, main, b.ring)
		at := time.Now().Add(3 * time.Second)
		later, far := alarmOf("later"), alarmOf("far")
		later.At, far.At = at, at.Add(time.Hour)
		past := alarmOf("past")
		past.At = at.Add(-time.Hour)
		d.set(t, r, true, far, later, past, alarmOf("now"))
		first := []string{b.next(t).ID, b.next(t).ID}
		if slices.Sort(first); !slices.Equal(first, []string{"now", "past"}) {
			t.Errorf("%v rang first", first)
		}
		a := b.next(t)
		if now := time.Now(); a.ID != "later" || now.Before(at) || a.At.Sub(at).Abs() > time.Millisecond {
			t.Errorf("%+v rang at %v, not at %v", a, now, at)
		}
		b.quiet(t)
	})
}

// Ring says itself when to ring again; after an error or a panic it rings again too.
func TestRingsAgain(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		r, b := d.new(t), newBell()
		var mu sync.Mutex
		rung, again := map[string]int{}, time.Time{}
		start(t, r, map[string]int{"main": 5}, func(ctx context.Context, a Alarm) (time.Time, error) {
			mu.Lock()
			rung[a.ID]++
			n := rung[a.ID]
			if a.ID == "again" && n == 1 {
				again = time.Now().Add(2 * time.Second)
				defer mu.Unlock()
				return again, nil
			}
			mu.Unlock()
			switch {
			case a.ID == "at once" && n < 3:
				return time.Now(), nil
			case a.ID == "fails" && n == 1:
				return time.Time{}, errors.New("the store can't be read")
			case a.ID == "panics" && n == 1:
				panic("at the worst moment")
			}
			return b.ring(ctx, a)
		})
		d.set(t, r, true, alarmOf("again"), alarmOf("at once"), alarmOf("fails"), alarmOf("panics"), alarmOf("once"))
		var got []string
		for range 5 {
			a := b.next(t)
			if got = append(got, a.ID); a.ID == "again" && time.Now().Before(again) {
				t.Error("rang again before its time")
			}
		}
		slices.Sort(got)
		mu.Lock()
		defer mu.Unlock()
		if !slices.Equal(got, []string{"again", "at once", "fails", "once", "panics"}) || fmt.Sprint(rung) != "map[again:2 at once:3 fails:2 once:1 panics:2]" {
			t.Errorf("rang %v (%v)", got, rung)
		}
	})
}

// A plugin that hangs takes the workers of its own queue only.
func TestQueuesAreIndependent(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		r, b := d.new(t), newBell()
		hang := make(chan struct{})
		var hanging atomic.Int64
		start(t, r, map[string]int{"hangs": 2, "main": 1}, func(ctx context.Context, a Alarm) (time.Time, error) {
			if a.Queue == "hangs" {
				hanging.Add(1)
				<-hang
			}
			return b.ring(ctx, a)
		})
		t.Cleanup(func() { close(hang) }) // before it is stopped
		for i := range 10 {
			a := alarmOf(fmt.Sprint("hangs", i))
			a.Queue = "hangs"
			d.set(t, r, true, a)
		}
		for i := range 5 {
			d.set(t, r, true, alarmOf(fmt.Sprint(i)))
			if a := b.next(t); a.ID != fmt.Sprint(i) {
				t.Errorf("%+v rang, not %d", a, i)
			}
		}
		if n := hanging.Load(); n > 2 {
			t.Errorf("two workers ring %d at a time", n)
		}
	})
}

// What is set, or rings, while the host stops rings after the next start.
func TestStopAndStart(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		r, b := d.new(t), newBell()
		rings := make(chan struct{})
		if err := r.Start(main, func(ctx context.Context, a Alarm) (time.Time, error) {
			if a.ID == "slow" {
				close(rings)
				<-ctx.Done() // until the stop loses patience
				return time.Time{}, ctx.Err()
			}
			return b.ring(ctx, a)
		}); err != nil {
			t.Fatal(err)
		}
		d.set(t, r, true, alarmOf("slow"))
		<-rings
		ended, end := context.WithCancel(t.Context())
		end()
		if err := r.Stop(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("Stop didn't tell that one still rings: %v", err)
		}
		later := alarmOf("later")
		later.At = time.Now().Add(100 * time.Millisecond)
		d.set(t, r, true, alarmOf("stopped"), later)
		b.quiet(t)

		start(t, d.new(t), main, b.ring)
		var got []string
		for range 3 {
			got = append(got, b.next(t).ID)
		}
		if slices.Sort(got); !slices.Equal(got, []string{"later", "slow", "stopped"}) {
			t.Errorf("rang %v", got)
		}
	})
}

// An engine that was never started stops too.
func TestStopBeforeStart(t *testing.T) {
	each(t, func(t *testing.T, d database) {
		if err := d.new(t).Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
