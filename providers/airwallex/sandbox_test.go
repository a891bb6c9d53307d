package airwallex_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/airwallex"
	"github.com/paymux/paymux/providers/airwallex/airwallextest"
	"github.com/paymux/paymux/sdk"
)

// account opens the plugin for an account at the sandbox; more is JSON to add.
func account(t *testing.T, server *airwallextest.Server, more string) sdk.Provider {
	t.Helper()
	config := fmt.Sprintf(`{"base_url":%q,"client_id":%q,"api_key":%q,"webhook_secrets":["other",%q],"codes":{"refused":["invalid_argument"],"not_found":["not_found"]}%s}`,
		server.URL, airwallextest.DefaultClientID, airwallextest.DefaultAPIKey, airwallextest.DefaultWebhookSecret, more)
	provider, err := airwallex.Plugin().Open(t.Context(), sdk.NewConfig("sandbox", []byte(config)))
	if err != nil {
		t.Fatal(err)
	}
	return provider
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
		Order: sdk.Order{MerchantOrderID: id, Money: money(t, "12.5", "HKD")}, RequestID: "req_" + id,
		Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Description: "Tea", ReturnURL: "https://shop.example/done",
	}
}

// inbox takes the sandbox's notifications and hands them to the adapter.
type inbox struct {
	url  string
	come chan sdk.NotificationEvent
}

func newInbox(t *testing.T, provider func() sdk.Provider) *inbox {
	in := &inbox{come: make(chan sdk.NotificationEvent, 16)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n, err := provider().ParseNotification(r.Context(), sdk.HTTPRequest{Method: r.Method, Path: r.URL.Path, Header: r.Header, Body: body, ReceivedAt: time.Now()})
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(n.Ack.Status)
		in.come <- n.Events[0]
	}))
	t.Cleanup(server.Close)
	in.url = server.URL
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

func TestSandboxPaysWithEveryWalletAndFlow(t *testing.T) {
	server := airwallextest.Start(t, airwallextest.Options{})
	p := account(t, server, `,"os_type":"android"`)
	in := newInbox(t, func() sdk.Provider { return p })
	server.SetWebhook(in.url, airwallextest.DefaultWebhookSecret)
	if grant, err := p.Authorize(t.Context()); err != nil || grant.ExpiresAt.IsZero() {
		t.Fatalf("got %v, %v", grant, err)
	}
	for i, row := range airwallex.Plugin().Capabilities.Rows {
		t.Run(fmt.Sprintf("%s/%s", row.Method, row.Flow), func(t *testing.T) {
			req := newPayment(t, fmt.Sprintf("P%d", i))
			req.Method, req.Flow, req.Money = row.Method, row.Flow, money(t, "12.5", row.Currency)
			payment, err := p.Create(t.Context(), req)
			if err != nil || payment.Status != sdk.StatusPending || len(payment.NextActions) != 1 || len(payment.Differences(req.Order)) > 0 {
				t.Fatalf("got %+v, %v", payment, err)
			}
			action := payment.NextActions[0]
			if action.Type != row.Actions[0] || action.URL == "" || row.Flow == sdk.App && (action.FallbackURL == "" || action.Params["package_name"] == "") {
				t.Errorf("action %+v, want %s", action, row.Actions[0])
			}
			order := req.Order
			if got := query(t, p, order); got.Status != sdk.StatusPending || len(got.NextActions) != 1 || got.NextActions[0].URL != action.URL {
				t.Errorf("unpaid: %+v", got)
			}
			if _, err := server.Pay(req.MerchantOrderID); err != nil {
				t.Fatal(err)
			}
			if event := in.next(t); event.Kind != sdk.EventPayment || event.MerchantOrderID != req.MerchantOrderID || event.AcquirerOrderID != payment.AcquirerOrderID {
				t.Errorf("event %+v", event)
			}
			for _, id := range []string{"", payment.AcquirerOrderID} {
				order.AcquirerOrderID = id
				if got := query(t, p, order); got.Status != sdk.StatusSucceeded || got.NextActions != nil || len(got.Differences(order)) > 0 {
					t.Errorf("paid: %+v", got)
				}
			}
		})
	}
	if server.Tokens() != 1 {
		t.Errorf("%d tokens", server.Tokens())
	}
}

func TestSandboxWalletPage(t *testing.T) {
	server := airwallextest.Start(t, airwallextest.Options{})
	p := account(t, server, "")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for button, want := range map[string]sdk.Status{"pay": sdk.StatusSucceeded, "cancel": sdk.StatusPending} {
		req := newPayment(t, "P-"+button)
		payment, err := p.Create(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		link := payment.NextActions[0].URL
		page, err := client.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		html, _ := io.ReadAll(page.Body)
		_ = page.Body.Close()
		if page.StatusCode != 200 || !strings.Contains(string(html), `id="`+button+`"`) || !strings.Contains(string(html), "HKD 12.5") {
			t.Errorf("%d %s", page.StatusCode, html)
		}
		pressed, err := client.Post(link+"/"+button, "application/x-www-form-urlencoded", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = pressed.Body.Close()
		if pressed.StatusCode != http.StatusSeeOther || pressed.Header.Get("Location") != req.ReturnURL {
			t.Errorf("went to %d %q", pressed.StatusCode, pressed.Header.Get("Location"))
		}
		got := query(t, p, payment.Order)
		if got.Status != want || want == sdk.StatusPending && got.StatusReason != "the payer's last attempt failed: payer_cancelled" {
			t.Errorf("%s: got %+v", button, got)
		}
	}
}

func TestSandboxCancelAndNotFound(t *testing.T) {
	server := airwallextest.Start(t, airwallextest.Options{})
	p := account(t, server, "")
	cancel := p.(sdk.Canceller).Cancel
	req := newPayment(t, "P1")
	payment, err := p.Create(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	done, err := cancel(t.Context(), sdk.CancelRequest{Order: payment.Order, RequestID: "req_P1-cancel"})
	if err != nil || done.Status != sdk.StatusCancelled || len(done.Differences(payment.Order)) > 0 {
		t.Errorf("got %+v, %v", done, err)
	}
	if got := query(t, p, req.Order); got.Status != sdk.StatusCancelled {
		t.Errorf("got %+v", got)
	}

	// The payer was faster: only a query tells.
	paid, err := p.Create(t.Context(), newPayment(t, "P2"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Pay("P2"); err != nil {
		t.Fatal(err)
	}
	_, err = cancel(t.Context(), sdk.CancelRequest{Order: paid.Order, RequestID: "req_P2-cancel"})
	if e := sdk.AsError(err); err == nil || e.Outcome != sdk.OutcomeUnknown || e.AcquirerCode != "invalid_status" {
		t.Errorf("got %v", err)
	}
	if got := query(t, p, paid.Order); got.Status != sdk.StatusSucceeded {
		t.Errorf("got %+v", got)
	}

	for _, id := range []string{"", "int_unheard_of"} {
		_, err = p.Query(t.Context(), sdk.QueryRequest{Order: sdk.Order{MerchantOrderID: "P3", AcquirerOrderID: id, Money: req.Money}})
		if !sdk.IsCode(err, sdk.CodeOrderNotFound) {
			t.Errorf("got %v", err)
		}
	}
}

// The payer's second attempt at the acquirer, made with the same intent, is the
// same payment.
func TestSandboxLateSuccess(t *testing.T) {
	server := airwallextest.Start(t, airwallextest.Options{})
	p := account(t, server, "")
	payment, err := p.Create(t.Context(), newPayment(t, "P1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Reject("P1"); err != nil {
		t.Fatal(err)
	}
	if got := query(t, p, payment.Order); got.Status != sdk.StatusPending || got.NextActions != nil {
		t.Errorf("a failed attempt ended the payment: %+v", got)
	}
	if _, err := server.Pay("P1"); err != airwallextest.ErrState {
		t.Errorf("got %v", err)
	}
}
