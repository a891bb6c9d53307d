package providernode_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/httpapi"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// needNode skips a test where the plugin can't run, and says how it could.
func needNode(t *testing.T) {
	t.Helper()
	const how = "SKIPPED: %s; get it with: apt-get install nodejs npm && make oracles"
	script, err := os.ReadFile("paymux-provider-node")
	if err != nil {
		t.Fatal(err)
	}
	// Where the plugin looks for node is what counts, not our own PATH.
	look := strings.Replace(string(script), `exec node "${0%/*}/main.js"`, `exec node -e "AbortSignal.any([])"`, 1)
	if err := exec.Command("/bin/sh", "-c", look).Run(); err != nil {
		t.Skipf(how, "there is no node, or one older than 20.3, in the PATH that paymux-provider-node sets")
	}
	if _, err := os.Stat("node_modules/@grpc/grpc-js"); err != nil {
		t.Skipf(how, "there is no node_modules")
	}
}

// rig is a real host with the plugin as a process, and the acquirer's sandbox.
type rig struct {
	t       *testing.T
	host    *host.Host
	sandbox *cbtistest.Server
	public  *httptest.Server // where the acquirer sends notifications
	log     lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newRig(t *testing.T) *rig {
	t.Helper()
	needNode(t)
	r := &rig{t: t, sandbox: cbtistest.Start(t, cbtistest.Options{SpeedUp: 60})}
	var api atomic.Pointer[http.Handler]
	r.public = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { (*api.Load()).ServeHTTP(w, q) }))
	t.Cleanup(r.public.Close)
	plugins, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("paymux.yaml", fmt.Appendf(nil, `
listen: 127.0.0.1:0
admin_listen: ""
public_url: %s
store: sqlite:paymux.db
plugins: {dir: %q, allow_unsealed: true}
providers:
  cbtis:
    plugin: node
    config: {base_url: %q, uid: %q, client_secret: %q, webhook_keys: ["an-older-key", %q]}
routes: [{providers: [cbtis]}]
`, r.public.URL, plugins, r.sandbox.URL, cbtistest.DefaultUID, cbtistest.DefaultClientSecret, cbtistest.DefaultWebhookKey), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	log := hclog.New(&hclog.LoggerOptions{Output: &r.log, Level: hclog.Debug})
	if r.host, err = host.Open(t.Context(), cfg, host.WithLogger(log)); err != nil {
		t.Fatal(err)
	}
	handler := httpapi.New(r.host, httpapi.Options{})
	api.Store(&handler)
	t.Cleanup(r.close)
	// A loaded machine may start node too late for Open, which then goes on without.
	r.until("the provider is ready", func() bool { return r.provider().Ready })
	return r
}

func (r *rig) close() {
	if err := r.host.Close(context.Background()); err != nil {
		r.t.Error(err)
	}
	for _, secret := range []string{cbtistest.DefaultClientSecret, cbtistest.DefaultWebhookKey, "an-older-key"} {
		if strings.Contains(r.log.String(), secret) {
			r.t.Error("a secret is in the log")
		}
	}
	if r.t.Failed() {
		r.t.Logf("log of the host:\n%s", &r.log)
	}
}

func (r *rig) provider() host.ProviderInfo {
	r.t.Helper()
	info, err := r.host.Provider("", "cbtis")
	if err != nil {
		r.t.Fatal(err)
	}
	return info
}

// order is a request for a payment.
func order(id string) host.CreateRequest {
	return host.CreateRequest{
		MerchantOrderID: id, Amount: "100.00", Currency: "HKD", Method: "alipay_hk", Flow: "mobile_web",
		Description: "Tea", ReturnURL: "https://shop.example.com/back",
	}
}

const merchant = "shop"

// create makes a payment that must come to a status.
func (r *rig) create(req host.CreateRequest, want string) host.Payment {
	r.t.Helper()
	made, err := r.host.Create(r.t.Context(), merchant, req)
	if err != nil {
		r.t.Fatal(err)
	}
	if made.Payment.Status != want {
		r.t.Fatalf("%s is %s, not %s: %v", req.MerchantOrderID, made.Payment.Status, want, made.Err)
	}
	return made.Payment
}

// ask has the host ask the acquirer until it knows. Once isn't always enough: a
// question that was under way already answers for ours.
func (r *rig) ask(p host.Payment, what string, known func(host.Payment) bool) host.Payment {
	r.t.Helper()
	r.until(p.MerchantOrderID+" "+what, func() bool {
		var err error
		if p, err = r.host.Refresh(r.t.Context(), merchant, p.ID); err != nil {
			r.t.Fatal(err)
		}
		return known(p)
	})
	return p
}

func (r *rig) asked(p host.Payment, want string) host.Payment {
	r.t.Helper()
	return r.ask(p, "becomes "+want, func(p host.Payment) bool { return p.Status == want })
}

// becomes waits for a payment's status, which a notification brings.
func (r *rig) becomes(p host.Payment, want string) host.Payment {
	r.t.Helper()
	r.until(p.MerchantOrderID+" becomes "+want, func() bool {
		var err error
		if p, err = r.host.Get(r.t.Context(), merchant, p.ID); err != nil {
			r.t.Fatal(err)
		}
		return p.Status == want
	})
	return p
}

func (r *rig) pay(id string) {
	r.t.Helper()
	if _, err := r.sandbox.Pay(id); err != nil {
		r.t.Fatal(err)
	}
}

// until waits for what another process does.
func (r *rig) until(what string, done func() bool) {
	r.t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("waited in vain: %s", what)
		}
	}
}
