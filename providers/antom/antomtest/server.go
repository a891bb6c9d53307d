package antomtest

import (
	"crypto/rsa"
	"net/http"
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
	key      *rsa.PrivateKey
	merchant *rsa.PrivateKey // nil if the merchant keeps it
	orders   []*Order
	refunds  map[string]*Refund // by refundRequestId
	faults   sandbox.Faults[Fault]
	requests sandbox.Log[Request]
	notes    sandbox.Log[Notification]
	noteSeq  int
}

// New returns a Server to be mounted as an http.Handler.
func New(o Options) *Server {
	s := &Server{opt: o.withDefaults(), run: sandbox.NewRunner(o.HTTPClient), key: o.Key, refunds: map[string]*Refund{}}
	if s.key == nil {
		s.key = acquirerKey()
	}
	if s.opt.MerchantKey == nil {
		s.merchant = merchantKey()
		s.opt.MerchantKey = &s.merchant.PublicKey
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
	return mux
}
