package store

import (
	"errors"
	"sync"
	"testing"

	"github.com/paymux/paymux/host/internal/pgtest"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// TestManyHostsStart: hosts that start together on an empty database don't stand
// in each other's way.
func TestManyHostsStart(t *testing.T) {
	url := pgtest.New(t)
	var all sync.WaitGroup
	stores := make([]*Store, 8)
	for i := range stores {
		all.Go(func() {
			var err error
			if stores[i], err = OpenPostgres(t.Context(), url, Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	names := map[string]bool{}
	for _, s := range stores {
		if s == nil {
			continue
		}
		names[s.Host()] = true
		if err := errors.Join(s.CheckWritable(t.Context()), s.Close()); err != nil {
			t.Error(err)
		}
	}
	if len(names) != len(stores) {
		t.Errorf("%d names", len(names))
	}
}

// TestWatch: who stands still is struck off, who beats is not, nor the watcher.
func TestWatch(t *testing.T) {
	url := pgtest.New(t)
	a, still, alive := openPostgres(t, url), openPostgres(t, url), openPostgres(t, url)
	watch := a.Watch()
	for look := 1; look <= 2*deadAfter; look++ {
		if err := alive.Beat(t.Context()); err != nil {
			t.Fatal(err)
		}
		struck, err := watch.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := look == deadAfter; (len(struck) == 1 && struck[0] == still.Host()) != want || len(struck) > 1 {
			t.Errorf("look %d struck off %v", look, struck)
		}
	}
	// It was only slow: it learns so before it writes, and takes a new name.
	was := still.Host()
	insert(t, still, payment("1", nil))
	if still.Host() == was {
		t.Error("it goes on under its old name")
	}
	if err := alive.Update(t.Context(), func(tx *Tx) error { return tx.DeleteThisHost(t.Context(), alive.Host()) }); err != nil {
		t.Fatal(err)
	}
	seen := ""
	err := alive.Update(t.Context(), func(*Tx) error { seen = alive.Host(); return nil })
	if err != nil || seen != alive.Host() {
		t.Errorf("fn ran as %s, the host is %s (%v)", seen, alive.Host(), err)
	}
}

// TestWatchDuringAnOutage: a database that was away makes nobody dead.
func TestWatchDuringAnOutage(t *testing.T) {
	server := pgtest.Start(t)
	url := server.New(t)
	a, b := openPostgres(t, url), openPostgres(t, url)
	watch := a.Watch()
	if _, err := watch.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Crash(t)
	for range 3 * deadAfter {
		if _, err := watch.Look(t.Context()); err == nil {
			t.Fatal("it looked at a database that is away")
		}
	}
	server.Restart(t)
	for look := 0; look < deadAfter-1; {
		struck, err := watch.Look(t.Context())
		if err != nil {
			continue // connections of before the outage
		}
		if look++; len(struck) > 0 {
			t.Fatalf("struck off %v", struck)
		}
	}
	if err := b.Beat(t.Context()); err != nil {
		t.Log(err) // its connection was cut: the next one does it
	}
}

// TestOneHostOnSQLite: whoever opens the file is its only host.
func TestOneHostOnSQLite(t *testing.T) {
	s := openNew(t)
	err := s.Update(t.Context(), func(tx *Tx) error {
		return tx.InsertHost(t.Context(), sqlgen.InsertHostParams{ID: "host_dead", StartedAt: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.register(t.Context()); err != nil {
		t.Fatal(err)
	}
	hosts, err := s.Read().Hosts(t.Context())
	if err != nil || len(hosts) != 1 || hosts[0].ID != s.Host() {
		t.Errorf("%v, %v", hosts, err)
	}
}
