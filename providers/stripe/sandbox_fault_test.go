package stripe_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/stripe/stripetest"
	"github.com/paymux/paymux/sdk"
)

// Each fault hits one create. Afterwards the identical request may be sent again
// and a query by our id tells the truth, and there is never a second order.
func TestSandboxFaultsOfCreate(t *testing.T) {
	const (
		unknown = sdk.OutcomeUnknown
		notSent = sdk.OutcomeNotSent
		refused = sdk.OutcomeRefused
	)
	tests := []struct {
		fault   stripetest.Fault
		code    sdk.Code // unspecified: no error
		outcome sdk.Outcome
		orders  int  // after the first request
		repeats bool // the repetition succeeds
	}{
		{stripetest.Fault{Kind: stripetest.KindDelay, Delay: 10 * time.Millisecond}, 0, 0, 1, true},
		{stripetest.Fault{Kind: stripetest.KindDelayAfter, Delay: 10 * time.Millisecond}, 0, 0, 1, true},
		{stripetest.Fault{Kind: stripetest.KindCloseBefore}, sdk.CodeAcquirerUnavailable, unknown, 0, true},
		{stripetest.Fault{Kind: stripetest.KindCloseAfter}, sdk.CodeAcquirerUnavailable, unknown, 1, true},
		{stripetest.Fault{Kind: stripetest.KindHTMLBefore}, sdk.CodeAcquirerError, unknown, 0, true},
		{stripetest.Fault{Kind: stripetest.KindHTMLAfter}, sdk.CodeAcquirerError, unknown, 1, true},
		{stripetest.Fault{Kind: stripetest.KindHTMLAfter, Status: 503}, sdk.CodeAcquirerError, unknown, 1, true},
		{stripetest.Fault{Kind: stripetest.KindTruncatedJSON}, sdk.CodeAcquirerAnswerInvalid, unknown, 1, true},
		{stripetest.Fault{Kind: stripetest.KindUnauthorized}, sdk.CodeCredentialsRefused, notSent, 0, true},
		{stripetest.Fault{Kind: stripetest.KindRateLimited, RetryAfter: time.Second}, sdk.CodeAcquirerRateLimited, notSent, 0, true},
		{stripetest.Fault{Kind: stripetest.KindSavedError}, sdk.CodeAcquirerError, unknown, 1, false},
		{stripetest.Fault{Kind: stripetest.KindError, Status: 500, Type: "api_error"}, sdk.CodeAcquirerError, unknown, 0, true},
		{stripetest.Fault{Kind: stripetest.KindError, Status: 400, Type: "invalid_request_error"}, sdk.CodeRefused, refused, 0, true},
		{stripetest.Fault{Kind: stripetest.KindError, Status: 400, Type: "idempotency_error"}, sdk.CodeAcquirerError, unknown, 0, true},
		{stripetest.Fault{Kind: stripetest.KindError, Status: 409, Type: "invalid_request_error", Code: "idempotency_key_in_use"}, sdk.CodeAcquirerError, unknown, 0, true},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s/%d/%s", test.fault.Kind, test.fault.Status, test.fault.Code), func(t *testing.T) {
			server := stripetest.Start(t, stripetest.Options{})
			p := account(t, server, "")
			test.fault.Op, test.fault.Times = stripetest.OpCreate, 1
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
			if got := len(server.Intents()); got != test.orders {
				t.Fatalf("%d orders, want %d", got, test.orders)
			}
			got, err := p.Query(t.Context(), sdk.QueryRequest{Order: req.Order})
			if test.orders == 1 && (err != nil || got.Status != sdk.StatusPending || len(got.NextActions) == 0) || test.orders == 0 && !sdk.IsCode(err, sdk.CodeOrderNotFound) {
				t.Errorf("query: %+v, %v", got, err)
			}
			again, err := p.Create(t.Context(), req)
			if (err == nil) != test.repeats || len(server.Intents()) != 1 {
				t.Errorf("repeated: %+v, %v; %d orders", again, err, len(server.Intents()))
			}
			if test.repeats && again.AcquirerOrderID != server.Intents()[0].ID {
				t.Errorf("repeated: %+v", again)
			}
		})
	}
}

// The key protects a repetition only if the request is the same.
func TestSandboxRepeatedWithAnotherAmount(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	req := newPayment(t, "P1")
	create(t, p, req)
	req.Money = money(t, "13", "HKD")
	_, err := p.Create(t.Context(), req)
	if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeAcquirerError || e.Outcome != sdk.OutcomeUnknown || len(server.Intents()) != 1 {
		t.Errorf("got %v", err)
	}
}

// A repetition is answered with the old answer, whatever happened since; the
// query has the truth.
func TestSandboxRepeatedAfterPayment(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	req := newPayment(t, "P1")
	server.Inject(stripetest.Fault{Kind: stripetest.KindCloseAfter, Op: stripetest.OpCreate, Times: 1})
	if _, err := p.Create(t.Context(), req); err == nil {
		t.Fatal("no error")
	}
	if _, err := server.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	order := create(t, p, req)
	if got := query(t, p, order); got.Status != sdk.StatusSucceeded || len(server.Intents()) != 1 {
		t.Errorf("got %+v", got)
	}
}

// A query by our id alone, at a time when the index doesn't know of the order.
func TestSandboxLaggingSearch(t *testing.T) {
	var passed atomic.Int64
	server := stripetest.Start(t, stripetest.Options{SearchLag: time.Minute, Now: func() time.Time {
		return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC).Add(time.Duration(passed.Load()))
	}})
	p := account(t, server, "")
	req := newPayment(t, "P1")
	create(t, p, req)
	if _, err := p.Query(t.Context(), sdk.QueryRequest{Order: req.Order}); !sdk.IsCode(err, sdk.CodeOrderNotFound) {
		t.Errorf("got %v", err)
	}
	passed.Add(int64(time.Minute))
	if got := query(t, p, req.Order); got.Status != sdk.StatusPending {
		t.Errorf("got %+v", got)
	}
	other := newPayment(t, "p1") // the search takes it for the same
	create(t, p, other)
	passed.Add(int64(time.Minute))
	if got := query(t, p, req.Order); got.MerchantOrderID != "P1" {
		t.Errorf("got %+v", got)
	}
}

func TestSandboxLaggingQuery(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	order := create(t, p, newPayment(t, "P1"))
	if _, err := server.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	server.Inject(stripetest.Fault{Kind: stripetest.KindLaggingQuery, Times: 2})
	for _, want := range []sdk.Status{sdk.StatusPending, sdk.StatusPending, sdk.StatusSucceeded} {
		if got := query(t, p, order); got.Status != want {
			t.Errorf("got %s, want %s", got.Status, want)
		}
	}
}

// An answer about something else is never a success: either the host sees the
// difference, or the adapter says UNKNOWN.
func TestSandboxWrongEcho(t *testing.T) {
	for _, field := range []string{"id", "metadata", "amount", "currency", "livemode"} {
		t.Run(field, func(t *testing.T) {
			server := stripetest.Start(t, stripetest.Options{})
			p := account(t, server, "")
			order := create(t, p, newPayment(t, "P1"))
			if _, err := server.Pay("P1"); err != nil {
				t.Fatal(err)
			}
			server.Inject(stripetest.Fault{Kind: stripetest.KindWrongEcho, Op: stripetest.OpQuery, Field: field, Times: 1})
			if got := query(t, p, order); got.Status == sdk.StatusSucceeded && len(got.Differences(order)) == 0 {
				t.Errorf("believed %+v", got)
			}
			if got := query(t, p, order); got.Status != sdk.StatusSucceeded || len(got.Differences(order)) > 0 {
				t.Errorf("the truth: %+v", got)
			}
			server.Inject(stripetest.Fault{Kind: stripetest.KindWrongEcho, Op: stripetest.OpCreate, Field: field, Times: 1})
			req := newPayment(t, "P2")
			payment, err := p.Create(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			// Only this answer names the id, so there it can't be noticed.
			if field != "id" && payment.Status != sdk.StatusUnknown && len(payment.Differences(req.Order)) == 0 {
				t.Errorf("create: %+v", payment)
			}
		})
	}
}

func TestSandboxTimeout(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	server.Inject(stripetest.Fault{Kind: stripetest.KindDelayAfter, Op: stripetest.OpCreate, Delay: time.Hour, Times: 1})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := p.Create(ctx, newPayment(t, "P1"))
	if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeAcquirerTimeout || e.Outcome != sdk.OutcomeUnknown {
		t.Errorf("got %v", err)
	}
	if got := query(t, p, newPayment(t, "P1").Order); got.Status != sdk.StatusPending {
		t.Errorf("got %+v", got)
	}
}

// A cancel whose answer is lost has happened or not; a query says which.
func TestSandboxLostCancel(t *testing.T) {
	for kind, want := range map[stripetest.Kind]sdk.Status{
		stripetest.KindCloseBefore: sdk.StatusPending, stripetest.KindCloseAfter: sdk.StatusCancelled,
		stripetest.KindHTMLBefore: sdk.StatusPending, stripetest.KindHTMLAfter: sdk.StatusCancelled, stripetest.KindSavedError: sdk.StatusCancelled,
	} {
		server := stripetest.Start(t, stripetest.Options{})
		p := account(t, server, "")
		order := create(t, p, newPayment(t, "P1"))
		server.Inject(stripetest.Fault{Kind: kind, Op: stripetest.OpCancel, Times: 1})
		_, err := p.(sdk.Canceller).Cancel(t.Context(), sdk.CancelRequest{Order: order, RequestID: "c"})
		if e := sdk.AsError(err); err == nil || e.Outcome != sdk.OutcomeUnknown {
			t.Errorf("%s: %v", kind, err)
		}
		if got := query(t, p, order); got.Status != want {
			t.Errorf("%s: %+v", kind, got)
		}
		// The same request again must not get the old failure.
		again, err := p.(sdk.Canceller).Cancel(t.Context(), sdk.CancelRequest{Order: order, RequestID: "c"})
		if err != nil || again.Status != sdk.StatusCancelled {
			t.Errorf("%s, again: %+v, %v", kind, again, err)
		}
	}
}
