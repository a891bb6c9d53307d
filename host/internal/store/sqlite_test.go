package store

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// The path is one of the file system, whatever it means in a URL.
func TestPaths(t *testing.T) {
	for _, name := range []string{
		"plain.db", "with space.db", "what?mode=memory", "#1.db", "100%.db", "%41.db", "a&_pragma=x.db", "a;b'\".db", "茶.db", "+.db", ":memory:", "file:x.db", "a\\b.db",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "folder of "+name)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			t.Chdir(dir)
			newFile(t, filepath.Join(dir, name)) // another that is opened gets tables and stays
			for _, path := range []string{filepath.Join(dir, name), name, "./" + name, "../" + filepath.Base(dir) + "/" + name} {
				s := open(t, path)
				if _, err := s.Read().Payment(t.Context(), "pay_1"); path == filepath.Join(dir, name) {
					insert(t, s, payment("1", nil))
				} else if err != nil {
					t.Errorf("%s is another database: %v", path, err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 2 || left[0].Name() != name || left[1].Name() != name+".lock" {
				t.Errorf("the folder holds %v (%v)", left, err)
			}
		})
	}
}

// Payments are nobody else's business on the machine.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "paymux.db")
	insert(t, open(t, path), payment("1", nil))
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
}

func pragma(t *testing.T, db *sql.DB, name string) (value string) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
		t.Fatal(name, err)
	}
	return value
}

// Durability rests on settings that SQLite takes silently or not at all.
func TestSettingsOfSQLite(t *testing.T) {
	s := openNew(t)
	s.write.SetMaxIdleConns(0) // each question is of a new connection: they hold for those too
	s.read.SetMaxIdleConns(0)
	for _, tt := range []struct{ name, write, read, why string }{
		{"journal_mode", "wal", "wal", "readers never wait for the writer"},
		{"synchronous", "2", "", "an acknowledged commit survives a power cut"},
		{"fullfsync", "1", "", "also on macOS, whose fsync stops at the disk's cache"},
		{"foreign_keys", "1", "1", "no timeline without its payment"},
		{"busy_timeout", "10000", "10000", "a lock held by a backup is waited for"},
		{"query_only", "0", "1", "what reads must not write"},
	} {
		if got := pragma(t, s.write, tt.name); got != tt.write {
			t.Errorf("%s is %s for the writer, not %s: %s", tt.name, got, tt.write, tt.why)
		}
		if got := pragma(t, s.read, tt.name); tt.read != "" && got != tt.read {
			t.Errorf("%s is %s for readers, not %s: %s", tt.name, got, tt.read, tt.why)
		}
	}
	if got := s.write.Stats().MaxOpenConnections; got != 1 {
		t.Errorf("%d writers", got)
	}
	if err := s.Read().InsertPayment(t.Context(), sqlgen.InsertPaymentParams(payment("1", nil))); err == nil {
		t.Error("a reader wrote")
	}
}

// From its first read an Update has the writer's lock: a backup or a person with
// a shell can't write between its read and its write.
func TestUpdateHoldsTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paymux.db")
	s := open(t, path)
	insert(t, s, payment("1", nil))
	outside, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	write := func() error {
		_, err := outside.ExecContext(t.Context(), "UPDATE payments SET tries = tries + 1")
		return err
	}
	update(t, s, func(tx *Tx) error {
		if err := write(); err == nil || !strings.Contains(err.Error(), "locked") {
			t.Errorf("somebody else wrote: %v", err)
		}
		return nil
	})
	if err := write(); err != nil {
		t.Errorf("the lock is still held: %v", err)
	}
}
