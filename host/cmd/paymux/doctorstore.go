package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/store"
)

// leastSpace is when a disk is called full: a payment takes some KiB, and
// SQLite's log grows to tens of MiB at times.
const leastSpace = 256 << 20

// checkStore looks at the database's surroundings, never into it: a host may be
// writing.
func (d *doctor) checkStore() {
	const check = "store"
	if d.cfg.Store.Kind == config.StorePostgres {
		d.checkPostgres(check)
		return
	}
	path := d.cfg.Store.Path
	if err := writable(path); err != nil {
		d.fail(check, "give the user that runs paymux the right to write there; make the directory if it is missing", "%v", err)
		return
	}
	switch pid, served, err := servedBy(path + ".lock"); {
	case err != nil:
		d.fail(check, "give the user that runs paymux the right to write there", "%v", err)
	case served:
		d.served = true
		d.ok(check, "%s: served by a running paymux%s", path, pid)
	default:
		d.ok(check, "%s: can be written, no paymux serves it", path)
	}
	var disk syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &disk); err == nil {
		if free := uint64(disk.Bavail) * uint64(disk.Bsize); free < leastSpace {
			d.warn(check, "make room before it is full: then no payment can be taken", "only %d MiB are free on its disk", free>>20)
		}
	}
}

// lookTime is how long a database may take to answer.
const lookTime = 5 * time.Second

// checkPostgres asks the server, and changes nothing there. Which hosts serve it
// isn't looked at, as it may be several.
func (d *doctor) checkPostgres(check string) {
	ctx, cancel := context.WithTimeout(d.ctx, lookTime)
	defer cancel()
	server, err := store.LookAtPostgres(ctx, d.cfg.Store.DSN.Reveal())
	if err != nil {
		if server.Address == "" { // the URL can't be read, and isn't shown
			server.Address = "the URL"
		}
		d.fail(check, "start it, or mend what the message names", "%s: %v", server.Address, err)
		return
	}
	d.served = true // perhaps: a host on this machine may be one of several
	d.ok(check, "%s: PostgreSQL %d answers and can be written", server.Address, server.Version)
	if !server.Fsync {
		d.warn(check, "set fsync = on in its configuration", "%s: it runs with fsync off: a power cut can lose payments", server.Address)
	}
}

// writable tries what SQLite needs: new files in the directory, and the database
// itself if it exists.
func writable(path string) error {
	probe, err := os.CreateTemp(filepath.Dir(path), ".paymux-doctor-*")
	if err != nil {
		return err
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return err
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		f.Close() // of a nil file it does nothing
	}
	return nil
}

// servedBy reports whether a process holds the lock of a store, and which if the
// system tells.
func servedBy(lock string) (pid string, served bool, err error) {
	f, err := os.OpenFile(lock, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	defer f.Close() // also ends a lock that was free
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return holder(f), true, nil
	}
	return "", false, err
}

// holder finds the process that holds a lock, where the system has /proc/locks:
//
//	1: FLOCK  ADVISORY  WRITE 4711 fd:00:131076 0 EOF
func holder(f *os.File) string {
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	locks, err := os.Open("/proc/locks")
	if err != nil {
		return ""
	}
	defer locks.Close()
	inode := fmt.Sprintf(":%d", stat.Ino)
	for lines := bufio.NewScanner(locks); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) > 5 && words[1] == "FLOCK" && strings.HasSuffix(words[5], inode) {
			return " (process " + words[4] + ")"
		}
	}
	return ""
}
