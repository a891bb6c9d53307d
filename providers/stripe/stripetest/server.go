package stripetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"strings"
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
	secret   string
	intents  []*Intent
	keys     map[string]*saved
	timers   map[int]func() bool
	timerN   int
	faults   []*Fault
	faultN   int
	requests []Request
	notes    []Notification
	sending  int
	idle     chan struct{} // closed while nothing is being sent
}

// New returns a Server to be mounted as an http.Handler.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		opt: o, secret: o.WebhookSecret, client: notificationClient(o.HTTPClient),
		keys: map[string]*saved{}, timers: map[int]func() bool{}, idle: make(chan struct{}),
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

// Start returns a Server listening on a free loopback port, closed when the test
// ends.
func Start(tb TB, o Options) *Server {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("stripetest: %v", err)
	}
	url := "http://" + l.Addr().String()
	if o.BaseURL == "" {
		o.BaseURL = url
	}
	s := New(o)
	s.URL = url
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

// ServeHTTP serves the acquirer's API and the wallet pages.
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
	mux.Handle("GET /v1/account", s.endpoint(OpAccount, s.account))
	mux.Handle("POST /v1/payment_intents", s.endpoint(OpCreate, s.create))
	mux.Handle("GET /v1/payment_intents/search", s.endpoint(OpSearch, s.search))
	mux.Handle("GET /v1/payment_intents/{id}", s.endpoint(OpQuery, s.query))
	mux.Handle("POST /v1/payment_intents/{id}/cancel", s.endpoint(OpCancel, s.cancelIntent))
	mux.Handle("POST /v1/refunds", s.endpoint(OpRefund, s.refund))
	mux.Handle("GET /v1/refunds", s.endpoint(OpRefundQuery, s.listRefunds))
	mux.Handle("GET /v1/refunds/{id}", s.endpoint(OpRefundQuery, s.queryRefund))
	mux.Handle("/v1/", s.endpoint(OpAny, func(*call) (any, *refusal) {
		return nil, refuse(http.StatusNotFound, "", "unrecognized request URL")
	}))
	s.routeWallet(mux)
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
	id := s.timerN
	s.timers[id] = s.opt.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed {
			delete(s.timers, id)
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

func newID(prefix string) string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + "_" + hex.EncodeToString(b[:])
}

// Request is one call to the API, as the log keeps it: without its key.
type Request struct {
	Op             Op
	Method, Path   string
	Query, Body    string
	IdempotencyKey string
	APIVersion     string
	Status         int  // 0: the connection was closed
	Replayed       bool // answered out of what an earlier request with the key had
	Fault          Kind
}

// Requests returns the calls to the API, oldest first; those of one op only if
// one is given.
func (s *Server) Requests(ops ...Op) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.requests), func(r Request) bool { return len(ops) > 0 && !slices.Contains(ops, r.Op) })
}

// link returns the address of a wallet page.
func (s *Server) link(r *http.Request, id string) string {
	base := strings.TrimRight(s.opt.BaseURL, "/")
	if base == "" {
		base = "http://" + r.Host
	}
	return base + "/wallet/" + id
}
