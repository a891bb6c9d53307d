// Package acquirers runs the sandboxes of all four acquirers side by side, and
// knows what of paymux's config belongs to each. No money exists in any of them.
package acquirers

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Acquirer is one sandbox and the provider that stands for it in a config.
type Acquirer struct {
	Name   string // the provider's
	Plugin string
	URL    string

	// Orders are all orders that the sandbox has, by its own ledger.
	Orders func() []Order
	// Idle waits until the sandbox isn't sending a notification.
	Idle func(context.Context) error

	config  string            // the lines of the provider's config
	secrets map[string]string // file → text
	notify  func(url string)  // nil where each payment names the address
	handler http.Handler
	close   func()
	server  *http.Server
	calls   atomic.Int64
}

// ServeHTTP serves the acquirer's API and its wallet's pages.
func (a *Acquirer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.calls.Add(1)
	a.handler.ServeHTTP(w, r)
}

// Calls is how many requests came, of whatever kind.
func (a *Acquirer) Calls() int { return int(a.calls.Load()) }

// Order is an order at an acquirer.
type Order struct {
	ID, MerchantOrderID string
	Paid                bool
}

// Set is all acquirers, each on a free port of loopback.
type Set []*Acquirer

// Start starts the sandboxes.
func Start() (Set, error) {
	var s Set
	for _, sandbox := range []func(url string) *Acquirer{cbtis, airwallex, antom, stripe} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.Close()
			return nil, err
		}
		url := "http://" + l.Addr().String()
		a := sandbox(url)
		a.URL, a.server = url, &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = a.server.Serve(l) }()
		s = append(s, a)
	}
	return s, nil
}

// Close ends the sandboxes, and waits for what they were sending.
func (s Set) Close() {
	for _, a := range s {
		a.close()
		_ = a.server.Close()
	}
}

// Get returns the acquirer of a provider's name, nil if there is none.
func (s Set) Get(name string) *Acquirer {
	for _, a := range s {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// NotifyAt enters at the dashboards where notifications go: paymux's public_url.
// Acquirers to which each payment says so don't need it.
func (s Set) NotifyAt(publicURL string) {
	for _, a := range s {
		if a.notify != nil {
			a.notify(publicURL + "/v1/notifications/" + a.Name)
		}
	}
}

// WriteSecrets writes the files that the configs name, relative to dir.
func (s Set) WriteSecrets(dir string) error {
	var errs []error
	for _, a := range s {
		for name, text := range a.secrets {
			path := filepath.Join(dir, "secrets", name)
			errs = append(errs, os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600))
		}
	}
	return errors.Join(errs...)
}

// Config returns the lines of a provider for the config file, indented to stand
// below providers. A retired one takes no new payments.
func (a *Acquirer) Config(accepting bool) string {
	var b strings.Builder
	b.WriteString("  " + a.Name + ":\n    plugin: " + a.Plugin + "\n")
	if !accepting {
		b.WriteString("    accepting: false\n")
	}
	b.WriteString("    config:\n")
	for line := range strings.Lines(a.config) {
		b.WriteString("      " + line)
	}
	return b.String()
}

func secret() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
