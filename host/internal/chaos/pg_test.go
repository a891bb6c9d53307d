//go:build linux

package chaos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is a PostgreSQL server for one world, which can be stopped like by a
// power cut.
type server struct {
	t      testing.TB
	bin    string
	dir    string
	as     *syscall.Credential // PostgreSQL doesn't run as root
	cmd    *exec.Cmd
	exited chan struct{}

	mu   sync.Mutex
	made int // databases
}

// findPostgres returns the folder of PostgreSQL's programs, "" if there is none.
func findPostgres() string {
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path)
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[len(found)-1])
}

// newServer starts a server on a copy of an empty cluster. It listens on a unix
// socket in a folder of its own: ports could meet another's.
func newServer(t testing.TB) (*server, error) {
	s := &server{t: t, bin: findPostgres()}
	template, err := emptyCluster(s.bin)
	if err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("", "paymux-chaos-pg-"); err != nil {
		return nil, err
	}
	if s.as, err = unprivileged(s.dir); err != nil {
		return nil, err
	}
	if out, err := exec.Command("cp", "-a", template, s.data()).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("copy the cluster: %w: %s", err, out)
	}
	return s, s.start()
}

func (s *server) data() string { return filepath.Join(s.dir, "data") }

// unprivileged gives a folder to who shall run the server, if this is root.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.Atoi(nobody.Uid)
	gid, err2 := strconv.Atoi(nobody.Gid)
	if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: true}, nil
}

var cluster struct {
	once sync.Once
	dir  string
	err  error
}

// emptyCluster makes a cluster once; it lies with the binaries.
func emptyCluster(pg string) (string, error) {
	cluster.once.Do(func() {
		cluster.dir, cluster.err = os.MkdirTemp("", "paymux-chaos-pg-")
		if cluster.err != nil {
			return
		}
		var as *syscall.Credential
		if as, cluster.err = unprivileged(cluster.dir); cluster.err != nil {
			return
		}
		initdb := exec.Command(filepath.Join(pg, "initdb"), "-D", filepath.Join(cluster.dir, "data"), "-U", "paymux", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
		initdb.Dir, initdb.SysProcAttr = cluster.dir, &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGKILL}
		if out, err := initdb.CombinedOutput(); err != nil {
			cluster.err = fmt.Errorf("initdb: %w: %s", err, out)
		}
	})
	return filepath.Join(cluster.dir, "data"), cluster.err
}

// start starts the server and waits until it answers.
func (s *server) start() error {
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=300", "-c", "shared_buffers=32MB")
	s.cmd.Dir = s.dir
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGQUIT, Setpgid: true} // SIGQUIT is its immediate shutdown
	log := &lockedBuffer{}
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	cmd := s.cmd
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	s.exited = exited
	return poll(time.Minute, "PostgreSQL starts", func() bool {
		select {
		case <-exited:
			s.t.Log(log.String())
			return true
		default:
			return s.exec("SELECT 1") == nil
		}
	})
}

// url of a database, by the socket.
func (s *server) url(name string) string {
	return "postgres://paymux@/" + name + "?sslmode=disable&host=" + url.QueryEscape(s.dir)
}

func (s *server) exec(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// newDatabase makes an empty one.
func (s *server) newDatabase() (database, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	name := fmt.Sprintf("chaos%d", s.made)
	return database{store: s.url(name), driver: "pgx", source: s.url(name), jobID: "args->>'id'"}, s.exec("CREATE DATABASE " + name)
}

// crash is pg_ctl stop -m immediate: no connection hears why.
func (s *server) crash() {
	_ = s.cmd.Process.Signal(syscall.SIGQUIT)
	<-s.exited
}

// backends are the process ids of the hosts' connections.
func (s *server) backends() ([]int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT pid FROM pg_stat_activity WHERE application_name = 'paymux' ORDER BY pid")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []int
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			return nil, err
		}
		list = append(list, pid)
	}
	return list, rows.Err()
}

// close stops the server and removes its data.
func (s *server) close() {
	if s.cmd != nil && s.cmd.Process != nil {
		s.crash()
	}
	os.RemoveAll(s.dir)
}

// shared is a server that worlds share which do it no harm.
var shared struct {
	once sync.Once
	s    *server
	err  error
}

var postgres = engine{"postgres", func(t testing.TB, _ string) database {
	t.Helper()
	shared.once.Do(func() { shared.s, shared.err = newServer(t) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	d, err := shared.s.newDatabase()
	if err != nil {
		t.Fatal(err)
	}
	return d
}}

// needPostgres skips a test, loudly, on a machine that hasn't any.
func needPostgres(t *testing.T) {
	t.Helper()
	if findPostgres() == "" {
		lacks(t, "there is no PostgreSQL (apt-get install postgresql)")
	}
}
