// Package sandbox is Acme in memory: as much of its API as the provider uses,
// with a payer who can be told what to do. It holds Acme's documented behaviour,
// so that tests find out when the provider expects another.
package sandbox

import (
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/paymux/paymux/sdk/providertest"
)

// What the sandbox knows the merchant by. They open nothing.
const (
	Account         = "m-1001"
	APIKey          = "sandbox-api-key-1"
	NotificationKey = "sandbox-notification-key-1"
)

// Server is a running sandbox.
type Server struct {
	*httptest.Server
	client *http.Client // sends notifications

	mu       sync.Mutex
	key      string // signs notifications
	payments []*Payment
	faults   map[providertest.Op]providertest.Fault
}

// Start starts a sandbox on a free port of this machine.
func Start() *Server {
	s := &Server{
		client: &http.Client{Transport: &http.Transport{}},
		key:    NotificationKey,
		faults: map[providertest.Op]providertest.Fault{},
	}
	// Fact: the paths.
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/account", s.account)
	mux.HandleFunc("POST /v1/payments", s.create)
	mux.HandleFunc("GET /v1/payments", s.query)
	s.Server = httptest.NewServer(s.guard(mux))
	return s
}

// Stop stops it and closes its connections.
func (s *Server) Stop() {
	s.Close()
	s.client.CloseIdleConnections()
}

// Op says what a request is, for the conformance kit.
func Op(r *http.Request) providertest.Op {
	switch {
	case r.URL.Path == "/v1/account":
		return providertest.OpAuthorize
	case r.URL.Path == "/v1/payments" && r.Method == http.MethodPost:
		return providertest.OpCreate
	case r.URL.Path == "/v1/payments":
		return providertest.OpQuery
	}
	return ""
}

// Inject lets the next request of a kind go wrong.
func (s *Server) Inject(op providertest.Op, f providertest.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[op] = f
}

// fault returns what the next request of a kind suffers. The caller holds mu.
func (s *Server) fault(op providertest.Op) providertest.Fault {
	f := s.faults[op]
	delete(s.faults, op)
	return f
}

// guard lets only the merchant in.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Acme-Request-Id", newID("req"))
		if r.Header.Get("Authorization") != "Bearer "+APIKey {
			fail(w, http.StatusUnauthorized, "bad_key")
			return
		}
		next.ServeHTTP(w, r)
	})
}
