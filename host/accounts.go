package host

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/provider"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/schema"
	"github.com/paymux/paymux/sdk/wire"
)

// account is a configured provider and what is known of its plugin.
type account struct {
	cfg      config.Provider
	file     *config.Config // that cfg is from
	services provider.Services
	process  *child // nil if the binary must not run
	api      *provider.Provider

	setUp sync.Mutex // held while the plugin is asked what it is

	mu          sync.Mutex
	ready       bool
	description wire.Description
	configured  provider.Configured
	err         error     // why it isn't ready
	retryAt     time.Time // not asked again before
	image       string    // digest of the binary that described itself
}

// retrySetUp keeps requests from waiting in turn for a plugin that doesn't answer.
const retrySetUp = 2 * time.Second

// firstSetUp is makeReady at the start: only what is wrong in the file is an error.
func (h *Host) firstSetUp(ctx context.Context, a *account) error {
	if a.process != nil {
		_ = a.process.Started(ctx) // why not is said below
	}
	err := h.makeReady(ctx, a)
	if err == nil {
		return nil
	}
	if bad, ok := errors.AsType[config.Errors](err); ok {
		return bad
	}
	if e := sdk.AsError(err); e.Code == sdk.CodeInvalidConfig {
		return a.file.AtConfig(a.cfg.Name, e.Field, e.Message)
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
	image := a.runs()
	description, configured, err := h.ask(ctx, a)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err, a.ready, a.retryAt, a.image = err, err == nil, h.clock.Now().Add(retrySetUp), image
	if err == nil {
		a.description, a.configured = description, configured
		h.log.Info("provider is ready", "provider", a.cfg.Name, "plugin", description.Info.Name, "version", description.Info.Version, "account", configured.Account)
	}
	return err
}

func (a *account) isReady(now time.Time) (done bool, err error) {
	image := a.runs()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ready && a.image != image { // without a lock file a restart takes up another binary, which may do other things
		return false, nil
	}
	return a.ready || a.err != nil && now.Before(a.retryAt), a.err
}

// runs is the digest of the binary that the plugin's process runs.
func (a *account) runs() string {
	if a.process == nil {
		return ""
	}
	return a.process.SHA256()
}

func (h *Host) ask(ctx context.Context, a *account) (d wire.Description, c provider.Configured, err error) {
	if d, err = provider.Describe(ctx, a.services); err != nil {
		return d, c, err
	}
	if err = h.checkConfig(a.file, a.cfg, d); err != nil {
		return d, c, err
	}
	if c, err = a.api.Configure(ctx); err != nil {
		err = h.redact.err(err)
	}
	return d, c, err
}

// schemas keeps parsed config schemas: thousands of accounts have the same one,
// and parsing it takes longer than all the rest of setting them up.
type schemas struct{ byText sync.Map }

func (s *schemas) parse(text string) (*schema.Schema, error) {
	if known, ok := s.byText.Load(text); ok {
		return known.(*schema.Schema), nil
	}
	parsed, err := schema.Parse(text)
	if err == nil {
		s.byText.Store(text, parsed)
	}
	return parsed, err
}

// checkConfig validates a provider's config by its plugin's schema and points at
// the place in the file. What the schema calls secret is from then on kept out
// of the log.
func (h *Host) checkConfig(file *config.Config, p config.Provider, d wire.Description) error {
	if d.Info.Name != p.Plugin {
		return file.At("providers."+p.Name+".plugin", "the binary says that it is plugin "+d.Info.Name)
	}
	s, err := h.schemas.parse(d.ConfigSchema)
	if err != nil {
		return err
	}
	object := []byte(p.Config.Reveal())
	h.redact.add(s.Secrets(object)...)
	var bad config.Errors
	for _, v := range s.Validate(object) {
		bad = append(bad, file.AtConfig(p.Name, v.Pointer, v.Message))
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
