package pgtest

import (
	"context"
	"fmt"
	"reflect"
	"syscall"
	"testing"
	"time"
)

// most is how long a statement of this package may take.
const most = time.Minute

// New returns the URL of an empty database, which is dropped when the test ends.
func (s *Server) New(t testing.TB) (url string) {
	t.Helper()
	return s.create(t, "template0")
}

// NewFrom returns the URL of a copy of the database that prepare made once. It
// is much faster than to migrate for each test. prepare leaves no connection.
func (s *Server) NewFrom(t testing.TB, prepare func(url string) error) (url string) {
	t.Helper()
	template, err := s.template(prepare)
	if err != nil {
		t.Fatal(err)
	}
	return s.create(t, template)
}

func (s *Server) template(prepare func(url string) error) (string, error) {
	key := reflect.ValueOf(prepare).Pointer()
	s.mu.Lock()
	defer s.mu.Unlock()
	if name := s.templates[key]; name != "" {
		return name, nil
	}
	name := fmt.Sprint("template_of_", len(s.templates))
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	if err := s.Exec(ctx, "postgres", "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return "", err
	}
	if err := prepare(s.URL(name)); err != nil {
		return "", err
	}
	s.templates[key] = name
	return name, nil
}

func (s *Server) create(t testing.TB, template string) (url string) {
	t.Helper()
	s.mu.Lock() // also: PostgreSQL copies a template for one at a time
	defer s.mu.Unlock()
	s.databases++
	name := fmt.Sprint("test_", s.databases)
	run := func(statement string) error {
		ctx, cancel := context.WithTimeout(context.Background(), most)
		defer cancel()
		return s.Exec(ctx, "postgres", statement)
	}
	if err := run("CREATE DATABASE " + name + " TEMPLATE " + template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !s.running() { // a test that ended it has no use for the data either
			return
		}
		if err := run("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return s.URL(name)
}

func (s *Server) running() bool {
	select {
	case <-s.run.ended:
		return false
	default:
		return true
	}
}

// Crash ends the server at once, as pg_ctl stop -m immediate does.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	if err := s.stop(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
}

// Restart starts a server that was ended, on what it had made durable.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Terminate ends the connections to a database for which condition is true of
// their row in pg_stat_activity, and returns how many these were.
func (s *Server) Terminate(t testing.TB, condition string) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	err := s.scan(ctx, "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND ("+condition+")", &n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// KillBackend kills one such process with SIGKILL. PostgreSQL then ends all
// others too and recovers, as after a crash. It reports whether there was one.
func (s *Server) KillBackend(t testing.TB, condition string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	var pid int
	err := s.scan(ctx, "SELECT COALESCE(MIN(pid), 0) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND ("+condition+")", &pid)
	if err != nil {
		t.Fatal(err)
	}
	if pid == 0 {
		return false
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	return true
}

// WaitFor waits until condition is true of a connection's row in pg_stat_activity.
func (s *Server) WaitFor(t testing.TB, condition string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	for {
		var n int
		err := s.scan(ctx, "SELECT COUNT(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND ("+condition+")", &n)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("no connection with %s", condition)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
