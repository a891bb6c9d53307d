package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/pgtest"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// told is an engine that counts what it was told of.
type told struct{ alarms, set atomic.Int64 }

func (e *told) Set(_ context.Context, _ *sql.Tx, alarms []alarm.Alarm) error {
	e.set.Add(int64(len(alarms)))
	return nil
}
func (e *told) Committed(alarms []alarm.Alarm)         { e.alarms.Add(int64(len(alarms))) }
func (e *told) Start(map[string]int, alarm.Ring) error { return nil }
func (e *told) Serve(map[string]int) error             { return nil }
func (e *told) Stop(context.Context) error             { return nil }

// terminateOthers ends the transactions of other connections and strikes off a host.
func (s *Store) terminateOthers(ctx context.Context, host string) error {
	_, err := s.write.ExecContext(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' AND pid <> pg_backend_pid()")
	if err != nil {
		return err
	}
	_, err = s.write.ExecContext(ctx, "DELETE FROM hosts WHERE id = $1", host)
	return err
}

func strikeOff(t *testing.T, s *Store, host string) {
	t.Helper()
	if _, err := s.write.ExecContext(t.Context(), "DELETE FROM hosts WHERE id = $1", host); err != nil {
		t.Fatal(err)
	}
}

// A host that was taken for dead writes on under another name: what it held
// isn't its own any more.
func TestFencing(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		first := s.Host()
		strikeOff(t, s, first)
		var seen string
		runs := 0
		update(t, s, func(tx *Tx) error {
			runs++
			seen = s.Host()
			return inserts("0", nil)(tx)
		})
		if runs != 1 || seen == first || seen != s.Host() {
			t.Errorf("ran %d times, as %s, then %s, first %s", runs, seen, s.Host(), first)
		}
		if hosts, err := s.Read().Hosts(t.Context()); len(hosts) != 1 || hosts[0].ID != seen || err != nil {
			t.Errorf("hosts: %v (%v)", hosts, err)
		}
	})
}

// On SQLite the process that has the lock is the only one.
func TestRestartAfterACrash(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		if _, err := s.write.ExecContext(t.Context(), "INSERT INTO hosts (id, beat, commit_id, started_at) VALUES ('host_crashed', 7, '', 0)"); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		hosts, err := d.open(t).Read().Hosts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		left := slices.ContainsFunc(hosts, func(h sqlgen.HostsRow) bool { return h.ID == "host_crashed" })
		if shared := d.url != ""; left != shared { // else it may be another that lives
			t.Errorf("%v", hosts)
		}
	})
}

func look(t *testing.T, w *Watch) []string {
	t.Helper()
	struckOff, err := w.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return struckOff
}

func TestWatch(t *testing.T) {
	onPostgres(t, func(t *testing.T, d database) {
		a, b, c := d.open(t), d.open(t), d.open(t)
		dead, watch := b.Host(), a.Watch()
		alive := func() { // c tells that it lives, b doesn't
			if err := c.Beat(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range deadAfter - 1 {
			alive()
			if got := look(t, watch); got != nil {
				t.Fatalf("struck off too early: %v", got)
			}
		}
		if err := b.Beat(t.Context()); err != nil { // just in time
			t.Fatal(err)
		}
		for range deadAfter - 1 {
			alive()
			if got := look(t, watch); got != nil {
				t.Fatalf("struck off too early: %v", got)
			}
		}
		ended, end := context.WithCancel(t.Context())
		end()
		for range deadAfter {
			if got, err := watch.Look(ended); got != nil || err == nil {
				t.Fatalf("a look that sees nothing struck off %v (%v)", got, err)
			}
		}
		other := c.Watch() // which has seen nothing yet
		if got := look(t, other); got != nil {
			t.Errorf("struck off at first sight: %v", got)
		}
		for range deadAfter - 1 { // the count began anew: the others couldn't beat either
			alive()
			if got := look(t, watch); got != nil {
				t.Fatalf("struck off too early after an outage: %v", got)
			}
		}
		alive()
		if got := look(t, watch); !slices.Equal(got, []string{dead}) {
			t.Errorf("struck off %v, not %s", got, dead)
		}
		hosts, err := a.Read().Hosts(t.Context())
		if err != nil || len(hosts) != 2 || slices.ContainsFunc(hosts, func(h sqlgen.HostsRow) bool { return h.ID == dead }) {
			t.Errorf("hosts: %v (%v)", hosts, err)
		}
		update(t, b, inserts("0", nil)) // it wasn't dead; it goes on as another
		if b.Host() == dead {
			t.Error("it goes on as the same")
		}
	})
}

// A host that beats between the look and the strike lives.
func TestBeatInTime(t *testing.T) {
	onPostgres(t, func(t *testing.T, d database) {
		a, b := d.open(t), d.open(t)
		watch := a.Watch()
		for range deadAfter - 1 {
			look(t, watch)
		}
		release, done := hold(t, a) // so that the strike waits
		var run sync.WaitGroup
		run.Go(func() {
			if got, err := watch.Look(t.Context()); got != nil || err != nil {
				t.Errorf("struck off %v (%v)", got, err)
			}
		})
		waitQueued(t, a, 1)
		if err := b.Beat(t.Context()); err != nil {
			t.Error(err)
		}
		release()
		done()
		run.Wait()
	})
}

// Two that see the same dead host: one strikes it off.
func TestTwoWatches(t *testing.T) {
	onPostgres(t, func(t *testing.T, d database) {
		hosts := []*Store{d.open(t), d.open(t)}
		if _, err := hosts[0].write.ExecContext(t.Context(), "INSERT INTO hosts (id, beat, commit_id, started_at) VALUES ('host_dead', 7, '', 0)"); err != nil {
			t.Fatal(err)
		}
		var n atomic.Int64
		var run sync.WaitGroup
		for _, s := range hosts {
			run.Go(func() {
				watch := s.Watch()
				for range deadAfter {
					struckOff, err := watch.Look(t.Context())
					if err := errors.Join(err, hosts[0].Beat(t.Context()), hosts[1].Beat(t.Context())); err != nil {
						t.Error(err)
					}
					n.Add(int64(len(struckOff)))
				}
			})
		}
		run.Wait()
		if n.Load() != 1 {
			t.Errorf("struck off %d times", n.Load())
		}
	})
}

func TestHostsMigrateTogether(t *testing.T) {
	const n = 8
	d := database{url: pgtest.New(t)}
	stores := make([]*Store, n)
	var run sync.WaitGroup
	for i := range n {
		run.Go(func() {
			s, err := d.tryOpen(t.Context(), Options{})
			if err != nil {
				t.Error(err)
				return
			}
			stores[i] = s
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			if err := s.Update(t.Context(), inserts(string(rune('0'+i)), nil)); err != nil {
				t.Error(err)
			}
		})
	}
	run.Wait()
	if t.Failed() {
		return
	}
	if got := stored(t, stores[0], n); got != "01234567" {
		t.Errorf("stored %s", got)
	}
	if hosts, err := stores[0].Read().Hosts(t.Context()); len(hosts) != n || err != nil {
		t.Errorf("hosts: %v (%v)", hosts, err)
	}
}
