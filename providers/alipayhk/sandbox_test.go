package alipayhk_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/alipayhk"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk"
)

// account opens the plugin for an account at the sandbox.
func account(t *testing.T, server *cbtistest.Server, more string) sdk.Provider {
	t.Helper()
	config := fmt.Sprintf(`{"base_url":%q,"uid":%q,"client_secret":%q,"webhook_keys":[%q],"codes":{"refused":[40002,40903,40904],"not_found":[40400]}%s}`,
		server.URL, cbtistest.DefaultUID, cbtistest.DefaultClientSecret, cbtistest.DefaultWebhookKey, more)
	provider, err := alipayhk.Plugin().Open(t.Context(), sdk.NewConfig("sandbox", []byte(config)))
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func hkd(t *testing.T, amount string) sdk.Money {
	t.Helper()
	m, err := sdk.ParseMoney(amount, "HKD")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newPayment(t *testing.T, id string) sdk.CreateRequest {
	return sdk.CreateRequest{
		Order:  sdk.Order{MerchantOrderID: id, Money: hkd(t, "12.5")},
		Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Description: "App Payment",
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
		n, err := provider().ParseNotification(r.Context(), sdk.HTTPRequest{Method: r.Method, Path: r.URL.Path, Header: r.Header, Body: body})
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
	words := map[sdk.Method]string{sdk.AlipayHK: "ALIPAYHK", sdk.AlipayCN: "ALIPAYCN"}
	flows := map[sdk.Flow]string{sdk.MobileWeb: "mobile_web", sdk.WebQR: "web_qrcode", sdk.StoreQR: "csb_qrcode"}
	for _, unit := range []string{"major", "minor"} {
		server := cbtistest.Start(t, cbtistest.Options{AmountUnit: cbtistest.AmountUnit(unit)})
		p := account(t, server, `,"amount_unit":"`+unit+`"`)
		in := newInbox(t, func() sdk.Provider { return p })
		if grant, err := p.Authorize(t.Context()); err != nil || grant.ExpiresAt.IsZero() {
			t.Fatalf("got %v, %v", grant, err)
		}
		for i, row := range alipayhk.Plugin().Capabilities.Rows {
			t.Run(fmt.Sprintf("%s/%s/%s", unit, row.Method, row.Flow), func(t *testing.T) {
				req := newPayment(t, fmt.Sprintf("P%d", i))
				req.Method, req.Flow, req.NotifyURL = row.Method, row.Flow, in.url
				payment, err := p.Create(t.Context(), req)
				if err != nil || payment.Status != sdk.StatusPending || len(payment.NextActions) != 1 {
					t.Fatalf("got %+v, %v", payment, err)
				}
				if action := payment.NextActions[0]; action.Type != row.Actions[0] || action.URL == "" {
					t.Errorf("action %+v, want %s", action, row.Actions[0])
				}
				if o, _ := server.Order(req.MerchantOrderID); o.Wallet != words[row.Method] || o.Flow != flows[row.Flow] || o.NotifyURL != in.url {
					t.Errorf("ordered %+v", o)
				}
				order := req.Order
				if got := query(t, p, order); got.Status != sdk.StatusPending {
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
					if got := query(t, p, order); got.Status != sdk.StatusSucceeded || got.PaidAt.IsZero() || len(got.Differences(order)) > 0 {
						t.Errorf("paid: %+v", got)
					}
				}
			})
		}
	}
}

// What the acquirer doesn't document may be one way or the other.
func TestSandboxWaysOfAnswering(t *testing.T) {
	tests := map[string]struct {
		options cbtistest.Options
		config  string
		flow    sdk.Flow
	}{
		"qrcode_url":        {cbtistest.Options{LinkKey: cbtistest.LinkQRCodeURL}, "", sdk.StoreQR},
		"redirect_url":      {cbtistest.Options{LinkKey: cbtistest.LinkRedirectURL}, "", sdk.MobileWeb},
		"no fraction":       {cbtistest.Options{DropFraction: true}, "", sdk.MobileWeb},
		"pay_time null":     {cbtistest.Options{UnpaidPayTime: cbtistest.PayTimeNull}, "", sdk.MobileWeb},
		"pay_time empty":    {cbtistest.Options{UnpaidPayTime: cbtistest.PayTimeEmpty}, "", sdk.MobileWeb},
		"options_key":       {cbtistest.Options{AcceptWechatKey: true}, `,"options_key":"wechat"`, sdk.MobileWeb},
		"errors with 400":   {cbtistest.Options{RefusalStatus: http.StatusBadRequest}, "", sdk.MobileWeb},
		"one token only":    {cbtistest.Options{SingleToken: true}, "", sdk.MobileWeb},
		"token of a second": {cbtistest.Options{TokenLifetime: time.Second}, "", sdk.MobileWeb},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := cbtistest.Start(t, test.options)
			p, other := account(t, server, test.config), account(t, server, test.config)
			req := newPayment(t, "P1")
			req.Flow = test.flow
			if _, err := p.Query(t.Context(), sdk.QueryRequest{Order: req.Order}); !sdk.IsCode(err, sdk.CodeOrderNotFound) {
				t.Errorf("before it was made: %v", err)
			}
			if _, err := other.Authorize(t.Context()); err != nil { // may end the first one's token
				t.Fatal(err)
			}
			payment, err := p.Create(t.Context(), req)
			if err != nil || payment.Status != sdk.StatusPending || len(payment.NextActions) != 1 || payment.CreatedAt.IsZero() {
				t.Fatalf("got %+v, %v", payment, err)
			}
			if got := query(t, p, req.Order); got.Status != sdk.StatusPending || !got.PaidAt.IsZero() {
				t.Errorf("unpaid: %+v", got)
			}
			if _, err := server.Pay("P1"); err != nil {
				t.Fatal(err)
			}
			if got := query(t, p, req.Order); got.Status != sdk.StatusSucceeded || got.PaidAt.IsZero() {
				t.Errorf("paid: %+v", got)
			}
			if n := len(server.Orders()); n != 1 {
				t.Errorf("%d orders", n)
			}
		})
	}
}

// Should the acquirer refuse a token in another way than with HTTP 401, a create
// is unknown and isn't sent again; the next call has a new token.
func TestSandboxRefusesTokensByCode(t *testing.T) {
	server := cbtistest.Start(t, cbtistest.Options{AuthFailureStatus: http.StatusOK})
	p := account(t, server, "")
	if _, err := p.Authorize(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.RevokeTokens()
	req := newPayment(t, "P1")
	_, err := p.Create(t.Context(), req)
	if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeAcquirerError || e.Outcome != sdk.OutcomeUnknown || e.AcquirerCode != "40101" {
		t.Errorf("got %v", err)
	}
	if _, err := p.Query(t.Context(), sdk.QueryRequest{Order: req.Order}); !sdk.IsCode(err, sdk.CodeOrderNotFound) {
		t.Errorf("the next call: %v", err)
	}
}

func TestSandboxCancelledAndNotFound(t *testing.T) {
	server := cbtistest.Start(t, cbtistest.Options{})
	p := account(t, server, "")
	req := newPayment(t, "P1")
	if _, err := p.Create(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Cancel("P1"); err != nil {
		t.Fatal(err)
	}
	if got := query(t, p, req.Order); got.Status != sdk.StatusCancelled {
		t.Errorf("got %+v", got)
	}
	req.MerchantOrderID = "P2"
	_, err := p.Query(t.Context(), sdk.QueryRequest{Order: req.Order})
	if !sdk.IsCode(err, sdk.CodeOrderNotFound) {
		t.Errorf("got %v", err)
	}
}

// Each fault hits one create; afterwards a query tells the truth, and there is
// never a second order.
func TestSandboxFaultsOfCreate(t *testing.T) {
	tests := []struct {
		fault   cbtistest.Fault
		code    sdk.Code // unspecified: no error
		outcome sdk.Outcome
		orders  int
	}{
		{cbtistest.Fault{Kind: cbtistest.KindCloseBefore}, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown, 0},
		{cbtistest.Fault{Kind: cbtistest.KindCloseAfter}, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown, 1},
		{cbtistest.Fault{Kind: cbtistest.KindHTTPErrorBefore}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, 0},
		{cbtistest.Fault{Kind: cbtistest.KindHTTPErrorAfter}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, 1},
		{cbtistest.Fault{Kind: cbtistest.KindCode}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, 0},
		{cbtistest.Fault{Kind: cbtistest.KindCode, Code: 40002}, sdk.CodeRefused, sdk.OutcomeRefused, 0},
		{cbtistest.Fault{Kind: cbtistest.KindTruncatedJSON}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, 1},
		{cbtistest.Fault{Kind: cbtistest.KindTokenInvalid}, 0, 0, 1},
		{cbtistest.Fault{Kind: cbtistest.KindTokenInvalid, Times: 2}, sdk.CodeCredentialsRefused, sdk.OutcomeNotSent, 0},
		{cbtistest.Fault{Kind: cbtistest.KindRateLimited, RetryAfter: time.Second}, sdk.CodeAcquirerRateLimited, sdk.OutcomeUnknown, 0},
		{cbtistest.Fault{Kind: cbtistest.KindHugeBody, Size: 2 << 20}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, 1},
		{cbtistest.Fault{Kind: cbtistest.KindDelay, Delay: 10 * time.Millisecond}, 0, 0, 1},
		{cbtistest.Fault{Kind: cbtistest.KindDelayAfter, Delay: 10 * time.Millisecond}, 0, 0, 1},
		{cbtistest.Fault{Kind: cbtistest.KindCloseBefore, Op: cbtistest.OpAuth, Times: 9}, sdk.CodeAcquirerUnavailable, sdk.OutcomeNotSent, 0},
		{cbtistest.Fault{Kind: cbtistest.KindTruncatedJSON, Op: cbtistest.OpAuth}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeNotSent, 0},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s/%s/%d/%d", test.fault.Kind, test.fault.Op, test.fault.Code, test.fault.Times), func(t *testing.T) {
			server := cbtistest.Start(t, cbtistest.Options{})
			p := account(t, server, "")
			if test.fault.Op == "" {
				test.fault.Op = cbtistest.OpCreate
			}
			test.fault.Times = max(test.fault.Times, 1)
			server.Inject(test.fault)
			req := newPayment(t, "P1")
			payment, err := p.Create(t.Context(), req)
			if test.code == 0 {
				if err != nil || payment.Status != sdk.StatusPending {
					t.Errorf("got %+v, %v", payment, err)
				}
			} else if e := sdk.AsError(err); err == nil || e.Code != test.code || e.Outcome != test.outcome {
				t.Errorf("got %v, want %s %s", err, test.code.Name(), test.outcome)
			}
			server.ClearFaults()
			if got := len(server.Orders()); got != test.orders {
				t.Fatalf("%d orders, want %d", got, test.orders)
			}
			got, err := p.Query(t.Context(), sdk.QueryRequest{Order: req.Order})
			if test.orders == 1 && (err != nil || got.Status != sdk.StatusPending) || test.orders == 0 && !sdk.IsCode(err, sdk.CodeOrderNotFound) {
				t.Errorf("query: %+v, %v", got, err)
			}
		})
	}
}

func TestSandboxWrongEcho(t *testing.T) {
	for _, field := range []string{"order_id", "merchant_order_id", "amount", "currency"} {
		server := cbtistest.Start(t, cbtistest.Options{})
		p := account(t, server, "")
		req := newPayment(t, "P1")
		server.Inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Op: cbtistest.OpCreate, Field: field, Times: 1})
		payment, err := p.Create(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		// Only this answer names the order id, so there it can't be noticed.
		if field != "order_id" && (payment.Status != sdk.StatusUnknown || payment.NextActions != nil) {
			t.Errorf("create with another %s: %+v", field, payment)
		}
		paid, err := server.Pay("P1")
		if err != nil {
			t.Fatal(err)
		}
		req.AcquirerOrderID = paid.ID
		server.Inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Op: cbtistest.OpQuery, Field: field, Times: 1})
		// The claim reaches the host, for a person to see, and with it why it isn't believed.
		if got := query(t, p, req.Order); len(got.Differences(req.Order)) != 1 || !strings.HasPrefix(got.StatusReason, "mismatch: ") {
			t.Errorf("query with another %s: %+v", field, got)
		}
		if got := query(t, p, req.Order); got.Status != sdk.StatusSucceeded || got.Differences(req.Order) != nil {
			t.Errorf("the truth after another %s: %+v", field, got)
		}
	}
}

func TestSandboxLaggingQuery(t *testing.T) {
	server := cbtistest.Start(t, cbtistest.Options{})
	p := account(t, server, "")
	req := newPayment(t, "P1")
	if _, err := p.Create(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	server.Inject(cbtistest.Fault{Kind: cbtistest.KindLaggingQuery, Times: 2})
	for _, want := range []sdk.Status{sdk.StatusPending, sdk.StatusPending, sdk.StatusSucceeded} {
		if got := query(t, p, req.Order); got.Status != want {
			t.Errorf("got %s, want %s", got.Status, want)
		}
	}
}

func TestSandboxTimeout(t *testing.T) {
	server := cbtistest.Start(t, cbtistest.Options{})
	p := account(t, server, "")
	if _, err := p.Authorize(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Inject(cbtistest.Fault{Kind: cbtistest.KindDelayAfter, Op: cbtistest.OpCreate, Delay: time.Hour, Times: 1})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := p.Create(ctx, newPayment(t, "P1"))
	if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeAcquirerTimeout || e.Outcome != sdk.OutcomeUnknown {
		t.Errorf("got %v", err)
	}
}
