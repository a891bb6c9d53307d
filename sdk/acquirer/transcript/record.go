package transcript

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/paymux/paymux/sdk"
)

// mostBody is how much of a body is recorded; it is more than a client reads.
const mostBody = 2 << 20

// Recorder writes a transcript. It is safe for concurrent use; entries stand in
// the order in which the exchanges ended. It never changes an exchange: that a
// transcript can't be written is told by Err alone.
type Recorder struct {
	scrub *scrubber
	out   *output
}

// output is shared by recorders with different secrets.
type output struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

// NewRecorder returns a recorder that writes to w.
func NewRecorder(w io.Writer, o Options) *Recorder {
	return &Recorder{scrub: newScrubber(o), out: &output{w: w}}
}

// With returns a recorder that writes to the same transcript and leaves out
// other secrets, for another account.
func (r *Recorder) With(o Options) *Recorder {
	return &Recorder{scrub: newScrubber(o), out: r.out}
}

// Err returns the first error of writing.
func (r *Recorder) Err() error {
	r.out.mu.Lock()
	defer r.out.mu.Unlock()
	return r.out.err
}

// Notification records a notification that came.
func (r *Recorder) Notification(req sdk.HTTPRequest) {
	at, target := req.ReceivedAt, req.Path
	if at.IsZero() {
		at = time.Now()
	}
	if req.RawQuery != "" {
		target += "?" + req.RawQuery
	}
	r.write(func() Entry {
		return Entry{At: at.UTC(), Notification: r.scrub.message(Message{Method: req.Method}, target, req.Header, req.Body, true)}
	})
}

// Transport returns a round tripper that records what goes through next.
func (r *Recorder) Transport(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) { return r.roundTrip(next, req) })
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func (r *Recorder) roundTrip(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	body, err := takeBody(req)
	if err != nil {
		return nil, err
	}
	var connected, answered atomic.Bool
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { connected.Store(true) },
		GotFirstResponseByte: func() { answered.Store(true) },
	})
	sent := time.Now().UTC()
	record := func(answer *http.Response, got []byte, err error) {
		r.write(func() Entry {
			entry := Entry{At: sent, Request: r.scrub.request(req, body)}
			if answer != nil {
				entry.Answer = r.scrub.message(Message{Status: answer.StatusCode}, "", answer.Header, got, true)
			}
			if err != nil {
				entry.Failure = describe(err)
				entry.Failure.Connected, entry.Failure.Answered = connected.Load(), answered.Load()
			}
			return entry
		})
	}
	answer, err := next.RoundTrip(withBody(req.WithContext(ctx), body))
	if err != nil {
		record(nil, nil, err)
		return nil, err
	}
	if answer.StatusCode < http.StatusOK { // what follows is no answer, and might never end
		record(answer, nil, nil)
		return answer, nil
	}
	got, err := io.ReadAll(io.LimitReader(answer.Body, mostBody))
	record(answer, got, err)
	rest := io.Reader(answer.Body)
	if err != nil {
		rest = failing{err}
	}
	answer.Body = bodyOf{io.MultiReader(bytes.NewReader(got), rest), answer.Body}
	return answer, nil
}

// write writes an entry, unless something went wrong before: of a transcript
// with holes nobody could tell.
func (r *Recorder) write(entry func() Entry) {
	r.out.mu.Lock()
	defer r.out.mu.Unlock()
	if r.out.err != nil {
		return
	}
	defer func() {
		if recover() != nil { // a mistake here must not cost a payment either
			r.out.err = errors.New("transcript: an entry can't be made")
		}
	}()
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(entry()); err != nil {
		r.out.err = err
		return
	}
	_, r.out.err = r.out.w.Write(line.Bytes()) // at once, so that what was is there after a crash
}

func (s *scrubber) request(req *http.Request, body []byte) *Message {
	method := req.Method
	if method == "" {
		method = http.MethodGet
	}
	return s.message(Message{Method: method}, req.URL.String(), req.Header, body, false)
}

// takeBody reads a request's body, which is in memory.
func takeBody(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	defer func() { _ = req.Body.Close() }()
	return io.ReadAll(req.Body)
}

// withBody gives a request its body back, in a form that can be read only once:
// net/http must find no other way to send it twice than it had before.
func withBody(req *http.Request, body []byte) *http.Request {
	if body != nil {
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	return req
}

type bodyOf struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

const textClosed = "the connection was closed"

// describe says what went wrong in words of our own: the transport's could hold
// anything.
func describe(err error) *Failure {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return &Failure{Text: "the caller gave up"}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &Failure{Text: "no answer in time", Timeout: true}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Failure{Text: textClosed}
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return &Failure{Text: errno.Error()}
	}
	return &Failure{Text: "the exchange failed"}
}
