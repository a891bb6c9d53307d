package alipayhk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	ourOrder      = "P9297895081903"
	acquirerOrder = "C991289984923795789123"
	ourRefund     = "P2164521756312637123"
	rid           = "3647575c0e1049439e484a231864da2c"

	testSecret = "sEcReT/&+client"     // has to be escaped in a query
	testKey    = "sEcReT-webhook-key"  //
	testToken  = "sEcReT-access-token" //
)

func money(t testing.TB, amount string) sdk.Money {
	t.Helper()
	m, err := sdk.ParseMoney(amount, "HKD")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func order(t testing.TB) sdk.Order {
	return sdk.Order{MerchantOrderID: ourOrder, AcquirerOrderID: acquirerOrder, Money: money(t, "1")}
}

func createRequest(t testing.TB) sdk.CreateRequest {
	return sdk.CreateRequest{
		Order: sdk.Order{MerchantOrderID: ourOrder, Money: money(t, "1")}, RequestID: "r1",
		Method: sdk.AlipayCN, Flow: sdk.MobileWeb,
		Description: "App Payment", NotifyURL: "https://put_your_site_here/example_url",
	}
}

func refundRequest(t testing.TB) sdk.RefundRequest {
	return sdk.RefundRequest{Order: order(t), MerchantRefundID: ourRefund, Amount: money(t, "1"), Reason: "returned"}
}

func refundQuery(t testing.TB) sdk.RefundQuery {
	return sdk.RefundQuery{Order: order(t), MerchantRefundID: ourRefund, Amount: money(t, "1")}
}

// settings returns a good config; more is JSON to add, such as `,"uid":"1"`.
func settings(t testing.TB, base, more string) config {
	t.Helper()
	c, err := readConfig(sdk.NewConfig("main", []byte(`{"base_url":"`+base+`","uid":"39172931","client_secret":"`+testSecret+`","webhook_keys":["`+testKey+`"]`+more+`}`)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// sameJSON compares two JSON texts as values.
func sameJSON(t *testing.T, got, want []byte) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// change returns a JSON object with members of it, or of its data, replaced or
// (for nil) removed.
func change(t testing.TB, object []byte, where string, changes map[string]any) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(object, &root); err != nil {
		t.Fatal(err)
	}
	target := root
	if where != "" {
		target = root[where].(map[string]any)
	}
	for name, value := range changes {
		target[name] = value
		if value == nil {
			delete(target, name)
		}
	}
	out, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// fake is an acquirer that gives tokens and leaves the rest to answer.
type fake struct {
	*httptest.Server
	answer http.HandlerFunc
	auth   http.HandlerFunc // nil: gives a token

	mu     sync.Mutex
	calls  []string
	tokens int
}

// sent returns "METHOD path body" of all requests but those for tokens.
func (f *fake) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func (f *fake) tokensGiven() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tokens
}

func newFake(t testing.TB, answer http.HandlerFunc) *fake {
	f := &fake{answer: answer}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/mch-api/v1/auth" {
		f.mu.Lock()
		f.tokens++
		n := f.tokens
		f.mu.Unlock()
		if f.auth != nil {
			f.auth(w, r)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"%s-%d","expires_in":3600}`, testToken, n)
		return
	}
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.calls = append(f.calls, r.Method+" "+r.URL.Path+" "+string(body))
	f.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.answer(w, r)
}

func (f *fake) provider(t testing.TB, more string) *provider {
	t.Helper()
	client := acquirer.NewClient(acquirer.Options{})
	t.Cleanup(client.Close)
	return newProvider(settings(t, f.URL, more), client, time.Now)
}

// say answers with a status and a body.
func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// operation is one of the provider's calls, for tables over all of them.
type operation struct {
	name string
	call func(context.Context, *provider) error
	good string // file with a good answer
}

func operations(t testing.TB) []operation {
	return []operation{
		{"create", func(ctx context.Context, p *provider) error { _, err := p.Create(ctx, createRequest(t)); return err }, "create_response.json"},
		{"query", func(ctx context.Context, p *provider) error {
			_, err := p.Query(ctx, sdk.QueryRequest{Order: order(t)})
			return err
		}, "query_response.json"},
		{"refund", func(ctx context.Context, p *provider) error { _, err := p.Refund(ctx, refundRequest(t)); return err }, "refund_response.json"},
		{"query refund", func(ctx context.Context, p *provider) error {
			_, err := p.QueryRefund(ctx, refundQuery(t))
			return err
		}, "refund_response.json"},
	}
}

// checkError checks what an error says, and that nothing secret is in it.
func checkError(t *testing.T, err error, code sdk.Code, outcome sdk.Outcome) *sdk.Error {
	t.Helper()
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		t.Fatalf("got %T (%v), want *sdk.Error", err, err)
	}
	if e.Code != code || e.Outcome != outcome {
		t.Errorf("got %s %s, want %s %s: %v", e.Code.Name(), e.Outcome, code.Name(), outcome, err)
	}
	for cause := error(e); cause != nil; cause = errors.Unwrap(cause) {
		checkPrints(t, cause)
	}
	return e
}

// checkPrints checks that nothing prints a secret of the tests.
func checkPrints(t *testing.T, value any) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := fmt.Sprintf(verb, value)
		if strings.Contains(text, "sEcReT") {
			t.Errorf("%s of %T tells a secret: %s", verb, value, text)
		}
	}
}
