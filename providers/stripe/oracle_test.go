package stripe_test

import (
	"bufio"
	"bytes"
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
	"testing"

	"github.com/paymux/paymux/providers/stripe"
	"github.com/paymux/paymux/providers/stripe/stripetest"
	"github.com/paymux/paymux/sdk"
)

// The oracles are of the acquirer's own making: its mock, which holds requests
// against its published description of the API, and its clients for Go and Node.
// They are in a module of their own, so that nobody else needs them.
const oracles = "oracles"

// goTool runs the go command among the oracles. It never uses the network.
func goTool(t *testing.T, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = oracles
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	return cmd.CombinedOutput()
}

// build returns the path of an oracle's binary.
func build(t *testing.T, pkg string) string {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("SKIPPED: there is no go command")
	}
	if out, err := goTool(t, "list", "-deps", pkg); err != nil {
		t.Skipf("SKIPPED: the oracles' modules aren't here; fetch them with: make oracles\n%s", out)
	}
	bin := filepath.Join(t.TempDir(), "oracle")
	if out, err := goTool(t, "build", "-o", bin, pkg); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// startMock returns the address of a mock. It refuses another version of the API
// than its own.
func startMock(t *testing.T) *url.URL {
	t.Helper()
	cmd := exec.Command(build(t, "github.com/stripe/stripe-mock"),
		"-http-addr", "127.0.0.1:", "-https-addr", "127.0.0.1:", "-strict-version-check") // ports that are free
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if address, ok := strings.CutPrefix(lines.Text(), "Listening for HTTP at address: "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return &url.URL{Scheme: "http", Host: address}
		}
	}
	t.Fatal("the mock doesn't say where it listens")
	return nil
}

// judge hands requests to the mock and notes those that it refuses.
type judge struct {
	*httptest.Server
	mu     sync.Mutex
	asked  map[string]int // by method and path
	faults []string
}

func newJudge(t *testing.T) *judge {
	j := &judge{asked: map[string]int{}}
	j.Server = httptest.NewServer(newProxy(startMock(t), func(req *http.Request, status int, body []byte) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.asked[req.Method+" "+template(req.URL.Path)]++
		if status != http.StatusOK {
			j.faults = append(j.faults, fmt.Sprintf("%s %s: %d %s", req.Method, req.URL, status, body))
		}
	}))
	t.Cleanup(j.Close)
	return j
}

// newProxy hands requests on, and shows what is answered.
func newProxy(target *url.URL, show func(req *http.Request, status int, body []byte)) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(resp *http.Response) error {
		body, err := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(body))
		show(resp.Request, resp.StatusCode, body)
		return err
	}
	return proxy
}

// openAt opens an account of the sandbox's kind at an address.
func openAt(t *testing.T, base string) sdk.Provider {
	t.Helper()
	config := fmt.Sprintf(`{"base_url":%q,"account_id":%q,"mode":"test","secret_key":%q,"webhook_secrets":["whsec_1"]}`,
		base, stripetest.DefaultAccountID, stripetest.DefaultSecretKey)
	p, err := stripe.Plugin().Open(t.Context(), sdk.NewConfig("oracle", []byte(config)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every request that the adapter can make is one that the acquirer's description
// of its API allows. (What the mock answers is canned, so nothing is said of it.)
func TestOracleAllowsEveryRequest(t *testing.T) {
	j := newJudge(t)
	p := openAt(t, j.URL)
	ctx := t.Context()
	_, _ = p.Authorize(ctx)
	for _, row := range stripe.Plugin().Capabilities.Rows {
		for _, amount := range []sdk.Money{row.Min, row.Max, money(t, "13", row.Currency)} {
			if amount.IsZero() {
				continue
			}
			req := newPayment(t, "A-z_09")
			req.Flow, req.Money, req.Description = row.Flow, amount, "茶 & =[x]% \"\n"+strings.Repeat("é", 120)
			req.ReturnURL = "https://shop.example.com/back?a=b&c=%20#d"
			if _, err := p.Create(ctx, req); err != nil {
				t.Error(err)
			}
		}
	}
	unknown := newPayment(t, "P1").Order
	known := unknown
	known.AcquirerOrderID = "pi_123"
	_, _ = p.Query(ctx, sdk.QueryRequest{Order: unknown})
	_, _ = p.Query(ctx, sdk.QueryRequest{Order: known})
	_, _ = p.(sdk.Canceller).Cancel(ctx, sdk.CancelRequest{Order: known, RequestID: "c"})
	refunder := p.(sdk.Refunder)
	for _, reason := range []string{"", "duplicate", "requested_by_customer", "fraudulent", "too large"} {
		req := refund(t, known, "R1", "1")
		req.Reason = reason
		_, _ = refunder.Refund(ctx, req)
	}
	q := ask(refund(t, known, "R1", "1"))
	_, _ = refunder.QueryRefund(ctx, q)
	q.AcquirerRefundID = "re_123"
	_, _ = refunder.QueryRefund(ctx, q)
	if len(j.faults) > 0 {
		t.Errorf("refused:\n%s", strings.Join(j.faults, "\n"))
	}
	for request, least := range map[string]int{
		"GET /v1/account": 1, "POST /v1/payment_intents": 60, "GET /v1/payment_intents/search": 1, "GET /v1/payment_intents/{intent}": 1,
		"POST /v1/payment_intents/{intent}/cancel": 1, "POST /v1/refunds": 5, "GET /v1/refunds": 1, "GET /v1/refunds/{refund}": 1,
	} {
		if j.asked[request] < least {
			t.Errorf("%s was asked %d times", request, j.asked[request])
		}
		delete(j.asked, request)
	}
	if len(j.asked) > 0 {
		t.Errorf("also asked: %v", j.asked)
	}
}

// The oracle is no yes-man.
func TestOracleRefusesWhatIsWrong(t *testing.T) {
	mock := startMock(t)
	good := url.Values{
		"amount": {"100"}, "currency": {"hkd"}, "payment_method_types[]": {"alipay"}, "payment_method_data[type]": {"alipay"},
		"confirm": {"true"}, "return_url": {"https://shop.example.com/"}, "description": {"x"}, "metadata[merchant_order_id]": {"P1"},
	}
	post := func(change func(url.Values), version string) int {
		form := url.Values{}
		for name, values := range good {
			form[name] = values
		}
		change(form)
		req, err := http.NewRequestWithContext(t.Context(), "POST", mock.JoinPath("v1/payment_intents").String(), strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Authorization", "Bearer sk_test_123")
		req.Header.Set("Stripe-Version", version)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	const version = "2026-08-26.dahlia"
	if got := post(func(url.Values) {}, version); got != 200 {
		t.Errorf("the good request: %d", got)
	}
	for name, change := range map[string]func(url.Values){
		"AlipayHK": func(f url.Values) { f.Set("payment_method_data[type]", "alipayhk") }, "fraction": func(f url.Values) { f.Set("amount", "1.5") },
		"unknown field": func(f url.Values) { f.Set("merchant_order_id", "P1") }, "no amount": func(f url.Values) { f.Del("amount") },
		"confirm": func(f url.Values) { f.Set("confirm", "maybe") },
	} {
		if got := post(change, version); got != 400 {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := post(func(url.Values) {}, "2020-08-27"); got == 200 {
		t.Error("another version is accepted")
	}
}
