package antom_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/antom"
	"github.com/paymux/paymux/providers/antom/antomtest"
	"github.com/paymux/paymux/sdk"
)

const sandboxCodes = `,"codes":{"not_found":["MADE_UP_NO_SUCH_ORDER"],"refused":["MADE_UP_NOT_PAID","MADE_UP_TOO_MUCH"],"unsure":["MADE_UP_ID_REUSED"],"credentials":["MADE_UP_BAD_SIGNATURE","MADE_UP_BAD_CLIENT"]}`

type account interface {
	sdk.Provider
	sdk.Refunder
	sdk.Canceller
}

// open opens the plugin for an account at the sandbox.
func open(t *testing.T, server *antomtest.Server, more string) account {
	t.Helper()
	credentials := server.Credentials()
	config, err := json.Marshal(map[string]any{
		"base_url": server.URL, "client_id": credentials.ClientID,
		"private_key": credentials.PrivateKey, "antom_public_keys": []string{credentials.PublicKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSuffix(string(config), "}") + sandboxCodes + more + "}"
	provider, err := antom.Plugin().Open(t.Context(), sdk.NewConfig("sandbox", []byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return provider.(account)
}

func money(t *testing.T, amount, currency string) sdk.Money {
	t.Helper()
	m, err := sdk.ParseMoney(amount, currency)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newPayment(t *testing.T, id string) sdk.CreateRequest {
	return sdk.CreateRequest{
		Order:  sdk.Order{MerchantOrderID: id, Money: money(t, "12.5", "HKD")},
		Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Description: "Tea", ReturnURL: "https://shop.example/thanks",
	}
}

// inbox takes the sandbox's notifications and hands them to the adapter.
type inbox struct {
	url  string
	come chan sdk.NotificationEvent
}

func newInbox(t *testing.T, provider sdk.Provider) *inbox {
	in := &inbox{come: make(chan sdk.NotificationEvent, 16)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n, err := provider.ParseNotification(r.Context(), sdk.HTTPRequest{Method: r.Method, Path: r.URL.EscapedPath(), Header: r.Header, Body: body, ReceivedAt: time.Now()})
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		for name, value := range n.Ack.Header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(n.Ack.Status)
		_, _ = w.Write(n.Ack.Body)
		in.come <- n.Events[0]
	}))
	t.Cleanup(server.Close)
	in.url = server.URL + "/v1/notifications/a%20b"
	return in
}

func (in *inbox) next(t *testing.T) sdk.NotificationEvent {
	t.Helper()
	select {
	case event := <-in.come:
		return event
	case <-time.After(10 * time.Second):
		t.Fatal("no notification came")
		panic("unreachable")
	}
}

func query(t *testing.T, p sdk.Provider, order sdk.Order) sdk.Payment {
	t.Helper()
	payment, err := p.Query(t.Context(), sdk.QueryRequest{Order: order})
	if err != nil {
		t.Fatal(err)
	}
	return payment
}

func idle(t *testing.T, server *antomtest.Server) {
	t.Helper()
	if err := server.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSandboxPaysWithEveryWalletAndFlow(t *testing.T) {
	for _, iso := range []bool{false, true} {
		server := antomtest.Start(t, antomtest.Options{ISOTime: iso})
		p := open(t, server, "")
		in := newInbox(t, p)
		if _, err := p.Authorize(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, row := range antom.Plugin().Capabilities.Rows {
			t.Run(fmt.Sprintf("%t/%s/%s/%s", iso, row.Method, row.Flow, row.Currency), func(t *testing.T) {
				req := newPayment(t, fmt.Sprintf("P%d", i))
				req.Method, req.Flow, req.NotifyURL, req.Money = row.Method, row.Flow, in.url, money(t, "0.10", row.Currency)
				payment, err := p.Create(t.Context(), req)
				if err != nil || payment.Status != sdk.StatusPending || len(payment.NextActions) != len(row.Actions) {
					t.Fatalf("got %+v, %v", payment, err)
				}
				for i, action := range payment.NextActions {
					if action.Type != row.Actions[i] || action.URL == "" && action.QRCode == "" {
						t.Errorf("action %+v, want %s", action, row.Actions[i])
					}
				}
				order := req.Order
				if got := query(t, p, order); got.Status != sdk.StatusPending || len(got.Differences(order)) > 0 {
					t.Errorf("unpaid: %+v", got)
				}
				if _, err := server.Pay(req.MerchantOrderID); err != nil {
					t.Fatal(err)
				}
				if event := in.next(t); event.Kind != sdk.EventPayment || event.MerchantOrderID != req.MerchantOrderID || event.AcquirerOrderID != payment.AcquirerOrderID {
					t.Errorf("event %+v", event)
				}
				idle(t, server)
				for _, id := range []string{"", payment.AcquirerOrderID} {
					order.AcquirerOrderID = id
					if got := query(t, p, order); got.Status != sdk.StatusSucceeded || got.PaidAt.IsZero() || len(got.Differences(order)) > 0 {
						t.Errorf("paid: %+v", got)
					}
				}
			})
		}
		for _, n := range server.Notifications() {
			if !n.Delivered || n.Attempt != 1 {
				t.Errorf("not acknowledged: %+v", n)
			}
		}
	}
}

// In the acquirer's own sandbox each product has its path, and so each a provider.
func TestSandboxOfTheAcquirer(t *testing.T) {
	for _, test := range []struct {
		more string
		flow sdk.Flow
		path string
	}{{"", sdk.WebQR, "/ams/sandbox/api/v1"}, {`,"api_path":"/ams/api/v1"`, sdk.StoreQR, "/ams/api/v1"}} {
		server := antomtest.Start(t, antomtest.Options{ClientID: "SANDBOX_5X00000000000000"})
		p := open(t, server, test.more)
		req := newPayment(t, "P1")
		req.Flow = test.flow
		if _, err := p.Create(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Pay("P1"); err != nil {
			t.Fatal(err)
		}
		if got := query(t, p, req.Order); got.Status != sdk.StatusSucceeded {
			t.Errorf("got %+v", got)
		}
		for _, call := range server.Requests() {
			if !strings.HasPrefix(call.Path, test.path+"/payments/") {
				t.Errorf("%s at %s", call.Op, call.Path)
			}
		}
	}
}

func TestSandboxEndsUnpaid(t *testing.T) {
	server := antomtest.Start(t, antomtest.Options{})
	p := open(t, server, "")
	for id, end := range map[string]struct {
		do   func(string) (antomtest.Order, error)
		want sdk.Status
	}{"P1": {server.Cancel, sdk.StatusCancelled}, "P2": {server.Fail, sdk.StatusFailed}} {
		req := newPayment(t, id)
		if _, err := p.Create(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		if _, err := end.do(id); err != nil {
			t.Fatal(err)
		}
		if got := query(t, p, req.Order); got.Status != end.want || len(got.Differences(req.Order)) > 0 {
			t.Errorf("got %+v", got)
		}
	}
	_, err := p.Query(t.Context(), sdk.QueryRequest{Order: newPayment(t, "P3").Order})
	if !sdk.IsCode(err, sdk.CodeOrderNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestSandboxRefusesKeys(t *testing.T) {
	server := antomtest.Start(t, antomtest.Options{MerchantKey: &antomtest.NewKey().PublicKey})
	other := antomtest.Start(t, antomtest.Options{})
	config, err := json.Marshal(map[string]any{
		"base_url": server.URL, "client_id": antomtest.DefaultClientID,
		"private_key": other.Credentials().PrivateKey, "antom_public_keys": []string{server.Credentials().PublicKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := antom.Plugin().Open(t.Context(), sdk.NewConfig("x", []byte(strings.TrimSuffix(string(config), "}")+sandboxCodes+"}")))
	if err != nil {
		t.Fatal(err)
	}
	_, authorize := p.Authorize(t.Context())
	_, create := p.Create(t.Context(), newPayment(t, "P1"))
	for _, err := range []error{authorize, create} {
		if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeCredentialsRefused || e.Outcome != sdk.OutcomeNotSent {
			t.Errorf("got %v", err)
		}
	}
}

func TestSandboxCancel(t *testing.T) {
	server := antomtest.Start(t, antomtest.Options{})
	p := open(t, server, "")
	cancel := func(order sdk.Order) sdk.Payment {
		t.Helper()
		payment, err := p.Cancel(t.Context(), sdk.CancelRequest{Order: order})
		if err != nil || len(payment.Differences(order)) > 0 {
			t.Fatalf("got %+v, %v", payment, err)
		}
		return payment
	}
	for i, id := range []string{"P1", "P2"} { // by the merchant's id, by the acquirer's
		req := newPayment(t, id)
		created, err := p.Create(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			req.AcquirerOrderID = created.AcquirerOrderID
		}
		for range 2 { // the second finds it done
			if got := cancel(req.Order); got.Status != sdk.StatusCancelled {
				t.Errorf("got %+v", got)
			}
		}
		if _, err := server.Pay(id); err == nil {
			t.Error("a cancelled payment can be paid")
		}
	}
	// The payer was faster: that stands, and nothing is given back.
	req := newPayment(t, "P3")
	if _, err := p.Create(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Pay("P3"); err != nil {
		t.Fatal(err)
	}
	if got := cancel(req.Order); got.Status != sdk.StatusSucceeded {
		t.Errorf("got %+v", got)
	}
	if ledger := server.Ledger(); len(ledger) != 1 || ledger[0].Kind != "charge" {
		t.Errorf("ledger %+v", ledger)
	}
	// A cancel whose answer is lost has happened all the same; Query tells.
	req = newPayment(t, "P4")
	if _, err := p.Create(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	server.Inject(antomtest.Fault{Kind: antomtest.KindCloseAfter, Op: antomtest.OpCancel, Times: 1})
	_, err := p.Cancel(t.Context(), sdk.CancelRequest{Order: req.Order})
	if e := sdk.AsError(err); err == nil || e.Outcome != sdk.OutcomeUnknown {
		t.Errorf("got %v", err)
	}
	if got := query(t, p, req.Order); got.Status != sdk.StatusCancelled {
		t.Errorf("got %+v", got)
	}
}
