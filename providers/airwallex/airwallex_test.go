package airwallex

import (
	"bytes"
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
	ourOrder  = "P9297895081903"
	intentID  = "int_hkdmr7v9rg1j58ky8re"
	ourRefund = "R2164521756312637123"
	refundID  = "rfd_hkdmr7v9rg1j58ky8rf"

	testKey    = "sEcReT-api-key"
	testSecret = "sEcReT-webhook-secret"
	oldSecret  = "sEcReT-older-secret"
	testToken  = "sEcReT-access-token"
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
	return sdk.Order{MerchantOrderID: ourOrder, AcquirerOrderID: intentID, Money: money(t, "16.66", "HKD")}
}

func createRequest(t testing.TB) sdk.CreateRequest {
	return sdk.CreateRequest{
		Order: sdk.Order{MerchantOrderID: ourOrder, Money: money(t, "16.66", "HKD")}, RequestID: "req_01",
		Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Description: "Tea", ReturnURL: "https://shop.example/done",
	}
}

func cancelRequest(t testing.TB) sdk.CancelRequest {
	return sdk.CancelRequest{Order: order(t), RequestID: "req_01-cancel"}
}

func refundRequest(t testing.TB) sdk.RefundRequest {
	return sdk.RefundRequest{Order: order(t), MerchantRefundID: ourRefund, RequestID: "req_02", Amount: money(t, "6.6", "HKD"), Reason: "returned"}
}

func refundQuery(t testing.TB) sdk.RefundQuery {
	return sdk.RefundQuery{Order: order(t), MerchantRefundID: ourRefund, AcquirerRefundID: refundID, Amount: money(t, "6.6", "HKD")}
}

// settings returns a good config; more is JSON to add, such as `,"os_type":"ios"`.
func settings(t testing.TB, base, more string) config {
	t.Helper()
	c, err := readConfig(sdk.NewConfig("main", []byte(`{"base_url":"`+base+`","client_id":"client-1","api_key":"`+testKey+`","webhook_secrets":["`+testSecret+`","`+oldSecret+`"]`+more+`}`)))
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

// sameJSON compares two JSON texts as values, numbers by their exact digits.
func sameJSON(t *testing.T, got, want []byte) {
	t.Helper()
	value := func(data []byte) (v any) {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		if err := decoder.Decode(&v); err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		return v
	}
	if !reflect.DeepEqual(value(got), value(want)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// change returns a JSON object with members of it replaced or (for nil) removed.
// A json.RawMessage is put in as it is.
func change(t testing.TB, object []byte, changes map[string]any) []byte {
	t.Helper()
	var root map[string]json.RawMessage
	if err := json.Unmarshal(object, &root); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		root[name] = raw
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

// fake is an acquirer that gives tokens and leaves the rest to answer.
type fake struct {
	*httptest.Server
	answer http.HandlerFunc
	login  http.HandlerFunc // nil: gives a token

	mu     sync.Mutex
	calls  []string
	tokens int
}

// sent returns "METHOD path body" of all requests but the logins.
func (f *fake) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func newFake(t testing.TB, answer http.HandlerFunc) *fake {
	f := &fake{answer: answer}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.URL.Path == "/api/v1/authentication/login" {
		f.mu.Lock()
		f.tokens++
		n := f.tokens
		f.mu.Unlock()
		if f.login != nil {
			f.login(w, r)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"token":"%s-%d"}`, testToken, n)
		return
	}
	f.mu.Lock()
	f.calls = append(f.calls, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	f.mu.Unlock()
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

// steps answers create and confirm each in its way, and cancels.
func steps(t testing.TB, create, confirm http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/confirm"):
			confirm(w, r)
		case strings.HasSuffix(r.URL.Path, "/cancel"):
			_, _ = w.Write(golden(t, "cancel_response.json"))
		default:
			create(w, r)
		}
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
		if text := fmt.Sprintf(verb, value); strings.Contains(text, "sEcReT") {
			t.Errorf("%s of %T tells a secret: %s", verb, value, text)
		}
	}
}
