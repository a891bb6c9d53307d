package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// ErrLocked says that another process serves this database.
var ErrLocked = errors.New("another paymux process serves this database")

// OpenSQLite opens or creates the database file and brings it up to date. One
// process at a time serves it, held by a lock file beside it. A new file is
// readable by its owner only; what lies beside it gets the same mode.
func OpenSQLite(ctx context.Context, path string, o Options) (*Store, error) {
	path, err := realPath(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w; the folder must exist", err)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &Store{lock: lock}
	if err := s.openSQLite(ctx, path, o); err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", path, err), s.Close())
	}
	return s, nil
}

// realPath returns the one path of a file that may not exist yet: two names of
// one file must not lead to two locks.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if existing, err := filepath.EvalSymlinks(path); err == nil {
		return existing, nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(dir, filepath.Base(path)), err
}

// create makes an empty database that only its owner can read. A file that is
// there is left alone: to open and close it here would drop SQLite's own locks.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func (s *Store) openSQLite(ctx context.Context, path string, o Options) (err error) {
	if err := create(path); err != nil {
		return err
	}
	// FULL: an acknowledged commit survives a power cut. Immediate: a
	// transaction that reads and then writes never loses the lock in between.
	durable := []string{"_txlock=immediate", "_pragma=synchronous(FULL)", "_pragma=fullfsync(1)"}
	if o.NoSync {
		durable[1] = "_pragma=synchronous(OFF)"
	}
	if s.write, err = connect(dsn(path, durable...)); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1) // SQLite has one writer; more would only wait
	driver := riversqlite.New(s.write)
	if err := migrate(ctx, goose.DialectSQLite3, s.write, driver); err != nil {
		return err
	}
	// River's leader was the process that held the lock file before. Without this
	// nothing scheduled would run until its term is over.
	if _, err := s.write.ExecContext(ctx, "DELETE FROM river_leader"); err != nil {
		return err
	}
	if s.read, err = connect(dsn(path, "_pragma=query_only(1)")); err != nil {
		return err
	}
	readers := max(4, runtime.NumCPU())
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers) // a new one reads the schema and prepares all anew
	return s.start(ctx, driver, o)
}

func dsn(path string, options ...string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	query := "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)"
	for _, o := range options {
		query += "&" + o
	}
	return u.String() + "?" + query
}

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: %w; the folder must be writable", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("store: lock %s: %w; the database must be on a local file system", path, err)
		}
		return nil, fmt.Errorf("%w (lock file %s)", ErrLocked, path)
	}
	return f, nil
}
