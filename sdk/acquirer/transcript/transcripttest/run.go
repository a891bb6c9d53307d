// Package transcripttest takes an adapter through a payment's whole life at its
// acquirer's sandbox while it records, sees that the transcript holds no secret,
// and plays it back to a second one.
package transcripttest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/internal/guise"
)

// Case is an adapter with its sandbox.
type Case struct {
	Options transcript.Options // with every secret of the config
	// Open opens the account with a client that has this transport.
	Open   func(transport func(http.RoundTripper) http.RoundTripper) sdk.Provider
	Create sdk.CreateRequest
	Refund sdk.Money // of what was paid; only for a sdk.Refunder
	// Listen tells the sandbox where to send notifications; nil: it learns it
	// from the payment.
	Listen func(url string)
	Pay    func() error
	// Sign signs a notification before it is replayed, where its body had a secret
	// that isn't recorded; nil: the acquirer's own signature is still right.
	Sign func(*sdk.HTTPRequest)
}

// Run records, checks and replays, and returns the transcript.
func Run(t *testing.T, c Case) string {
	t.Helper()
	notes := make(chan sdk.HTTPRequest, 16)
	var parse func(context.Context, sdk.HTTPRequest) (sdk.Notification, error)
	inbox := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		note := sdk.HTTPRequest{Method: r.Method, Path: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Header: r.Header, Body: body, ReceivedAt: time.Now()}
		got, err := parse(r.Context(), note)
		if err != nil {
			t.Errorf("a notification is refused: %v", err)
			return
		}
		for name, value := range got.Ack.Header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(got.Ack.Status)
		_, _ = w.Write(got.Ack.Body)
		notes <- note
	}))
	defer inbox.Close()
	c.Create.NotifyURL = inbox.URL + "/v1/notifications/test"
	if c.Listen != nil {
		c.Listen(c.Create.NotifyURL)
	}

	var out strings.Builder
	var seen credentials
	recorder := transcript.NewRecorder(&out, c.Options)
	live := c.Open(func(network http.RoundTripper) http.RoundTripper { return recorder.Transport(seen.watch(network)) })
	parse = live.ParseNotification
	recorded := c.script(t, live, func() sdk.HTTPRequest {
		if err := c.Pay(); err != nil {
			t.Fatal(err)
		}
		select {
		case note := <-notes:
			recorder.Notification(note)
			return note
		case <-time.After(30 * time.Second):
			t.Fatal("no notification came")
			panic("unreachable")
		}
	})
	if err := recorder.Err(); err != nil {
		t.Fatal(err)
	}
	seen.check(t, out.String(), c.Options.Secrets)

	replayer, err := transcript.NewReplayer(strings.NewReader(out.String()), c.Options)
	if err != nil {
		t.Fatal(err)
	}
	again := c.script(t, c.Open(replayer.Transport), func() sdk.HTTPRequest {
		note, err := replayer.Notification()
		if err != nil {
			t.Fatal(err)
		}
		if c.Sign != nil {
			c.Sign(&note)
		}
		return note
	})
	if err := replayer.Done(); err != nil {
		t.Error(err)
	}
	if !reflect.DeepEqual(recorded, again) {
		t.Errorf("recorded %q\nreplayed %q", recorded, again)
	}
	return out.String()
}

// script is the life of a payment. It returns what the adapter said of it.
func (c Case) script(t *testing.T, p sdk.Provider, pay func() sdk.HTTPRequest) (said []string) {
	t.Helper()
	say := func(what string, value any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		said = append(said, fmt.Sprintf("%s: %+v", what, value))
	}
	_, err := p.Authorize(t.Context())
	say("authorize", nil, err)
	payment, err := p.Create(t.Context(), c.Create)
	say("create", states(payment), err)
	order := c.Create.Order
	asked, err := p.Query(t.Context(), sdk.QueryRequest{Order: order})
	say("query by the merchant's id", states(asked), err)
	order.AcquirerOrderID = payment.AcquirerOrderID
	note, err := p.ParseNotification(t.Context(), pay())
	say("notification", note.Events, err)
	asked, err = p.Query(t.Context(), sdk.QueryRequest{Order: order})
	say("query", states(asked), err)
	if asked.Status != sdk.StatusSucceeded {
		t.Errorf("the payment ended as %s", asked.Status)
	}
	refunder, ok := p.(sdk.Refunder)
	if !ok {
		return said
	}
	refund, err := refunder.Refund(t.Context(), sdk.RefundRequest{Order: order, MerchantRefundID: "R1", RequestID: "req_R1", Amount: c.Refund, Reason: "returned"})
	say("refund", []any{refund.Status, refund.RawStatus, refund.AcquirerRefundID, refund.Amount}, err)
	refund, err = refunder.QueryRefund(t.Context(), sdk.RefundQuery{Order: order, MerchantRefundID: "R1", AcquirerRefundID: refund.AcquirerRefundID, Amount: c.Refund})
	say("query refund", []any{refund.Status, refund.RawStatus, refund.AcquirerRefundID, refund.Amount}, err)
	return said
}

// states leaves out what may hold a secret, which a replay lacks.
func states(p sdk.Payment) []any {
	all := []any{p.Status, p.RawStatus, p.MerchantOrderID, p.AcquirerOrderID, p.Money, p.PaidAt, p.RequestID}
	for _, a := range p.NextActions {
		all = append(all, a.Type)
	}
	return all
}

// credentials are what was sent to prove who is speaking.
type credentials struct {
	mu   sync.Mutex
	sent []string
}

func (s *credentials) watch(next http.RoundTripper) http.RoundTripper {
	return watcher(func(req *http.Request) (*http.Response, error) {
		s.mu.Lock()
		for _, v := range []string{req.Header.Get("Authorization"), req.Header.Get("Signature")} {
			if fields := strings.Fields(v); len(fields) > 0 && !slices.Contains(s.sent, fields[len(fields)-1]) {
				s.sent = append(s.sent, fields[len(fields)-1])
			}
		}
		s.mu.Unlock()
		return next.RoundTrip(req)
	})
}

type watcher func(*http.Request) (*http.Response, error)

func (f watcher) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func (s *credentials) check(t *testing.T, text string, secrets []string) {
	t.Helper()
	if len(secrets) == 0 || len(s.sent) == 0 {
		t.Errorf("there are %d secrets and %d credentials to look for: is the case complete?", len(secrets), len(s.sent))
	}
	for _, secret := range slices.Concat(secrets, s.sent) {
		for _, form := range guise.Forms(secret) {
			if strings.Contains(text, form) {
				t.Errorf("the transcript holds %q", form)
			}
		}
	}
}
