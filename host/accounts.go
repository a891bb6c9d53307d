package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	cfg     config.Provider
	process *process.Process
	api     *provider.Provider

	mu          sync.Mutex
	ready       bool
	description wire.Description
	configured  provider.Configured
	err         error // why it isn't ready
}

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

// setUpTimeout is how long Open waits for the plugins before it goes on without
// those that don't answer.
const setUpTimeout = 20 * time.Second

// startPlugins starts every plugin side by side and configures every provider.
// It fails only for a config that its plugin's schema refuses.
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
		proc, err := h.startProcess(p, lock)
		if err != nil {
			return err
		}
		h.names = append(h.names, p.Name)
		h.accounts[p.Name] = &account{cfg: p, process: proc, api: provider.New(p.Name, []byte(p.Config.Reveal()), proc)}
	}
	ctx, cancel := context.WithTimeout(ctx, setUpTimeout)
	defer cancel()
	errs := make([]error, len(h.names))
	var all sync.WaitGroup
	for i, name := range h.names {
		all.Go(func() { errs[i] = h.setUp(ctx, h.accounts[name]) })
	}
	all.Wait()
	return errors.Join(errs...)
}

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
		return nil, h.cfg.At("providers."+p.Name+".plugin", "there is no plugin at "+path+"; build it, or set plugins.dir")
	}
	digest, err := lock.Digest(p.Plugin)
	if err != nil {
		return nil, h.cfg.At("providers."+p.Name+".plugin", err.Error())
	}
	proc := process.Start(process.Options{Name: p.Plugin, Path: path, SHA256: digest, Logger: h.log, Redact: redactor(h.cfg.Secrets())})
	h.plugins.processes[key] = proc
	return proc, nil
}

// PluginPath returns where a plugin's binary is.
func PluginPath(cfg *config.Config, plugin string) string {
	return filepath.Join(cfg.Plugins.Dir, "paymux-provider-"+plugin)
}

// redactor replaces secrets in log lines. Secrets come longest first.
func redactor(secrets []string) func(string) string {
	pairs := make([]string, 0, 2*len(secrets))
	for _, s := range secrets {
		if len(s) >= 4 { // a shorter one would garble ordinary words
			pairs = append(pairs, s, "[redacted]")
		}
	}
	return strings.NewReplacer(pairs...).Replace
}

// setUp is makeReady at the start: only a config that the schema refuses is an error.
func (h *Host) setUp(ctx context.Context, a *account) error {
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
	h.log.Error("provider is not available; it is tried again with each use", "provider", a.cfg.Name, "error", err)
	return nil
}

// makeReady learns what the plugin can do and gives it the config, once.
func (h *Host) makeReady(ctx context.Context, a *account) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ready {
		return nil
	}
	a.err = func() error {
		description, err := provider.Describe(ctx, a.process)
		if err != nil {
			return err
		}
		if err := checkConfig(h.cfg, a.cfg, description); err != nil {
			return err
		}
		a.description = description
		a.configured, err = a.api.Configure(ctx)
		return err
	}()
	a.ready = a.err == nil
	if a.ready {
		h.log.Info("provider is ready", "provider", a.cfg.Name, "plugin", a.description.Info.Name, "version", a.description.Info.Version, "account", a.configured.Account)
	}
	return a.err
}

// checkConfig validates a provider's config by its plugin's schema and points at
// the place in the file.
func checkConfig(cfg *config.Config, p config.Provider, d wire.Description) error {
	if d.Info.Name != p.Plugin {
		return cfg.At("providers."+p.Name+".plugin", "the binary says that it is plugin "+d.Info.Name)
	}
	s, err := schema.Parse(d.ConfigSchema)
	if err != nil {
		return err
	}
	var bad config.Errors
	for _, v := range s.Validate([]byte(p.Config.Reveal())) {
		bad = append(bad, cfg.AtConfig(p.Name, v.Pointer, v.Message))
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
