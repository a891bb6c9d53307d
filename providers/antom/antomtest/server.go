package antomtest

import (
	"context"
	"crypto/rsa"
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
	key      *rsa.PrivateKey
	merchant *rsa.PrivateKey // nil if the merchant keeps it
	orders   []*Order
	refunds  map[string]*Refund // by refundRequestId
	timers   map[int]func() bool
	timerSeq int
	sending  int
	idle     chan struct{} // closed while nothing is being sent
	faults   []*Fault
	requests []Request
	notes    []Notification
	noteSeq  int
}

// New returns a Server to be mounted as an http.Handler.
func New(o Options) *Server {
	s := &Server{
		opt: o.withDefaults(), key: o.Key, client: o.HTTPClient,
		refunds: map[string]*Refund{}, timers: map[int]func() bool{}, idle: make(chan struct{}),
	}
	close(s.idle)
	if s.key == nil {
		s.key = acquirerKey()
	}
	if s.opt.MerchantKey == nil {
		s.merchant = merchantKey()
		s.opt.MerchantKey = &s.merchant.PublicKey
	}
	if s.client == nil {
		s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	}
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
		tb.Fatalf("antomtest: %v", err)
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
	for path, do := range map[string]struct {
		op Op
		do operation
	}{
		"pay": {OpPay, s.pay}, "inquiryPayment": {OpQuery, s.query}, "cancel": {OpCancel, s.cancelPayment},
		"refund": {OpRefund, s.refund}, "inquiryRefund": {OpRefundQuery, s.queryRefund},
	} {
		for _, base := range []string{livePath, sandboxPath} {
			mux.Handle("POST "+base+"/payments/"+path, s.endpoint(do.op, base, do.do))
		}
	}
	s.routeWallet(mux)
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
	s.timerSeq++
	id := s.timerSeq
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
