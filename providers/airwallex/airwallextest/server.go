package airwallextest

import (
	"errors"
	"net/http"
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
	hookURL  string
	secret   string
	tokens   map[string]time.Time // valid until
	intents  []*Intent
	refunds  []*Refund
	used     map[string]usedKey // by request_id
	faults   sandbox.Faults[Fault]
	requests sandbox.Log[Request]
	notes    sandbox.Log[Notification]
}

// ErrNotFound says that no object has the id.
var ErrNotFound = errors.New("airwallextest: not found")

// ErrState says that an object's status doesn't allow what was asked.
var ErrState = errors.New("airwallextest: the status doesn't allow it")

// NewServer returns a Server to be mounted as an http.Handler.
func NewServer(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		opt: o, run: sandbox.NewRunner(o.HTTPClient), hookURL: o.WebhookURL, secret: o.WebhookSecret,
		tokens: map[string]time.Time{}, used: map[string]usedKey{},
	}
	s.handler = s.run.Handler(s.routes())
	return s
}

// TB is the part of testing.TB that Start uses.
type TB = sandbox.TB

// Start returns a Server listening on a free loopback port, closed when the
// test ends.
func Start(tb TB, o Options) *Server {
	tb.Helper()
	l, url := sandbox.Listen(tb)
	s := NewServer(o)
	s.URL = url
	s.run.Serve(l, s)
	tb.Cleanup(s.Close)
	return s
}

// Close stops what waits and the notifications in flight, waits for them and for
// running calls, and may be called more than once.
func (s *Server) Close() { s.run.Close() }

// ServeHTTP serves the acquirer's API, the wallet pages and the control API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

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
	return mux
}

// apiTime writes a time as the documentation's sample does.
func apiTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-0700") }
