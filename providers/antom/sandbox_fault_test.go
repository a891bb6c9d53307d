package antom_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/antom"
	"github.com/paymux/paymux/providers/antom/antomtest"
	"github.com/paymux/paymux/sdk"
)

// apiFaults are what can happen to a call that has an effect: recorded says
// whether it took place all the same.
var apiFaults = []struct {
	fault    antomtest.Fault
	code     sdk.Code // unspecified: no error
	outcome  sdk.Outcome
	recorded bool
}{
	{antomtest.Fault{Kind: antomtest.KindCloseBefore}, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown, false},
	{antomtest.Fault{Kind: antomtest.KindCloseAfter}, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown, true},
	{antomtest.Fault{Kind: antomtest.KindHTTPErrorBefore}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, false},
	{antomtest.Fault{Kind: antomtest.KindHTTPErrorAfter}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, true},
	{antomtest.Fault{Kind: antomtest.KindHTTPErrorAfter, Status: 200}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, true},
	{antomtest.Fault{Kind: antomtest.KindUnauthorized}, sdk.CodeCredentialsRefused, sdk.OutcomeUnknown, false},
	{antomtest.Fault{Kind: antomtest.KindRateLimited, RetryAfter: 3 * time.Second}, sdk.CodeAcquirerRateLimited, sdk.OutcomeUnknown, false},
	{antomtest.Fault{Kind: antomtest.KindTruncatedJSON}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, true},
	{antomtest.Fault{Kind: antomtest.KindBadSignature}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, true},
	{antomtest.Fault{Kind: antomtest.KindMissingSignature}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, true},
	{antomtest.Fault{Kind: antomtest.KindResult, ResultStatus: "U"}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, false},
	{antomtest.Fault{Kind: antomtest.KindResult, Code: "MADE_UP_BAD_SIGNATURE"}, sdk.CodeCredentialsRefused, sdk.OutcomeNotSent, false},
	{antomtest.Fault{Kind: antomtest.KindDelay, Delay: 5 * time.Millisecond}, 0, 0, true},
	{antomtest.Fault{Kind: antomtest.KindDelayAfter, Delay: 5 * time.Millisecond}, 0, 0, true},
}

func checkVerdict(t *testing.T, err error, code sdk.Code, outcome sdk.Outcome) {
	t.Helper()
	switch e := sdk.AsError(err); {
	case code == 0 && err != nil:
		t.Errorf("got %v", err)
	case code != 0 && (err == nil || e.Code != code || e.Outcome != outcome):
		t.Errorf("got %v, want %s %s", err, code.Name(), outcome)
	}
}

func times(server *antomtest.Server, op antomtest.Op) (n int) {
	for _, call := range server.Requests() {
		if call.Op == op {
			n++
		}
	}
	return n
}

// Each fault hits one create. Nothing is sent again, and a query by the
// merchant's order id tells afterwards what became of it.
func TestSandboxFaultsOfCreate(t *testing.T) {
	cases := append(slices.Clone(apiFaults), []struct {
		fault    antomtest.Fault
		code     sdk.Code
		outcome  sdk.Outcome
		recorded bool
	}{
		{antomtest.Fault{Kind: antomtest.KindResult}, sdk.CodeRefused, sdk.OutcomeRefused, false},
		{antomtest.Fault{Kind: antomtest.KindResult, Code: "MADE_UP_ID_REUSED"}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, false},
	}...)
	for _, test := range cases {
		t.Run(fmt.Sprintf("%s/%d/%s%s", test.fault.Kind, test.fault.Status, test.fault.ResultStatus, test.fault.Code), func(t *testing.T) {
			server := antomtest.Start(t, antomtest.Options{})
			p := open(t, server, "")
			test.fault.Op, test.fault.Times = antomtest.OpPay, 1
			server.Inject(test.fault)
			req := newPayment(t, "P1")
			payment, err := p.Create(t.Context(), req)
			checkVerdict(t, err, test.code, test.outcome)
			if err == nil && payment.Status != sdk.StatusPending {
				t.Errorf("got %+v", payment)
			}
			if test.fault.RetryAfter != sdk.AsError(orSomething(err)).RetryAfter {
				t.Errorf("retry after: %v", err)
			}
			if n := times(server, antomtest.OpPay); n != 1 || server.ClearFaults() != 0 {
				t.Errorf("sent %d times", n)
			}
			got, err := p.Query(t.Context(), sdk.QueryRequest{Order: req.Order})
			if test.recorded && (err != nil || got.Status != sdk.StatusPending || len(got.Differences(req.Order)) > 0) || !test.recorded && !sdk.IsCode(err, sdk.CodeOrderNotFound) {
				t.Errorf("query: %+v, %v", got, err)
			}
			if test.recorded { // and it can be paid
				if _, err := server.Pay("P1"); err != nil {
					t.Fatal(err)
				}
				if got := query(t, p, req.Order); got.Status != sdk.StatusSucceeded || got.AcquirerOrderID == "" {
					t.Errorf("got %+v", got)
				}
			}
		})
	}
}

func orSomething(err error) error {
	if err == nil {
		return &sdk.Error{}
	}
	return err
}

func paid(t *testing.T, server *antomtest.Server, p account) sdk.Order {
	t.Helper()
	req := newPayment(t, "P1")
	if _, err := p.Create(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	o, err := server.Pay("P1")
	if err != nil {
		t.Fatal(err)
	}
	req.AcquirerOrderID = o.PaymentID
	return req.Order
}

func TestSandboxFaultsOfRefund(t *testing.T) {
	for _, test := range apiFaults {
		t.Run(fmt.Sprintf("%s/%d/%s%s", test.fault.Kind, test.fault.Status, test.fault.ResultStatus, test.fault.Code), func(t *testing.T) {
			server := antomtest.Start(t, antomtest.Options{})
			p := open(t, server, "")
			order := paid(t, server, p)
			test.fault.Op, test.fault.Times = antomtest.OpRefund, 1
			server.Inject(test.fault)
			req := sdk.RefundRequest{Order: order, MerchantRefundID: "R1", Amount: money(t, "2.50", "HKD")}
			_, err := p.Refund(t.Context(), req)
			checkVerdict(t, err, test.code, test.outcome)
			if n := times(server, antomtest.OpRefund); n != 1 {
				t.Errorf("sent %d times", n)
			}
			asked := sdk.RefundQuery{Order: order, MerchantRefundID: "R1", Amount: req.Amount}
			got, err := p.QueryRefund(t.Context(), asked)
			if test.recorded && (err != nil || got.Status != sdk.RefundSucceeded || len(got.Differences(asked)) > 0) {
				t.Errorf("query: %+v, %v", got, err)
			}
			if !test.recorded && (err == nil || sdk.AsError(err).Outcome != sdk.OutcomeUnknown) {
				t.Errorf("query: %+v, %v", got, err)
			}
		})
	}
}

func TestSandboxRefunds(t *testing.T) {
	server := antomtest.Start(t, antomtest.Options{RefundsPend: true})
	p := open(t, server, "")
	order := paid(t, server, p)
	refund := func(id, amount string) (sdk.Refund, error) {
		return p.Refund(t.Context(), sdk.RefundRequest{Order: order, MerchantRefundID: id, Amount: money(t, amount, "HKD")})
	}
	state := func(id, amount string) sdk.RefundStatus {
		t.Helper()
		asked := sdk.RefundQuery{Order: order, MerchantRefundID: id, Amount: money(t, amount, "HKD")}
		got, err := p.QueryRefund(t.Context(), asked)
		if err != nil || len(got.Differences(asked)) > 0 {
			t.Fatalf("got %+v, %v", got, err)
		}
		return got.Status
	}
	for _, id := range []string{"R1", "R2"} {
		if got, err := refund(id, "5"); err != nil || got.Status != sdk.RefundPending || got.MerchantRefundID != id || got.AcquirerRefundID == "" {
			t.Fatalf("got %+v, %v", got, err)
		}
		if got := state(id, "5"); got != sdk.RefundPending {
			t.Errorf("got %s", got)
		}
	}
	_, err := refund("R3", "3")
	checkVerdict(t, err, sdk.CodeRefused, sdk.OutcomeRefused) // 2.50 is left
	for id, end := range map[string]antomtest.Status{"R1": antomtest.Success, "R2": antomtest.Fail} {
		if err := server.SettleRefund(id, end); err != nil {
			t.Fatal(err)
		}
	}
	if one, two := state("R1", "5"), state("R2", "5"); one != sdk.RefundSucceeded || two != sdk.RefundFailed {
		t.Errorf("got %s, %s", one, two)
	}
	if _, err := refund("R4", "7.50"); err != nil {
		t.Errorf("what failed is free again: %v", err)
	}
}

func TestSandboxWrongEcho(t *testing.T) {
	for field, differs := range map[string]string{"id": "merchant_order_id", "acquirer_id": "provider_order_id", "amount": "amount", "currency": "amount"} {
		server := antomtest.Start(t, antomtest.Options{})
		p := open(t, server, "")
		req := newPayment(t, "P1")
		server.Inject(antomtest.Fault{Kind: antomtest.KindWrongEcho, Op: antomtest.OpPay, Field: field, Times: 1})
		payment, err := p.Create(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		// Only this answer names the acquirer's id, so there it can't be noticed.
		if field != "acquirer_id" && (len(payment.Differences(req.Order)) == 0 || payment.NextActions != nil) {
			t.Errorf("create with another %s: %+v", field, payment)
		}
		o, err := server.Pay("P1")
		if err != nil {
			t.Fatal(err)
		}
		req.AcquirerOrderID = o.PaymentID
		server.Inject(antomtest.Fault{Kind: antomtest.KindWrongEcho, Op: antomtest.OpQuery, Field: field, Times: 1})
		got := query(t, p, req.Order)
		if d := got.Differences(req.Order); len(d) != 1 || d[0].Field != differs {
			t.Errorf("query with another %s: %+v, differs in %v", field, got, d)
		}
		if got := query(t, p, req.Order); len(got.Differences(req.Order)) > 0 {
			t.Errorf("then: %+v", got)
		}
	}
}

func TestSandboxLaggingQuery(t *testing.T) {
	server := antomtest.Start(t, antomtest.Options{})
	p := open(t, server, "")
	order := paid(t, server, p)
	server.Inject(antomtest.Fault{Kind: antomtest.KindLaggingQuery, Times: 1})
	if got := query(t, p, order); got.Status != sdk.StatusPending {
		t.Errorf("got %+v", got)
	}
	if got := query(t, p, order); got.Status != sdk.StatusSucceeded {
		t.Errorf("got %+v", got)
	}
}

func TestSandboxNotifications(t *testing.T) {
	for _, test := range []struct {
		kind   antomtest.Kind
		events int // that are believed
		event  sdk.EventKind
	}{
		{antomtest.KindDuplicate, 2, sdk.EventPayment},
		{antomtest.KindBadSignature, 0, 0},
		{antomtest.KindMissingSignature, 0, 0},
		{antomtest.KindStale, 0, 0},
		{antomtest.KindUnknownType, 1, sdk.EventOther},
		{antomtest.KindDrop, 0, 0},
	} {
		server := antomtest.Start(t, antomtest.Options{})
		p := open(t, server, "")
		in := newInbox(t, p)
		req := newPayment(t, "P1")
		req.NotifyURL = in.url
		if _, err := p.Create(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		server.Inject(antomtest.Fault{Kind: test.kind, Op: antomtest.OpNotify, Times: 1, Delay: 1000 * time.Hour})
		if _, err := server.Pay("P1"); err != nil {
			t.Fatal(err)
		}
		idle(t, server)
		if len(in.come) != test.events {
			t.Errorf("%s: %d events", test.kind, len(in.come))
		}
		for range len(in.come) {
			if event := <-in.come; event.Kind != test.event {
				t.Errorf("%s: %+v", test.kind, event)
			}
		}
		// Whatever came of the notification, a query tells.
		if got := query(t, p, req.Order); got.Status != sdk.StatusSucceeded {
			t.Errorf("%s: %+v", test.kind, got)
		}
	}
}

// The acquirer takes a new key; the config has both until all is signed with it.
func TestSandboxRotatesItsKey(t *testing.T) {
	server := antomtest.Start(t, antomtest.Options{})
	old := open(t, server, "")
	oldKey := server.Credentials()
	server.SetKey(antomtest.NewKey())
	_, err := old.Create(t.Context(), newPayment(t, "P1"))
	checkVerdict(t, err, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown)

	config, err := json.Marshal(map[string]any{
		"base_url": server.URL, "client_id": oldKey.ClientID, "private_key": oldKey.PrivateKey,
		"antom_public_keys": []string{server.Credentials().PublicKey, oldKey.PublicKey},
	})
	if err != nil {
		t.Fatal(err)
	}
	both, err := antom.Plugin().Open(t.Context(), sdk.NewConfig("x", []byte(strings.TrimSuffix(string(config), "}")+sandboxCodes+"}")))
	if err != nil {
		t.Fatal(err)
	}
	if got := query(t, both, newPayment(t, "P1").Order); got.Status != sdk.StatusPending {
		t.Errorf("got %+v", got)
	}
}
