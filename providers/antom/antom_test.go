package antom

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
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

	"github.com/paymux/paymux/providers/antom/antomtest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	ourOrder       = "P9297895081903"
	acquirerOrder  = "20260101194010800100188820200000000"
	ourRefund      = "R2164521756312637"
	acquirerRefund = "20260102194010800100188820200000001"
	clientID       = "TEST_5X00000000000000"

	// knownCodes is a config that knows some codes.
	knownCodes = `,"codes":{"not_found":["NO_ORDER"],"refused":["NEVER"],"unsure":["TWICE"],"credentials":["WHO"]}`
)

// now is the time of the tests' provider.
var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// vectors are signatures that openssl made, and the key it made them with.
type vectors struct {
	P, Q    string
	Vectors []struct {
		Name, Method, Path, Time, Body, Signature string
		ClientID                                  string `json:"client_id"`
	}
}

var readVectors = sync.OnceValue(func() (v vectors) {
	data, err := os.ReadFile(filepath.Join("testdata", "signatures.json"))
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	if err != nil {
		panic(err)
	}
	return v
})

// ourKey is the merchant's key, antomKey the acquirer's.
var (
	ourKey = sync.OnceValue(func() *rsa.PrivateKey {
		p, _ := new(big.Int).SetString(readVectors().P, 16)
		q, _ := new(big.Int).SetString(readVectors().Q, 16)
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		key := &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537},
			D:         new(big.Int).ModInverse(big.NewInt(65537), phi), Primes: []*big.Int{p, q},
		}
		key.Precompute()
		if err := key.Validate(); err != nil {
			panic(err)
		}
		return key
	})
	antomKey = sync.OnceValue(antomtest.NewKey)
	otherKey = sync.OnceValue(antomtest.NewKey)
)

func money(t testing.TB, amount string) sdk.Money { return moneyIn(t, amount, "HKD") }

func moneyIn(t testing.TB, amount, currency string) sdk.Money {
	t.Helper()
	m, err := sdk.ParseMoney(amount, currency)
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
		Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Description: "Tea",
		ReturnURL: "https://shop.example/thanks", NotifyURL: "https://shop.example/v1/notifications/antom",
	}
}

func refundRequest(t testing.TB) sdk.RefundRequest {
	return sdk.RefundRequest{Order: order(t), MerchantRefundID: ourRefund, Amount: money(t, "0.40"), Reason: "returned"}
}

func refundQuery(t testing.TB) sdk.RefundQuery {
	return sdk.RefundQuery{Order: order(t), MerchantRefundID: ourRefund, Amount: money(t, "0.40")}
}

// configJSON returns a good config; more is JSON to add, such as `,"os_type":"IOS"`.
func configJSON(base, more string) []byte {
	private, _ := json.Marshal(antomtest.PrivatePEM(ourKey()))
	public, _ := json.Marshal(antomtest.PublicPEM(&antomKey().PublicKey))
	return fmt.Appendf(nil, `{"base_url":%q,"client_id":%q,"private_key":%s,"antom_public_keys":[%s]%s}`, base, clientID, private, public, more)
}

func settings(t testing.TB, base, more string) config {
	t.Helper()
	c, err := readConfig(sdk.NewConfig("main", configJSON(base, more)))
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

// change returns a JSON object with members replaced or (for nil) removed.
func change(t testing.TB, object []byte, changes map[string]any) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal(object, &root); err != nil {
		t.Fatal(err)
	}
	maps.Copy(root, changes)
	maps.DeleteFunc(root, func(_ string, v any) bool { return v == nil })
	out, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// signedAnswer is an answer of the acquirer, signed for a call.
func signedAnswer(c config, to call, status int, body []byte) acquirer.Response {
	const at = "2026-11-28T20:00:00+08:00"
	return acquirer.Response{Status: status, Body: body, Header: http.Header{
		"Response-Time": {at}, "Signature": {antomtest.Sign(antomKey(), "POST", c.path(to), c.ClientID, at, body)},
	}}
}

// fake is an acquirer that leaves it to answer what to say.
type fake struct {
	*httptest.Server
	answer http.HandlerFunc

	mu    sync.Mutex
	calls []string
}

// sent returns "METHOD path body" of all requests.
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
	return newProvider(settings(t, f.URL, more), client, func() time.Time { return now })
}

// say answers with a status and a body, not signed.
func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// saySigned answers as the acquirer does.
func saySigned(status int, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		const at = "1795953600000"
		w.Header().Set("response-time", at)
		w.Header().Set("Signature", antomtest.Sign(antomKey(), r.Method, r.URL.Path, clientID, at, body))
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

// operation is one of the provider's calls, for tables over all of them.
type operation struct {
	name string
	to   call
	call func(context.Context, *provider) error
	good string // file with a good answer
}

func operations(t testing.TB) []operation {
	return []operation{
		{"create", callPay, func(ctx context.Context, p *provider) error { _, err := p.Create(ctx, createRequest(t)); return err }, "pay_response.json"},
		{"query", callQuery, func(ctx context.Context, p *provider) error {
			_, err := p.Query(ctx, sdk.QueryRequest{Order: order(t)})
			return err
		}, "query_response.json"},
		{"cancel", callCancel, func(ctx context.Context, p *provider) error {
			body, err := buildQuery(order(t))
			if err == nil {
				_, err = exchange(ctx, p, callCancel, body, p.config.readCancel)
			}
			return err
		}, "cancel_response.json"},
		{"refund", callRefund, func(ctx context.Context, p *provider) error { _, err := p.Refund(ctx, refundRequest(t)); return err }, "refund_response.json"},
		{"query refund", callQueryRefund, func(ctx context.Context, p *provider) error {
			_, err := p.QueryRefund(ctx, refundQuery(t))
			return err
		}, "refund_query_response.json"},
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

// checkPrints checks that nothing prints what is secret: our key in any form,
// and what the tests' acquirer says between the lines.
func checkPrints(t *testing.T, value any) {
	t.Helper()
	pem := antomtest.PrivatePEM(ourKey())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := fmt.Sprintf(verb, value)
		for _, leak := range []string{"sEcReT", pem[200:240], ourKey().D.String(), ourKey().Primes[0].String()} {
			if strings.Contains(text, leak) {
				t.Errorf("%s of %T tells a secret: %s", verb, value, text)
			}
		}
	}
}
