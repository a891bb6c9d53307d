package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/lockfile"
	"github.com/paymux/paymux/host/internal/provider"
	"github.com/paymux/paymux/sdk"
)

const (
	reloadTimeout = 30 * time.Second // for new plugins to answer
	drainTime     = 30 * time.Second // for the calls of what was replaced to end
	rollbackTime  = 10 * time.Minute // that a replaced process stays ready
)

// Reload puts another config in the place of the one in force, as a whole or not
// at all. What changed is started beside what runs, asked after its health and
// configured, and only then takes over; what it replaces lets its calls end. An
// error says why nothing was changed: config.Errors have their places in the
// file.
//
// No payment is moved: a reload that gives a provider another account, or drops
// one, while it has payments or refunds that haven't ended is refused.
func (h *Host) Reload(ctx context.Context, cfg *config.Config) error {
	h.reloading.Lock()
	defer h.reloading.Unlock()
	if !h.begin() {
		return shuttingDown()
	}
	defer h.work.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.life, cancel)() // a host that stops doesn't wait for new plugins
	old := h.now()
	if err := fixedForLife(old.cfg, cfg); err != nil {
		return err
	}
	lock, err := h.readLock(cfg)
	if err != nil {
		return err
	}
	h.redact.add(cfg.Secrets()...)
	next := newSetup(cfg)
	r := reload{h: h, old: old, next: next, lock: lock, children: map[string]*child{}}
	if err := r.prepare(ctx); err != nil {
		r.abandon()
		return err
	}
	if err := h.keepsPayments(ctx, old, next); err != nil {
		r.abandon()
		return err
	}
	h.current.Store(next)
	if err := h.keepsPayments(ctx, old, next); err != nil { // one began since it was looked
		h.current.Store(old)
		r.abandon()
		return err
	}
	h.plugins.replace(h, r)
	h.log.Info("providers reloaded", "providers", len(next.names), "set_up", len(r.fresh), "plugins_started", len(r.started))
	if err := h.store.Alarms().Serve(next.queues()); err != nil {
		h.log.Error("the queue of a new provider isn't served; its payments are asked about after a restart", "error", err)
	}
	return nil
}

// fixedForLife refuses what a running host can't change.
func fixedForLife(old, cfg *config.Config) error {
	var bad config.Errors
	for _, f := range []struct {
		path string
		same bool
	}{
		{"listen", old.Listen == cfg.Listen},
		{"admin_listen", old.AdminListen == cfg.AdminListen},
		{"store", old.Store.Kind == cfg.Store.Kind && old.Store.Path == cfg.Store.Path && old.Store.DSN.Reveal() == cfg.Store.DSN.Reveal()},
	} {
		if !f.same {
			bad = append(bad, cfg.At(f.path, "can't be changed while paymux runs; undo the change, or restart it"))
		}
	}
	if len(bad) > 0 {
		return bad
	}
	return nil
}

// reload is one under way.
type reload struct {
	h         *Host
	old, next *setup
	lock      *lockfile.File
	children  map[string]*child // by key: the processes of the next setup
	started   []*child          // those of them that are new
	fresh     []*account        // that are configured anew
}

// abandon ends what was started for nothing.
func (r *reload) abandon() {
	each(r.started, func(c *child) { c.Stop() })
}

// prepare makes the next setup ready to take over.
func (r *reload) prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reloadTimeout)
	defer cancel()
	for _, p := range r.next.cfg.Providers {
		if err := r.add(p); err != nil {
			return err
		}
	}
	errs := make([]error, len(r.started))
	var all sync.WaitGroup
	for i, c := range r.started {
		all.Go(func() { errs[i] = c.Started(ctx) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("the new plugin doesn't start, the old one goes on: %w", err)
	}
	if err := r.setUp(ctx); err != nil {
		return err
	}
	mistakes, doubts := r.next.checkRoutes()
	if len(mistakes) > 0 {
		return mistakes
	}
	for _, d := range doubts {
		r.h.log.Warn(d.Error())
	}
	return nil
}

// add makes a provider of the next setup: as it is now, if nothing about it
// changed, else one that is still to be configured.
func (r *reload) add(p config.Provider) error {
	before := r.old.accounts[p.Name]
	a := &account{cfg: p, file: r.next.cfg}
	same := before != nil && before.cfg.Plugin == p.Plugin && bytes.Equal([]byte(before.cfg.Config.Reveal()), []byte(p.Config.Reveal()))
	if r.h.inMemory == nil {
		c, err := r.child(p)
		switch {
		case err == nil:
			a.process, a.services = c, c
		case same && before.process == nil: // it was missing before
			a.services = blocked{err}
		default:
			return config.Errors{r.next.cfg.At("providers."+p.Name+".plugin", err.Error())}
		}
		same = same && before.process == a.process
	} else if same {
		a.services = before.services
	} else {
		a.services = r.h.inMemory(p)
	}
	r.next.add(a)
	if same {
		a.takeOver(before)
		return nil
	}
	a.api = provider.New(p.Name, []byte(p.Config.Reveal()), a.services)
	r.fresh = append(r.fresh, a)
	return nil
}

// takeOver keeps what is known of a provider that didn't change, and its calls
// within the same bounds.
func (a *account) takeOver(before *account) {
	if before.process != nil {
		before.process.Retry()
	}
	before.mu.Lock()
	defer before.mu.Unlock()
	a.api, a.services = before.api, before.services
	a.ready, a.description, a.configured, a.err, a.image = before.ready, before.description, before.configured, before.err, before.image
}

// child is the process of a provider: the one that runs, if it is what the files
// say, else one that was replaced not long ago, else a new one.
func (r *reload) child(p config.Provider) (*child, error) {
	key := keyOf(p)
	if c := r.children[key]; c != nil {
		return c, nil
	}
	path, pin, err := r.h.whatRuns(r.next.cfg, p, r.lock)
	if err != nil {
		return nil, err
	}
	c := r.h.plugins.find(key, path, pin, r.next.cfg.Plugins.AllowUnsealed)
	if c == nil {
		c = r.h.newChild(r.next.cfg, p, key, path, pin)
		r.started = append(r.started, c)
	}
	r.children[key] = c
	return c, nil
}

// setUp configures what changed, all side by side.
func (r *reload) setUp(ctx context.Context) error {
	errs := sideBySide(len(r.fresh), func(i int) error { return r.h.reloaded(ctx, r.fresh[i]) })
	var bad config.Errors
	for _, err := range errs {
		if in, ok := errors.AsType[config.Errors](err); ok {
			bad = append(bad, in...)
		} else if err != nil {
			return err
		}
	}
	if len(bad) > 0 {
		return bad
	}
	return nil
}

// reloaded makes a changed provider ready; here every failure counts.
func (h *Host) reloaded(ctx context.Context, a *account) error {
	err := h.makeReady(ctx, a)
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[config.Errors](err); ok {
		return err
	}
	if e := sdk.AsError(err); e.Code == sdk.CodeInvalidConfig {
		return config.Errors{a.file.AtConfig(a.cfg.Name, e.Field, e.Message)}
	}
	return fmt.Errorf("provider %s doesn't get ready, nothing was changed: %w", a.cfg.Name, err)
}

// keepsPayments refuses a setup in which payments or refunds that haven't ended
// lose the account that they are at.
func (h *Host) keepsPayments(ctx context.Context, old, next *setup) error {
	open, err := h.unsettled(ctx)
	if err != nil {
		return storeError(err)
	}
	var bad config.Errors
	for _, u := range open {
		before := old.accounts[u.provider]
		if before == nil {
			continue // it was missing already, and is flagged
		}
		after := next.accounts[u.provider]
		if after == nil {
			bad = append(bad, next.cfg.At("providers", fmt.Sprintf("%s is dropped, but %s of it haven't ended; keep it, with accepting: false, until they have", u.provider, u.count())))
			continue
		}
		_, was, _ := before.snapshot()
		if _, configured, ready := after.snapshot(); ready && configured.Account != u.account && configured.Account != was.Account {
			bad = append(bad, next.cfg.At("providers."+u.provider+".config", fmt.Sprintf("names account %s, but %s at account %s haven't ended; "+
				"add the new account as another provider, and set accepting: false on this one", configured.Account, u.count(), u.account)))
		}
	}
	if len(bad) > 0 {
		return bad
	}
	return nil
}
