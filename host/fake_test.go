package host

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/alarm/alarmtest"
	"github.com/paymux/paymux/host/internal/provider"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/plugin"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// acquirer is a provider and its remote company in one. Tests program it.
type acquirer struct {
	mu      sync.Mutex
	create  func(context.Context, sdk.CreateRequest) (sdk.Payment, error)
	query   func(context.Context, sdk.QueryRequest) (sdk.Payment, error)
	parse   func(sdk.HTTPRequest) (sdk.Notification, error)
	cancel  func(sdk.CancelRequest) (sdk.Payment, error)
	creates []sdk.CreateRequest
	queries []time.Time
}

func (a *acquirer) Authorize(context.Context) (sdk.Grant, error) { return sdk.Grant{}, nil }

func (a *acquirer) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	a.mu.Lock()
	a.creates = append(a.creates, r)
	create := a.create
	a.mu.Unlock()
	return create(ctx, r)
}

func (a *acquirer) Query(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
	a.mu.Lock()
	a.queries = append(a.queries, time.Now())
	query := a.query
	a.mu.Unlock()
	return query(ctx, r)
}

func (a *acquirer) ParseNotification(_ context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
	a.mu.Lock()
	parse := a.parse
	a.mu.Unlock()
	return parse(r)
}

func (a *acquirer) Cancel(_ context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
	a.mu.Lock()
	cancel := a.cancel
	a.mu.Unlock()
	if cancel != nil {
		return cancel(r)
	}
	return paymentOf(r.Order, sdk.StatusCancelled), nil
}

func (a *acquirer) created() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.creates)
}

func (a *acquirer) queried() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queries)
}

// says makes Query report a status from now on, of whatever order is asked about.
func (a *acquirer) says(s sdk.Status) {
	a.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) { return paymentOf(r.Order, s), nil })
}

func (a *acquirer) answers(query func(context.Context, sdk.QueryRequest) (sdk.Payment, error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.query = query
}

func (a *acquirer) creating(create func(context.Context, sdk.CreateRequest) (sdk.Payment, error)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.create = create
}

// fails makes Create fail from now on.
func (a *acquirer) fails(err error) {
	a.creating(func(context.Context, sdk.CreateRequest) (sdk.Payment, error) { return sdk.Payment{}, err })
}

func paymentOf(o sdk.Order, s sdk.Status) sdk.Payment {
	if o.AcquirerOrderID == "" {
		o.AcquirerOrderID = "acq-" + o.MerchantOrderID
	}
	// It always says when: a time of payment counts only of what is paid.
	return sdk.Payment{Order: o, Status: s, RawStatus: strings.ToLower(s.String()), PaidAt: paidAt}
}

var paidAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// newAcquirer takes every order; notifications are "signed ORDER".
func newAcquirer() *acquirer {
	a := &acquirer{}
	a.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
		p := paymentOf(r.Order, sdk.StatusPending)
		p.NextActions = []sdk.NextAction{{Type: sdk.ActionRedirect, URL: "https://wallet.example.com/" + r.MerchantOrderID}}
		return p, nil
	})
	a.says(sdk.StatusPending)
	a.parse = func(r sdk.HTTPRequest) (sdk.Notification, error) {
		order, signed := strings.CutPrefix(string(r.Body), "signed ")
		if !signed {
			return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "bad signature")
		}
		return sdk.Notification{
			Events: []sdk.NotificationEvent{{Kind: sdk.EventPayment, RawType: "paid", MerchantOrderID: order}},
			Ack:    sdk.HTTPResponse{Status: 200, Body: []byte("thanks")},
		}, nil
	}
	return a
}

// world is a host with two providers, "one" and "two", each with its acquirer,
// in the bubble of a test: time is virtual.
type world struct {
	*Host
	t        *testing.T
	cfg      *config.Config
	one, two *acquirer
	refunds  *refunds           // of provider one, if it can
	retry    sdk.CreateRetry    // what the acquirers promise of an identical Create
	engine   *alarmtest.Virtual // outlives hosts, as the store does
	mu       sync.Mutex
	down     map[string]bool // providers whose plugin doesn't run
	commit   func(*sql.Tx) error
	shops    *shops
	log      bytes.Buffer
	stop     []func()
}

const worldConfig = `
store: sqlite:paymux.db
admin_listen: ""
return_hosts: [shop.example.com]
api_keys: [{merchant: shop-a, key: key-of-shop-a-0123}, {merchant: shop-b, key: key-of-shop-b-0123}]
providers:
  one: {plugin: fake, config: {uid: "1", secret: hush-hush}}
  two: {plugin: fake, merchants: [shop-a], config: {uid: "2", secret: hush-hush}}
routes:
  - {methods: [alipay_hk], providers: [one, two]}
  - {methods: [alipay_cn], providers: [two]}
`

func newWorld(t *testing.T) *world { return newWorldOf(t, worldConfig) }

func newWorldOf(t *testing.T, text string) *world { return newWorldWith(t, text, func(*world) {}) }

func newWorldWith(t *testing.T, text string, change func(*world)) *world {
	t.Helper()
	w := &world{t: t, one: newAcquirer(), two: newAcquirer(), engine: alarmtest.NewVirtual(), down: map[string]bool{}, shops: newShops(t)}
	var err error
	if w.cfg, err = config.Parse("paymux.yaml", []byte(text), t.TempDir(), nil); err != nil {
		t.Fatal(err)
	}
	change(w)
	w.open()
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	if w.Host, err = Open(context.Background(), w.cfg, w.options(w.dial())); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) options(service pb.ProviderServiceClient) Option {
	return func(h *Host) {
		h.engine, h.events = w.engine, w.shops
		h.stored.Commit = w.commit
		h.stored.NoSync = true // only a cut of the power would show it
		h.log = hclog.New(&hclog.LoggerOptions{Output: &w.log, Level: hclog.Debug})
		h.inMemory = func(p config.Provider) provider.Services { return services{w, p.Name, service} }
	}
}

// close ends the host and its plugins; the store stays.
func (w *world) close() {
	w.t.Helper()
	for _, stop := range w.stop {
		stop()
	}
	w.stop = nil
	if err := w.Close(context.Background()); err != nil {
		w.t.Error(err)
	}
	if strings.Contains(w.log.String(), "hush-hush") {
		w.t.Errorf("a secret is in the log:\n%s", w.log.String())
	}
}

// services is a plugin that runs unless its provider is down.
type services struct {
	w       *world
	name    string
	service pb.ProviderServiceClient
}

func (s services) Service(context.Context) (provider.Service, error) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.w.down[s.name] {
		return nil, sdk.NotSent(sdk.CodePluginUnavailable, "plugin fake is not running")
	}
	return s.service, nil
}

func (w *world) dial() pb.ProviderServiceClient {
	w.t.Helper()
	server, err := plugin.NewServer(sdk.Plugin{
		Info: sdk.Info{Name: "fake", Version: "1.0.0", Acquirer: "Fake"},
		ConfigSchema: `{"type":"object","additionalProperties":false,"required":["uid"],"properties":{
			"uid":{"type":"string","x-paymux-account":true},"secret":{"type":"string","writeOnly":true}}}`,
		Capabilities: sdk.Capabilities{
			Rows: []sdk.Capability{
				{Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Currency: "HKD", Actions: []sdk.ActionType{sdk.ActionRedirect}},
				{Method: sdk.AlipayCN, Flow: sdk.MobileWeb, Currency: "HKD", Actions: []sdk.ActionType{sdk.ActionRedirect}},
			},
			QueryKeys: []sdk.QueryKey{sdk.QueryByMerchantOrder, sdk.QueryByAcquirerOrder}, NotFoundSettling: 10 * time.Minute,
			NotifyURL: sdk.NotifyURLPerPayment, CreateRetry: w.retry,
		},
		Open: func(_ context.Context, c sdk.Config) (sdk.Provider, error) {
			var config struct{ UID, Secret string }
			if err := c.Decode(&config); err != nil {
				return nil, err
			}
			if config.UID == "1" && w.refunds != nil {
				return w.refunds, nil
			}
			return map[string]sdk.Provider{"1": w.one, "2": w.two}[config.UID], nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	listener := bufconn.Listen(1 << 20)
	g := grpc.NewServer()
	if err := (&wire.GRPCPlugin{Service: server}).GRPCServer(nil, g); err != nil {
		w.t.Fatal(err)
	}
	go func() { _ = g.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///plugin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		w.t.Fatal(err)
	}
	w.stop = append(w.stop, g.Stop, func() { _ = conn.Close() })
	client, err := (&wire.GRPCPlugin{}).GRPCClient(w.t.Context(), nil, conn)
	if err != nil {
		w.t.Fatal(err)
	}
	return client.(pb.ProviderServiceClient)
}

func request(order string) CreateRequest {
	return CreateRequest{
		MerchantOrderID: order, Amount: "100.00", Currency: "HKD", Method: "alipay_hk", Flow: "mobile_web",
		Description: "Tea", ReturnURL: "https://shop.example.com/back",
	}
}

func (w *world) pay(order string) Created {
	w.t.Helper()
	c, err := w.Create(context.Background(), "shop-a", request(order))
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) get(id string) Payment {
	w.t.Helper()
	p, err := w.Get(context.Background(), "shop-a", id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// is fails unless the payment has the status.
func (w *world) is(id string, want sdk.Status) Payment {
	w.t.Helper()
	p := w.get(id)
	if p.Status != want.String() {
		w.t.Fatalf("payment %s is %s (%s), want %s; timeline %+v", id, p.Status, p.StatusReason, want, p.Timeline)
	}
	if !p.PaidAt.IsZero() && want != sdk.StatusSucceeded {
		w.t.Errorf("payment %s is %s and was paid at %s", id, p.Status, p.PaidAt)
	}
	return p
}

func (w *world) notify(providerName, body string) (sdk.HTTPResponse, error) {
	return w.Notify(context.Background(), providerName, sdk.HTTPRequest{Method: "POST", Path: "/v1/notifications/" + providerName, Body: []byte(body)})
}

func codeOf(err error) sdk.Code {
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		return sdk.CodeUnspecified
	}
	return e.Code
}

// has reports whether the timeline has an entry from a source with this text.
func has(p Payment, source, text string) bool {
	return slices.ContainsFunc(p.Timeline, func(e TimelineEntry) bool {
		return e.Source == source && strings.Contains(e.Detail, text)
	})
}

// abandon ends the host as a crash would: what it was doing isn't recorded.
func (w *world) abandon() {
	w.t.Helper()
	_ = w.store.Close()
	for _, stop := range w.stop {
		stop()
	}
	w.stop = nil
	_ = w.Close(context.Background()) // the store is closed already
}

// setDown stops or starts the plugin of a provider.
func (w *world) setDown(name string, down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down[name] = down
}

// count reads the store as a person with a shell would.
func (w *world) count(query string) (n int) {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.cfg.Store.Path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// exec writes the store as a person with a shell would.
func (w *world) exec(statement string) {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.cfg.Store.Path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		w.t.Fatal(err)
	}
}
