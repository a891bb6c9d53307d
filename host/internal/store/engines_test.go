package store

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/paymux/paymux/host/internal/pgtest"
)

// database is one that tests open, once or several times.
type database struct {
	url  string // PostgreSQL's
	path string // SQLite's
}

// engines make a new database. It has its tables already: to make them takes
// longer than most tests.
var engines = []struct {
	name string
	make func(t *testing.T) database
}{
	{"sqlite", func(t *testing.T) database {
		return database{path: newFile(t, filepath.Join(t.TempDir(), "paymux.db"))}
	}},
	{"postgres", func(t *testing.T) database { return database{url: pgtest.NewFrom(t, makeTables)} }},
}

// empty is a SQLite file with tables only.
var empty = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "store-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "paymux.db")
	s, err := OpenSQLite(context.Background(), path, Options{})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func newFile(t *testing.T, path string) string {
	t.Helper()
	file, err := empty()
	if err == nil {
		err = os.WriteFile(path, file, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func makeTables(url string) error {
	s, err := OpenPostgres(context.Background(), url, Options{})
	if err != nil {
		return err
	}
	return s.Close()
}

// eachDatabase runs a test on each engine.
func eachDatabase(t *testing.T, test func(t *testing.T, d database)) {
	t.Helper()
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { test(t, e.make(t)) })
	}
}

// each runs a test on a new store of each engine.
func each(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	eachDatabase(t, func(t *testing.T, d database) { test(t, d.open(t)) })
}

// onPostgres runs a test that is of no use on SQLite.
func onPostgres(t *testing.T, test func(t *testing.T, d database)) {
	t.Helper()
	test(t, engines[1].make(t))
}

func (d database) tryOpen(ctx context.Context, o Options) (*Store, error) {
	if d.path != "" {
		return OpenSQLite(ctx, d.path, o)
	}
	return OpenPostgres(ctx, d.url, o)
}

func (d database) open(t *testing.T) *Store {
	t.Helper()
	return d.openWith(t, Options{})
}

func (d database) openWith(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := d.tryOpen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// open opens a SQLite file.
func open(t *testing.T, path string) *Store {
	t.Helper()
	return database{path: path}.open(t)
}

// openNew opens a new SQLite file.
func openNew(t *testing.T) *Store {
	t.Helper()
	return open(t, newFile(t, filepath.Join(t.TempDir(), "paymux.db")))
}

// update fails the test if it can't.
func update(t *testing.T, s *Store, run func(*Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), run); err != nil {
		t.Fatal(err)
	}
}

// beat is how many transactions the store has begun that count.
func beat(t *testing.T, s *Store) int64 {
	t.Helper()
	hosts, err := s.Read().Hosts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		if h.ID == s.Host() {
			return h.Beat
		}
	}
	t.Fatal("this host isn't in the database")
	return 0
}
