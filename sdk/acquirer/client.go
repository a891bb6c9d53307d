package acquirer

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
)

// The limits of a [Client] unless [Options] says otherwise.
const (
	DefaultTimeout = 25 * time.Second // one exchange, from dialling to the last byte; the host waits 30 s
	DefaultMaxBody = 1 << 20          // bytes of an answer's body

	dialTimeout    = 5 * time.Second
	tlsTimeout     = 5 * time.Second
	headerTimeout  = 20 * time.Second
	maxHeaderBytes = 64 << 10
	// Shorter than what servers keep (60 s and more), so that a request seldom
	// meets a connection that is just being closed.
	idleTimeout = 30 * time.Second
)

// Options are the few things in which clients differ. The zero value is good.
type Options struct {
	// Product is added to the User-Agent, such as "alipayhk/1.0.0".
	Product string
	Timeout time.Duration // of one exchange; 0: DefaultTimeout
	MaxBody int64         // of an answer; 0: DefaultMaxBody
	// TLS is the base of the TLS configuration, for private roots or client
	// certificates. TLS 1.2 is the least in any case.
	TLS *tls.Config
	// Transport, if set, stands between the client and the network: the Transport
	// of a [transcript.Recorder] or [transcript.Replayer] in a test.
	Transport func(network http.RoundTripper) http.RoundTripper
}

// Client sends requests to an acquirer. All accounts of a plugin share one, so
// that they share its connections. It follows no redirect, keeps no cookie and
// takes no proxy from the environment.
type Client struct {
	network   *http.Transport
	transport http.RoundTripper // network, or what stands before it
	timeout   time.Duration
	maxBody   int64
	userAgent string
}

// NewClient returns a client.
func NewClient(o Options) *Client {
	tlsConfig := o.TLS.Clone()
	if tlsConfig == nil {
		tlsConfig = &tls.Config{}
	}
	tlsConfig.MinVersion = max(tlsConfig.MinVersion, tls.VersionTLS12)
	userAgent := "paymux/1"
	if o.Product != "" {
		userAgent += " " + o.Product
	}
	c := &Client{
		network: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSClientConfig:        tlsConfig,
			TLSHandshakeTimeout:    tlsTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    64,
			ForceAttemptHTTP2:      true,
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
			DisableCompression:     true, // answers are small, and none may unpack to something huge
		},
		timeout:   cmp.Or(o.Timeout, DefaultTimeout),
		maxBody:   cmp.Or(o.MaxBody, DefaultMaxBody),
		userAgent: userAgent,
	}
	c.transport = c.network
	if o.Transport != nil {
		c.transport = o.Transport(c.network)
	}
	return c
}

// Close closes the connections that nobody uses.
func (c *Client) Close() { c.network.CloseIdleConnections() }

// Response is an acquirer's whole answer, whatever its status.
type Response struct {
	Status     int
	Header     http.Header
	Body       []byte
	RetryAfter time.Duration // the Retry-After header; zero if there is none
}

// OK reports whether the status is 2xx.
func (r Response) OK() bool { return r.Status >= 200 && r.Status <= 299 }

// Do sends the request once and reads the whole answer. Any status is an
// answer, a redirect included. Every error is an [*sdk.Error]; see the package
// comment for what it promises.
func (c *Client) Do(ctx context.Context, req *http.Request) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	ex := &exchange{req: req}
	if ctx.Err() != nil {
		return Response{}, ex.failed(ctx, ctx.Err())
	}
	once, err := sendOnce(req)
	if err != nil {
		return Response{}, err
	}
	once = once.WithContext(httptrace.WithClientTrace(ctx, ex.trace()))
	once.Header.Set("User-Agent", c.userAgent)

	// The transport, not an http.Client: that one follows redirects, and quotes
	// the whole URL and bad Location headers in its errors.
	transport := c.transport
	if recorder := transcript.FromContext(ctx); recorder != nil {
		transport = recorder.Transport(transport)
	}
	answer, err := transport.RoundTrip(once)
	if err != nil {
		return Response{}, ex.failed(ctx, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode < 200 { // 101: what follows isn't HTTP and might never end
		return Response{}, ex.invalid("it answered with HTTP status %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, c.maxBody+1))
	if err != nil {
		return Response{}, ex.failed(ctx, err)
	}
	if int64(len(body)) > c.maxBody {
		return Response{}, ex.invalid("its answer with HTTP status %d is larger than %d bytes", answer.StatusCode, c.maxBody)
	}
	return Response{
		Status: answer.StatusCode, Header: answer.Header, Body: body,
		RetryAfter: ParseRetryAfter(answer.Header.Get("Retry-After"), time.Now()),
	}, nil
}

// sendOnce returns a copy that net/http can't send twice on its own. It repeats
// a request after a broken connection or stream when
//
//   - the method is GET, HEAD, OPTIONS or TRACE, which is harmless;
//   - the body is missing or can be read again (GetBody) and there is an
//     Idempotency-Key header, or HTTP/2 reset the stream with PROTOCOL_ERROR.
//
// A body that can be read only once rules the second out. The price: a POST on
// a kept connection that the server closes in that moment ends as UNKNOWN.
func sendOnce(req *http.Request) (*http.Request, error) {
	once := req.Clone(req.Context())
	if once.Header == nil {
		once.Header = http.Header{}
	}
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return once, nil
	}
	if req.Body == nil || req.Body == http.NoBody {
		return nil, sdk.NotSent(sdk.CodeUnspecified, "a %s request needs a body, or it might be sent twice", req.Method)
	}
	once.GetBody = nil
	return once, nil
}

// NewRequest returns a request with a body, or without one if contentType is
// empty. Its errors don't quote the URL, as those of net/http do.
func NewRequest(ctx context.Context, method, target, contentType string, body []byte) (*http.Request, error) {
	var reader io.Reader
	if contentType != "" {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, reader)
	if err != nil {
		return nil, sdk.NotSent(sdk.CodeUnspecified, "the request can't be built")
	}
	req.Header.Set("Accept", "application/json")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req, nil
}

// exchange is what is known of one request's fate.
type exchange struct {
	req       *http.Request
	connected atomic.Bool // a connection was obtained: bytes may have been sent
	answered  atomic.Bool // the first byte of an answer came
}

func (ex *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { ex.connected.Store(true) },
		GotFirstResponseByte: func() { ex.answered.Store(true) },
	}
}
