package httpapi

import (
	"context"
	"net/http"
	"net/http/pprof"
	"path"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/sdk"
)

// Options say who may use the API.
type Options struct {
	Keys   []config.APIKey // without any, only notifications are taken
	Logger hclog.Logger    // one line a request; nil is silent
}

// payments is what the API needs of a host.
type payments interface {
	Create(ctx context.Context, merchant string, r host.CreateRequest) (host.Created, error)
	Get(ctx context.Context, merchant, id string) (host.Payment, error)
	List(ctx context.Context, merchant string, f host.Filter) ([]host.Payment, bool, error)
	Refresh(ctx context.Context, merchant, id string) (host.Payment, error)
	Refund(ctx context.Context, merchant, payment string, r host.RefundRequest) (host.RefundCreated, error)
	Refunds(ctx context.Context, merchant, payment, before string, limit int) ([]host.Refund, bool, error)
	GetRefund(ctx context.Context, merchant, payment, id string) (host.Refund, error)
	Cancel(ctx context.Context, merchant, id string) (host.Payment, error)
	Review(ctx context.Context, merchant, id string, r host.ReviewRequest) (host.Payment, error)
	Events(ctx context.Context, merchant string, f host.EventFilter) ([]host.Event, bool, error)
	Redeliver(ctx context.Context, merchant, id string) (host.Event, error)
	TakeKey(ctx context.Context, r host.KeyedRequest) (host.KeyClaim, *host.KeyedAnswer, error)
	FinishKey(c host.KeyClaim, answer *host.KeyedAnswer)
	Notify(ctx context.Context, provider string, r sdk.HTTPRequest) (sdk.HTTPResponse, error)
	Providers(merchant string) []host.ProviderInfo
	Provider(merchant, name string) (host.ProviderInfo, error)
	Ready(ctx context.Context) error
}

// api is the handler's state.
type api struct {
	host payments
	keys keyring
	log  hclog.Logger
}

// route is one row of the API. A test holds the table against openapi.json.
type route struct {
	method, path string
	serve        http.HandlerFunc
}

// New returns the API of a host.
func New(h *host.Host, o Options) http.Handler { return newHandler(h, o) }

func newHandler(h payments, o Options) http.Handler {
	a := &api{host: h, keys: newKeyring(o.Keys), log: o.Logger}
	if a.log == nil {
		a.log = hclog.NewNullLogger()
	}
	return a.middleware(exact(router(a.routes())))
}

func (a *api) routes() []route {
	return []route{
		{"POST", "/v1/payments", a.merchant(bare(a.keyed(a.createPayment)))},
		{"GET", "/v1/payments", a.merchant(a.listPayments)},
		{"GET", "/v1/payments/{id}", a.merchant(bare(a.getPayment))},
		{"POST", "/v1/payments/{id}/refresh", a.merchant(bare(a.refreshPayment))},
		{"POST", "/v1/payments/{id}/cancel", a.merchant(bare(a.keyed(a.cancelPayment)))},
		{"POST", "/v1/payments/{id}/review", a.merchant(bare(a.keyed(a.reviewPayment)))},
		{"POST", "/v1/payments/{id}/refunds", a.merchant(bare(a.keyed(a.createRefund)))},
		{"GET", "/v1/payments/{id}/refunds", a.merchant(a.listRefunds)},
		{"GET", "/v1/payments/{id}/refunds/{rid}", a.merchant(bare(a.getRefund))},
		{"GET", "/v1/events", a.merchant(a.listEvents)},
		{"POST", "/v1/events/{id}/redeliver", a.merchant(bare(a.redeliverEvent))},
		{"POST", "/v1/notifications/{provider}", a.notify},
		{"GET", "/v1/providers", a.merchant(bare(a.listProviders))},
		{"GET", "/v1/providers/{name}", a.merchant(bare(a.getProvider))},
		{"GET", "/healthz", healthz},
		{"GET", "/readyz", a.readyz},
		{"GET", "/openapi.json", serveOpenAPI},
	}
}

// router serves the routes; what exists with another method is 405, the rest 404.
func router(routes []route) http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	for _, r := range routes {
		mux.HandleFunc(r.method+" "+r.path, r.serve)
		methods[r.path] = append(methods[r.path], r.method)
		if r.method == http.MethodGet {
			methods[r.path] = append(methods[r.path], http.MethodHead)
		}
	}
	for pattern, allowed := range methods {
		allow := strings.Join(allowed, ", ")
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			fail(w, sdk.NotSent(sdk.CodeMethodNotAllowed, "%s is not one of the methods of this path: %s", r.Method, allow))
		})
	}
	mux.HandleFunc("/", noPath)
	return mux
}

func noPath(w http.ResponseWriter, _ *http.Request) {
	e := sdk.NotSent(sdk.CodeNotFound, "there is no such path")
	p := problemOf(e)
	p.Remedy = "See /openapi.json for the paths that there are."
	failWith(w, e, p)
}

// exact keeps the mux from redirecting //v1 or /v1/./x to what it takes them for.
func exact(mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.EscapedPath()
		clean := path.Clean("/" + asked)
		if clean != "/" && strings.HasSuffix(asked, "/") {
			clean += "/"
		}
		if asked != clean {
			noPath(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// Admin returns the operators' endpoints: /metrics, /healthz and /debug/pprof.
// They have no key: serve them on loopback or behind your own door.
func Admin(h *host.Host) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h.MetricsHandler())
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// The limits of a connection. Writing may take the ten seconds that Create
// waits for an acquirer, and a profile's thirty.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 15 * time.Second
	writeTimeout   = 60 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
)

// NewServer returns a server with the limits that a public address needs.
func NewServer(handler http.Handler, log hclog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: log.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Warn}),
	}
}
