package host

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/paymux/paymux/sdk/schema"
	"github.com/paymux/paymux/sdk/wire"
)

// account is a configured provider and what is known of its plugin.
type account struct {
	cfg      config.Provider
	services provider.Services
	process  *process.Process // nil if the binary must not run
	api      *provider.Provider

	setUp sync.Mutex // held while the plugin is asked what it is

	mu          sync.Mutex
	ready       bool
	description wire.Description
	configured  provider.Configured
	err         error     // why it isn't ready
	retryAt     time.Time // not asked again before
}

// retrySetUp keeps requests from waiting in turn for a plugin that doesn't answer.
const retrySetUp = 2 * time.Second

// plugins are the processes, one for each binary (or for a provider that wants
// its own).
type plugins struct{ processes map[string]*process.Process }

func (p plugins) stop() {
	var all sync.WaitGroup
	for _, proc := range p.processes {
		all.Go(proc.Stop)
	}
	all.Wait()
}

func (p plugins) anyRunning() bool {
	for _, proc := range p.processes {
		if proc.Status().Running {
			return true
		}
	}
	return false
}

// blocked stands for a plugin that must not run.
type blocked struct{ reason error }

func (b blocked) Service(context.Context) (provider.Service, error) {
	return nil, sdk.NotSent(sdk.CodePluginUnavailable, "%w", b.reason)
}

// setUpTimeout is how long Open waits for the plugins before it goes on without
// those that don't answer.
const setUpTimeout = 20 * time.Second

// startPlugins starts every plugin side by side and configures every provider.
// It fails only for what is wrong in the files: a config that its plugin's
// schema refuses, a lock file that can't be read. A plugin that is missing or
// doesn't start takes down its own providers only.
func (h *Host) startPlugins(ctx context.Context) error {
	lock, err := lockfile.Read(h.cfg.Plugins.Lock)
	if err != nil {
		return err
	}
	if lock == nil {
		h.log.Warn("plugins run unpinned: there is no lock file; make one with paymux plugins lock", "lock", h.cfg.Plugins.Lock)
	}
	h.accounts = map[string]*account{}
	h.plugins.processes = map[string]*process.Process{}
	for _, p := range h.cfg.Providers {
		a := &account{cfg: p}
		if h.inMemory != nil {
			a.services = h.inMemory(p)
		} else if a.process, err = h.startProcess(p, lock); err != nil {
			a.services = blocked{err}
		} else {
			a.services = a.process
		}
		a.api = provider.New(p.Name, []byte(p.Config.Reveal()), a.services)
		h.names = append(h.names, p.Name)
		h.accounts[p.Name] = a
	}
	ctx, cancel := context.WithTimeout(ctx, setUpTimeout)
	defer cancel()
	errs := make([]error, len(h.names))
	var all sync.WaitGroup
	for i, name := range h.names {
		all.Go(func() { errs[i] = h.firstSetUp(ctx, h.accounts[name]) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// startProcess starts a provider's plugin, or finds it running already.
func (h *Host) startProcess(p config.Provider, lock *lockfile.File) (*process.Process, error) {
	key := p.Plugin
	if p.Process == config.ProcessOwn {
		key += "/" + p.Name
	}
	if proc := h.plugins.processes[key]; proc != nil {
		return proc, nil
	}
	path := PluginPath(h.cfg, p.Plugin)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("there is no plugin at %s; build it, or set plugins.dir", path)
	}
	digest, err := lock.Digest(p.Plugin)
	if err != nil {
		return nil, err
	}
	proc := process.Start(process.Options{Name: p.Plugin, Path: path, SHA256: digest, Logger: h.log, Redact: h.redact.text})
	h.plugins.processes[key] = proc
	return proc, nil
}

// PluginPath returns where a plugin's binary is.
func PluginPath(cfg *config.Config, plugin string) string {
	return filepath.Join(cfg.Plugins.Dir, "paymux-provider-"+plugin)
}

// firstSetUp is makeReady at the start: only what is wrong in the file is an error.
func (h *Host) firstSetUp(ctx context.Context, a *account) error {
	err := h.makeReady(ctx, a)
	if err == nil {
		return nil
	}
	if bad, ok := errors.AsType[config.Errors](err); ok {
		return bad
	}
	if e := sdk.AsError(err); e.Code == sdk.CodeInvalidConfig {
		return h.cfg.AtConfig(a.cfg.Name, e.Field, e.Message)
	}
	h.log.Error("provider is not available; it is tried again", "provider", a.cfg.Name, "error", err)
	return nil
}

// makeReady learns what the plugin can do and gives it the config, once. What
// failed a moment ago fails again at once.
func (h *Host) makeReady(ctx context.Context, a *account) error {
	if done, err := a.isReady(h.clock.Now()); done {
		return err
	}
	a.setUp.Lock()
	defer a.setUp.Unlock()
	if done, err := a.isReady(h.clock.Now()); done { // another call was faster
		return err
	}
	description, configured, err := h.ask(ctx, a)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err, a.ready, a.retryAt = err, err == nil, h.clock.Now().Add(retrySetUp)
	if err == nil {
		a.description, a.configured = description, configured
		h.log.Info("provider is ready", "provider", a.cfg.Name, "plugin", description.Info.Name, "version", description.Info.Version, "account", configured.Account)
	}
	return err
}

func (a *account) isReady(now time.Time) (done bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ready || a.err != nil && now.Before(a.retryAt), a.err
}

func (h *Host) ask(ctx context.Context, a *account) (d wire.Description, c provider.Configured, err error) {
	if d, err = provider.Describe(ctx, a.services); err != nil {
		return d, c, err
	}
	if err = h.checkConfig(a.cfg, d); err != nil {
		return d, c, err
	}
	if c, err = a.api.Configure(ctx); err != nil {
		err = h.redact.err(err)
	}
	return d, c, err
}

// checkConfig validates a provider's config by its plugin's schema and points at
// the place in the file. What the schema calls secret is from then on kept out
// of the log.
func (h *Host) checkConfig(p config.Provider, d wire.Description) error {
	if d.Info.Name != p.Plugin {
		return h.cfg.At("providers."+p.Name+".plugin", "the binary says that it is plugin "+d.Info.Name)
	}
	s, err := schema.Parse(d.ConfigSchema)
	if err != nil {
		return err
	}
	object := []byte(p.Config.Reveal())
	h.redact.add(s.Secrets(object)...)
	var bad config.Errors
	for _, v := range s.Validate(object) {
		bad = append(bad, h.cfg.AtConfig(p.Name, v.Pointer, v.Message))
	}
	if len(bad) > 0 {
		return bad
	}
	return nil
}

// snapshot returns what is known of the plugin, and whether it is usable.
func (a *account) snapshot() (d wire.Description, c provider.Configured, ready bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.description, a.configured, a.ready
}

// serves reports whether the config lets a merchant use the provider.
func (a *account) serves(merchant string) bool {
	return a.cfg.Merchants == nil || slices.Contains(a.cfg.Merchants, merchant)
}
