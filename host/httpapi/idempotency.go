package httpapi

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

const (
	keyHeader      = "Idempotency-Key"
	replayedHeader = "Idempotent-Replayed"
)

type merchantHandler = func(http.ResponseWriter, *http.Request, string)

// keyed makes the answers of a POST handler repeatable by an Idempotency-Key. A
// request without one goes straight through.
func (a *api) keyed(serve merchantHandler) merchantHandler {
	return func(w http.ResponseWriter, r *http.Request, merchant string) {
		key, err := idempotencyKey(r.Header)
		if err != nil {
			fail(w, err)
			return
		}
		if key == "" {
			serve(w, r, merchant)
			return
		}
		body, err := readBody(w, r, maxBody)
		if err != nil {
			fail(w, err)
			return
		}
		claim, before, err := a.host.TakeKey(r.Context(), host.KeyedRequest{Merchant: merchant, Path: r.URL.EscapedPath(), Key: key, Body: body})
		switch {
		case err != nil:
			fail(w, err)
		case before != nil:
			replay(w, *before)
		default:
			r.Body = io.NopCloser(bytes.NewReader(body))
			a.serveKeyed(w, r, merchant, claim, serve)
		}
	}
}

// serveKeyed keeps the answer before it is given. Errors by which nothing
// happened aren't kept, nor is what nobody waits for any more: the same request
// may then find out more.
func (a *api) serveKeyed(w http.ResponseWriter, r *http.Request, merchant string, claim host.KeyClaim, serve merchantHandler) {
	held := &heldAnswer{header: w.Header()}
	inner := &recorder{ResponseWriter: held}
	var keep *host.KeyedAnswer
	func() {
		defer func() { a.host.FinishKey(claim, keep) }() // also after a panic
		serve(inner, r, merchant)
		if says(inner.status) && r.Context().Err() == nil {
			keep = &host.KeyedAnswer{
				Status: inner.status, ContentType: w.Header().Get("Content-Type"), Location: w.Header().Get("Location"), Body: held.body.Bytes(),
			}
		}
	}()
	if rec, ok := w.(*recorder); ok {
		rec.err = inner.err
	}
	w.WriteHeader(inner.status)
	_, _ = w.Write(held.body.Bytes())
}

// says reports whether an answer says what came of the request: it was done, or
// the acquirer refused, finally.
func says(status int) bool { return status < 400 || status == http.StatusPaymentRequired }

func replay(w http.ResponseWriter, before host.KeyedAnswer) {
	w.Header().Set("Content-Type", before.ContentType)
	if before.Location != "" {
		w.Header().Set("Location", before.Location)
	}
	w.Header().Set(replayedHeader, "true")
	w.WriteHeader(before.Status)
	_, _ = w.Write(before.Body)
}

// heldAnswer holds an answer back until it is kept.
type heldAnswer struct {
	header http.Header
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header         { return h.header }
func (h *heldAnswer) WriteHeader(int)             {} // the recorder around it knows
func (h *heldAnswer) Write(p []byte) (int, error) { return h.body.Write(p) }

// idempotencyKey returns the key, "" if there is none. The draft of the header
// wants a string of RFC 8941, in quotes; most clients send the key as it is. Both
// are the same key.
func idempotencyKey(h http.Header) (string, error) {
	values := h.Values(keyHeader)
	if len(values) == 0 {
		return "", nil
	}
	key, ok := values[0], true
	if strings.HasPrefix(key, `"`) {
		key, ok = unquote(key)
	}
	odd := strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' })
	if !ok || len(values) > 1 || key == "" || len(key) > 255 || odd {
		return "", sdk.InvalidField(keyHeader, "must be given once and have 1 to 255 printable ASCII characters, in quotes or not")
	}
	return key, nil
}

// unquote reads a string of RFC 8941, in which only quote and backslash may be
// escaped.
func unquote(s string) (string, bool) {
	var key strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return key.String(), i == len(s)-1
		case '\\':
			if i++; i == len(s) || s[i] != '"' && s[i] != '\\' {
				return "", false
			}
		}
		key.WriteByte(s[i])
	}
	return "", false
}
