//go:build linux

package chaos

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// host is one life of paymux serve.
type host struct {
	w      *world
	cmd    *exec.Cmd
	url    string
	log    lockedBuffer
	exited chan struct{}
	away   atomic.Bool // nobody speaks to it
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// life says how to start a host.
type life struct {
	binary string   // paymux, or paymux-failpoint
	under  []string // a command that runs it
	env    []string
}

var plain = life{binary: "paymux"}

// start starts a host and waits until it serves. If it ends before, it is
// returned with the error.
func (w *world) start(l life) (*host, error) {
	args := append(append([]string{}, l.under...), filepath.Join(bin, l.binary), "serve", "--config", w.configPath())
	h := &host{w: w, cmd: exec.Command(args[0], args[1:]...), exited: make(chan struct{})}
	h.cmd.Env = append(os.Environ(), l.env...)
	h.cmd.Stderr = &h.log
	h.cmd.WaitDelay = 5 * time.Second
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return h, err
	}
	if err := h.cmd.Start(); err != nil {
		close(h.exited)
		return h, err
	}
	ready := make(chan string, 1)
	go func() {
		defer close(h.exited)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, rest, ok := strings.Cut(lines.Text(), "listening on "); ok {
				ready <- strings.Fields(rest)[0]
			}
		}
		_ = h.cmd.Wait()
	}()
	w.t.Cleanup(h.kill) // whatever happens, nothing is left behind
	select {
	case h.url = <-ready:
		w.mu.Lock()
		w.hosts = append(w.hosts, h)
		w.mu.Unlock()
		return h, nil
	case <-h.exited:
		return h, fmt.Errorf("the host did not start: %s\n%s", h.cmd.ProcessState, h.log.String())
	case <-time.After(time.Minute):
		return h, fmt.Errorf("the host did not start in a minute:\n%s", h.log.String())
	}
}

// mustStart is start for the test's own goroutine.
func (w *world) mustStart(l life) *host {
	w.t.Helper()
	h, err := w.start(l)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

func (h *host) alive() bool {
	select {
	case <-h.exited:
		return false
	default:
		return true
	}
}

// kill ends the host as a power cut of its machine would.
func (h *host) kill() {
	if h.cmd.Process != nil {
		_ = h.cmd.Process.Kill()
		<-h.exited
	}
}

// killed reports that the host was ended by SIGKILL.
func (h *host) killed() bool {
	if h.alive() {
		return false
	}
	status, ok := h.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// stop ends the host as an operator would.
func (h *host) stop() error {
	if !h.alive() {
		return errors.New("the host has ended by itself: " + h.cmd.ProcessState.String() + "\n" + h.log.String())
	}
	_ = h.cmd.Process.Signal(syscall.SIGTERM)
	if err := h.w.await("the host stops", func() bool { return !h.alive() }); err != nil {
		return err
	}
	if !h.cmd.ProcessState.Success() {
		return fmt.Errorf("the host ended with %s", h.cmd.ProcessState)
	}
	return nil
}

// living are the hosts that serve now.
func (w *world) living() []*host {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []*host
	for _, h := range w.hosts {
		if h.alive() && !h.away.Load() {
			list = append(list, h)
		}
	}
	return list
}

// anyHost returns the living hosts in turn; nil if there is none.
func (w *world) anyHost() *host {
	list := w.living()
	if len(list) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn++
	return list[w.turn%len(list)]
}

// keep starts hosts in ways that are meant to kill them, each after the one
// before, and at last a plain one, as a service manager would. Once ended is
// closed it tells how many were killed.
func (w *world) keep(ended <-chan struct{}, lives ...life) <-chan keeping {
	result := make(chan keeping, 1)
	go func() {
		var k keeping
		for _, l := range append(lives, plain) {
			h, err := w.start(l)
			if err != nil && !h.killed() {
				k.err = err
				break
			}
			select {
			case <-ended:
				result <- k
				return
			case <-h.exited:
			}
			if !h.killed() {
				k.err = fmt.Errorf("the host ended: %s\n%s", h.cmd.ProcessState, h.log.String())
				break
			}
			k.killed++
		}
		result <- k
	}()
	return result
}

type keeping struct {
	killed int
	err    error
}

// pluginOf returns the process id of a provider's plugin.
func (h *host) pluginOf(name string) (int, error) {
	q, err := http.NewRequest("GET", h.url+"/v1/providers/"+name, nil)
	if err != nil {
		return 0, err
	}
	q.Header.Set("Authorization", "Bearer "+key)
	a, err := h.w.client.Do(q)
	if err != nil {
		return 0, err
	}
	defer a.Body.Close()
	var info struct{ Process struct{ PID int } }
	if err := json.NewDecoder(a.Body).Decode(&info); err != nil || info.Process.PID == 0 {
		return 0, fmt.Errorf("provider %s has no process: %+v, %w", name, info, err)
	}
	return info.Process.PID, nil
}

// plugins are the processes of this world's plugin that still run.
func (w *world) plugins() []string {
	var list []string
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		if w.isPlugin(folder) {
			list = append(list, filepath.Base(folder))
		}
	}
	return list
}

// isPlugin tells a running process of this world's plugin by what it was called:
// the file that it runs is a sealed copy in memory. A zombie has no name.
func (w *world) isPlugin(folder string) bool {
	line, err := os.ReadFile(filepath.Join(folder, "cmdline"))
	name, _, _ := strings.Cut(string(line), "\x00")
	return err == nil && name == w.pluginPath()
}
