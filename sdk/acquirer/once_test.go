package acquirer_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// listen serves each connection with serve, then closes it.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, serve)
	return l.Addr().String()
}

func serveOn(t *testing.T, l net.Listener, serve func(net.Conn)) {
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = c.Close() }()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
}

// The server answers the first request and keeps the connection; it reads the
// next one whole and closes without an answer: the acquirer may have acted.
func TestPostIsNeverRepeatedOnAKeptConnection(t *testing.T) {
	tests := []struct {
		method, header string
		want           int64 // how often the second request arrives
	}{
		{http.MethodPost, "", 1},
		{http.MethodPost, "Idempotency-Key", 1}, // net/http takes this for a licence to repeat
		{http.MethodPost, "X-Idempotency-Key", 1},
		{http.MethodGet, "", 2}, // proves that the situation is the one net/http repeats in
	}
	for _, test := range tests {
		t.Run(test.method+test.header, func(t *testing.T) {
			var arrived atomic.Int64
			address := listen(t, func(c net.Conn) {
				r := bufio.NewReader(c)
				for i := 0; ; i++ {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					if req.Header.Get("Second") != "" {
						arrived.Add(1)
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				}
			})
			client := newClient(t, acquirer.Options{})
			if _, err := client.Do(t.Context(), newRequest(t, test.method, "http://"+address)); err != nil {
				t.Fatal(err)
			}
			req := newRequest(t, test.method, "http://"+address)
			req.Header.Set("Second", "yes")
			if test.header != "" {
				req.Header.Set(test.header, "k1")
			}
			_, err := client.Do(t.Context(), req)
			checkError(t, err, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown)
			if got := arrived.Load(); got != test.want {
				t.Errorf("the request arrived %d times, want %d", got, test.want)
			}
		})
	}
}

// The server closes an idle connection. Whether the client notices before it
// writes is a race; in neither case may a POST arrive twice, or be called
// NOT_SENT.
func TestPostOnAConnectionThatTheServerCloses(t *testing.T) {
	var arrived atomic.Int64
	address := listen(t, func(c net.Conn) {
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, req.Body)
		arrived.Add(1)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") // and closes
	})
	client := newClient(t, acquirer.Options{})
	for range 200 {
		arrived.Store(0)
		_, err := client.Do(t.Context(), newRequest(t, http.MethodPost, "http://"+address))
		if err != nil {
			checkError(t, err, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown)
		}
		if got := arrived.Load(); got > 1 || err == nil && got != 1 {
			t.Fatalf("the POST arrived %d times, error %v", got, err)
		}
	}
}

// Over HTTP/2 a stream that the server resets with PROTOCOL_ERROR is repeated by
// net/http, although the server may have acted.
func TestPostIsNeverRepeatedOverHTTP2(t *testing.T) {
	tests := []struct {
		method string
		want   int64
	}{
		{http.MethodPost, 1},
		{http.MethodGet, 2}, // proves that the situation is the one net/http repeats in
	}
	for _, test := range tests {
		t.Run(test.method, func(t *testing.T) {
			var arrived atomic.Int64
			base, roots := resettingServer(t, &arrived, test.method == http.MethodPost)
			client := newClient(t, acquirer.Options{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})
			req := newRequest(t, test.method, base)
			req.Header.Set("Idempotency-Key", "k1")
			resp, err := client.Do(t.Context(), req)
			if test.want == 1 {
				checkError(t, err, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown)
			} else if err != nil || resp.Status != http.StatusNoContent {
				t.Errorf("the repeated GET got %d, %v", resp.Status, err)
			}
			if got := arrived.Load(); got != test.want {
				t.Errorf("the request arrived %d times, want %d", got, test.want)
			}
		})
	}
}

// resettingServer speaks HTTP/2: it resets the first request once it has it
// whole and answers 204 to the next.
func resettingServer(t *testing.T, arrived *atomic.Int64, withBody bool) (base string, roots *x509.CertPool) {
	t.Helper()
	donor := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	donor.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: donor.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, func(c net.Conn) {
		preface := make([]byte, len(http2.ClientPreface))
		if _, err := io.ReadFull(c, preface); err != nil {
			return
		}
		framer := http2.NewFramer(c, c)
		_ = framer.WriteSettings()
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return
			}
			whole := false
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					_ = framer.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				whole = !withBody || f.StreamEnded()
			case *http2.DataFrame:
				whole = f.StreamEnded()
			}
			if !whole {
				continue
			}
			if arrived.Add(1) == 1 {
				_ = framer.WriteRSTStream(frame.Header().StreamID, http2.ErrCodeProtocol)
				continue
			}
			_ = framer.WriteHeaders(http2.HeadersFrameParam{
				StreamID: frame.Header().StreamID, EndHeaders: true, EndStream: true,
				BlockFragment: []byte{0x89}, // :status 204 of the static table
			})
		}
	})
	return "https://" + l.Addr().String(), donor.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
}

func TestHTTP2IsUsed(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	resp, err := newClient(t, acquirer.Options{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}).Do(t.Context(), newRequest(t, http.MethodPost, server.URL))
	if err != nil || string(resp.Body) != "HTTP/2.0" {
		t.Errorf("got %q, %v; want HTTP/2.0", resp.Body, err)
	}
}
