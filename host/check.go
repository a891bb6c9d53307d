package host

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/sdk"
)

// ProviderCheck is what Check found out about one provider.
type ProviderCheck struct {
	Name      string
	Info      ProviderInfo
	Schema    []byte    // JSON Schema of the plugin's config; empty if the plugin didn't answer
	GoodUntil time.Time // until when the acquirer takes the credentials; zero if it didn't say or wasn't asked
	Err       error     // why the provider can't be used

	rows []sdk.Capability // nil if the plugin didn't answer
}

// Check starts the plugins of a config, without a store and without taking
// payments, and reports on each provider. With online it also proves the
// credentials to the acquirers. Mistakes in the file are returned as
// config.Errors.
func Check(ctx context.Context, cfg *config.Config, online bool, opts ...Option) ([]ProviderCheck, error) {
	h := newHost(cfg, opts)
	defer h.cancel()
	defer h.plugins.stop() // processes is set by startPlugins
	if err := checkStore(cfg); err != nil {
		return nil, err
	}
	if err := h.startPlugins(ctx); err != nil {
		return nil, err
	}
	var all []ProviderCheck
	s := h.now()
	for _, name := range s.names {
		a := s.accounts[name]
		d, _, ready := a.snapshot()
		c := ProviderCheck{Name: name, Info: s.info(a), Schema: []byte(d.ConfigSchema)}
		if ready {
			c.rows = append([]sdk.Capability{}, d.Capabilities.Rows...)
		}
		if !ready {
			c.Err = a.failure()
		} else if online {
			c.GoodUntil, c.Err = h.Authorize(ctx, name)
		}
		all = append(all, c)
	}
	return all, nil
}

// checkStore looks where a SQLite file would be, without touching it: a running
// host may hold it. Of PostgreSQL it reads the URL only; the server is looked at
// when it is opened.
func checkStore(cfg *config.Config) error {
	if cfg.Store.Kind == config.StorePostgres {
		if err := store.CheckPostgresURL(cfg.Store.DSN.Reveal()); err != nil {
			var r redaction
			r.add(cfg.Secrets()...) // it quotes what options hold
			return config.Errors{cfg.At("store", "found a URL that PostgreSQL's driver refuses: "+r.text(err.Error()))}
		}
		return nil
	}
	dir := filepath.Dir(cfg.Store.Path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return config.Errors{cfg.At("store", "there is no folder "+dir+"; make it, or name a file in one that exists")}
	}
	if info, err := os.Stat(cfg.Store.Path); err == nil && !info.Mode().IsRegular() {
		return config.Errors{cfg.At("store", cfg.Store.Path+" is not a file; name the database file itself")}
	}
	return nil
}
