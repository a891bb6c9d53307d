package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestMain lets the test binary be one that is killed, too.
func TestMain(m *testing.M) {
	if os.Getenv("PGTEST_ROLE") == "" {
		os.Exit(Main(m))
	}
	s, err := start()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.run.cmd.Process.Pid, s.dir)
	_, _ = os.Stdin.Read(make([]byte, 1)) // until it is killed
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func exec1(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func value(t *testing.T, url, query string) (v string) {
	t.Helper()
	if err := connect(t, url).QueryRow(t.Context(), query).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

const (
	makeTable = "CREATE TABLE things (name TEXT)"
	names     = "SELECT COALESCE(STRING_AGG(name, ' ' ORDER BY name), '') FROM things"
)

func TestDatabases(t *testing.T) {
	a, b := New(t), New(t)
	exec1(t, connect(t, a), makeTable)
	exec1(t, connect(t, b), makeTable) // it isn't there yet
	prepare := func(url string) error {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(t.Context(), makeTable+"; INSERT INTO things VALUES ('prepared')")
		return errors.Join(err, conn.Close(t.Context()))
	}
	for range 2 {
		url := NewFrom(t, prepare)
		exec1(t, connect(t, url), "INSERT INTO things VALUES ('more')")
		if got := value(t, url, names); got != "more prepared" {
			t.Errorf("a copy has %q", got)
		}
	}
	if value(t, a, "SHOW fsync") != "off" {
		t.Error("the common server waits for the disk")
	}
}

func TestCrash(t *testing.T) {
	s := Start(t, "max_connections=30")
	url := s.New(t)
	if value(t, url, "SHOW fsync") != "on" || value(t, url, "SHOW max_connections") != "30" {
		t.Error("not the settings that were asked for")
	}
	conn := connect(t, url)
	exec1(t, conn, makeTable)
	for _, statement := range []string{"INSERT INTO things VALUES ('durable')", "BEGIN", "INSERT INTO things VALUES ('open')"} {
		exec1(t, conn, statement) // together they would be one transaction
	}
	for what, crash := range map[string]func(){
		"the server": func() { s.Crash(t); s.Restart(t) },
		"a backend": func() {
			victim := connect(t, url)
			exec1(t, victim, "SET application_name = 'victim'")
			if !s.KillBackend(t, "application_name = 'victim'") {
				t.Error("no backend to kill")
			}
			for _, err := victim.Exec(t.Context(), "SELECT 1"); err == nil; {
				t.Fatal("it lives")
			}
			until(t, "it has recovered", func() bool { return s.Exec(t.Context(), "postgres", "SELECT 1") == nil })
		},
	} {
		crash()
		if got := value(t, url, names); got != "durable" {
			t.Errorf("after %s was killed: %q", what, got)
		}
	}
	conn = connect(t, url)
	exec1(t, conn, "SET application_name = 'victim'")
	s.WaitFor(t, "application_name = 'victim' AND state = 'idle'")
	if n := s.Terminate(t, "application_name = 'victim'"); n != 1 {
		t.Errorf("ended %d connections", n)
	}
	if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("it is still connected")
	}
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestProxy(t *testing.T) {
	for i, tt := range []struct {
		fate      Fate
		told, was bool // committed
	}{{Passes, true, true}, {Vanishes, false, false}, {LosesAnswer, false, true}, {StandsBefore, false, false}, {BreaksAfter, false, true}} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			direct := New(t)
			exec1(t, connect(t, direct), makeTable)
			proxied := connect(t, NewProxy(t, direct, func() Fate { return tt.fate }))
			exec1(t, proxied, "BEGIN")
			exec1(t, proxied, "INSERT INTO things VALUES ('commit')")
			_, err := proxied.Exec(t.Context(), "commit")
			if (err == nil) != tt.told {
				t.Errorf("the client was told %v", err)
			}
			want := ""
			if tt.was {
				want = "commit"
			}
			until(t, "it stores "+want, func() bool { return value(t, direct, names) == want })
		})
	}
}

// Nothing is left running by a test binary that is killed.
func TestDiesWithItsBinary(t *testing.T) {
	need(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "PGTEST_ROLE=victim")
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	line := make([]byte, 300)
	n, err := out.Read(line)
	pidText, dir, _ := strings.Cut(strings.TrimSpace(string(line[:n])), " ")
	pid, errPid := strconv.Atoi(pidText)
	if err := errors.Join(err, errPid); err != nil {
		t.Fatalf("%v: %s", err, line[:n])
	}
	defer os.RemoveAll(dir)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	until(t, "the server ends", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || zombie(pid) })
}

// zombie tells of a process that has ended, but whose new parent hasn't asked.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
