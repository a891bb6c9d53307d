package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paymux/paymux/host/internal/pgtest"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

var ctxOfChild = context.Background()

// TestMain lets the test binary be another process of paymux too.
func TestMain(m *testing.M) {
	path := os.Getenv("STORE_TEST_PATH")
	switch os.Getenv("STORE_TEST_ROLE") {
	case "":
		os.Exit(pgtest.Main(m))
	case "serve":
		serveForEver(path)
	case "full disk":
		fullDisk(path)
	}
}

// serveForEver holds the database until it is killed.
func serveForEver(path string) {
	_, err := OpenSQLite(ctxOfChild, path, Options{})
	if errors.Is(err, ErrLocked) {
		fmt.Println("refused")
		return
	}
	fmt.Println("serving", err)
	_, _ = os.Stdin.Read(make([]byte, 1)) // for ever: the other end stays open
}

func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "STORE_TEST_ROLE="+role, "STORE_TEST_PATH="+path)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

func TestOneProcess(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "paymux.db")
	other := child(t, "serve", path)
	if _, err := other.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 100)
	n, _ := out.Read(line)
	if got := string(line[:n]); got != "serving <nil>\n" {
		t.Fatalf("the other process: %q", got)
	}
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink("paymux.db", link); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.Symlink(dir, folder); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link, filepath.Join(folder, "paymux.db"), dir + "/../" + filepath.Base(dir) + "/paymux.db"} {
		_, err := OpenSQLite(t.Context(), name, Options{})
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "paymux.db.lock") {
			t.Errorf("%s was opened beside another process, or the error doesn't name the lock: %v", name, err)
		}
	}
	if err := other.Process.Kill(); err != nil { // which leaves the lock file
		t.Fatal(err)
	}
	_ = other.Wait()
	s := open(t, path)
	if _, err := OpenSQLite(t.Context(), path, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("this process opened it twice: %v", err)
	}
	if refused, err := child(t, "serve", path).Output(); string(refused) != "refused\n" {
		t.Errorf("the other process: %q, %v", refused, err)
	}
	insert(t, s, payment("1", nil)) // those who were refused broke nothing
}

// A store that can't be opened says which file it is and why, and holds no lock.
func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("this is a letter, not a database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(dir, "taken")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	lockTaken := filepath.Join(dir, "x.db")
	if err := os.Mkdir(lockTaken+".lock", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ why, path, want string }{
		{"no folder", filepath.Join(dir, "absent", "paymux.db"), "the folder must exist"},
		{"a file for a folder", filepath.Join(file, "paymux.db"), "not a directory"},
		{"a folder for a file", taken, taken},
		{"no database", file, "not a database"},
		{"the lock can't be made", lockTaken, "the folder must be writable"},
	} {
		s, err := OpenSQLite(t.Context(), tt.path, Options{})
		if s != nil || err == nil {
			t.Fatalf("%s: opened", tt.why)
		}
		if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the error must name the path and say %q: %v", tt.why, tt.want, err)
		}
		if _, again := OpenSQLite(t.Context(), tt.path, Options{}); again == nil || again.Error() != err.Error() {
			t.Errorf("%s: another error at the second try: %v", tt.why, again)
		}
	}
}

func TestOpenInAFolderThatCantBeWritten(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere; run the tests as another user")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := OpenSQLite(t.Context(), filepath.Join(dir, "paymux.db"), Options{})
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "the folder must be writable") {
		t.Error(err)
	}
}

// An earlier paymux must not serve what a later one wrote.
func TestNewerSchema(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		if _, err := s.write.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, CAST(1 AS BOOLEAN))"); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := d.tryOpen(t.Context(), Options{})
		if err == nil || s != nil || !strings.Contains(err.Error(), "version 999") {
			t.Errorf("opened a later version's database: %v", err)
		}
	})
}

func TestCloseTwice(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := s.CheckWritable(t.Context()); err == nil {
			t.Error("a closed store is writable")
		}
		if err := s.Update(t.Context(), func(*Tx) error { return nil }); err == nil {
			t.Error("a closed store was updated")
		}
	})
}

func TestCheckWritable(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		before := beat(t, s)
		for range 100 {
			if err := s.CheckWritable(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.checked = time.Now() // however slow this machine is
		}
		switch written := beat(t, s) - before; {
		case written == 0:
			t.Error("nothing was written, so a full disk would not be noticed")
		case written > 1:
			t.Error("each question for readiness writes: anybody could keep the disk busy")
		}
	})
}

// fullDisk is a child in which no file may grow: what a full disk does.
func fullDisk(path string) {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := OpenSQLite(ctxOfChild, path, Options{})
	check(err == nil, "open: ", err)
	put := func(id string) error {
		return s.Update(ctxOfChild, func(tx *Tx) error {
			return tx.InsertPayment(ctxOfChild, sqlgen.InsertPaymentParams(payment(id, nil)))
		})
	}
	check(put("1") == nil, "the first payment")
	check(s.CheckWritable(ctxOfChild) == nil, "writable")
	var limit syscall.Rlimit
	check(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit) == nil, "getrlimit")
	wal, err := os.Stat(path + "-wal")
	check(err == nil, err)
	full := limit
	full.Cur = uint64(wal.Size())
	check(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full) == nil, "setrlimit")
	s.checked = time.Time{}
	check(s.CheckWritable(ctxOfChild) != nil, "a full disk was not noticed")
	check(s.CheckWritable(ctxOfChild) != nil, "a full disk was forgotten")
	check(put("2") != nil, "stored on a full disk")
	check(put("2") != nil, "stored on a full disk")
	_, err = s.Read().Payment(ctxOfChild, "pay_1")
	check(err == nil, "what is stored can't be read: ", err)
	check(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit) == nil, "setrlimit back")
	s.checked = time.Time{}
	err = s.CheckWritable(ctxOfChild)
	check(err == nil, "there is room again: ", err)
	err = put("2")
	check(err == nil, "there is room again: ", err)
	fmt.Println("passed", s.Close())
}

func check(ok bool, what ...any) {
	if !ok {
		fmt.Println(what...)
		os.Exit(1)
	}
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paymux.db")
	if out, err := child(t, "full disk", path).CombinedOutput(); string(out) != "passed <nil>\n" {
		t.Fatalf("%s%v", out, err)
	}
	s := open(t, path)
	for _, id := range []string{"pay_1", "pay_2"} {
		if _, err := s.Read().Payment(t.Context(), id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}
