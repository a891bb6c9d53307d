package airwallex_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
	"github.com/paymux/paymux/sdk"
)

// Each fault hits one step of a create. Afterwards a query by the merchant's
// order id tells the truth, and there is never a second intent.
func TestSandboxFaultsOfCreate(t *testing.T) {
	const (
		none        = iota // no intent
		unconfirmed        // an intent that nobody can pay
		open               // an intent that the payer can pay
		closed             // an intent that nobody will ever pay
	)
	type fault = airwallextest.Fault
	tests := []struct {
		fault   fault
		code    sdk.Code // unspecified: no error
		outcome sdk.Outcome
		left    int
	}{
		{fault{Kind: airwallextest.KindCloseBefore, Op: airwallextest.OpCreate}, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown, none},
		{fault{Kind: airwallextest.KindCloseAfter, Op: airwallextest.OpCreate}, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown, unconfirmed},
		{fault{Kind: airwallextest.KindHTTPErrorBefore, Op: airwallextest.OpCreate}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, none},
		{fault{Kind: airwallextest.KindHTTPErrorAfter, Op: airwallextest.OpCreate}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, unconfirmed},
		{fault{Kind: airwallextest.KindCode, Op: airwallextest.OpCreate}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, none},
		{fault{Kind: airwallextest.KindCode, Op: airwallextest.OpCreate, Code: "invalid_argument"}, sdk.CodeRefused, sdk.OutcomeRefused, none},
		{fault{Kind: airwallextest.KindTruncatedJSON, Op: airwallextest.OpCreate}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, unconfirmed},
		{fault{Kind: airwallextest.KindTokenInvalid, Op: airwallextest.OpCreate}, 0, 0, open},
		{fault{Kind: airwallextest.KindTokenInvalid, Op: airwallextest.OpCreate, Times: 2}, sdk.CodeCredentialsRefused, sdk.OutcomeNotSent, none},
		{fault{Kind: airwallextest.KindRateLimited, Op: airwallextest.OpCreate, RetryAfter: time.Second}, sdk.CodeAcquirerRateLimited, sdk.OutcomeUnknown, none},
		{fault{Kind: airwallextest.KindDelay, Op: airwallextest.OpCreate, Delay: 10 * time.Millisecond}, 0, 0, open},
		{fault{Kind: airwallextest.KindCloseBefore, Op: airwallextest.OpConfirm}, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown, unconfirmed},
		{fault{Kind: airwallextest.KindCloseAfter, Op: airwallextest.OpConfirm}, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown, open},
		{fault{Kind: airwallextest.KindHTTPErrorBefore, Op: airwallextest.OpConfirm}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, unconfirmed},
		{fault{Kind: airwallextest.KindHTTPErrorAfter, Op: airwallextest.OpConfirm}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, open},
		{fault{Kind: airwallextest.KindCode, Op: airwallextest.OpConfirm}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, unconfirmed},
		{fault{Kind: airwallextest.KindCode, Op: airwallextest.OpConfirm, Code: "invalid_argument"}, sdk.CodeRefused, sdk.OutcomeRefused, closed},
		{fault{Kind: airwallextest.KindTruncatedJSON, Op: airwallextest.OpConfirm}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, open},
		{fault{Kind: airwallextest.KindTokenInvalid, Op: airwallextest.OpConfirm}, 0, 0, open},
		{fault{Kind: airwallextest.KindTokenInvalid, Op: airwallextest.OpConfirm, Times: 2}, sdk.CodeCredentialsRefused, sdk.OutcomeUnknown, unconfirmed},
		{fault{Kind: airwallextest.KindRateLimited, Op: airwallextest.OpConfirm}, sdk.CodeAcquirerRateLimited, sdk.OutcomeUnknown, unconfirmed},
		{fault{Kind: airwallextest.KindDelayAfter, Op: airwallextest.OpConfirm, Delay: 10 * time.Millisecond}, 0, 0, open},
		{fault{Kind: airwallextest.KindCloseBefore, Op: airwallextest.OpLogin, Times: 9}, sdk.CodeAcquirerUnavailable, sdk.OutcomeNotSent, none},
		{fault{Kind: airwallextest.KindTruncatedJSON, Op: airwallextest.OpLogin}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeNotSent, none},
		{fault{Kind: airwallextest.KindRateLimited, Op: airwallextest.OpLogin}, sdk.CodeAcquirerRateLimited, sdk.OutcomeNotSent, none},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s/%s/%s/%d", test.fault.Op, test.fault.Kind, test.fault.Code, test.fault.Times), func(t *testing.T) {
			server := airwallextest.Start(t, airwallextest.Options{})
			p := account(t, server, "")
			test.fault.Times = max(test.fault.Times, 1)
			server.Inject(test.fault)
			req := newPayment(t, "P1")
			payment, err := p.Create(t.Context(), req)
			if test.code == 0 {
				if err != nil || payment.Status != sdk.StatusPending || len(payment.NextActions) != 1 {
					t.Errorf("got %+v, %v", payment, err)
				}
			} else if e := sdk.AsError(err); err == nil || e.Code != test.code || e.Outcome != test.outcome || test.fault.RetryAfter != e.RetryAfter {
				t.Errorf("got %v (%s), want %s %s", err, sdk.AsError(err).Outcome, test.code.Name(), test.outcome)
			}
			server.ClearFaults()

			got, err := p.Query(t.Context(), sdk.QueryRequest{Order: req.Order})
			if intents := len(server.Intents()); intents != min(test.left, 1) {
				t.Fatalf("%d intents", intents)
			}
			switch {
			case test.left == none:
				if !sdk.IsCode(err, sdk.CodeOrderNotFound) {
					t.Errorf("query: %+v, %v", got, err)
				}
				return
			case err != nil || len(got.Differences(req.Order)) > 0 || got.AcquirerOrderID == "":
				t.Fatalf("query: %+v, %v", got, err)
			case test.left == closed && got.Status != sdk.StatusCancelled,
				test.left == unconfirmed && (got.Status != sdk.StatusPending || got.NextActions != nil || got.StatusReason == ""),
				test.left == open && (got.Status != sdk.StatusPending || len(got.NextActions) != 1):
				t.Errorf("query: %+v", got)
			}
			// What was lost is found: the payer can go on, or the merchant can end it.
			if test.left == open {
				if _, err := server.Pay("P1"); err != nil {
					t.Fatal(err)
				}
				if got := query(t, p, req.Order); got.Status != sdk.StatusSucceeded {
					t.Errorf("paid: %+v", got)
				}
			} else if test.left == unconfirmed {
				done, err := p.(sdk.Canceller).Cancel(t.Context(), sdk.CancelRequest{Order: got.Order, RequestID: "req_P1-cancel"})
				if err != nil || done.Status != sdk.StatusCancelled {
					t.Errorf("cancel: %+v, %v", done, err)
				}
			}
		})
	}
}

func TestSandboxFaultsOfCancel(t *testing.T) {
	for kind, cancelled := range map[airwallextest.Kind]bool{
		airwallextest.KindCloseBefore: false, airwallextest.KindHTTPErrorBefore: false, airwallextest.KindRateLimited: false, airwallextest.KindCode: false,
		airwallextest.KindCloseAfter: true, airwallextest.KindHTTPErrorAfter: true, airwallextest.KindTruncatedJSON: true,
	} {
		server := airwallextest.Start(t, airwallextest.Options{})
		p := account(t, server, "")
		payment, err := p.Create(t.Context(), newPayment(t, "P1"))
		if err != nil {
			t.Fatal(err)
		}
		server.Inject(airwallextest.Fault{Kind: kind, Op: airwallextest.OpCancel, Times: 1})
		_, err = p.(sdk.Canceller).Cancel(t.Context(), sdk.CancelRequest{Order: payment.Order, RequestID: "c1"})
		if err == nil || sdk.AsError(err).Outcome != sdk.OutcomeUnknown {
			t.Errorf("%s: got %v", kind, err)
		}
		if got := query(t, p, payment.Order); (got.Status == sdk.StatusCancelled) != cancelled {
			t.Errorf("%s: got %+v", kind, got)
		}
	}
}

func TestSandboxWrongEcho(t *testing.T) {
	type fault = airwallextest.Fault
	for _, field := range []string{"id", "merchant_order_id", "amount", "currency"} {
		for _, op := range []airwallextest.Op{airwallextest.OpCreate, airwallextest.OpConfirm} {
			server := airwallextest.Start(t, airwallextest.Options{})
			p := account(t, server, "")
			req := newPayment(t, "P1")
			server.Inject(fault{Kind: airwallextest.KindWrongEcho, Op: op, Field: field, Times: 1})
			payment, err := p.Create(t.Context(), req)
			if op == airwallextest.OpCreate && field == "id" { // confirm doesn't find it
				if err == nil || sdk.AsError(err).Outcome != sdk.OutcomeUnknown {
					t.Errorf("got %+v, %v", payment, err)
				}
			} else if err != nil || payment.NextActions != nil || payment.Status != sdk.StatusUnknown && len(payment.Differences(req.Order)) == 0 {
				t.Errorf("%s with another %s: %+v, %v", op, field, payment, err)
			}
		}
		server := airwallextest.Start(t, airwallextest.Options{})
		p := account(t, server, "")
		payment, err := p.Create(t.Context(), newPayment(t, "P1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := server.Pay("P1"); err != nil {
			t.Fatal(err)
		}
		byMerchant := payment.Order
		byMerchant.AcquirerOrderID = ""
		for _, order := range []sdk.Order{payment.Order, byMerchant} {
			server.Inject(fault{Kind: airwallextest.KindWrongEcho, Field: field, Times: 1})
			if got := query(t, p, order); len(got.Differences(payment.Order)) == 0 {
				t.Errorf("query with another %s: %+v", field, got)
			}
			if got := query(t, p, order); got.Status != sdk.StatusSucceeded || len(got.Differences(payment.Order)) > 0 {
				t.Errorf("the truth after another %s: %+v", field, got)
			}
		}
	}
}

func TestSandboxLaggingQuery(t *testing.T) {
	server := airwallextest.Start(t, airwallextest.Options{})
	p := account(t, server, "")
	req := newPayment(t, "P1")
	payment, err := p.Create(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	server.Inject(airwallextest.Fault{Kind: airwallextest.KindLagging, Times: 3})
	for _, want := range []sdk.Status{sdk.StatusPending, sdk.StatusPending} {
		if got := query(t, p, payment.Order); got.Status != want {
			t.Errorf("got %s, want %s", got.Status, want)
		}
	}
	if _, err := p.Query(t.Context(), sdk.QueryRequest{Order: req.Order}); !sdk.IsCode(err, sdk.CodeOrderNotFound) {
		t.Errorf("got %v", err) // which is why NotFoundSettling isn't zero
	}
	for _, order := range []sdk.Order{payment.Order, req.Order} {
		if got := query(t, p, order); got.Status != sdk.StatusSucceeded {
			t.Errorf("got %s", got.Status)
		}
	}
}

func TestSandboxTimeout(t *testing.T) {
	for _, op := range []airwallextest.Op{airwallextest.OpCreate, airwallextest.OpConfirm} {
		server := airwallextest.Start(t, airwallextest.Options{})
		p := account(t, server, "")
		if _, err := p.Authorize(t.Context()); err != nil {
			t.Fatal(err)
		}
		server.Inject(airwallextest.Fault{Kind: airwallextest.KindDelayAfter, Op: op, Delay: time.Hour, Times: 1})
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, err := p.Create(ctx, newPayment(t, "P1"))
		cancel()
		if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeAcquirerTimeout || e.Outcome != sdk.OutcomeUnknown {
			t.Errorf("%s: got %v", op, err)
		}
	}
}

func TestSandboxTwoIntentsAreNotGuessedBetween(t *testing.T) {
	server := airwallextest.Start(t, airwallextest.Options{})
	p := account(t, server, "")
	first, second := newPayment(t, "P1"), newPayment(t, "P1")
	second.RequestID = "req_other" // somebody else at the same account
	for _, req := range []sdk.CreateRequest{first, second} {
		if _, err := p.Create(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := server.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	if got := query(t, p, first.Order); got.Status != sdk.StatusUnknown || got.StatusReason == "" {
		t.Errorf("got %+v", got)
	}
}
