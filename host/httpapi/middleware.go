package httpapi

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/oklog/ulid/v2"

	"github.com/paymux/paymux/sdk"
)

// recorder remembers what was answered, for the log.
type recorder struct {
	http.ResponseWriter
	status   int
	bytes    int
	merchant string
	err      error // by which it failed, as far as the caller isn't told
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += n
	return n, err
}

// middleware sets the headers of every answer, logs it, and survives a panic.
func (a *api) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		rec := &recorder{ResponseWriter: w}
		id := "req_" + ulid.Make().String()
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		defer a.record(r, rec, id, begun)
		defer func() {
			switch p := recover(); {
			case p == http.ErrAbortHandler:
				panic(p)
			case p != nil:
				a.log.Error("a request panicked", "request", id, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					fail(rec, sdk.Unknown(sdk.CodeInternal, "the request failed inside paymux; read the payment before you repeat it"))
				}
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// record logs one line. Paths are logged as their route: what a caller wrote
// there, in the query or in a header is none of the log's business.
func (a *api) record(r *http.Request, rec *recorder, id string, begun time.Time) {
	level := hclog.Info
	if r.Pattern == "GET /healthz" || r.Pattern == "GET /readyz" {
		level = hclog.Debug
	}
	a.log.Log(level, "request", "request", id, "method", r.Method, "route", r.Pattern, "status", rec.status,
		"bytes", rec.bytes, "ms", time.Since(begun).Milliseconds(), "merchant", rec.merchant)
	if rec.err != nil && !errors.Is(rec.err, context.Canceled) { // a caller may leave
		a.log.Error("a request failed", "request", id, "error", rec.err)
	}
}
