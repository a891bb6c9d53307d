package stripetest

import (
	"net/http"
	"slices"
	"strings"
	"sync"

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
	secret   string
	intents  []*Intent
	keys     map[string]*saved
	faults   sandbox.Faults[Fault]
	requests sandbox.Log[Request]
	notes    sandbox.Log[Notification]
}

// New returns a Server to be mounted as an http.Handler.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{opt: o, run: sandbox.NewRunner(o.HTTPClient), secret: o.WebhookSecret, keys: map[string]*saved{}}
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
	if o.BaseURL == "" {
		o.BaseURL = url
	}
	s := New(o)
	s.URL = url
	s.run.Serve(l, s)
	tb.Cleanup(s.Close)
	return s
}

// Close stops what waits and the notifications in flight, waits for them and for
// running calls, and may be called more than once.
func (s *Server) Close() { s.run.Close() }

// ServeHTTP serves the acquirer's API and the wallet pages.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

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
	return mux
}

func newID(prefix string) string {
	return prefix + "_" + sandbox.RandomHex(12)
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
	return slices.DeleteFunc(s.requests.List(), func(r Request) bool { return len(ops) > 0 && !slices.Contains(ops, r.Op) })
}

// link returns the address of a wallet page.
func (s *Server) link(r *http.Request, id string) string {
	base := strings.TrimRight(s.opt.BaseURL, "/")
	if base == "" {
		base = "http://" + r.Host
	}
	return base + "/wallet/" + id
}
