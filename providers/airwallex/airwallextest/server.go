package airwallextest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
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
	hookURL  string
	secret   string
	tokens   map[string]time.Time // valid until
	intents  []*Intent
	refunds  []*Refund
	used     map[string]usedKey // by request_id
	timers   map[int]func() bool
	timerN   int
	sending  int
	idle     chan struct{} // closed while nothing is being sent
	faults   []*Fault
	requests []Request
	notes    []Notification
}

// ErrNotFound says that no object has the id.
var ErrNotFound = errors.New("airwallextest: not found")

// ErrState says that an object's status doesn't allow what was asked.
var ErrState = errors.New("airwallextest: the status doesn't allow it")

// NewServer returns a Server to be mounted as an http.Handler.
func NewServer(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		opt: o, hookURL: o.WebhookURL, secret: o.WebhookSecret, client: notificationClient(o.HTTPClient),
		tokens: map[string]time.Time{}, used: map[string]usedKey{}, timers: map[int]func() bool{}, idle: make(chan struct{}),
	}
	close(s.idle)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mux = s.routes()
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
		tb.Fatalf("airwallextest: %v", err)
	}
	s := NewServer(o)
	s.URL = "http://" + l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.wg.Go(func() { _ = s.http.Serve(l) })
	tb.Cleanup(s.Close)
	return s
}

// Close stops the timers and the notifications in flight, waits for them and for
// running calls, and may be called more than once.
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
		_ = s.http.Close()
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
	for _, e := range []struct {
		op      Op
		pattern string
		do      operation
	}{
		{OpLogin, "POST /api/v1/authentication/login", s.login},
		{OpCreate, "POST /api/v1/pa/payment_intents/create", s.create},
		{OpConfirm, "POST /api/v1/pa/payment_intents/{id}/confirm", s.confirm},
		{OpCancel, "POST /api/v1/pa/payment_intents/{id}/cancel", s.cancelIntent},
		{OpRetrieve, "GET /api/v1/pa/payment_intents/{id}", s.retrieve},
		{OpList, "GET /api/v1/pa/payment_intents", s.list},
		{OpRefund, "POST /api/v1/pa/refunds/create", s.refund},
		{OpRefundRetrieve, "GET /api/v1/pa/refunds/{id}", s.retrieveRefund},
		{OpRefundList, "GET /api/v1/pa/refunds", s.listRefunds},
		{OpSimulate, "POST /api/v1/simulation/pa/shopper_actions/{action}", s.simulate},
		{OpNone, "/api/", s.unknownPath},
	} {
		mux.Handle(e.pattern, s.endpoint(e.op, e.do))
	}
	s.routeWallet(mux)
	s.routeControl(mux)
	// A page elsewhere must not be able to press Pay.
	return http.NewCrossOriginProtection().Handler(mux)
}

// afterLocked runs f after d in a goroutine that Close waits for.
func (s *Server) afterLocked(d time.Duration, f func()) {
	if s.closed {
		return
	}
	if d <= 0 {
		s.wg.Go(f)
		return
	}
	s.timerN++
	n := s.timerN
	s.timers[n] = s.opt.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed {
			delete(s.timers, n)
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

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// apiTime writes a time as the documentation's sample does.
func apiTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-0700") }
