// Package conformance checks a built plugin as a host runs it: under the process
// supervisor, over the wire. It has two halves. [Rules] need nothing but the
// binary; a [Binary] is also a providertest.Plugin, so that every case of
// package providertest runs against it:
//
//	func TestConformanceOfBinary(t *testing.T) {
//		plugin := conformance.Build(t, "./cmd/paymux-provider-acme")
//		providertest.Run(t, providertest.Harness{Plugin: plugin, Start: startSandbox})
//	}
//
// The paymux command does the same: paymux plugins conformance PATH.
package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/paymux/paymux/host/internal/process"
	"github.com/paymux/paymux/host/internal/provider"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest"
)

// Binary is a plugin's binary that runs.
type Binary struct {
	path     string
	unsealed bool
	log      *logged
	process  *process.Process
}

var _ providertest.Plugin = (*Binary)(nil)

// Start starts a binary. allowUnsealed is for those that can't run from a sealed
// copy, such as scripts. The error is that of the start.
func Start(ctx context.Context, path string, allowUnsealed bool) (*Binary, error) {
	b := &Binary{path: path, unsealed: allowUnsealed, log: &logged{}}
	b.process = b.start(b.log)
	if err := b.process.Started(ctx); err != nil {
		b.process.Stop()
		return nil, err
	}
	return b, nil
}

// start starts a process whose log isn't redacted: the kit looks for secrets in it.
func (b *Binary) start(log *logged) *process.Process {
	logger := hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Debug, JSONFormat: true})
	return process.Start(process.Options{Name: filepath.Base(b.path), Path: b.path, AllowUnsealed: b.unsealed, Logger: logger})
}

// Close stops the process.
func (b *Binary) Close() { b.process.Stop() }

// TB is the part of *testing.T that Build uses.
type TB interface {
	Helper()
	TempDir() string
	Cleanup(func())
	Context() context.Context
	Fatalf(format string, args ...any)
}

// Build builds a Go package, given as go build takes it, and starts it until the
// test ends. The binary has the name that go build gives it.
func Build(t TB, source string) *Binary {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "plugins")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatalf("%v", err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", dir+string(filepath.Separator), source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", source, err, out)
	}
	built, err := os.ReadDir(dir)
	if err != nil || len(built) != 1 {
		t.Fatalf("go build %s: it isn't one command (%v)", source, err)
	}
	b, err := Start(t.Context(), filepath.Join(dir, built[0].Name()), false)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(b.Close)
	return b
}

// service gives a running plugin's service and nothing else: the supervisor must
// not quarantine a plugin for answers that the kit provoked.
type service struct{ process *process.Process }

func (s service) Service(ctx context.Context) (provider.Service, error) {
	return s.process.Service(ctx)
}

// Describe asks the plugin what it is.
func (b *Binary) Describe(ctx context.Context) (providertest.Description, error) {
	d, err := provider.Describe(ctx, service{b.process})
	return providertest.Description(d), err
}

// Open configures an instance, as a host does.
func (b *Binary) Open(ctx context.Context, name string, config []byte) (sdk.Provider, error) {
	p := provider.New(name, config, service{b.process})
	configured, err := p.Configure(ctx)
	if err != nil {
		return nil, err
	}
	base := instance{p}
	switch {
	case configured.Refunds && configured.Cancels:
		return struct {
			instance
			sdk.Refunder
			sdk.Canceller
		}{base, p, p}, nil
	case configured.Refunds:
		return struct {
			instance
			sdk.Refunder
		}{base, p}, nil
	case configured.Cancels:
		return struct {
			instance
			sdk.Canceller
		}{base, p}, nil
	}
	return base, nil
}

// instance has the methods that every provider has: what a provider can do
// beyond is found by type assertion.
type instance struct{ sdk.Provider }

// Format prints nothing of the config.
func (instance) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("a provider in another process")) }

// CaptureLog returns what the plugin logs and prints until stop is called.
func (b *Binary) CaptureLog() (stop func() string) {
	from := b.log.mark()
	return func() string { return b.log.since(from) }
}

// logged keeps what was logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const mostLogged = 16 << 20

var errFull = errors.New("the plugin logs too much")

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text.Len() > mostLogged {
		return 0, errFull
	}
	return l.text.Write(p)
}

func (l *logged) mark() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Len()
}

func (l *logged) since(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text.Bytes()[n:])
}
