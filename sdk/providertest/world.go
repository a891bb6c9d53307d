package providertest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// world is what one case happens in: a sandbox, the proxy in front of it, an
// inbox for notifications, and a provider.
type world struct {
	*subject
	*rules.T
	Sandbox
	proxy     *proxy
	notifyURL string
	come      <-chan sdk.HTTPRequest // notifications
	name      string                 // of the instance
	config    string
	provider  sdk.Provider
	asked     atomic.Bool // for the payment that is recorded
	made      atomic.Bool // it is
}

var (
	runID = func() string {
		var b [4]byte
		_, _ = rand.Read(b[:]) // never fails
		return hex.EncodeToString(b[:])
	}()
	ids atomic.Int64
)

// newID returns an id that no case of any run has used.
func newID(prefix string) string { return fmt.Sprintf("%s-%s-%d", prefix, runID, ids.Add(1)) }

func newWorld(t *rules.T, s *subject) *world {
	t.Helper()
	w := &world{subject: s, T: t}
	w.notifyURL, w.come = s.inbox.open(t)
	w.Sandbox = s.Start(t, Setup{NotifyURL: w.notifyURL})
	for name, missing := range map[string]bool{
		"URL": w.Sandbox.URL == "", "Config": w.Sandbox.Config == nil, "Op": w.Op == nil, "Pay": w.Pay == nil,
	} {
		if missing {
			t.Fatalf("the harness's sandbox has no %s", name)
		}
	}
	w.proxy = startProxy(t, w.Sandbox.URL, w.Op)
	w.config = w.Sandbox.Config(w.proxy.url)
	w.name = newID("main")
	w.provider = w.open(w.name, w.config)
	return w
}

func (w *world) open(name, config string) sdk.Provider {
	w.Helper()
	provider, err := w.Plugin.Open(w.Context(), name, []byte(config))
	if err != nil {
		w.Fatalf("the harness's config isn't taken: %v", err)
	}
	if w.recorded != nil {
		return recordedOnly{provider, w}
	}
	return provider
}

// row is the capability that cases use.
func (s *subject) row(t *rules.T) sdk.Capability {
	for _, row := range s.Capabilities.Rows {
		if (s.Method == "" || row.Method == s.Method) && (s.Flow == "" || row.Flow == s.Flow) {
			return row
		}
	}
	t.Fatalf("no row of the capabilities has the harness's method %q and flow %q", s.Method, s.Flow)
	return sdk.Capability{}
}

// typical is an amount within a row's bounds whose last digits are no zeros.
func typical(row sdk.Capability) sdk.Money {
	for _, units := range []int64{1234, 12345, 123456, 51, 101, 1001, 1} {
		m, err := sdk.FromMinor(units, row.Currency)
		if err == nil && within(row, m) {
			return m
		}
	}
	if !row.Min.IsZero() {
		return row.Min
	}
	return row.Max
}

func within(row sdk.Capability, m sdk.Money) bool {
	_, err := sdk.Capabilities{Rows: []sdk.Capability{row}}.Supports(row.Method, row.Flow, m)
	return err == nil
}

// request is a payment that a host could ask for.
func (w *world) request() sdk.CreateRequest {
	if r := w.recorded; r != nil {
		return w.requestFor(sdk.Capability{Method: r.Method, Flow: r.Flow, Currency: r.Money.Currency()})
	}
	return w.requestFor(w.row(w.T))
}

func (w *world) requestFor(row sdk.Capability) sdk.CreateRequest {
	if r := w.recorded; r != nil {
		if row.Method != r.Method || row.Flow != r.Flow || row.Currency != r.Money.Currency() || w.asked.Swap(true) {
			w.lacks("the recording has one payment")
		}
		return *r
	}
	req := sdk.CreateRequest{
		Order:     sdk.Order{MerchantOrderID: newID("o"), Money: typical(row)},
		RequestID: newID("r"), Method: row.Method, Flow: row.Flow,
		Description: "Conformance", ReturnURL: "https://shop.example.com/back",
	}
	if w.Capabilities.NotifyURL == sdk.NotifyURLPerPayment {
		req.NotifyURL = w.notifyURL
	}
	return req
}

// create starts a payment and returns it with all its ids.
func (w *world) create(req sdk.CreateRequest) sdk.Order {
	w.Helper()
	p, err := w.provider.Create(w.Context(), req)
	if err != nil {
		w.Fatalf("Create fails, though nothing is wrong: %v", err)
	}
	req.AcquirerOrderID = p.AcquirerOrderID
	return req.Order
}

// paid is a payment that the payer has paid.
func (w *world) paid() sdk.Order {
	w.Helper()
	order := w.create(w.request())
	w.pay(order)
	return order
}

func (w *world) pay(order sdk.Order) {
	w.Helper()
	if err := w.Pay(order.MerchantOrderID); err != nil {
		w.Fatalf("the harness can't pay: %v", err)
	}
}

func (w *world) query(order sdk.Order) sdk.Payment {
	w.Helper()
	p, err := w.provider.Query(w.Context(), sdk.QueryRequest{Order: order})
	if err != nil {
		w.Fatalf("Query fails, though nothing is wrong: %v", err)
	}
	return p
}

// canFind reports whether Query takes a kind of id.
func (s *subject) canFind(key sdk.QueryKey) bool {
	return slices.Contains(s.Capabilities.QueryKeys, key)
}
