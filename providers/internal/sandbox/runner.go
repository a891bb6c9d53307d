// Package sandbox holds what the sandboxes of the acquirers have in common since
// no acquirer has a say in it: how a server runs and ends, how notifications are
// sent and waited for, how faults are used up, and the page of the wallet. What
// an acquirer does, and what it documents, is with its own sandbox.
package sandbox

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Runner runs what goes on in a sandbox, so that Close ends all of it.
type Runner struct {
	client *http.Client
	ctx    context.Context // ends at Close
	cancel context.CancelFunc
	http   *http.Server // nil unless Serve was called

	mu      sync.Mutex
	running sync.WaitGroup // doesn't grow after Close
	sending int
	idle    chan struct{} // closed while nothing is being sent
}

// NewRunner returns a Runner that sends notifications with client, or with one of
// its own if that is nil. It never follows a redirect.
func NewRunner(client *http.Client) *Runner {
	own := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r := &Runner{client: &own, idle: make(chan struct{})}
	close(r.idle)
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// TB is the part of testing.TB that Listen uses.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Listen takes a free port of loopback, until the test ends, and returns its URL.
func Listen(tb TB) (l net.Listener, url string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("sandbox: %v", err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	return l, "http://" + l.Addr().String()
}

// Serve serves on l until Close. It is called at most once.
func (r *Runner) Serve(l net.Listener, h http.Handler) {
	r.http = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	r.start(func() { _ = r.http.Serve(l) })
}

// Handler refuses calls after Close, and those of pages elsewhere: they must not
// be able to press Pay or to flip a switch.
func (r *Runner) Handler(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !r.enter() {
			http.Error(w, "the sandbox is closed", http.StatusServiceUnavailable)
			return
		}
		defer r.running.Done()
		next.ServeHTTP(w, req)
	})
}

// Close ends what waits or sends, waits for it and for running calls, and may be
// called more than once.
func (r *Runner) Close() {
	r.mu.Lock()
	r.cancel()
	r.mu.Unlock()
	if r.http != nil {
		_ = r.http.Close()
	}
	r.running.Wait()
	r.client.CloseIdleConnections()
}

// Closed reports whether Close was called.
func (r *Runner) Closed() bool { return r.ctx.Err() != nil }

func (r *Runner) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Closed() {
		return false
	}
	r.running.Add(1)
	return true
}

func (r *Runner) start(f func()) {
	if r.enter() {
		go func() {
			defer r.running.Done()
			f()
		}()
	}
}

// After runs f after d, unless the sandbox is closed by then. The caller may hold
// a lock that f takes.
func (r *Runner) After(d time.Duration, f func()) {
	r.start(func() {
		if r.Pause(r.ctx, d) {
			f()
		}
	})
}

// Pause waits for d; it reports false if ctx or the sandbox ended first.
func (r *Runner) Pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-r.ctx.Done():
	}
	return false
}
