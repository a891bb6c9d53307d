package providertest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// inbox is where sandboxes send notifications; it keeps them to the byte. Every
// world has a path of its own.
type inbox struct {
	base   string
	server *http.Server

	mu    sync.Mutex
	paths map[string]chan sdk.HTTPRequest
}

func startInbox() (*inbox, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("providertest: the kit's inbox: %w", err)
	}
	in := &inbox{paths: map[string]chan sdk.HTTPRequest{}}
	in.base, in.server = serve(listener, in)
	return in, nil
}

func (in *inbox) close() { _ = in.server.Close() }

// open returns an address, and what comes there until the case is over.
func (in *inbox) open(t *rules.T) (url string, come <-chan sdk.HTTPRequest) {
	path, all := "/v1/notifications/"+newID("n"), make(chan sdk.HTTPRequest, 256)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.paths[path] = all
	t.Cleanup(func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		delete(in.paths, path)
	})
	return in.base + path, all
}

// ServeHTTP keeps a notification and says 200 with nothing in it.
func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	all := in.paths[r.URL.Path]
	if all == nil {
		http.NotFound(w, r) // the case is over
		return
	}
	select {
	case all <- sdk.HTTPRequest{
		Method: r.Method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Header: r.Header.Clone(), Body: body, ReceivedAt: time.Now(),
	}:
	default: // a flood: nobody reads that many
	}
}

// next waits for a notification.
func (w *world) next() sdk.HTTPRequest {
	w.Helper()
	if w.Silent {
		w.Skipf("the harness's sandbox sends no notifications")
	}
	select {
	case r := <-w.come:
		return r
	case <-w.Context().Done():
		w.Fatalf("the sandbox sent no notification")
		return sdk.HTTPRequest{}
	}
}
