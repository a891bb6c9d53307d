package stripe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	ourOrder  = "P1"
	intent    = "pi_3Mt1"
	ourRefund = "R1"
	rid       = "req_abc123"

	testKey    = "sk_test_sEcReT-key"
	testSecret = "whsec_sEcReT-1"
)

func money(t testing.TB, amount, currency string) sdk.Money {
	t.Helper()
	m, err := sdk.ParseMoney(amount, currency)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func order(t testing.TB) sdk.Order {
	return sdk.Order{MerchantOrderID: ourOrder, AcquirerOrderID: intent, Money: money(t, "1", "HKD")}
}

func createRequest(t testing.TB) sdk.CreateRequest {
	return sdk.CreateRequest{
		Order: sdk.Order{MerchantOrderID: ourOrder, Money: money(t, "1", "HKD")}, RequestID: "req_create",
		Method: sdk.AlipayCN, Flow: sdk.MobileWeb,
		Description: "App Payment", ReturnURL: "https://shop.example.com/back",
	}
}

func refundRequest(t testing.TB) sdk.RefundRequest {
	return sdk.RefundRequest{Order: order(t), MerchantRefundID: ourRefund, RequestID: "req_refund", Amount: money(t, "0.4", "HKD"), Reason: "requested_by_customer"}
}

func refundQuery(t testing.TB) sdk.RefundQuery {
	return sdk.RefundQuery{Order: order(t), MerchantRefundID: ourRefund, AcquirerRefundID: "re_1Nis", Amount: money(t, "0.4", "HKD")}
}

const goodConfig = `{"account_id":"acct_1A","mode":"test","secret_key":"` + testKey + `","webhook_secrets":["` + testSecret + `"]}`

// settings returns a good config; more is JSON to add, such as `,"mode":"live"`.
func settings(t testing.TB, more string) config {
	t.Helper()
	c, err := readConfig(sdk.NewConfig("main", []byte(strings.TrimSuffix(goodConfig, "}")+more+"}")))
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

// lines writes a form as the golden files do.
func lines(form url.Values) string {
	var all []string
	for name, values := range form {
		for _, v := range values {
			all = append(all, name+"="+v+"\n")
		}
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// change returns a JSON object with members replaced or (for nil) removed. A
// json.RawMessage of null is a null.
func change(t testing.TB, object []byte, changes map[string]any) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(object, &root); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		root[name] = value
		if value == nil {
			delete(root, name)
		}
	}
	out, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func ok(body []byte) acquirer.Response {
	return acquirer.Response{Status: 200, Body: body, Header: http.Header{"Request-Id": {rid}}}
}

// fake is an acquirer that answers all in the same way and remembers what came.
type fake struct {
	*httptest.Server
	answer http.HandlerFunc

	mu    sync.Mutex
	calls []*http.Request // with their bodies read
	body  []string
}

func newFake(t testing.TB, answer http.HandlerFunc) *fake {
	f := &fake{answer: answer}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.calls, f.body = append(f.calls, r), append(f.body, string(body))
	f.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.answer(w, r)
}

// sent returns "METHOD target body" of all requests.
func (f *fake) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for i, r := range f.calls {
		all = append(all, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+f.body[i]))
	}
	return all
}

func (f *fake) provider(t testing.TB, more string) *provider {
	t.Helper()
	client := acquirer.NewClient(acquirer.Options{})
	t.Cleanup(client.Close)
	return &provider{config: settings(t, `,"base_url":"`+f.URL+`"`+more), client: client}
}

// say answers with a status and a body.
func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Request-Id", rid)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// operation is one of the provider's calls, for tables over all of them.
type operation struct {
	name string
	op   op
	call func(context.Context, *provider) error
	good string // file with a good answer
}

func operations(t testing.TB) []operation {
	return []operation{
		{"create", opCreate, func(ctx context.Context, p *provider) error { _, err := p.Create(ctx, createRequest(t)); return err }, "create_response.json"},
		{"query", opQuery, func(ctx context.Context, p *provider) error {
			_, err := p.Query(ctx, sdk.QueryRequest{Order: order(t)})
			return err
		}, "query_response.json"},
		{"cancel", opCancel, func(ctx context.Context, p *provider) error {
			_, err := p.Cancel(ctx, sdk.CancelRequest{Order: order(t), RequestID: "req_cancel"})
			return err
		}, "query_response.json"},
		{"refund", opRefund, func(ctx context.Context, p *provider) error { _, err := p.Refund(ctx, refundRequest(t)); return err }, "refund_response.json"},
		{"query refund", opQuery, func(ctx context.Context, p *provider) error {
			_, err := p.QueryRefund(ctx, refundQuery(t))
			return err
		}, "refund_response.json"},
		{"list refunds", opList, func(ctx context.Context, p *provider) error {
			q := refundQuery(t)
			q.AcquirerRefundID = ""
			_, err := p.QueryRefund(ctx, q)
			return err
		}, "refund_list_response.json"},
		{"search", opList, func(ctx context.Context, p *provider) error {
			_, err := p.Query(ctx, sdk.QueryRequest{Order: createRequest(t).Order})
			return err
		}, ""},
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
