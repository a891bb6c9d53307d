package providertest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/paymux/paymux/sdk/providertest/rules"
)

// trouble is what a network, or a server in front of the acquirer, can do.
type trouble struct {
	name string
	// before: the acquirer never gets the request. Else it does what it is asked
	// to, and its answer is spoilt.
	before  bool
	cut     bool        // the connection is closed
	hang    bool        // no answer comes
	half    bool        // half of the answer's body, as a whole one
	endless bool        // an answer that doesn't end
	crossed bool        // the answer to the request of this kind that came before
	status  int         // an answer of the server in front
	header  http.Header //
	body    string
}

const errorPage = "<html><head><title>Service unavailable</title></head><body><h1>Service unavailable</h1></body></html>\n"

func page(name string, before bool, status int) trouble {
	return trouble{name: name, before: before, status: status, body: errorPage, header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}}
}

// proxy stands between a provider and the sandbox.
type proxy struct {
	url    string
	target *url.URL
	op     func(*http.Request) Op
	client *http.Transport
	server *http.Server
	ctx    context.Context // of the case

	running sync.RWMutex // read while a request is being served
	// release gives away the port of a proxy that was closed.
	release func()

	mu    sync.Mutex
	armed map[Op]*arming
	last  map[Op]answer
	sent  map[Op]int
	total int
}

// answer is what the acquirer answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

type arming struct {
	trouble
	left   int // how often; -1: always
	hits   int
	took   int           // bytes of an endless answer
	struck chan struct{} // closed when it struck, and the acquirer is done if it was asked
	once   sync.Once
}

func startProxy(t *rules.T, target string, op func(*http.Request) Op) *proxy {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		t.Fatalf("the harness's sandbox has the URL %q", target)
	}
	ctx, over := context.WithCancel(t.Context())
	p := &proxy{
		target: u, op: op, ctx: ctx, release: func() {}, armed: map[Op]*arming{}, last: map[Op]answer{}, sent: map[Op]int{},
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return hasty{conn.(*net.TCPConn), p.ctx.Err}, nil
	}
	p.client = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64, DialContext: dial}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("the kit's proxy: %v", err)
	}
	p.url, p.server = serve(hastyListener{listener, ctx.Err}, p)
	t.Cleanup(func() {
		over()
		_ = p.server.Close()
		p.release()
		p.running.Lock() // nothing of this case may reach the sandbox of another
		defer p.running.Unlock()
		p.client.CloseIdleConnections()
	})
	return p
}

// serve starts a server.
func serve(l net.Listener, h http.Handler) (address string, server *http.Server) {
	server = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	return "http://" + l.Addr().String(), server
}

// hasty is a connection that is forgotten at once when it is closed after the
// case. Else thousands of closed connections keep their ports for a minute, and
// free ones take long to find.
type hasty struct {
	*net.TCPConn
	over func() error // not nil after the case
}

func (c hasty) Close() error {
	if c.over() != nil {
		_ = c.SetLinger(0)
	}
	return c.TCPConn.Close()
}

type hastyListener struct {
	net.Listener
	over func() error
}

func (l hastyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return hasty{conn.(*net.TCPConn), l.over}, nil
}

// close refuses every connection from now on. It is false if another program got
// the port at once: what is sent now would reach that.
func (p *proxy) close() (ok bool) {
	_ = p.server.Close()
	p.release, ok = hold(strings.TrimPrefix(p.url, "http://"))
	return ok
}

// arm has the next requests of a kind suffer; times is -1 for all of them.
func (p *proxy) arm(op Op, times int, what trouble) *arming {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed[op] = &arming{trouble: what, left: times, struck: make(chan struct{})}
	return p.armed[op]
}

// struck reports how often what was armed has happened.
func (p *proxy) struck(a *arming) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return a.hits
}

// count returns how many requests of a kind came.
func (p *proxy) count(op Op) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[op]
}

func (p *proxy) all() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// take counts a request and returns what it shall suffer, nil for nothing.
func (p *proxy) take(op Op) *arming {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total++
	p.sent[op]++
	a := p.armed[op]
	if a == nil || a.left == 0 {
		return nil
	}
	a.left = max(a.left-1, -1)
	a.hits++
	return a
}

// ServeHTTP passes a request on, or not.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.running.RLock()
	defer p.running.RUnlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the provider gave up while it sent
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	op := p.op(r)
	what := p.take(op)
	if what != nil && (what.before || what.crossed) {
		p.spoil(w, r, op, what, answer{})
		return
	}
	got, err := p.forward(r, body)
	if err != nil {
		http.Error(w, "the sandbox can't be reached", http.StatusBadGateway)
		return
	}
	if what != nil {
		p.spoil(w, r, op, what, got)
		return
	}
	p.mu.Lock()
	p.last[op] = got
	p.mu.Unlock()
	reply(w, got)
}

// forward asks the acquirer, who goes on even if the provider has left.
func (p *proxy) forward(r *http.Request, body []byte) (answer, error) {
	target := *p.target
	target.Path, target.RawPath = joinPath(p.target.Path, r.URL.Path), joinPath(p.target.EscapedPath(), r.URL.EscapedPath())
	target.RawQuery = r.URL.RawQuery
	out, err := http.NewRequestWithContext(p.ctx, r.Method, target.String(), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	out.Header = r.Header.Clone()
	out.Header.Del("Connection")
	got, err := p.client.RoundTrip(out)
	if err != nil {
		return answer{}, err
	}
	content, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, content}, errors.Join(err, got.Body.Close())
}

func joinPath(base, path string) string {
	if base == "/" {
		base = ""
	}
	return base + path
}

func (p *proxy) spoil(w http.ResponseWriter, r *http.Request, op Op, what *arming, got answer) {
	what.once.Do(func() { close(what.struck) })
	switch {
	case what.hang:
		select { // until the provider gives up, or the case ends
		case <-r.Context().Done():
		case <-p.ctx.Done():
		}
		panic(http.ErrAbortHandler)
	case what.cut:
		panic(http.ErrAbortHandler)
	case what.half:
		got.body = got.body[:len(got.body)/2]
		reply(w, got)
	case what.endless:
		p.endless(w, what)
		panic(http.ErrAbortHandler)
	case what.crossed:
		p.mu.Lock()
		got = p.last[op]
		p.mu.Unlock()
		reply(w, got)
	default:
		reply(w, answer{cmp.Or(what.status, http.StatusBadGateway), what.header, []byte(what.body)})
	}
}

// mostTaken is how much of an answer without end the kit sends. It is more than
// sockets hold, and than any answer needs.
const mostTaken = 32 << 20

func (p *proxy) endless(w http.ResponseWriter, what *arming) {
	w.Header().Set("Content-Type", "application/json")
	for part := append([]byte(`{"data":"`), bytes.Repeat([]byte("x"), 64<<10)...); ; part = part[len(part)-64<<10:] {
		n, err := w.Write(part)
		p.mu.Lock()
		what.took += n
		over := what.took >= mostTaken
		p.mu.Unlock()
		if err != nil || over {
			return
		}
	}
}

// tookAll reports whether the provider took an answer without end as long as it came.
func (p *proxy) tookAll(a *arming) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return a.took >= mostTaken
}

func reply(w http.ResponseWriter, a answer) {
	for name, values := range a.header {
		if name != "Content-Length" && name != "Connection" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(cmp.Or(a.status, http.StatusBadGateway))
	_, _ = w.Write(a.body)
}
