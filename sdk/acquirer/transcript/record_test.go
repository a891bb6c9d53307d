package transcript

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

// exchange sends a request through a recorder to next.
func exchange(t *testing.T, next roundTripper) (transcript string, answer *http.Response) {
	t.Helper()
	var out strings.Builder
	r := NewRecorder(&out, Options{})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://a.example/", io.NopCloser(strings.NewReader("{}")))
	if err != nil {
		t.Fatal(err)
	}
	answer, err = r.Transport(next).RoundTrip(req) //nolint:bodyclose // no network
	if err != nil || r.Err() != nil {
		t.Fatal(err, r.Err())
	}
	return out.String(), answer
}

// A recorder gives net/http no way to send a request twice.
func TestRequestCanBeReadOnce(t *testing.T) {
	exchange(t, func(req *http.Request) (*http.Response, error) {
		if body, err := io.ReadAll(req.Body); string(body) != "{}" || err != nil || req.GetBody != nil {
			t.Errorf("%q, %v, GetBody: %t", body, err, req.GetBody != nil)
		}
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})
}

// failsOnce is a body that breaks off, and forgets that it did.
type failsOnce struct{ reads int }

func (f *failsOnce) Read(p []byte) (int, error) {
	switch f.reads++; f.reads {
	case 1:
		return copy(p, "{}"), nil
	case 2:
		return 0, io.ErrUnexpectedEOF
	}
	return 0, io.EOF
}

func (*failsOnce) Close() error { return nil }

// An answer that breaks off doesn't become a whole one.
func TestBrokenAnswerStaysBroken(t *testing.T) {
	transcript, answer := exchange(t, func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: &failsOnce{}}, nil
	})
	body, err := io.ReadAll(answer.Body)
	if string(body) != "{}" || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(transcript, textClosed) {
		t.Errorf("%q, %v; %s", body, err, transcript)
	}
}

// What follows a 101 might never end.
func TestNothingIsReadAfterSwitching(t *testing.T) {
	unread := &failsOnce{}
	transcript, _ := exchange(t, func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: unread}, nil
	})
	if unread.reads > 0 || !strings.Contains(transcript, `"status":101`) {
		t.Errorf("read %d times; %s", unread.reads, transcript)
	}
}

// brokenOnce is a disk that is full for one write.
type brokenOnce struct {
	strings.Builder
	writes int
}

func (b *brokenOnce) Write(p []byte) (int, error) {
	if b.writes++; b.writes == 1 {
		return 0, errors.New("no space")
	}
	return b.Builder.Write(p)
}

// After a hole nothing is written, and neither the disk nor a mistake of the
// recorder's own costs more than the transcript.
func TestTranscriptWithAHole(t *testing.T) {
	out := &brokenOnce{}
	r := NewRecorder(out, Options{})
	for range 2 {
		r.Notification(sdk.HTTPRequest{Method: "POST"})
	}
	if r.Err() == nil || out.Len() > 0 {
		t.Errorf("%v, %s", r.Err(), out.String())
	}
	r = NewRecorder(io.Discard, Options{})
	r.write(func() Entry { panic("a mistake") })
	if r.Err() == nil {
		t.Error("no error")
	}
}
