package chaos

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
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

// smallDisk mounts one under the world.
func (w *world) smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getenv(envNamespace) == "" {
		skip(t, "a small disk can be mounted only by root")
	}
	dir := filepath.Join(w.dir, "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_ = syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") // else it might be seen outside
	if err := syscall.Mount("chaos", dir, "tmpfs", 0, "size=8m"); err != nil {
		skip(t, "a small disk can't be mounted: "+err.Error())
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestDiskFull: what was acknowledged is there, what wasn't is answered with
// 503, and with room again the host goes on by itself, or after a kill.
func TestDiskFull(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed=%t", killed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, sqlite)
			disk := w.smallDisk(t)
			w.db = sqliteIn(disk)
			w.configure(w.db.store)
			h := w.mustStart(plain)
			first := w.buy(request{id: "before"})
			filler := filepath.Join(disk, "filler")
			if err := fill(filler); err != nil {
				t.Fatal(err)
			}
			refused, taken, err := w.starved("full")
			if err != nil {
				t.Error(err)
			}
			for _, r := range taken[:min(2, len(taken))] { // their notifications can't be stored now
				_, _ = w.sandbox.Pay(r.id)
			}
			if killed {
				h.kill()
			}
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			if killed {
				w.mustStart(plain)
			}
			again := w.await("the host is ready again", w.ready)
			w.finish("d disk full, sqlite", 1, first, err, again, w.payAll(taken), w.buyAll(refused))
		})
	}
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

// TestSyncFails: the disk says EIO when the host syncs. Whatever was acknowledged
// is there afterwards; what wasn't may be, and is asked about.
func TestSyncFails(t *testing.T) {
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
		skip(t, "strace may not attach to a process here")
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
