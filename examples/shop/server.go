package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// maxForm bounds the body of a form post.
const maxForm = 4 << 10

// pollTimeout bounds what a page waits for paymux.
const pollTimeout = 8 * time.Second

//go:embed style.css
var styleSheet []byte

// styleVersion changes the sheet's address when the sheet changes.
var styleVersion = func() string {
	sum := sha256.Sum256(styleSheet)
	return hex.EncodeToString(sum[:6])
}()

// server is the shop.
type server struct {
	paymux  *Client
	journal *Journal
	public  *url.URL
	log     *slog.Logger
	pages   pageSet
	now     func() time.Time
}

// newServer wires the shop up.
func newServer(paymux *Client, journal *Journal, public *url.URL, log *slog.Logger) (*server, error) {
	pages, err := loadPages()
	if err != nil {
		return nil, err
	}
	return &server{paymux: paymux, journal: journal, public: public, log: log, pages: pages, now: time.Now}, nil
}

// handler returns the shop's routes behind its protections.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.showProducts)
	mux.HandleFunc("POST /orders", s.createOrder)
	mux.HandleFunc("GET /orders/{order}", s.showCheckout)
	mux.HandleFunc("POST /orders/{order}/pay", s.pay)
	mux.HandleFunc("GET /orders/{order}/pay", s.backToCheckout)
	mux.HandleFunc("GET /orders/{order}/attempts/{attempt}", s.showAttempt)
	mux.HandleFunc("GET /orders/{order}/return", s.showReturn)
	mux.HandleFunc("GET /style.css", serveStyle)
	mux.HandleFunc("GET /healthz", noContent)
	mux.HandleFunc("GET /favicon.ico", noContent)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.notFound(w) })

	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(s.public.Scheme + "://" + s.public.Host); err != nil {
		s.log.Warn("the public URL is no usable origin", "error", err)
	}
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.fail(w, http.StatusForbidden, "That request came from another site", "Please start again from the shop's own pages.", "")
	}))
	return s.protect(guard.Handler(mux))
}

// protect sets the headers of every answer and bounds every body.
func (s *server) protect(next http.Handler) http.Handler {
	// A form's redirect counts as its action, so wallets have to be allowed,
	// and a shop that runs over plain HTTP meets wallets that do, too.
	action := "'self' https:"
	if s.public.Scheme == "http" {
		action += " http:"
	}
	policy := "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action " + action
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // an order's address stays with us
		h.Set("Cache-Control", "no-store")      // "back" from a wallet asks again
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

// serveStyle serves the one style sheet. Its address names its version.
func serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(styleSheet)
}

func noContent(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// order finds the order of a request, or answers 404.
func (s *server) order(w http.ResponseWriter, r *http.Request) (Order, []Attempt, bool) {
	o, attempts, ok := s.journal.Order(r.PathValue("order"))
	if !ok {
		s.notFound(w)
	}
	return o, attempts, ok
}

// orderPath is the address of an order, or of something below it.
func orderPath(order string, rest ...string) string {
	path, _ := url.JoinPath("/orders/"+url.PathEscape(order), rest...)
	return path
}

// payments asks the host about every attempt of an order. With refresh, it has
// the host ask the acquirer about those that are still open first.
func (s *server) payments(ctx context.Context, o Order, attempts []Attempt, refresh bool) ([]Payment, error) {
	list, err := s.paymux.Group(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	if refresh && s.refreshOpen(ctx, list) {
		if list, err = s.paymux.Group(ctx, o.ID); err != nil {
			return nil, err
		}
	}
	mine := list[:0]
	for _, p := range list {
		if p.belongs(o, attempts) {
			mine = append(mine, p)
		}
	}
	return mine, nil
}

// refreshOpen refreshes what is open, all at once, and reports whether anything
// was. A refresh that fails is no news: the read that follows says what holds.
func (s *server) refreshOpen(ctx context.Context, list []Payment) bool {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout/2)
	defer cancel()
	var wait sync.WaitGroup
	found := false
	for _, p := range list {
		if !p.open() {
			continue
		}
		found = true
		wait.Go(func() {
			if err := s.paymux.Refresh(ctx, p.ID); err != nil {
				s.log.Info("refresh brought nothing", "payment", p.ID, "error", err)
			}
		})
	}
	wait.Wait()
	return found
}
