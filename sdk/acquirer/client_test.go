package acquirer_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// secret stands wherever an acquirer could have one put: query, header, body.
const secret = "sEcReT-0123456789"

func newClient(t *testing.T, o acquirer.Options) *acquirer.Client {
	t.Helper()
	c := acquirer.NewClient(o)
	t.Cleanup(c.Close)
	return c
}

func newRequest(t *testing.T, method, base string) *http.Request {
	t.Helper()
	contentType := ""
	if method == http.MethodPost {
		contentType = "application/json"
	}
	req, err := acquirer.NewRequest(t.Context(), method, base+"/path?client_secret="+secret, contentType, []byte(`{"key":"`+secret+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	return req
}

// checkError checks what an error says and that it holds nothing secret.
func checkError(t *testing.T, err error, code sdk.Code, outcome sdk.Outcome) {
	t.Helper()
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		t.Fatalf("got %T (%v), want *sdk.Error", err, err)
	}
	if e.Code != code || e.Outcome != outcome {
		t.Errorf("got %s %s, want %s %s: %v", e.Code.Name(), e.Outcome, code.Name(), outcome, err)
	}
	for ; err != nil; err = errors.Unwrap(err) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if text := fmt.Sprintf(verb, err); strings.Contains(text, secret) {
				t.Errorf("%s of %T tells the secret: %s", verb, err, text)
			}
		}
	}
}

func TestDoReturnsEveryAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Location", "/elsewhere?"+r.URL.RawQuery)
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(http.StatusTemporaryRedirect)
		_, _ = fmt.Fprintf(w, "%s|%s|%s|%s|%s|%s", r.Method, r.URL.Path, r.UserAgent(), r.Header.Get("Content-Type"), r.Header.Get("Cookie"), body)
	}))
	defer server.Close()
	client := newClient(t, acquirer.Options{Product: "test/1.2"})
	for range 2 { // the second would carry a cookie, were one kept
		resp, err := client.Do(t.Context(), newRequest(t, http.MethodPost, server.URL))
		if err != nil {
			t.Fatal(err)
		}
		want := `POST|/path|paymux/1 test/1.2|application/json||{"key":"` + secret + `"}`
		if resp.Status != http.StatusTemporaryRedirect || string(resp.Body) != want || resp.RetryAfter != 7*time.Second || resp.OK() {
			t.Errorf("got %d %q %v, want 307 %q 7s", resp.Status, resp.Body, resp.RetryAfter, want)
		}
	}
}

func TestBadLocationIsStillAnAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://%zz")
		w.WriteHeader(http.StatusFound)
	}))
	defer server.Close()
	resp, err := newClient(t, acquirer.Options{}).Do(t.Context(), newRequest(t, http.MethodGet, server.URL))
	if err != nil || resp.Status != http.StatusFound {
		t.Errorf("got %d, %v; want 302", resp.Status, err)
	}
}

func TestDoLeavesTheRequestAsItIs(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	req := newRequest(t, http.MethodPost, server.URL)
	if _, err := newClient(t, acquirer.Options{}).Do(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if req.GetBody == nil || req.Header.Get("User-Agent") != "" {
		t.Error("Do changed the caller's request")
	}
}

func TestNotSent(t *testing.T) {
	const closed = "http://127.0.0.1:1" // nobody listens there; a port that was closed may be taken again
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = quiet()
	untrusted.StartTLS()
	defer untrusted.Close()
	slow := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }) // never says a word of TLS
	over, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel2 := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel2()

	tests := []struct {
		name    string
		ctx     context.Context
		base    string
		options acquirer.Options
		want    sdk.Code
	}{
		{"connection refused", t.Context(), closed, acquirer.Options{}, sdk.CodeAcquirerUnavailable},
		{"unknown authority", t.Context(), untrusted.URL, acquirer.Options{TLS: &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}}, sdk.CodeAcquirerUnavailable},
		{"no TLS there", t.Context(), strings.Replace(plain.URL, "http:", "https:", 1), acquirer.Options{}, sdk.CodeAcquirerUnavailable},
		{"timeout in the handshake", t.Context(), "https://" + slow, acquirer.Options{Timeout: 50 * time.Millisecond}, sdk.CodeAcquirerTimeout},
		{"cancelled before", over, plain.URL, acquirer.Options{}, sdk.CodeAcquirerTimeout},
		{"deadline before", late, plain.URL, acquirer.Options{}, sdk.CodeAcquirerTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := newClient(t, test.options).Do(test.ctx, newRequest(t, http.MethodPost, test.base))
			checkError(t, err, test.want, sdk.OutcomeNotSent)
		})
	}
}

func TestTLSIsAtLeast12(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = quiet()
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // the point of the test
	server.StartTLS()
	defer server.Close()
	weak := &tls.Config{MinVersion: tls.VersionTLS10, RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs} //nolint:gosec
	_, err := newClient(t, acquirer.Options{TLS: weak}).Do(t.Context(), newRequest(t, http.MethodPost, server.URL))
	checkError(t, err, sdk.CodeAcquirerUnavailable, sdk.OutcomeNotSent)
}

// What comes packed could be huge once it is unpacked.
func TestNoCompressionIsAskedFor(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("Accept-Encoding"))
	}))
	defer server.Close()
	resp, err := newClient(t, acquirer.Options{}).Do(t.Context(), newRequest(t, http.MethodPost, server.URL))
	if err != nil || len(resp.Body) != 0 {
		t.Errorf("asked for %q, %v", resp.Body, err)
	}
}

func TestRequestThatCannotBeBuilt(t *testing.T) {
	_, err := acquirer.NewRequest(t.Context(), "GET", "http://host/%zz?"+secret, "", nil)
	checkError(t, err, sdk.CodeUnspecified, sdk.OutcomeNotSent)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for _, body := range []io.ReadCloser{nil, http.NoBody} {
			req := newRequest(t, method, "http://127.0.0.1:1")
			req.Body = body
			_, err = newClient(t, acquirer.Options{}).Do(t.Context(), req)
			checkError(t, err, sdk.CodeUnspecified, sdk.OutcomeNotSent)
		}
	}
	req := newRequest(t, http.MethodPost, "http://127.0.0.1:1")
	req.Header.Set("Authorization", secret+"\n")
	_, err = newClient(t, acquirer.Options{}).Do(t.Context(), req)
	checkError(t, err, sdk.CodeAcquirerUnavailable, sdk.OutcomeNotSent)
}

func TestUnknownOutcome(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	tests := []struct {
		name   string
		answer string // what the server writes before it closes; it repeats the request where it says ECHO
		want   sdk.Code
	}{
		{"closed without an answer", "", sdk.CodeAcquirerUnavailable},
		{"closed in the status line", "HTTP/1.1 20", sdk.CodeAcquirerAnswerInvalid},
		{"closed in the headers", ok + "Content-Le", sdk.CodeAcquirerAnswerInvalid},
		{"closed in the body", ok + "Content-Length: 100\r\n\r\n{\"code\":0", sdk.CodeAcquirerAnswerInvalid},
		{"closed in a chunk", ok + "Transfer-Encoding: chunked\r\n\r\n9\r\n{\"code\":0", sdk.CodeAcquirerAnswerInvalid},
		{"no HTTP", "ECHO", sdk.CodeAcquirerAnswerInvalid},
		{"bad header", ok + "ECHO\r\n\r\n", sdk.CodeAcquirerAnswerInvalid},
		{"huge headers", ok + "A: " + strings.Repeat("x", 70_000) + "\r\n\r\n", sdk.CodeAcquirerAnswerInvalid},
		{"huge body", ok + "Content-Length: 1001\r\n\r\n" + strings.Repeat("x", 1001), sdk.CodeAcquirerAnswerInvalid},
		{"endless body", ok + "\r\n" + strings.Repeat("x", 5000), sdk.CodeAcquirerAnswerInvalid},
		{"switches protocols", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", sdk.CodeAcquirerAnswerInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			address := listen(t, func(c net.Conn) {
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				body, _ := io.ReadAll(req.Body)
				echo := req.URL.RawQuery + " " + req.Header.Get("Authorization") + " " + string(body)
				_, _ = io.WriteString(c, strings.Replace(test.answer, "ECHO", echo, 1))
			})
			_, err := newClient(t, acquirer.Options{MaxBody: 1000}).Do(t.Context(), newRequest(t, http.MethodPost, "http://"+address))
			checkError(t, err, test.want, sdk.OutcomeUnknown)
		})
	}
}

func TestLargestBodyIsRead(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	}))
	defer server.Close()
	resp, err := newClient(t, acquirer.Options{MaxBody: 1000}).Do(t.Context(), newRequest(t, http.MethodGet, server.URL))
	if err != nil || len(resp.Body) != 1000 {
		t.Errorf("got %d bytes, %v; want 1000", len(resp.Body), err)
	}
}

func TestTimeoutAfterTheRequestLeft(t *testing.T) {
	for _, start := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"} {
		address := listen(t, func(c net.Conn) {
			r := bufio.NewReader(c)
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			_, _ = io.WriteString(c, start)
			_, _ = io.Copy(io.Discard, r) // until the client goes away
		})
		_, err := newClient(t, acquirer.Options{Timeout: 500 * time.Millisecond}).Do(t.Context(), newRequest(t, http.MethodPost, "http://"+address))
		checkError(t, err, sdk.CodeAcquirerTimeout, sdk.OutcomeUnknown)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v does not wrap context.DeadlineExceeded", err)
		}
	}
}

// The host waits 30 s for a call. An adapter that gives up first says what is
// known of the request; the host could only say that it is unknown.
func TestDefaultTimeoutIsShorterThanTheHosts(t *testing.T) {
	if acquirer.DefaultTimeout >= 30*time.Second {
		t.Errorf("%v", acquirer.DefaultTimeout)
	}
}

func TestCancelAfterTheRequestLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	_, err := newClient(t, acquirer.Options{}).Do(ctx, newRequest(t, http.MethodPost, server.URL))
	checkError(t, err, sdk.CodeAcquirerTimeout, sdk.OutcomeUnknown)
}
