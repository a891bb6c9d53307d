package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/lockfile"
	"github.com/paymux/paymux/host/internal/process"
	"github.com/paymux/paymux/host/internal/provider"
	"github.com/paymux/paymux/sdk"
)

// plugins are the processes that run: one for each binary, or for a provider
// that wants its own, and for a while those that were replaced.
type plugins struct {
	images *process.Images

	mu      sync.Mutex
	running map[string]*child // by what shares it, see keyOf
	retired []*child
	waiting sync.WaitGroup // for retired ones to be stopped
	ended   chan struct{}  // closed by stop
}

// child is a process and what it was started for.
type child struct {
	*process.Process
	key, path, pin string
	unsealed       bool // is allowed
	retirements    int
	superseded     chan struct{} // closed when another one is the one to go back to
}

func newPlugins() plugins {
	return plugins{images: process.NewImages(), running: map[string]*child{}, ended: make(chan struct{})}
}

// keyOf is equal for providers that share a process.
func keyOf(p config.Provider) string {
	if p.Process == config.ProcessOwn {
		return p.Plugin + "/" + p.Name
	}
	return p.Plugin
}

// each calls a function for every process side by side, and waits.
func each(all []*child, do func(*child)) {
	var group sync.WaitGroup
	for _, p := range all {
		group.Go(func() { do(p) })
	}
	group.Wait()
}

func (p *plugins) all() []*child {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []*child
	for _, each := range p.running {
		all = append(all, each)
	}
	return append(all, p.retired...)
}

// stop ends every process.
func (p *plugins) stop() {
	p.mu.Lock()
	select {
	case <-p.ended:
	default:
		close(p.ended)
	}
	p.mu.Unlock()
	each(p.all(), func(each *child) { each.Stop() })
	p.waiting.Wait()
}

// blocked stands for a plugin that must not run.
type blocked struct{ reason error }

func (b blocked) Service(context.Context) (provider.Service, error) {
	return nil, sdk.NotSent(sdk.CodePluginUnavailable, "%w", b.reason)
}

// setUpTimeout is how long Open waits for the plugins before it goes on without
// those that don't answer.
const setUpTimeout = 20 * time.Second

// readLock reads the lock file of a config; nil if there is none.
func (h *Host) readLock(cfg *config.Config) (*lockfile.File, error) {
	lock, err := lockfile.Read(cfg.Plugins.Lock)
	if err == nil && lock == nil {
		h.log.Warn("plugins run unpinned: there is no lock file; make one with paymux plugins lock", "lock", cfg.Plugins.Lock)
	}
	return lock, err
}

// startPlugins starts every plugin side by side and configures every provider.
// It fails only for what is wrong in the files: a config that its plugin's
// schema refuses, a lock file that can't be read. A plugin that is missing or
// doesn't start takes down its own providers only.
func (h *Host) startPlugins(ctx context.Context) error {
	s := h.now()
	if err := CheckAttached(s.cfg, h.attached); err != nil {
		return err
	}
	lock, err := h.readLock(s.cfg)
	if err != nil {
		return err
	}
	for _, p := range s.cfg.Providers {
		a := &account{cfg: p, file: s.cfg}
		if h.inMemory != nil {
			a.services = h.inMemory(p)
		} else if a.process, err = h.startProcess(s.cfg, p, lock); err != nil {
			a.services = blocked{err}
		} else {
			a.services = a.process
		}
		a.api = provider.New(p.Name, []byte(p.Config.Reveal()), a.services)
		s.add(a)
	}
	ctx, cancel := context.WithTimeout(ctx, setUpTimeout)
	defer cancel()
	if err := errors.Join(sideBySide(len(s.names), func(i int) error { return h.firstSetUp(ctx, s.accounts[s.names[i]]) })...); err != nil {
		return err
	}
	mistakes, doubts := s.checkRoutes()
	for _, m := range append(mistakes, doubts...) { // no reason not to start: a plugin may have lost an ability
		h.log.Warn(m.Error())
	}
	return nil
}

// setUpWorkers is how many providers are configured at a time: all of ten
// thousand at once would keep each other waiting for longer than a call may take.
const setUpWorkers = 64

// sideBySide does n things, some at a time, and returns their errors.
func sideBySide(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	next := make(chan int)
	for range min(n, setUpWorkers) {
		group.Go(func() {
			for i := range next {
				errs[i] = do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
	return errs
}

// startProcess starts a provider's plugin, or finds it running already.
func (h *Host) startProcess(cfg *config.Config, p config.Provider, lock *lockfile.File) (*child, error) {
	path, pin, err := h.whatRuns(cfg, p, lock)
	if err != nil {
		return nil, err
	}
	h.plugins.mu.Lock()
	defer h.plugins.mu.Unlock()
	key := keyOf(p)
	if running := h.plugins.running[key]; running != nil {
		return running, nil
	}
	h.plugins.running[key] = h.newChild(cfg, p, key, path, pin)
	return h.plugins.running[key], nil
}

// whatRuns is a provider's binary and the digest to which it is pinned.
func (h *Host) whatRuns(cfg *config.Config, p config.Provider, lock *lockfile.File) (path, pin string, err error) {
	path = PluginPath(cfg, p.Plugin)
	if h.attachment(p) != "" {
		return path, "", nil // somebody else starts it
	}
	if _, err := os.Lstat(path); err != nil {
		return "", "", fmt.Errorf("there is no plugin at %s; build it, or set plugins.dir", path)
	}
	pin, err = lock.Digest(p.Plugin)
	return path, pin, err
}

func (h *Host) newChild(cfg *config.Config, p config.Provider, key, path, pin string) *child {
	return &child{key: key, path: path, pin: pin, unsealed: cfg.Plugins.AllowUnsealed, Process: process.Start(process.Options{
		Name: p.Plugin, Path: path, Attach: h.attachment(p), SHA256: pin, AllowUnsealed: cfg.Plugins.AllowUnsealed, Images: h.plugins.images,
		Logger: h.log, Redact: h.redact.text,
	})}
}

// attachment is the file by which a provider's plugin is attached; empty if the
// host starts it. A process of its own is never attached.
func (h *Host) attachment(p config.Provider) string {
	if !attachable(p) {
		return ""
	}
	return h.attached[p.Plugin]
}

func attachable(p config.Provider) bool { return keyOf(p) == p.Plugin }

// CheckAttached finds what WithAttached would never wait for.
func CheckAttached(cfg *config.Config, files map[string]string) error {
	for _, plugin := range slices.Sorted(maps.Keys(files)) {
		if !slices.ContainsFunc(cfg.Providers, func(p config.Provider) bool { return p.Plugin == plugin && attachable(p) }) {
			return fmt.Errorf("plugin %q can't be attached: no provider of the config uses it in a shared process", plugin)
		}
	}
	return nil
}

// PluginPath returns where a plugin's binary is.
func PluginPath(cfg *config.Config, plugin string) string {
	return filepath.Join(cfg.Plugins.Dir, "paymux-provider-"+plugin)
}
