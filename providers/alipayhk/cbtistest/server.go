package cbtistest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/paymux/paymux/providers/internal/sandbox"
)

// Server is the sandbox: an http.Handler with a memory. Close it after use.
type Server struct {
	// URL is where the server listens, http://127.0.0.1:port, without a slash at
	// the end. Start sets it; a mounted Server has none.
	URL string

	opt     Options
	run     *sandbox.Runner
	handler http.Handler

	mu       sync.Mutex
	key      string
	db       database
	held     map[int64]bool // notifications kept back by the reorder fault
	faults   sandbox.Faults[Fault]
	requests sandbox.Log[Request]
	notes    sandbox.Log[Notification]
}

// New returns a Server to be mounted as an http.Handler. It fails if an option
// makes no sense or the state file can't be read.
func New(o Options) (*Server, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Server{
		opt: o, run: sandbox.NewRunner(o.HTTPClient), key: o.WebhookKey, held: map[int64]bool{},
		requests: sandbox.Log[Request]{Limit: o.LogSize}, notes: sandbox.Log[Notification]{Limit: o.LogSize},
	}
	s.handler = s.run.Handler(s.routes())
	if err := s.load(); err != nil {
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
type TB = sandbox.TB

// Start returns a Server listening on a free loopback port, closed when the
// test ends.
func Start(tb TB, o Options) *Server {
	tb.Helper()
	l, url := sandbox.Listen(tb)
	if o.BaseURL == "" {
		o.BaseURL = url
	}
	s, err := New(o)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	s.URL = url
	s.run.Serve(l, s)
	tb.Cleanup(s.Close)
	return s
}

// Close stops what waits and the notifications in flight, waits for them and for
// running calls, and may be called more than once. Undelivered notifications
// stay in the state file.
func (s *Server) Close() { s.run.Close() }

// ServeHTTP serves the acquirer's API, the wallet pages and the control API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

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
	return mux
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
