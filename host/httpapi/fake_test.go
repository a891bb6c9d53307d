package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/process"
	"github.com/paymux/paymux/sdk"
)

// fake is a host that answers as told and remembers what it was asked.
type fake struct {
	mu       sync.Mutex
	created  host.Created
	payment  host.Payment
	more     bool
	ack      sdk.HTTPResponse
	err      error
	panics   bool
	requests []host.CreateRequest
	merchant string
	filter   host.Filter
	refund   host.RefundCreated
	refunds  []host.RefundRequest
	notified sdk.HTTPRequest

	review   host.ReviewRequest
	events   host.EventFilter
	keyed    host.KeyedRequest
	before   *host.KeyedAnswer // kept for a key
	keyErr   error
	kept     *host.KeyedAnswer
	finished int
}

func (f *fake) begin(merchant string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.merchant = merchant
	if f.panics {
		panic("the host broke")
	}
	return f.err
}

func (f *fake) Create(_ context.Context, merchant string, r host.CreateRequest) (host.Created, error) {
	f.requests = append(f.requests, r)
	return f.created, f.begin(merchant)
}

func (f *fake) Get(_ context.Context, merchant, _ string) (host.Payment, error) {
	return f.payment, f.begin(merchant)
}

func (f *fake) List(_ context.Context, merchant string, filter host.Filter) ([]host.Payment, bool, error) {
	f.filter = filter
	first := f.payment
	first.ID = "pay_01M8642HTSTXEM8X27VEMJKXD8"
	return []host.Payment{first, f.payment}, f.more, f.begin(merchant)
}

func (f *fake) Refresh(_ context.Context, merchant, _ string) (host.Payment, error) {
	return f.payment, f.begin(merchant)
}

func (f *fake) Cancel(_ context.Context, merchant, _ string) (host.Payment, error) {
	return f.payment, f.begin(merchant)
}

func (f *fake) Refund(_ context.Context, merchant, _ string, r host.RefundRequest) (host.RefundCreated, error) {
	f.refunds = append(f.refunds, r)
	return f.refund, f.begin(merchant)
}

func (f *fake) Refunds(_ context.Context, merchant, _, before string, limit int) ([]host.Refund, bool, error) {
	f.filter = host.Filter{Before: before, Limit: limit}
	first := fullRefund("SUCCEEDED")
	first.ID = "ref_01M8642HTSTXEM8X27VEMJKXD8"
	return []host.Refund{first, fullRefund("SUCCEEDED")}, f.more, f.begin(merchant)
}

func (f *fake) GetRefund(_ context.Context, merchant, _, _ string) (host.Refund, error) {
	return fullRefund("SUCCEEDED"), f.begin(merchant)
}

func (f *fake) Review(_ context.Context, merchant, _ string, r host.ReviewRequest) (host.Payment, error) {
	f.review = r
	return f.payment, f.begin(merchant)
}

func (f *fake) Events(_ context.Context, merchant string, filter host.EventFilter) ([]host.Event, bool, error) {
	f.events = filter
	return []host.Event{event()}, f.more, f.begin(merchant)
}

func (f *fake) Redeliver(_ context.Context, merchant, _ string) (host.Event, error) {
	return event(), f.begin(merchant)
}

func (f *fake) TakeKey(_ context.Context, r host.KeyedRequest) (host.KeyClaim, *host.KeyedAnswer, error) {
	f.keyed = r
	return host.KeyClaim{}, f.before, f.keyErr
}

func (f *fake) FinishKey(_ host.KeyClaim, a *host.KeyedAnswer) {
	f.kept = a
	f.finished++
}

func event() host.Event {
	return host.Event{ID: "evt_01M8642HTSTXEM8X27VEMJKXD9", Type: "payment.succeeded", CreatedAt: time.Unix(1, 0).UTC(), Sequence: 2, Data: json.RawMessage(`{"id":"pay_1"}`)}
}

func (f *fake) Notify(_ context.Context, _ string, r sdk.HTTPRequest) (sdk.HTTPResponse, error) {
	f.notified = r
	return f.ack, f.begin("")
}

func (f *fake) Providers(merchant string) []host.ProviderInfo {
	_ = f.begin(merchant)
	return []host.ProviderInfo{provider()}
}

func (f *fake) Provider(merchant, _ string) (host.ProviderInfo, error) {
	return provider(), f.begin(merchant)
}

func (f *fake) Ready(context.Context) error { return f.begin("") }

func provider() host.ProviderInfo {
	p := host.ProviderInfo{Name: "one", Plugin: "fake", Version: "1.0.0", Acquirer: "Fake", Account: "acc", Accepting: true, Ready: true, Error: "old"}
	p.Process.State, p.Breaker.State, p.Instances = "running", "closed", 1
	p.Process.PID, p.Process.Running, p.Process.Since, p.Process.SHA256 = 7, true, time.Unix(1, 0).UTC(), "ab"
	p.Process.Health = &process.Health{At: time.Unix(2, 0).UTC(), Error: "no answer"}
	p.Capabilities = &host.Abilities{
		NotifyURL: "per_payment", CreateRetry: "none", QueryByMerchantOrder: true, NotFoundSettlingSeconds: 600,
		Payments: []host.Ability{{Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Currency: "HKD", Min: "1.00", Actions: []sdk.ActionType{sdk.ActionRedirect}}},
	}
	return p
}

// full has every field that a payment can have.
func full(s sdk.Status) host.Payment {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	return host.Payment{
		ID: "pay_01M8642HTSTXEM8X27VEMJKXD9", MerchantOrderID: "o1", OrderGroup: "g", Amount: "100.00", Currency: "HKD", Method: sdk.AlipayHK,
		Flow: sdk.MobileWeb, Description: "Tea & milk <3", ReturnURL: "https://shop.example.com/?a=1&b=2", Metadata: map[string]string{"k": "v"},
		Status: s.String(), StatusReason: "because", Code: "ACQUIRER_TIMEOUT", Provider: "one", ProviderOrderID: "A1",
		NextAction:   &sdk.NextAction{Type: sdk.ActionRedirect, URL: "https://wallet.example.com/?x=1&y=2", ExpiresAt: at},
		OtherActions: []sdk.NextAction{{Type: sdk.ActionQRCode, QRCode: "text"}}, CreatedAt: at, UpdatedAt: at, PaidAt: at, AmountRefunded: "0.00",
		Review:   &host.Review{Reason: "mismatch", Observed: json.RawMessage(`{"amount":"1.00"}`), Since: at},
		Timeline: []host.TimelineEntry{{Sequence: 1, At: at, Kind: "status", Status: "CREATED", Source: "merchant", Provider: "one", RawStatus: "x", Detail: "y", EventID: "evt_01M8642HTSTXEM8X27VEMJKXD9"}},
	}
}

func fullRefund(status string) host.Refund {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	return host.Refund{
		ID: "ref_01M8642HTSTXEM8X27VEMJKXD9", PaymentID: "pay_01M8642HTSTXEM8X27VEMJKXD9", MerchantRefundID: "r1", Amount: "30.00", Currency: "HKD",
		Reason: "cold tea", Status: status, StatusReason: "because", Code: "ACQUIRER_TIMEOUT", Provider: "one", ProviderRefundID: "R1",
		CreatedAt: at, UpdatedAt: at, RefundedAt: at,
	}
}

const (
	keyA = "key-of-shop-a-0123456789"
	keyB = "key-of-shop-b-0123456789"
)

// client calls the API of a fake, and holds every answer against openapi.json.
type client struct {
	*fake
	t       *testing.T
	handler http.Handler
	log     *bytes.Buffer
}

func newClient(t *testing.T) *client {
	t.Helper()
	c := &client{fake: &fake{payment: full(sdk.StatusPending), created: host.Created{Payment: full(sdk.StatusPending)}}, t: t, log: &bytes.Buffer{}}
	o := Options{
		Keys:   []config.APIKey{{Merchant: "shop-a", Key: config.NewSecret(keyA)}, {Merchant: "shop-b", Key: config.NewSecret(keyB)}},
		Logger: hclog.New(&hclog.LoggerOptions{Output: c.log, Level: hclog.Debug}),
	}
	c.handler = newHandler(c.fake, o)
	return c
}

type reply struct {
	status int
	header http.Header
	body   string
	problem
}

// call makes a request with key A; header lines are "Name: value", and one with
// an empty value takes a header away.
func (c *client) call(method, path, body string, header ...string) reply {
	c.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+keyA)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if r.Header.Del(name); value != "" {
			r.Header.Set(name, value)
		}
	}
	return c.send(r)
}

func (c *client) send(r *http.Request) reply {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	got := reply{status: w.Code, header: w.Result().Header, body: w.Body.String()}
	if got.header.Get("Content-Type") == "application/problem+json" {
		if err := json.Unmarshal(w.Body.Bytes(), &got.problem); err != nil {
			c.t.Fatal(err)
		}
		if got.Status != got.status {
			c.t.Errorf("%s %s: the problem says status %d, the answer %d", r.Method, r.URL, got.Status, got.status)
		}
	}
	if got.header.Get("X-Request-Id") == "" || got.header.Get("X-Content-Type-Options") != "nosniff" {
		c.t.Errorf("%s %s: headers %v", r.Method, r.URL, got.header)
	}
	checkAnswer(c.t, r.Method, r.Pattern, got) // the mux has set the pattern
	for _, key := range []string{keyA, keyB} {
		if strings.Contains(c.log.String(), key) {
			c.t.Errorf("a key is in the log:\n%s", c.log)
		}
	}
	return got
}
