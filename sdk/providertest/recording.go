package providertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// Recording is a payment that was recorded at the acquirer, for who has no
// sandbox of it. Its Start is a [Harness.Start]: a request is answered as one of
// its kind with the same method and path was then, before Pay as the first and
// afterwards as the last. What the body says isn't looked at. Cases that need
// more than that one payment, or that the recording hasn't got, are skipped.
//
// It is of no use for an acquirer that signs its answers, unless the signature
// was recorded (ShowIncoming in [transcript.Options]) and doesn't cover what was
// taken out.
type Recording struct {
	Entries []transcript.Entry
	// Payment is what Create was asked for then.
	Payment sdk.CreateRequest
	Config  func(baseURL string) string // as in Sandbox
	Op      func(r *http.Request) Op    // as in Sandbox
}

// exchange is what tells requests apart.
type exchange struct {
	op     Op
	method string
	path   string
}

// Start plays the recording for one case.
func (r Recording) Start(t *rules.T, _ Setup) Sandbox {
	first, last := map[exchange]*transcript.Message{}, map[exchange]*transcript.Message{}
	for _, e := range r.Entries {
		if e.Request == nil || e.Answer == nil || e.Failure != nil || e.Answer.Omitted > 0 {
			continue
		}
		request, err := http.NewRequest(e.Request.Method, e.Request.URL, strings.NewReader(e.Request.Body))
		if err != nil {
			t.Fatalf("the recording has a request to %q: %v", e.Request.URL, err)
		}
		request.Header = e.Request.Header.Clone()
		key := exchange{r.Op(request), request.Method, request.URL.Path}
		if first[key] == nil {
			first[key] = e.Answer
		}
		last[key] = e.Answer
	}
	var paid atomic.Bool
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("the recording: %v", err)
	}
	address, server := serve(listener, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		key := exchange{r.Op(request), request.Method, request.URL.Path}
		said := first[key]
		if paid.Load() {
			said = last[key]
		}
		if said == nil {
			t.Inconclusive("the recording has no %s %s %s", key.op, key.method, key.path)
			http.Error(w, "not recorded", http.StatusNotImplemented)
			return
		}
		reply(w, answer{said.Status, said.Header, []byte(said.Body)})
	}))
	t.Cleanup(func() { _ = server.Close() })
	return Sandbox{
		URL: address, Config: r.Config, Op: r.Op, Silent: true, recorded: &r.Payment,
		Pay: func(string) error { paid.Store(true); return nil },
	}
}

// recordedOnly is a provider that is asked about the one payment of a recording.
// It has neither refunds nor Cancel: they change what was recorded.
type recordedOnly struct {
	sdk.Provider
	*world
}

func (p recordedOnly) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	p.only(r.Order)
	if p.made.Load() {
		p.lacks("a recording can't tell a second order from the first")
	}
	made, err := p.Provider.Create(ctx, r)
	if err == nil {
		p.made.Store(true)
	}
	return made, err
}

func (p recordedOnly) Query(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
	p.only(r.Order)
	return p.Provider.Query(ctx, r)
}

func (p recordedOnly) only(o sdk.Order) {
	if o.MerchantOrderID != p.recorded.MerchantOrderID || !o.Money.Equal(p.recorded.Money) {
		p.lacks("the recording has one payment, %s of %s", p.recorded.MerchantOrderID, p.recorded.Money)
	}
}

// Format shows what the provider shows.
func (p recordedOnly) Format(f fmt.State, verb rune) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), p.Provider)
}

// lacks ends a case, or a goroutine of it, that needs more than a recording has.
func (w *world) lacks(format string, args ...any) {
	w.Inconclusive(format, args...)
	runtime.Goexit()
}

// needsState ends a case that a recording can't fail.
func (w *world) needsState() {
	if w.recorded != nil {
		w.lacks("a recording can't tell")
	}
}
