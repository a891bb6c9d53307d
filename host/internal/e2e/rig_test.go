package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// bin holds the binaries under test.
var bin string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "paymux-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	for name, pkg := range map[string]string{
		"paymux": "host/cmd/paymux", "plugins/paymux-provider-alipayhk": "providers/alipayhk/cmd/paymux-provider-alipayhk",
	} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, name), "github.com/paymux/paymux/"+pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it ships
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	return m.Run()
}

// rig is a host and an acquirer, each of which can be killed and started again.
type rig struct {
	t       *testing.T
	dir     string
	public  *httptest.Server // where the acquirer sends notifications
	deaf    atomic.Bool      // the way from the acquirer to the host is cut
	sandbox atomic.Pointer[cbtistest.Server]
	front   *httptest.Server // the acquirer's address, which outlives the acquirer
	live    atomic.Pointer[daemon]
}

// daemon is one life of paymux serve.
type daemon struct {
	cmd    *exec.Cmd
	url    string
	log    *lockedBuffer
	exited chan struct{}
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

const key = "key-of-the-shop-0123456789"

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir()}
	r.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.acquirer().ServeHTTP(w, q) }))
	t.Cleanup(r.front.Close)
	r.startAcquirer()
	t.Cleanup(func() { r.acquirer().Close() })
	r.public = httptest.NewServer(http.HandlerFunc(r.forward))
	t.Cleanup(r.public.Close)
	config := fmt.Sprintf(`
listen: 127.0.0.1:0
admin_listen: ""
public_url: %s
store: sqlite:paymux.db
plugins: {dir: %s}
api_keys: [{merchant: shop, key: %s}]
providers:
  cbtis:
    plugin: alipayhk
    config:
      base_url: %s
      uid: "%s"
      client_secret: "%s"
      webhook_keys: ["%s"]
routes: [{providers: [cbtis]}]
`, r.public.URL, filepath.Join(bin, "plugins"), key, r.front.URL, cbtistest.DefaultUID, cbtistest.DefaultClientSecret, cbtistest.DefaultWebhookKey)
	if err := os.WriteFile(filepath.Join(r.dir, "paymux.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r.startHost()
	t.Cleanup(r.stopHost)
	return r
}

// forward stands for the internet between the acquirer and the host.
func (r *rig) forward(w http.ResponseWriter, q *http.Request) {
	if r.deaf.Load() || r.host() == nil {
		http.Error(w, "no route to host", http.StatusBadGateway)
		return
	}
	target, _ := url.Parse(r.host().url)
	httputil.NewSingleHostReverseProxy(target).ServeHTTP(w, q)
}

func (r *rig) startAcquirer() {
	r.t.Helper()
	s, err := cbtistest.New(cbtistest.Options{StateFile: filepath.Join(r.dir, "acquirer.json"), BaseURL: r.front.URL, SpeedUp: 60})
	if err != nil {
		r.t.Fatal(err)
	}
	r.sandbox.Store(s)
}

func (r *rig) acquirer() *cbtistest.Server { return r.sandbox.Load() }

func (r *rig) startHost() {
	r.t.Helper()
	d := &daemon{log: &lockedBuffer{}, exited: make(chan struct{})}
	d.cmd = exec.Command(filepath.Join(bin, "paymux"), "serve", "--config", filepath.Join(r.dir, "paymux.yaml"))
	d.cmd.Stderr = d.log
	d.cmd.WaitDelay = 5 * time.Second
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(d.exited)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, rest, ok := strings.Cut(lines.Text(), "listening on "); ok {
				ready <- strings.Fields(rest)[0]
			}
		}
		_ = d.cmd.Wait()
	}()
	select {
	case d.url = <-ready:
	case <-d.exited:
		r.t.Fatalf("the host did not start:\n%s", d.log)
	case <-time.After(time.Minute):
		r.t.Fatalf("the host did not start in a minute:\n%s", d.log)
	}
	r.live.Store(d)
}

func (r *rig) host() *daemon { return r.live.Load() }

// killHost ends the host as a power cut would.
func (r *rig) killHost() {
	r.t.Helper()
	_ = r.host().cmd.Process.Kill()
	<-r.host().exited
}

// stopHost ends the host as an operator would, and looks at its log.
func (r *rig) stopHost() {
	_ = r.host().cmd.Process.Signal(os.Interrupt)
	select {
	case <-r.host().exited:
	case <-time.After(time.Minute):
		r.t.Error("the host did not stop in a minute")
		r.killHost()
	}
	for _, secret := range []string{cbtistest.DefaultClientSecret, cbtistest.DefaultWebhookKey, key} {
		if strings.Contains(r.host().log.String(), secret) {
			r.t.Errorf("a secret is in the log:\n%s", r.host().log)
		}
	}
	if r.t.Failed() {
		r.t.Logf("log of the host:\n%s", r.host().log)
	}
}

// payment is what these tests look at.
type payment struct {
	ID             string `json:"id"`
	Status         string `json:"status"`
	Code           string `json:"code"`
	AmountRefunded string `json:"amount_refunded"`
	Review         *struct {
		Reason   string
		Observed json.RawMessage
	}
	Timeline []struct{ Kind, Status, Source, Detail string }
}

func (r *rig) do(method, path string, body any) (int, payment) {
	r.t.Helper()
	status, p, err := r.try(method, path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	return status, p
}

func (r *rig) try(method, path string, body any) (int, payment, error) {
	var p payment
	text, err := json.Marshal(body)
	if err != nil {
		return 0, p, err
	}
	if body == nil {
		text = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, r.host().url+path, bytes.NewReader(text))
	if err != nil {
		return 0, p, err
	}
	q.Header.Set("Authorization", "Bearer "+key)
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, p, err
	}
	defer a.Body.Close()
	answer, err := io.ReadAll(a.Body)
	if err != nil {
		return a.StatusCode, p, err
	}
	if a.StatusCode >= 400 {
		var problem struct {
			PaymentID string `json:"payment_id"`
			Code      string `json:"code"`
		}
		err = json.Unmarshal(answer, &problem)
		p.ID, p.Code = problem.PaymentID, problem.Code
	} else {
		err = json.Unmarshal(answer, &p)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", answer, err)
	}
	return a.StatusCode, p, err
}

func order(id string) map[string]string {
	return map[string]string{
		"merchant_order_id": id, "amount": "100.00", "currency": "HKD", "method": "alipay_hk", "flow": "mobile_web",
		"description": "Tea", "return_url": "https://shop.example.com/back",
	}
}

// byOrder reads the payment of an order id.
func (r *rig) byOrder(id string) payment {
	r.t.Helper()
	_, p := r.do("POST", "/v1/payments", order(id)) // the same request reads it
	return p
}

// becomes waits until the payment of an order id has a status.
func (r *rig) becomes(id, status string) payment {
	r.t.Helper()
	var p payment
	r.until("payment "+id+" becomes "+status, func() bool {
		p = r.byOrder(id)
		return p.Status == status
	})
	return p
}

// until waits for something that another process does.
func (r *rig) until(what string, done func() bool) {
	r.t.Helper()
	deadline := time.NewTimer(90 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("waited in vain: %s\n%s", what, r.host().log)
		}
	}
}

// orders counts what the acquirer has recorded.
func (r *rig) orders() int { return len(r.acquirer().Orders()) }

// pay pays the one order that the acquirer has.
func (r *rig) pay(id string) {
	r.t.Helper()
	r.until("the acquirer has order "+id, func() bool {
		for _, o := range r.acquirer().Orders() {
			if o.MerchantOrderID == id {
				return true
			}
		}
		return false
	})
	if _, err := r.acquirer().Pay(id); err != nil {
		r.t.Fatal(err)
	}
}
