package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/host"
)

// running is a paymux serve in this process.
type running struct {
	*site
	url, admin     string
	stdout, stderr *lines
	cancel         context.CancelFunc
	ended          chan int
}

var ready = regexp.MustCompile(`^paymux: listening on (http://\S+) \(admin (http://\S+)\)\n`)

// serve runs paymux serve until the test ends.
func (s *site) serve(args ...string) *running {
	s.t.Helper()
	r := &running{site: s, stdout: newLines(), stderr: newLines(), ended: make(chan int, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	go func() {
		r.ended <- run(ctx, append([]string{"--config", s.config, "serve"}, args...), r.stdout, r.stderr, s.lookup)
		_, _ = r.stdout.Write([]byte("\nended\n")) // nobody waits in vain
	}()
	s.t.Cleanup(func() { r.stop() })
	match := ready.FindStringSubmatch(r.stdout.wait(s.t, "\n"))
	if match == nil {
		s.t.Fatalf("stdout:\n%s\nstderr:\n%s", r.stdout, r.stderr)
	}
	r.url, r.admin = match[1], match[2]
	return r
}

// stop stops as SIGTERM does and returns the exit code.
func (r *running) stop() int {
	r.t.Helper()
	r.cancel()
	select {
	case code := <-r.ended:
		r.ended <- code
		noSecret(r.t, r.stdout.String()+r.stderr.String())
		return code
	case <-time.After(patience):
		r.t.Errorf("serve did not stop:\n%s", r.stderr)
		return -1
	}
}

// front is a public address for a host whose port isn't known yet.
type front struct {
	*httptest.Server
	to chan *url.URL
}

func newFront(t *testing.T) *front {
	f := &front{to: make(chan *url.URL, 1)}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		to := <-f.to
		f.to <- to
		r.SetURL(to)
	}}
	f.Server = httptest.NewServer(proxy)
	t.Cleanup(f.Close)
	return f
}

func (f *front) forward(t *testing.T, address string) {
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	f.to <- to
}

// create creates a payment with paymux payments create.
func (r *running) create(args ...string) host.Payment {
	r.t.Helper()
	args = append([]string{"payments", "create", "--json", "--url", r.url, "--amount", "20.00", "--method", "alipay_hk"}, args...)
	a := r.run(args...)
	a.want(r.t, exitOK)
	var p host.Payment
	if err := json.Unmarshal([]byte(a.stdout), &p); err != nil {
		r.t.Fatalf("%v in:\n%s", err, a.stdout)
	}
	return p
}

// The whole path: serve, create, pay at the acquirer, watch, stop.
func TestServe(t *testing.T) {
	public := newFront(t)
	s := newSite(t, "http://127.0.0.1:9", public.URL)
	r := s.serve()
	public.forward(t, r.url)
	if strings.HasSuffix(r.url, ":0") {
		t.Fatalf("%s is no real address", r.url)
	}
	p := r.create("--metadata", "basket=7;8", "--order-group", "g1")
	if p.Status != "PENDING" || p.NextAction == nil || p.Metadata["basket"] != "7;8" || len(p.MerchantOrderID) > 32 {
		t.Fatalf("created %+v", p)
	}
	r.run("payments", "get", p.ID, "--url", r.url).want(t, exitOK, "PENDING", "20.00 HKD", "redirect: open the URL", p.NextAction.URL, p.MerchantOrderID)

	out := newLines()
	watched := make(chan int, 1)
	go func() {
		watched <- run(t.Context(), []string{"--config", s.config, "payments", "watch", p.ID, "--url", r.url, "--interval", "50ms"}, out, r.stderr, s.lookup)
	}()
	out.wait(t, "PENDING")
	if _, err := s.sandbox.Pay(p.MerchantOrderID); err != nil {
		t.Fatal(err)
	}
	out.wait(t, p.ID+"  SUCCEEDED  20.00 HKD")
	if code := <-watched; code != exitOK {
		t.Errorf("watch ended with %d:\n%s", code, out)
	}

	r.run("payments", "list", "--url", r.url, "--status", "SUCCEEDED", "--order-group", "g1").want(t, exitOK, p.ID, "alipay_hk")
	if a := r.run("payments", "list", "--url", r.url, "--status", "PENDING"); strings.Contains(a.stdout, p.ID) {
		t.Errorf("a filter is lost:\n%s", a.stdout)
	}
	r.run("payments", "get", "pay_none", "--url", r.url).want(t, exitFailed, "NOT_FOUND: there is no payment")
	r.run("payments", "create", "--url", r.url, "--method", "alipay_hk", "--amount", "1e3").want(t, exitFailed, "INVALID_REQUEST: amount: ")

	if resp, err := http.Get(r.admin + "/metrics"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("metrics: %v %v", resp, err)
	} else {
		resp.Body.Close()
	}
	if code := r.stop(); code != exitOK {
		t.Errorf("a clean stop ended with %d:\n%s", code, r.stderr)
	}
	r.stderr.wait(t, "stopped")
	// What was taken is still there.
	again := s.serve()
	again.run("payments", "get", p.ID, "--url", again.url).want(t, exitOK, "SUCCEEDED")
}

func TestServeWarns(t *testing.T) {
	s := newSite(t, "api_keys: [{merchant: shop-a, key: "+testKey+"}]\n", "", "routes: [{methods: [alipay_hk, alipay_cn], providers: [cbtis]}]\n", "")
	r := s.serve()
	r.stderr.wait(t, "api_keys: there is none", "no routes: every payment must name its provider", "there is no lock file")
	if n := strings.Count(r.stderr.String(), "there is no lock file"); n != 1 {
		t.Errorf("said %d times:\n%s", n, r.stderr)
	}
}

func TestServeRefuses(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	address := busy.Addr().String()
	tests := []struct {
		name    string
		replace []string
		code    int
		want    string
	}{
		{"busy port", []string{"listen: 127.0.0.1:0\nadmin", "listen: " + address + "\nadmin"}, exitFailed,
			":1:9: listen: can't listen on " + address + ": another program uses this port"},
		{"busy admin port", []string{"admin_listen: 127.0.0.1:0", "admin_listen: " + address}, exitFailed,
			":2:15: admin_listen: can't listen on " + address + ": another program uses this port"},
		{"another machine's address", []string{"admin_listen: 127.0.0.1:0", "admin_listen: 192.0.2.1:8081"}, exitFailed,
			"admin_listen: can't listen on 192.0.2.1:8081: this machine doesn't have the address"},
		{"port 0 without public_url", []string{"public_url: http://127.0.0.1:9\n", ""}, exitUsage,
			":1:1: public_url: required key is missing, as listen is not a loopback address with a fixed port"},
		{"config against the schema", []string{"uid: ", "amount_unit: cents\n      uid: "}, exitUsage, ": providers.cbtis.config.amount_unit: "},
		{"no server for the store", []string{"store: sqlite:paymux.db", "store: postgres://u:hush@127.0.0.1:1/d"}, exitFailed, "store postgres://127.0.0.1/d: "},
		{"no directory for the store", []string{"sqlite:paymux.db", "sqlite:gone/paymux.db"}, exitUsage, ":4:8: store: there is no folder "},
		{"a directory as the store", []string{"sqlite:paymux.db", "sqlite:."}, exitUsage, " is not a file; name the database file itself"},
		{"garbled lock file", []string{"lock: paymux.lock", "lock: paymux.yaml"}, exitFailed, "paymux.yaml: not a lock file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newSite(t, tt.replace...).run("serve")
			a.want(t, tt.code, tt.want)
			if strings.Contains(a.stdout+a.stderr, "hush") {
				t.Errorf("it prints the database's password:\n%s", a.stderr)
			}
			if strings.Contains(a.stdout, "listening") {
				t.Errorf("it claims to serve:\n%s", a.stdout)
			}
		})
	}
}

// Two hosts must not serve one store: each would act on the other's payments.
func TestServeOneHostPerStore(t *testing.T) {
	s := newSite(t)
	s.serve()
	s.run("serve").want(t, exitFailed, "another paymux process serves this database")
}

// A signal while it starts is a stop like any other.
func TestServeStoppedAtStart(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, log := newLines(), newLines()
	if code := run(ctx, []string{"--config", s.config, "serve"}, out, log, s.lookup); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, log)
	}
}

// A provider whose binary isn't the pinned one takes nothing; the host goes on.
func TestServeRefusesChangedPlugin(t *testing.T) {
	s := newSite(t)
	dir := copyPlugins(t)
	s.write("dir: "+pluginsDir(t), "dir: "+dir)
	s.run("plugins", "lock").want(t, exitOK, "alipayhk", "pinned")
	binary := filepath.Join(dir, "paymux-provider-alipayhk")
	appendByte(t, binary)
	r := s.serve()
	r.stderr.wait(t, "but the lock file pins")
	r.run("payments", "create", "--url", r.url, "--amount", "1", "--method", "alipay_hk").want(t, exitFailed, "PLUGIN_UNAVAILABLE", "outcome: NOT_SENT")
	if orders := s.sandbox.Orders(); len(orders) != 0 {
		t.Errorf("the acquirer was asked: %v", orders)
	}
}

func copyPlugins(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(pluginsDir(t))); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "paymux-provider-alipayhk")
	if err := os.Chmod(binary, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// appendByte makes a program another one that still runs. It replaces the file,
// as an installation does: one that ran a moment ago may be busy.
func appendByte(t *testing.T, path string) {
	t.Helper()
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", append(program, 0), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
