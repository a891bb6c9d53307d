package transcript

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/paymux/paymux/sdk"
)

// Replayer answers from a transcript, strictly in order and each entry once. It
// opens no connection.
type Replayer struct {
	scrub *scrubber

	mu      sync.Mutex
	entries []Entry
	at      int
	failed  error // the first; after it nothing is played
}

// longestLine is more than two whole bodies, escaped.
const longestLine = 8 * mostBody

// NewReplayer reads a transcript. The options are those of the config that is
// used now, whose secrets may be others than those at the recording.
func NewReplayer(transcript io.Reader, o Options) (*Replayer, error) {
	entries, err := Read(transcript)
	if err != nil {
		return nil, err
	}
	return &Replayer{scrub: newScrubber(o), entries: entries}, nil
}

// Read reads a transcript's entries.
func Read(transcript io.Reader) ([]Entry, error) {
	var entries []Entry
	lines := bufio.NewScanner(transcript)
	lines.Buffer(nil, longestLine)
	for n := 1; lines.Scan(); n++ {
		var e Entry
		d := json.NewDecoder(strings.NewReader(lines.Text()))
		d.DisallowUnknownFields()
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("line %d of the transcript: %w", n, err)
		}
		exchange := e.Request != nil && (e.Answer != nil || e.Failure != nil) && e.Notification == nil
		if !exchange && (e.Notification == nil || e.Request != nil || e.Answer != nil || e.Failure != nil) {
			return nil, fmt.Errorf("line %d of the transcript is neither an exchange nor a notification", n)
		}
		entries = append(entries, e)
	}
	return entries, lines.Err()
}

// Difference is a request that isn't the one of the transcript. Its text holds
// no secret.
type Difference struct {
	Line int // of the transcript
	What []string
}

// Error says what differs.
func (d *Difference) Error() string {
	return fmt.Sprintf("line %d of the transcript: %s", d.Line, strings.Join(d.What, "; "))
}

// Done returns the first difference, or an error if something wasn't played.
func (r *Replayer) Done() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil && r.at < len(r.entries) {
		return fmt.Errorf("the transcript wasn't played to its end: line %d of %d is the next", r.at+1, len(r.entries))
	}
	return r.failed
}

// Transport returns a round tripper that plays the transcript and never uses
// next.
func (r *Replayer) Transport(http.RoundTripper) http.RoundTripper { return roundTripper(r.roundTrip) }

func (r *Replayer) roundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	body, err := takeBody(req)
	if err != nil {
		return nil, err
	}
	got := r.scrub.request(req, body)
	entry, err := r.take(func(e Entry) []string {
		if e.Request == nil {
			return []string{fmt.Sprintf("a notification comes next, but %s %s was sent", got.Method, got.URL)}
		}
		return differences(e.Request, got)
	}, got.Method+" "+got.URL)
	if err != nil {
		return nil, err
	}
	return entry.play(req)
}

// Notification returns the next entry, which must be a notification.
func (r *Replayer) Notification() (sdk.HTTPRequest, error) {
	entry, err := r.take(func(e Entry) []string {
		if e.Notification == nil {
			return []string{"the next is " + e.Request.Method + " " + e.Request.URL + ", no notification"}
		}
		return nil
	}, "a notification")
	if err != nil {
		return sdk.HTTPRequest{}, err
	}
	n := entry.Notification
	if n.Omitted > 0 {
		return sdk.HTTPRequest{}, errOmitted
	}
	target, err := url.Parse(n.URL)
	if err != nil {
		return sdk.HTTPRequest{}, errors.New("the notification's URL can't be read")
	}
	return sdk.HTTPRequest{
		Method: n.Method, Path: target.EscapedPath(), RawQuery: target.RawQuery,
		Header: n.Header.Clone(), Body: []byte(n.Body), ReceivedAt: entry.At,
	}, nil
}

// omitted is played where an answer's body was left out. It is as little JSON as
// what was there.
const omitted = "[omitted]"

var errOmitted = errors.New("the body was left out of the transcript, so it can't be played")

// take moves on by one entry if it is the right one.
func (r *Replayer) take(compare func(Entry) []string, what string) (Entry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed != nil {
		return Entry{}, r.failed
	}
	if r.at == len(r.entries) {
		r.failed = &Difference{r.at + 1, []string{"the transcript has ended, but there is " + what}}
		return Entry{}, r.failed
	}
	entry := r.entries[r.at]
	r.at++
	if all := compare(entry); len(all) > 0 {
		r.failed = &Difference{r.at, all}
		return Entry{}, r.failed
	}
	return entry, nil
}

// play tells the request's trace what happened then, so that the outcome is that
// of the recording.
func (e Entry) play(req *http.Request) (*http.Response, error) {
	connected, answered := e.Answer != nil, e.Answer != nil
	if e.Failure != nil {
		connected, answered = e.Failure.Connected, e.Failure.Answered
	}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil {
		if connected && trace.GotConn != nil {
			trace.GotConn(httptrace.GotConnInfo{})
		}
		if answered && trace.GotFirstResponseByte != nil {
			trace.GotFirstResponseByte()
		}
	}
	if e.Answer == nil {
		return nil, failure{*e.Failure}
	}
	text := e.Answer.Body
	if text == "" && e.Answer.Omitted > 0 {
		text = omitted
	}
	body := io.Reader(strings.NewReader(text))
	if e.Failure != nil {
		body = io.MultiReader(body, failing{failure{*e.Failure}})
	}
	header := e.Answer.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		Status: http.StatusText(e.Answer.Status), StatusCode: e.Answer.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(body), ContentLength: -1, Request: req,
	}, nil
}

// failure is a recorded failure as an error, such as a client tells it by.
type failure struct{ Failure }

func (f failure) Error() string { return f.Text }

func (f failure) Timeout() bool { return f.Failure.Timeout }

func (f failure) Unwrap() error {
	if f.Text == textClosed {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func differences(want, got *Message) []string {
	var all []string
	add := func(what, want, got string) {
		if want != got {
			all = append(all, what+" "+excerpts(want, got))
		}
	}
	add("method", want.Method, got.Method)
	add("URL", want.URL, got.URL)
	for _, name := range headerNames(want.Header, got.Header) {
		add("header "+name, strings.Join(want.Header[name], ", "), strings.Join(got.Header[name], ", "))
	}
	add("body", want.Body, got.Body)
	if want.Omitted != got.Omitted {
		all = append(all, fmt.Sprintf("body that isn't recorded: %d bytes instead of %d", got.Omitted, want.Omitted))
	}
	return all
}

func headerNames(a, b http.Header) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	return slices.Compact(names)
}

// around is how much is shown before and after the place where two texts part.
const around = 40

// excerpts shows two texts around the first place where they differ.
func excerpts(want, got string) string {
	at := 0
	for at < len(want) && at < len(got) && want[at] == got[at] {
		at++
	}
	return fmt.Sprintf("is %q, recorded was %q", excerpt(got, at), excerpt(want, at))
}

func excerpt(s string, at int) string {
	from, to := max(0, at-around), min(len(s), at+around)
	text := strings.ToValidUTF8(s[from:to], "")
	if from > 0 {
		text = "…" + text
	}
	if to < len(s) {
		text += "…"
	}
	return text
}
