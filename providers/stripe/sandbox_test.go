package stripe_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/stripe"
	"github.com/paymux/paymux/providers/stripe/stripetest"
	"github.com/paymux/paymux/sdk"
)

// account opens the plugin for an account at the sandbox.
func account(t *testing.T, server *stripetest.Server, more string) sdk.Provider {
	t.Helper()
	config := fmt.Sprintf(`{"base_url":%q,"account_id":%q,"mode":"test","secret_key":%q,"webhook_secrets":[%q]%s}`,
		server.URL, stripetest.DefaultAccountID, stripetest.DefaultSecretKey, stripetest.DefaultWebhookSecret, more)
	provider, err := stripe.Plugin().Open(t.Context(), sdk.NewConfig("sandbox", []byte(config)))
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
		Method: sdk.AlipayCN, Flow: sdk.MobileWeb, Description: "App Payment", ReturnURL: "https://shop.example.com/back",
	}
}

// create starts a payment and returns its order with the acquirer's id.
func create(t *testing.T, p sdk.Provider, req sdk.CreateRequest) sdk.Order {
	t.Helper()
	payment, err := p.Create(t.Context(), req)
	if err != nil || payment.Status != sdk.StatusPending || len(payment.NextActions) == 0 {
		t.Fatalf("got %+v, %v", payment, err)
	}
	req.AcquirerOrderID = payment.AcquirerOrderID
	return req.Order
}

func query(t *testing.T, p sdk.Provider, order sdk.Order) sdk.Payment {
	t.Helper()
	payment, err := p.Query(t.Context(), sdk.QueryRequest{Order: order})
	if err != nil {
		t.Fatal(err)
	}
	return payment
}

// inbox takes the sandbox's notifications and hands them to the adapter.
type inbox struct {
	url     string
	come    chan sdk.NotificationEvent
	refused chan error
}

func newInbox(t *testing.T, provider func() sdk.Provider) *inbox {
	in := &inbox{come: make(chan sdk.NotificationEvent, 16), refused: make(chan error, 16)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n, err := provider().ParseNotification(r.Context(), sdk.HTTPRequest{Method: r.Method, Path: r.URL.Path, Header: r.Header, Body: body, ReceivedAt: time.Now()})
		if err != nil {
			in.refused <- err
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

func take[T any](t *testing.T, from chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("no notification came")
		panic("unreachable")
	}
}

// press presses a button of the wallet page, as a browser would.
func press(t *testing.T, page, button string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	shown, err := client.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	_ = shown.Body.Close()
	done, err := client.Post(page+"/"+button, "application/x-www-form-urlencoded", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = done.Body.Close()
	if shown.StatusCode != 200 || done.StatusCode != 303 || done.Header.Get("Location") != "https://shop.example.com/back" {
		t.Errorf("page %d, button %d to %s", shown.StatusCode, done.StatusCode, done.Header.Get("Location"))
	}
}

func TestSandboxPaysInEveryFlowAndCurrency(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	in := newInbox(t, func() sdk.Provider { return p })
	server.SetWebhookURL(in.url)
	if _, err := p.Authorize(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, row := range stripe.Plugin().Capabilities.Rows {
		t.Run(fmt.Sprintf("%s/%s", row.Flow, row.Currency), func(t *testing.T) {
			req := newPayment(t, fmt.Sprintf("P%d", i))
			req.Flow, req.Money = row.Flow, money(t, "13", row.Currency)
			payment, err := p.Create(t.Context(), req)
			if err != nil || payment.Status != sdk.StatusPending || len(payment.NextActions) != len(row.Actions) {
				t.Fatalf("got %+v, %v", payment, err)
			}
			var page string
			for j, action := range payment.NextActions {
				if action.Type != row.Actions[j] {
					t.Errorf("action %d is %s", j, action.Type)
				}
				if action.Type == sdk.ActionRedirect {
					page = action.URL
				}
			}
			order := req.Order
			order.AcquirerOrderID = payment.AcquirerOrderID
			if got := query(t, p, order); got.Status != sdk.StatusPending || len(got.NextActions) != 3 {
				t.Errorf("unpaid: %+v", got)
			}
			press(t, page, "pay")
			if event := take(t, in.come); event.Kind != sdk.EventPayment || event.MerchantOrderID != req.MerchantOrderID || event.AcquirerOrderID != payment.AcquirerOrderID {
				t.Errorf("event %+v", event)
			}
			for _, id := range []string{"", payment.AcquirerOrderID} {
				order.AcquirerOrderID = id
				if got := query(t, p, order); got.Status != sdk.StatusSucceeded || len(got.Differences(order)) > 0 {
					t.Errorf("paid: %+v", got)
				}
			}
		})
	}
}

func TestSandboxPayerRefuses(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	in := newInbox(t, func() sdk.Provider { return p })
	server.SetWebhookURL(in.url)
	order := create(t, p, newPayment(t, "P1"))
	press(t, server.URL+"/wallet/"+order.AcquirerOrderID, "cancel")
	if event := take(t, in.come); event.RawType != "payment_intent.payment_failed" || event.Kind != sdk.EventPayment {
		t.Errorf("event %+v", event)
	}
	if got := query(t, p, order); got.Status != sdk.StatusFailed || len(got.Differences(order)) > 0 {
		t.Errorf("got %+v", got)
	}
}

func TestSandboxCancels(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	canceller := p.(sdk.Canceller)
	order := create(t, p, newPayment(t, "P1"))
	for i, id := range []string{"", order.AcquirerOrderID, order.AcquirerOrderID} { // the second and third find it closed
		order.AcquirerOrderID = id
		got, err := canceller.Cancel(t.Context(), sdk.CancelRequest{Order: order, RequestID: "cancel"})
		if err != nil || got.Status != sdk.StatusCancelled || len(got.Differences(order)) > 0 {
			t.Errorf("%d: %+v, %v", i, got, err)
		}
		order.AcquirerOrderID = server.Intents()[0].ID
	}
	paid := create(t, p, newPayment(t, "P2"))
	if _, err := server.Pay("P2"); err != nil {
		t.Fatal(err)
	}
	got, err := canceller.Cancel(t.Context(), sdk.CancelRequest{Order: paid, RequestID: "cancel"})
	if err != nil || got.Status != sdk.StatusSucceeded || len(got.Differences(paid)) > 0 {
		t.Errorf("the payer was faster: %+v, %v", got, err)
	}
	_, err = canceller.Cancel(t.Context(), sdk.CancelRequest{Order: newPayment(t, "P3").Order, RequestID: "cancel"})
	if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeOrderNotFound || e.Outcome != sdk.OutcomeNotSent {
		t.Errorf("unheard of: %v", err)
	}
	paid.AcquirerOrderID = "pi_unheard"
	_, err = canceller.Cancel(t.Context(), sdk.CancelRequest{Order: paid, RequestID: "cancel"})
	if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeRefused || e.Outcome != sdk.OutcomeRefused {
		t.Errorf("unheard of: %v", err)
	}
}

func TestSandboxNotFound(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	order := newPayment(t, "P1").Order
	for _, id := range []string{"", "pi_unheard"} {
		order.AcquirerOrderID = id
		_, err := p.Query(t.Context(), sdk.QueryRequest{Order: order})
		if !sdk.IsCode(err, sdk.CodeOrderNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestSandboxWrongKeyAndAccount(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{SecretKey: "sk_test_another"})
	p := account(t, server, "")
	_, err := p.Authorize(t.Context())
	if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeCredentialsRefused || e.Outcome != sdk.OutcomeNotSent {
		t.Errorf("another key: %v", err)
	}
	server = stripetest.Start(t, stripetest.Options{AccountID: "acct_2"})
	if _, err := account(t, server, "").Authorize(t.Context()); !sdk.IsCode(err, sdk.CodeCredentialsRefused) {
		t.Errorf("another account: %v", err)
	}
}

// Everything that the adapter sends is what the sandbox takes, and nothing else.
func TestSandboxSeesWhatIsDocumented(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	create(t, p, newPayment(t, "P1"))
	log := server.Requests(stripetest.OpCreate)
	form, err := url.ParseQuery(log[0].Body)
	if err != nil || len(log) != 1 || form.Get("amount") != "1250" || form.Get("metadata[merchant_order_id]") != "P1" || log[0].IdempotencyKey != "req_P1" || log[0].APIVersion != stripetest.DefaultAPIVersion {
		t.Errorf("%+v", log)
	}
	if strings.Contains(fmt.Sprintf("%+v", server.Requests()), stripetest.DefaultSecretKey) {
		t.Error("the log keeps the key")
	}
}
