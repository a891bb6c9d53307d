//go:build linux

package chaos

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// world is everything around the hosts: an acquirer, the internet between it and
// them, a shop with its endpoint for events, and the hosts' database.
type world struct {
	t       testing.TB
	dir     string
	db      database
	sandbox *cbtistest.Server
	front   *httptest.Server // the acquirer's address; counts what is under way
	public  *httptest.Server // where the acquirer sends notifications
	events  *httptest.Server // the shop's endpoint
	client  *http.Client
	began   time.Time
	// patience is how long others' work may take.
	patience time.Duration

	mu       sync.Mutex
	hosts    []*host
	turn     int                 // of the hosts that are spoken to
	acks     map[string][]ack    // by merchant order id
	notices  map[string]bool     // digests of notifications that were acknowledged
	told     map[string]string   // bodies of events by id
	flights  map[string][]flight // calls about an order that are under way at the acquirer
	verdict  verdict             // what was seen on the way
	payments int                 // that shops began
	refused  atomic.Int64        // orders to which the host said no, or not now
}

// ack is what the shop was told of a payment.
type ack struct {
	id, status string
	code       int
}

const (
	key         = "key-of-the-shop-0123456789"
	eventSecret = "whsec_c2VjcmV0IG9mIHRoZSBzaG9wIGZvciBldmVudHM="
)

// newWorld makes a world without hosts. What it holds is removed with the test.
func newWorld(t testing.TB, e engine) *world {
	t.Helper()
	w := &world{
		t: t, dir: t.TempDir(), began: time.Now(), patience: time.Minute, acks: map[string][]ack{}, notices: map[string]bool{}, told: map[string]string{},
		flights: map[string][]flight{}, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 15 * time.Second},
	}
	serve := func(handler http.HandlerFunc) *httptest.Server {
		s := httptest.NewServer(handler)
		t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
		return s
	}
	w.front = serve(w.serveAcquirer)
	w.public = serve(w.serveNotification)
	w.events = serve(w.serveEvent)
	var err error
	// CreateSecond: a request that is sent twice makes two orders, as it might at
	// an acquirer that doesn't protect its customers.
	w.sandbox, err = cbtistest.New(cbtistest.Options{BaseURL: w.front.URL, SpeedUp: 60, DuplicateOrder: cbtistest.CreateSecond, LogSize: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sandbox.Close)
	w.db = e.open(t, w.dir)
	if err := os.Mkdir(filepath.Join(w.dir, "plugins"), 0o700); err != nil {
		t.Fatal(err)
	}
	// A name of its own, so that this world's processes can be told from others'.
	if err := os.Link(filepath.Join(bin, "plugin"), w.pluginPath()); err != nil {
		t.Fatal(err)
	}
	w.configure(w.db.store)
	return w
}

func (w *world) pluginPath() string {
	return filepath.Join(w.dir, "plugins", "paymux-provider-alipayhk")
}

func (w *world) configPath() string { return filepath.Join(w.dir, "paymux.yaml") }

// configure writes the config. The second provider is another account, by its
// host name, with a process of its own.
func (w *world) configure(store string) {
	w.t.Helper()
	account := fmt.Sprintf(`uid: %q, client_secret: %q, webhook_keys: [%q]`, cbtistest.DefaultUID, cbtistest.DefaultClientSecret, cbtistest.DefaultWebhookKey)
	text := fmt.Sprintf(`
listen: 127.0.0.1:0
admin_listen: ""
public_url: %s
store: %q
plugins: {dir: plugins}
api_keys: [{merchant: shop, key: %s}]
providers:
  cbtis: {plugin: alipayhk, config: {base_url: %q, %s}}
  other: {plugin: alipayhk, process: own, config: {base_url: %q, %s}}
routes: [{providers: [cbtis]}]
events: [{url: %q, secret: %q, merchant: shop}]
`, w.public.URL, store, key, w.front.URL, account, strings.Replace(w.front.URL, "127.0.0.1", "localhost", 1), account, w.events.URL, eventSecret)
	if err := os.WriteFile(w.configPath(), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// serveNotification is the way of a notification to one of the hosts, and notes
// what they acknowledged.
func (w *world) serveNotification(rw http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	host := w.anyHost()
	if err != nil || host == nil {
		http.Error(rw, "no route to host", http.StatusBadGateway)
		return
	}
	on, err := http.NewRequestWithContext(q.Context(), q.Method, host.url+q.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadGateway)
		return
	}
	on.Header = q.Header.Clone()
	answer, err := w.client.Do(on)
	if err != nil {
		http.Error(rw, "the host is gone", http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusOK {
		sum := sha256.Sum256(body)
		w.mu.Lock()
		w.notices[hex.EncodeToString(sum[:])] = true
		w.mu.Unlock()
	}
	rw.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(rw, answer.Body)
}

// serveEvent is the shop's endpoint.
func (w *world) serveEvent(rw http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err == nil {
		err = verifyEvent(body, q.Header)
	}
	var e struct{ ID string }
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch before, known := w.told[e.ID]; {
	case err != nil:
		w.verdict.lostEvents = append(w.verdict.lostEvents, "the shop can't believe an event: "+err.Error())
	case known && before != string(body):
		w.verdict.lostEvents = append(w.verdict.lostEvents, "event "+e.ID+" came again with other words: "+before+" and "+string(body))
	default:
		w.told[e.ID] = string(body)
	}
	rw.WriteHeader(http.StatusNoContent)
}

// await waits for what other processes do.
func (w *world) await(what string, done func() bool) error {
	return w.within(w.patience, what, done)
}

func (w *world) within(limit time.Duration, what string, done func() bool) error {
	return poll(limit, what, done)
}

func poll(limit time.Duration, what string, done func() bool) error {
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("waited %s in vain: %s", limit, what)
		}
	}
	return nil
}
