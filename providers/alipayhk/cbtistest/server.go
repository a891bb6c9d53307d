package cbtistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Server is the sandbox: an http.Handler with a memory. Close it after use.
type Server struct {
	// URL is where the server listens, http://127.0.0.1:port, without a slash at
	// the end. Start sets it; a mounted Server has none.
	URL string

	opt    Options
	mux    http.Handler
	client *http.Client
	ctx    context.Context // ends at Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	http   *http.Server

	mu       sync.Mutex
	closed   bool
	key      string
	db       database
	timers   map[string]func() bool
	held     map[int64]bool // notifications kept back by the reorder fault
	sending  int
	idle     chan struct{} // closed while nothing is being sent
	faults   []*Fault
	faultSeq int
	requests ring[Request]
	notes    ring[Notification]
}

// New returns a Server to be mounted as an http.Handler. It fails if an option
// makes no sense or the state file can't be read.
func New(o Options) (*Server, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		opt: o, key: o.WebhookKey, client: notificationClient(o.HTTPClient),
		timers: map[string]func() bool{}, held: map[int64]bool{}, idle: make(chan struct{}),
		requests: ring[Request]{limit: o.LogSize}, notes: ring[Notification]{limit: o.LogSize},
	}
	close(s.idle)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mux = s.routes()
	if err := s.load(); err != nil {
		s.cancel()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resumeLocked()
	return s, nil
}

// NewServer is New for callers whose options are known to be good: it panics
// where New returns an error.
func NewServer(o Options) *Server {
	s, err := New(o)
	if err != nil {
		panic(err)
	}
	return s
}

// TB is the part of testing.TB that Start uses.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start returns a Server listening on a free loopback port, closed when the
// test ends.
func Start(tb TB, o Options) *Server {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("cbtistest: %v", err)
	}
	url := "http://" + l.Addr().String()
	if o.BaseURL == "" {
		o.BaseURL = url
	}
	s, err := New(o)
	if err != nil {
		l.Close()
		tb.Fatalf("%v", err)
	}
	s.URL = url
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.wg.Go(func() { s.http.Serve(l) })
	tb.Cleanup(s.Close)
	return s
}

// Close stops the timers and the notifications in flight, waits for them and for
// running calls, and may be called more than once. Undelivered notifications
// stay in the state file.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for _, stop := range s.timers {
		stop()
	}
	clear(s.timers)
	s.mu.Unlock()
	s.cancel()
	if s.http != nil {
		s.http.Close()
	}
	s.wg.Wait()
	s.client.CloseIdleConnections()
}

// ServeHTTP serves the acquirer's API, the wallet pages and the control API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		http.Error(w, "the sandbox is closed", http.StatusServiceUnavailable)
		return
	}
	s.wg.Add(1)
	s.mu.Unlock()
	defer s.wg.Done()
	s.mux.ServeHTTP(w, r)
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /mch-api/v1/auth", s.endpoint(OpAuth, s.auth))
	mux.Handle("POST /mch-api/v1/pa/payment_intents/create", s.endpoint(OpCreate, s.create))
	mux.Handle("POST /mch-api/v1/pa/payment_intents/query", s.endpoint(OpQuery, s.query))
	mux.Handle("POST /mch-api/v1/pa/refunds/create", s.endpoint(OpRefund, s.refund))
	mux.Handle("POST /mch-api/v1/pa/refunds/query", s.endpoint(OpRefundQuery, s.queryRefund))
	mux.HandleFunc("/mch-api/", s.unknownPath)
	s.routeWallet(mux)
	s.routeControl(mux)
	// A page elsewhere must not be able to press Pay or flip a switch.
	return http.NewCrossOriginProtection().Handler(mux)
}

// afterLocked runs f after d in a goroutine that Close waits for. A second call
// with the same name replaces the first.
func (s *Server) afterLocked(name string, d time.Duration, f func()) {
	if s.closed {
		return
	}
	if stop := s.timers[name]; stop != nil {
		stop()
		delete(s.timers, name)
	}
	if d <= 0 {
		s.wg.Go(f)
		return
	}
	s.timers[name] = s.opt.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed {
			delete(s.timers, name)
			s.wg.Go(f)
		}
	})
}

// pause waits for d on the sandbox's clock; it reports false if ctx or the
// server ended first.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	done := make(chan struct{})
	stop := s.opt.AfterFunc(d, func() { close(done) })
	select {
	case <-done:
		return true
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	stop()
	return false
}

func (o Options) validate() error {
	var errs []error
	oneOf := func(name, got string, want ...string) {
		if !slices.Contains(want, got) {
			errs = append(errs, fmt.Errorf("cbtistest: %s is %q, not one of %q", name, got, want))
		}
	}
	oneOf("AmountUnit", string(o.AmountUnit), string(Major), string(Minor))
	oneOf("DuplicateOrder", string(o.DuplicateOrder), string(RejectDuplicate), string(ReturnSame), string(CreateSecond))
	oneOf("LinkKey", string(o.LinkKey), string(LinkURL), string(LinkQRCodeURL), string(LinkRedirectURL))
	oneOf("UnpaidPayTime", string(o.UnpaidPayTime), string(PayTimeAbsent), string(PayTimeNull), string(PayTimeEmpty))
	oneOf("RefundOutcome", string(o.RefundOutcome), string(RefundSucceeds), string(RefundFails),
		string(RefundPendingSucceeds), string(RefundPendingFails))
	for name, bad := range map[string]bool{
		"SpeedUp": !(o.SpeedUp > 0), "TokenLifetime": o.TokenLifetime < time.Second,
		"RefundSettleAfter": o.RefundSettleAfter < 0, "LogSize": o.LogSize < 0,
	} {
		if bad {
			errs = append(errs, fmt.Errorf("cbtistest: %s is out of range", name))
		}
	}
	if o.BaseURL != "" && !absoluteURL(o.BaseURL) {
		errs = append(errs, fmt.Errorf("cbtistest: BaseURL %q is not an absolute http(s) URL", o.BaseURL))
	}
	return errors.Join(errs...)
}
