// Package pgtest runs a PostgreSQL of its own for tests, from the binaries of the
// system. A test binary's server ends with it, even if it is killed.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// shared is the server of the tests that don't disturb it.
var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Main runs the tests of a binary and ends the server that New started. It
// returns the exit code: func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.remove(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			return max(code, 1)
		}
	}
	return code
}

// New returns the URL of an empty database, which is dropped when the test ends.
// All such databases are in one server, without fsync.
func New(t testing.TB) (url string) {
	t.Helper()
	return common(t).New(t)
}

// NewFrom returns the URL of a copy of the database that prepare made once.
func NewFrom(t testing.TB, prepare func(url string) error) (url string) {
	t.Helper()
	return common(t).NewFrom(t, prepare)
}

func common(t testing.TB) *Server {
	t.Helper()
	need(t)
	shared.once.Do(func() {
		shared.server, shared.err = start("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=4GB")
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// Start starts a server that only this test uses, to stop it, kill its backends
// or change its settings, such as "max_connections=20". It is durable.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	need(t)
	s, err := start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// need skips a test if there is no PostgreSQL; that is a failure with NO_SKIP=1.
func need(t testing.TB) {
	t.Helper()
	if Installed() {
		return
	}
	const text = "SKIPPED, NOT PASSED: there is no PostgreSQL in PATH or /usr/lib/postgresql/*/bin (apt-get install postgresql)"
	if os.Getenv("NO_SKIP") == "1" {
		t.Fatal(text)
	}
	t.Skip(text)
}

// Installed reports whether there is a PostgreSQL to start.
func Installed() bool {
	_, err := binaries()
	return err == nil
}

// binaries returns the folder of initdb and postgres. Debian keeps them outside
// PATH; the newest version counts.
func binaries() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		path, err = filepath.EvalSymlinks(path) // initdb looks beside itself for postgres
		return filepath.Dir(path), err
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", errors.Join(exec.ErrNotFound, err)
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

// Server is a running PostgreSQL. It listens on a unix socket in its own folder.
type Server struct {
	bin, dir string
	settings []string
	as       *syscall.Credential // nobody instead of root, which PostgreSQL refuses
	run      *process

	mu        sync.Mutex
	databases int
	templates map[uintptr]string
}

func start(settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, settings: settings, templates: map[uintptr]string{}}
	if err := errors.Join(s.makeFolder(), s.initdb()); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.remove())
	}
	return s, nil
}

// makeFolder makes a folder that belongs to the server's user. The path of a
// socket has at most 107 bytes.
func (s *Server) makeFolder() (err error) {
	parent := os.TempDir()
	if len(parent) > 60 {
		parent = "/tmp"
	}
	if s.dir, err = os.MkdirTemp(parent, "pgtest-"); err != nil || os.Geteuid() != 0 {
		return err
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return fmt.Errorf("PostgreSQL doesn't run as root: %w", err)
	}
	uid, err := strconv.Atoi(nobody.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(nobody.Gid)
	if err != nil {
		return err
	}
	s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, uid, gid)
}

func (s *Server) initdb() error {
	p, err := s.launch("initdb", "-D", s.data(), "-U", "paymux", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	if err != nil {
		return err
	}
	<-p.ended
	return p.err()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// process is a child that dies with this process.
type process struct {
	cmd    *exec.Cmd
	output bytes.Buffer  // to read once it has ended
	ended  chan struct{} // closed then
	wait   error
}

// err is nil if it ended well. Only after it has ended.
func (p *process) err() error {
	if p.wait == nil {
		return nil
	}
	text := p.output.Bytes()
	return fmt.Errorf("%s: %w\n%s", filepath.Base(p.cmd.Path), p.wait, text[max(0, len(text)-4000):])
}

func (s *Server) launch(name string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(filepath.Join(s.bin, name), args...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = s.dir, &p.output, &p.output
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	p.cmd.SysProcAttr = attributes(s.as)
	started := make(chan error)
	go func() {
		// The parent-death signal is sent when the thread ends that started the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.wait = p.cmd.Wait()
			close(p.ended)
		}
	}()
	return p, <-started
}

// start starts the server on its data, and waits until it answers.
func (s *Server) start() error {
	args := []string{"-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "port=5432", "-c", "max_connections=300", "-c", "shared_buffers=32MB"}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	p, err := s.launch("postgres", args...)
	if err != nil {
		return err
	}
	s.run = p
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		err := s.Exec(ctx, "postgres", "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return errors.Join(errors.New("the server ended"), p.err())
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop sends a signal and waits until the server has ended.
func (s *Server) stop(signal syscall.Signal) error {
	if s.run == nil {
		return nil
	}
	if err := s.run.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.run.ended:
		return nil
	case <-time.After(time.Minute):
		return fmt.Errorf("PostgreSQL (process %d) doesn't end", s.run.cmd.Process.Pid)
	}
}

// remove ends the server for good. Its data need not be whole.
func (s *Server) remove() error {
	return errors.Join(s.stop(syscall.SIGQUIT), os.RemoveAll(s.dir))
}

// URL returns that of a database.
func (s *Server) URL(database string) string { return socketURL(s.dir, database) }

func socketURL(dir, database string) string {
	return "postgres://paymux@/" + database + "?" + url.Values{"host": {dir}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()
}

// scan reads one value, by a connection to the database postgres.
func (s *Server) scan(ctx context.Context, query string, value any) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	err = conn.QueryRow(ctx, query).Scan(value)
	return errors.Join(err, conn.Close(ctx))
}

// Exec runs a statement in a database by a connection of its own.
func (s *Server) Exec(ctx context.Context, database, statement string, args ...any) error {
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement, args...)
	return errors.Join(err, conn.Close(ctx))
}
