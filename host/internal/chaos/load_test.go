//go:build linux

package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/paymux/paymux/host/internal/lockfile"
	"github.com/paymux/paymux/host/internal/process"
)

// edit changes the config, by pairs of what is replaced and by what.
func (w *world) edit(pairs ...string) {
	w.t.Helper()
	text, err := os.ReadFile(w.configPath())
	if err == nil {
		err = os.WriteFile(w.configPath(), []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// processOf is what the host says of a provider's process.
func (h *host) processOf(name string) (s process.Status, err error) {
	q, err := http.NewRequest("GET", h.url+"/v1/providers/"+name, nil)
	if err != nil {
		return s, err
	}
	q.Header.Set("Authorization", "Bearer "+key)
	a, err := h.w.client.Do(q)
	if err != nil {
		return s, err
	}
	defer a.Body.Close()
	var info struct{ Process process.Status }
	err = json.NewDecoder(a.Body).Decode(&info)
	return info.Process, err
}

// load is shops that buy all the time, and what they met.
type load struct {
	stop   chan struct{}
	all    sync.WaitGroup
	bought atomic.Int64
	mu     sync.Mutex
	errs   []error
	took   []time.Duration // of the orders
}

// buyAt has shops buy at the providers in turn until the load is ended.
func (w *world) buyAt(name string, shops int, providers ...string) *load {
	l := &load{stop: make(chan struct{})}
	for shop := range shops {
		l.all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-l.stop:
					return
				default:
				}
				r := request{id: fmt.Sprintf("%s-%d-%d", name, shop, i), provider: providers[(shop+i)%len(providers)]}
				begun := time.Now()
				_, err := w.order(r)
				took := time.Since(begun)
				if err == nil {
					err = w.pay(r)
				}
				l.bought.Add(1)
				l.mu.Lock()
				l.took = append(l.took, took)
				if err != nil {
					l.errs = append(l.errs, err)
				}
				l.mu.Unlock()
			}
		})
	}
	return l
}

// took99 is the time that 99 of 100 orders since a moment took at most, and how
// many orders there are by now.
func (l *load) took99(from int) (p99 time.Duration, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	some := slices.Sorted(slices.Values(l.took[from:]))
	if len(some) == 0 {
		return 0, len(l.took)
	}
	return some[len(some)*99/100], len(l.took)
}

func (l *load) end() error {
	close(l.stop)
	l.all.Wait()
	return errors.Join(l.errs...)
}

// TestPluginKillsUnderLoad kills plugins again and again while shops buy through
// them and through another one. The host lives, no payment is lost or doubled,
// and the report says what the other provider's payers noticed.
func TestPluginKillsUnderLoad(t *testing.T) {
	kills, victims := 8, 4
	if full {
		kills, victims = 1000, 20
	} else {
		t.Parallel()
	}
	e := engines[0]
	e.has(t)
	w := newWorld(t, e)
	var names []string
	var lines strings.Builder
	text, err := os.ReadFile(w.configPath())
	if err != nil {
		t.Fatal(err)
	}
	_, account, _ := strings.Cut(string(text), "cbtis: {plugin: alipayhk, ")
	account, _, _ = strings.Cut(account, "\n")
	for i := range victims {
		names = append(names, fmt.Sprint("victim", i))
		fmt.Fprintf(&lines, "  %s: {plugin: alipayhk, process: own, %s\n", names[i], account)
	}
	w.edit("providers:\n", "providers:\n"+lines.String())
	h := w.mustStart(plain)
	others, hurt := w.buyAt("other", 2, "other"), w.buyAt("victim", 4, names...) // the same load with and without kills
	quiet := 20
	if full {
		quiet = 300
	}
	if err := w.within(10*time.Minute, "payments without kills", func() bool { return others.bought.Load() >= int64(quiet) }); err != nil {
		t.Fatal(err)
	}
	before, from := others.took99(0)
	restarts, err := w.killInTurn(h, names, kills)
	after, _ := others.took99(from)
	err = errors.Join(err, others.end(), hurt.end())
	if !h.alive() {
		t.Error("the host ended")
	}
	slices.Sort(restarts)
	if len(restarts) > 0 {
		note("%d plugins killed under load: running again after %s at the median, %s at most; p99 of another provider's orders %s without and %s with kills, ratio %.2f",
			len(restarts), restarts[len(restarts)/2].Round(time.Millisecond), restarts[len(restarts)-1].Round(time.Millisecond),
			before.Round(time.Millisecond), after.Round(time.Millisecond), float64(after)/float64(before))
	}
	w.finish("f plugin killed under load", kills, err)
}

// killInTurn kills the providers' processes one after the other, each when it
// has run for so long that it is started again at once, and measures how long it
// is away.
func (w *world) killInTurn(h *host, names []string, kills int) (restarts []time.Duration, err error) {
	const steady = 2.1 // seconds; see the supervisor's policy
	for i := range kills {
		name := names[i%len(names)]
		var s process.Status
		if err := w.await(name+" runs steadily", func() bool {
			s, err = h.processOf(name)
			return err == nil && s.Running && s.Uptime > steady
		}); err != nil {
			return restarts, err
		}
		begun := time.Now()
		if err := syscall.Kill(s.PID, syscall.SIGKILL); err != nil {
			return restarts, err
		}
		if err := poll(w.patience, name+" is started again", func() bool {
			now, err := h.processOf(name)
			if err == nil && now.Running && now.PID != s.PID {
				restarts = append(restarts, now.Since.Sub(begun))
				return true
			}
			return false
		}); err != nil {
			return restarts, err
		}
	}
	return restarts, nil
}

// TestSwapsUnderLoad puts one new binary after the other in the place of the one
// that serves, while shops buy through it. No order fails.
func TestSwapsUnderLoad(t *testing.T) {
	swaps := 3
	if full {
		swaps = 100
	} else {
		t.Parallel()
	}
	e := engines[0]
	e.has(t)
	w := newWorld(t, e)
	w.edit("plugins: {dir: plugins}", "plugins: {dir: plugins, lock: paymux.lock}")
	program, err := os.ReadFile(w.pluginPath())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.install(program); err != nil {
		t.Fatal(err)
	}
	h := w.mustStart(plain)
	buyers := w.buyAt("swap", 4, "cbtis")
	begun := time.Now()
	for i := range swaps {
		bought := buyers.bought.Load()
		digest, failed := w.install(append(program, make([]byte, i+1)...)) // another one that does the same
		err = errors.Join(failed, h.cmd.Process.Signal(syscall.SIGHUP), w.await("the new plugin serves", func() bool {
			s, err := h.processOf("cbtis")
			return err == nil && s.Running && s.SHA256 == digest
		}), w.await("payments by the new plugin", func() bool { return buyers.bought.Load() > bought+1 }))
		if err != nil {
			break
		}
	}
	took := time.Since(begun)
	refused := w.refused.Load()
	err = errors.Join(err, buyers.end())
	if refused > 0 {
		err = errors.Join(err, fmt.Errorf("%d orders were refused", refused))
	}
	if n := strings.Count(h.log.String(), "plugin is replaced"); n != 2*swaps { // cbtis, and other, which has a process of its own
		err = errors.Join(err, fmt.Errorf("%d processes were replaced by %d swaps", n, swaps))
	}
	if strings.Contains(h.log.String(), "still has calls under way") {
		err = errors.Join(err, errors.New("calls were cut off"))
	}
	note("%d swaps under load in %s: %d payments, %d orders refused", swaps, took.Round(time.Second), buyers.bought.Load(), refused)
	w.finish("f plugin swapped under load", swaps, err)
}

// install puts a plugin's binary and its pin in their places.
func (w *world) install(program []byte) (digest string, err error) {
	fresh := w.pluginPath() + ".new"
	if err := os.WriteFile(fresh, program, 0o755); err != nil {
		return "", err
	}
	if digest, err = process.FileDigest(fresh); err != nil {
		return "", err
	}
	lock := &lockfile.File{}
	lock.Pin("alipayhk", "1.0.0", digest)
	return digest, errors.Join(os.Rename(fresh, w.pluginPath()), lock.Write(filepath.Join(w.dir, "paymux.lock")))
}

// TestFrozenPluginAtShutdown: a host stops in time although its plugin stands
// still in the middle of a call.
func TestFrozenPluginAtShutdown(t *testing.T) {
	t.Parallel()
	e := engines[0]
	e.has(t)
	w := newWorld(t, e)
	h := w.mustStart(plain)
	if err := w.buy(request{id: "o1"}); err != nil {
		t.Fatal(err)
	}
	pid, err := h.pluginOf("cbtis")
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGSTOP)
	}
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	err = h.stop()
	took := time.Since(begun)
	if took > 10*time.Second {
		err = errors.Join(err, fmt.Errorf("the host took %s to stop", took))
	}
	w.mustStart(plain) // what it left to do is done
	note("host with a frozen plugin stopped in %s", took.Round(100*time.Millisecond))
	w.finish("f plugin frozen at shutdown", 1, err)
}
