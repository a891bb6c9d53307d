//go:build linux

package chaos

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sync/errgroup"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// ready reports what /readyz says of the one host.
func (w *world) ready() bool {
	h := w.anyHost()
	if h == nil {
		return false
	}
	answer, err := w.client.Get(h.url + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// starved has three shops order until the store takes no more. It returns what
// was answered with 503, and what was taken before.
func (w *world) starved(prefix string) (refused, taken []request, err error) {
	var mu sync.Mutex
	var shops errgroup.Group
	for shop := range 3 {
		shops.Go(func() error {
			for n := range 2000 {
				r := request{id: fmt.Sprintf("%s-%d-%d", prefix, shop, n)}
				w.mu.Lock()
				w.payments++
				w.mu.Unlock()
				a, err := w.post(r)
				mu.Lock()
				if err == nil {
					taken = append(taken, r)
				} else {
					refused = append(refused, r)
				}
				mu.Unlock()
				switch {
				case err != nil && a.code == http.StatusServiceUnavailable:
					return nil
				case err != nil:
					return fmt.Errorf("the store takes nothing, and the shop is told: %w", err)
				}
			}
			return errors.New("the store takes all")
		})
	}
	if err := shops.Wait(); err != nil {
		return refused, taken, err
	}
	return refused, taken, w.await("the host says that it isn't ready", func() bool { return !w.ready() })
}

func (w *world) payAll(list []request) error {
	var all []error
	for _, r := range list {
		all = append(all, w.pay(r))
	}
	return errors.Join(all...)
}

func (w *world) buyAll(list []request) error {
	var all []error
	for _, r := range list {
		all = append(all, w.buy(r))
	}
	return errors.Join(all...)
}

// disk can be filled, and given room again.
type disk struct {
	dir        string
	fill, free func(h *host) error
}

// smallDisk mounts one under the world. Who may not mount gets a limit on the
// size of the host's files.
func (w *world) smallDisk(t *testing.T) disk {
	t.Helper()
	dir := filepath.Join(w.dir, "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if !mount(dir) {
		t.Log("no disk can be mounted here; the size of files is limited instead")
		return disk{dir, func(h *host) error { return limitFiles(h, 64<<10) }, func(h *host) error { return limitFiles(h, 1<<40) }}
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	filler := filepath.Join(dir, "filler")
	return disk{dir, func(*host) error { return fill(filler) }, func(*host) error { return os.Remove(filler) }}
}

func mount(dir string) bool {
	if os.Getenv(envNamespace) == "" { // it might be left behind
		return false
	}
	_ = syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") // else it might be seen outside
	return syscall.Mount("chaos", dir, "tmpfs", 0, "size=8m") == nil
}

// limitFiles lets a running host write no file beyond a size.
func limitFiles(h *host, size uint64) error {
	if !h.alive() {
		return nil
	}
	limit := syscall.Rlimit{Cur: size, Max: 1 << 62}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(h.cmd.Process.Pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// fill writes until there is no room left for a page.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for page := make([]byte, 4096); ; {
		if _, err := f.Write(page); errors.Is(err, syscall.ENOSPC) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// TestDiskFull: what was acknowledged is there, what wasn't is answered with
// 503, and with room again the host goes on by itself, or after a kill.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed=%t", killed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sqlite)
			small := w.smallDisk(t)
			w.db = sqliteIn(small.dir)
			w.configure(w.db.store)
			h := w.mustStart(plain)
			first, waiting := w.buy(request{id: "before"}), request{id: "waiting"}
			if _, err := w.order(waiting); err != nil {
				t.Fatal(err)
			}
			if err := small.fill(h); err != nil {
				t.Fatal(err)
			}
			refused, taken, err := w.starved("full")
			_, paid := w.sandbox.Pay(waiting.id)
			notice := w.await("a notification is answered", func() bool { return w.notified(waiting.id) })
			if killed {
				h.kill()
			}
			if err := small.free(h); err != nil {
				t.Fatal(err)
			}
			if killed {
				w.mustStart(plain)
			}
			again := w.await("the host is ready again", w.ready)
			w.finish("d disk full, sqlite", 1, first, err, paid, notice, again, w.pay(waiting), w.payAll(taken), w.buyAll(refused))
		})
	}
}

// notified reports whether a host has answered a notification about an order.
func (w *world) notified(id string) bool {
	return slices.ContainsFunc(w.sandbox.Notifications(), func(n cbtistest.Notification) bool {
		return n.MerchantOrderID == id && n.Status != 0
	})
}

// TestSyncFails: the disk says EIO when the host syncs. Whatever was acknowledged
// is there afterwards; what wasn't may be, and is asked about.
func TestSyncFails(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed=%t", killed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sqlite)
			h := w.mustStart(plain)
			first := w.buy(request{id: "before"})
			mend := inject(t, h, "inject=fsync,fdatasync:error=EIO")
			refused, taken, err := w.starved("eio")
			if killed {
				h.kill()
			}
			mend()
			if killed {
				w.mustStart(plain)
			}
			again := w.await("the host is ready again", w.ready)
			w.finish("d sync fails with EIO, sqlite", 1, first, err, again, w.payAll(taken), w.buyAll(refused))
		})
	}
}

// inject does something to the system calls of a running host, until the
// returned function is called.
func inject(t *testing.T, h *host, what string) (mend func()) {
	t.Helper()
	path := strace(t)[0]
	pid := h.cmd.Process.Pid
	tracer := exec.Command(path, "-f", "-qq", "-o", os.DevNull, "-e", what, "-p", fmt.Sprint(pid))
	tracer.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- tracer.Wait() }()
	stopped := false
	mend = func() {
		if !stopped {
			stopped = true
			_ = tracer.Process.Signal(syscall.SIGTERM) // it lets go of the host
			<-ended
		}
	}
	t.Cleanup(mend)
	if err := h.w.within(10*time.Second, "strace holds every thread", func() bool { return traced(pid) || len(ended) > 0 }); err != nil || len(ended) > 0 {
		forbidden(t, "strace may not attach to a process here")
	}
	return mend
}

// traced reports whether every thread of a process is traced.
func traced(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, path := range threads {
		text, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(text), "TracerPid:\t0\n") {
			return false
		}
	}
	return len(threads) > 0
}
