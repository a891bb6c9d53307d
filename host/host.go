package host

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/provider"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/sdk"
)

// Host serves payments. Its methods may be called concurrently.
type Host struct {
	current  atomic.Pointer[setup]
	log      hclog.Logger
	clock    Clock
	store    *store.Store
	metrics  *metrics
	redact   redaction
	plugins  plugins
	schemas  schemas
	flights  flights
	attached map[string]string                       // see WithAttached
	inMemory func(config.Provider) provider.Services // tests: plugins without processes

	life   context.Context // ends when the host closes
	cancel context.CancelFunc
	work   sync.WaitGroup // calls of providers, and housekeeping
	engine alarm.Engine   // tests: alarms in virtual time
	stored store.Options  // tests: a store that fails

	events http.RoundTripper

	reloading sync.Mutex // one at a time

	mu      sync.Mutex
	closing bool
}

// Option changes how a Host is opened.
type Option func(*Host)

// WithLogger sets the log; without it the host is silent.
func WithLogger(log hclog.Logger) Option { return func(h *Host) { h.log = log } }

// WithAttached has plugins, by their names, be started by hand, for debuggers: the
// host writes the environment for each to the file named here, and waits. It runs
// what attaches without checking its digest or watching its health; never use it
// where money is moved.
func WithAttached(files map[string]string) Option { return func(h *Host) { h.attached = files } }

// WithClock sets the clock, for tests.
func WithClock(c Clock) Option { return func(h *Host) { h.clock = c } }

// Open opens the store, starts the plugins, takes up what an earlier host left
// behind, and begins to ask after open payments. A provider whose config breaks
// its plugin's schema is refused with its place in the file; a plugin that
// doesn't start is reported and started again in the background, since the
// other providers don't depend on it.
func Open(ctx context.Context, cfg *config.Config, opts ...Option) (*Host, error) {
	h := newHost(cfg, opts)
	if err := h.openStore(ctx); err != nil {
		return nil, err
	}
	if err := h.start(ctx); err != nil {
		return nil, errors.Join(err, h.Close(ctx))
	}
	return h, nil
}

func newHost(cfg *config.Config, opts []Option) *Host {
	h := &Host{log: hclog.NewNullLogger(), clock: systemClock{}, metrics: newMetrics(), events: eventTransport(), plugins: newPlugins()}
	h.current.Store(newSetup(cfg))
	for _, o := range opts {
		o(h)
	}
	h.redact.add(cfg.Secrets()...)
	h.life, h.cancel = context.WithCancel(context.Background())
	return h
}

func (h *Host) openStore(ctx context.Context) (err error) {
	if err := checkStore(h.now().cfg); err != nil {
		return err
	}
	o := h.stored
	o.Engine, o.Logger = h.engine, h.log.Named("store")
	if h.now().cfg.Store.Kind == config.StorePostgres {
		h.store, err = store.OpenPostgres(ctx, h.now().cfg.Store.DSN.Reveal(), o)
	} else {
		h.store, err = store.OpenSQLite(ctx, h.now().cfg.Store.Path, o)
	}
	return err
}

func (h *Host) start(ctx context.Context) error {
	if err := h.startPlugins(ctx); err != nil {
		return err
	}
	if err := h.takeOver(ctx); err != nil {
		return fmt.Errorf("take up interrupted payments: %w", err)
	}
	if err := errors.Join(h.adopt(ctx), h.sweep(ctx, h.clock.Now())); err != nil {
		return fmt.Errorf("take up work that is due: %w", err)
	}
	if err := h.store.Alarms().Start(h.now().queues(), h.ring); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	h.work.Go(h.housekeep)
	return nil
}

// stopTime is what the job queue gets after everything it rang for has ended.
const stopTime = 5 * time.Second

// Close stops taking work, lets running calls end until ctx is over, then stops
// the plugins and closes the store. What was cut off is taken up by the next
// Open, or by another host.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	h.cancel()
	var errs []error
	drained := make(chan struct{})
	go func() {
		h.work.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-ctx.Done():
		errs = append(errs, errors.New("host: calls were still running at the end of the shutdown time; their payments are asked about at the next start"))
	}
	h.plugins.stop()
	<-drained // with the plugins gone every call ends
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	errs = append(errs, h.store.Alarms().Stop(stopping), h.store.Close())
	return errors.Join(errs...)
}

// begin counts a piece of work that Close has to wait for; false once closing.
func (h *Host) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return false
	}
	h.work.Add(1)
	return true
}

// Ready fails if the host can't work: the store can't be written, or it is
// closing. Without a plugin it still answers for payments and keeps notifications,
// so that a load balancer must not take it out.
func (h *Host) Ready(ctx context.Context) error {
	h.mu.Lock()
	closing := h.closing
	h.mu.Unlock()
	if closing {
		return shuttingDown()
	}
	if err := h.store.CheckWritable(ctx); err != nil {
		return storeError(err)
	}
	return nil
}

// MetricsHandler serves the host's metrics in Prometheus' text format.
func (h *Host) MetricsHandler() http.Handler { return h.metrics.handler() }

func shuttingDown() *sdk.Error {
	e := sdk.NotSent(sdk.CodeShuttingDown, "paymux is stopping")
	e.RetryAfter = 5 * time.Second
	return e
}

// storeError hides the driver's words from callers; the log has them.
func storeError(err error) error {
	if e, ok := errors.AsType[*sdk.Error](err); ok {
		return e
	}
	e := sdk.NotSent(sdk.CodeStoreUnavailable, "the store failed")
	e.Err, e.RetryAfter = err, time.Second
	return e
}
