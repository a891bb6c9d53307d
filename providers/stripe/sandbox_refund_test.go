package stripe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/stripe/stripetest"
	"github.com/paymux/paymux/sdk"
)

// paid returns a provider with one paid order.
func paid(t *testing.T, o stripetest.Options) (*stripetest.Server, sdk.Provider, sdk.Order) {
	t.Helper()
	server := stripetest.Start(t, o)
	p := account(t, server, "")
	order := create(t, p, newPayment(t, "P1"))
	if _, err := server.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	return server, p, order
}

func refund(t *testing.T, order sdk.Order, id, amount string) sdk.RefundRequest {
	return sdk.RefundRequest{Order: order, MerchantRefundID: id, RequestID: "req_" + id, Amount: money(t, amount, "HKD"), Reason: "too large"}
}

func ask(req sdk.RefundRequest) sdk.RefundQuery {
	return sdk.RefundQuery{Order: req.Order, MerchantRefundID: req.MerchantRefundID, Amount: req.Amount}
}

func TestSandboxRefundsInParts(t *testing.T) {
	server, p, order := paid(t, stripetest.Options{})
	in := newInbox(t, func() sdk.Provider { return p })
	server.SetWebhookURL(in.url)
	refunder := p.(sdk.Refunder)
	for i, amount := range []string{"2.5", "10"} {
		req := refund(t, order, "R"+amount[:1], amount)
		if i == 1 {
			req.AcquirerOrderID = "" // found by search
		}
		got, err := refunder.Refund(t.Context(), req)
		if err != nil || got.Status != sdk.RefundSucceeded || len(got.Differences(ask(req))) > 0 {
			t.Fatalf("%s: %+v, %v", amount, got, err)
		}
		event := take(t, in.come)
		if event.Kind != sdk.EventRefund || event.MerchantRefundID != req.MerchantRefundID || event.AcquirerRefundID != got.AcquirerRefundID || event.MerchantOrderID != "P1" || event.AcquirerOrderID != order.AcquirerOrderID {
			t.Errorf("event %+v", event)
		}
		for _, id := range []string{"", got.AcquirerRefundID} {
			q := ask(req)
			q.AcquirerRefundID = id
			if got, err := refunder.QueryRefund(t.Context(), q); err != nil || got.Status != sdk.RefundSucceeded || len(got.Differences(q)) > 0 {
				t.Errorf("%+v, %v", got, err)
			}
		}
	}
	// Nothing is left: it could be that an earlier request took it.
	_, err := refunder.Refund(t.Context(), refund(t, order, "R3", "1"))
	if e := sdk.AsError(err); err == nil || e.Outcome != sdk.OutcomeUnknown || e.AcquirerCode != "charge_already_refunded" {
		t.Errorf("got %v", err)
	}
	if _, err = refunder.QueryRefund(t.Context(), ask(refund(t, order, "R3", "1"))); !sdk.IsCode(err, sdk.CodeOrderNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestSandboxRefundOutcomes(t *testing.T) {
	for outcome, want := range map[stripetest.RefundOutcome]sdk.RefundStatus{
		stripetest.RefundSucceeds: sdk.RefundSucceeded, stripetest.RefundFails: sdk.RefundFailed,
		stripetest.RefundCanceled: sdk.RefundFailed, stripetest.RefundStays: sdk.RefundPending,
	} {
		server, p, order := paid(t, stripetest.Options{RefundOutcome: stripetest.RefundStays})
		req := refund(t, order, "R1", "1")
		got, err := p.(sdk.Refunder).Refund(t.Context(), req)
		if err != nil || got.Status != sdk.RefundPending {
			t.Fatalf("%+v, %v", got, err)
		}
		if err := server.SetRefundStatus(got.AcquirerRefundID, string(outcome)); err != nil {
			t.Fatal(err)
		}
		if got, err := p.(sdk.Refunder).QueryRefund(t.Context(), ask(req)); err != nil || got.Status != want {
			t.Errorf("%s: %+v, %v", outcome, got, err)
		}
	}
}

func TestSandboxRefundRefused(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	order := create(t, p, newPayment(t, "P1"))
	_, err := p.(sdk.Refunder).Refund(t.Context(), refund(t, order, "R1", "1"))
	if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeRefused || e.Outcome != sdk.OutcomeRefused {
		t.Errorf("unpaid: %v", err)
	}
}

// Each fault hits one refund. Afterwards the list of the payment's refunds tells
// the truth, and the same request is never a second refund.
func TestSandboxLostRefund(t *testing.T) {
	tests := []struct {
		fault   stripetest.Fault
		outcome sdk.Outcome
		made    bool
	}{
		{stripetest.Fault{Kind: stripetest.KindCloseBefore}, sdk.OutcomeUnknown, false},
		{stripetest.Fault{Kind: stripetest.KindCloseAfter}, sdk.OutcomeUnknown, true},
		{stripetest.Fault{Kind: stripetest.KindHTMLBefore}, sdk.OutcomeUnknown, false},
		{stripetest.Fault{Kind: stripetest.KindHTMLAfter}, sdk.OutcomeUnknown, true},
		{stripetest.Fault{Kind: stripetest.KindTruncatedJSON}, sdk.OutcomeUnknown, true},
		{stripetest.Fault{Kind: stripetest.KindSavedError}, sdk.OutcomeUnknown, true},
		{stripetest.Fault{Kind: stripetest.KindUnauthorized}, sdk.OutcomeNotSent, false},
		{stripetest.Fault{Kind: stripetest.KindRateLimited, RetryAfter: time.Minute}, sdk.OutcomeNotSent, false},
		{stripetest.Fault{Kind: stripetest.KindError, Status: 429, Type: "invalid_request_error", Code: "lock_timeout"}, sdk.OutcomeUnknown, false},
		{stripetest.Fault{Kind: stripetest.KindError, Status: 402, Type: "card_error"}, sdk.OutcomeUnknown, false},
		{stripetest.Fault{Kind: stripetest.KindError, Status: 400, Type: "invalid_request_error"}, sdk.OutcomeRefused, false},
	}
	for _, test := range tests {
		t.Run(string(test.fault.Kind)+"/"+test.fault.Code, func(t *testing.T) {
			server, p, order := paid(t, stripetest.Options{})
			refunder := p.(sdk.Refunder)
			req := refund(t, order, "R1", "12.5")
			test.fault.Op, test.fault.Times = stripetest.OpRefund, 1
			server.Inject(test.fault)
			_, err := refunder.Refund(t.Context(), req)
			if e := sdk.AsError(err); err == nil || e.Outcome != test.outcome {
				t.Errorf("got %v, %s", err, sdk.AsError(err).Outcome)
			}
			got, err := refunder.QueryRefund(t.Context(), ask(req))
			if test.made && (err != nil || got.Status != sdk.RefundSucceeded) || !test.made && !sdk.IsCode(err, sdk.CodeOrderNotFound) {
				t.Errorf("query: %+v, %v", got, err)
			}
			_, _ = refunder.Refund(t.Context(), req)
			if refunds := server.Intents()[0].Refunds; len(refunds) != 1 {
				t.Errorf("%d refunds", len(refunds))
			}
		})
	}
}

func TestSandboxWrongEchoOfRefund(t *testing.T) {
	server, p, order := paid(t, stripetest.Options{})
	refunder := p.(sdk.Refunder)
	req := refund(t, order, "R1", "1")
	done, err := refunder.Refund(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	q := ask(req)
	q.AcquirerRefundID = done.AcquirerRefundID
	for _, field := range []string{"id", "metadata", "amount", "currency", "payment_intent"} {
		server.Inject(stripetest.Fault{Kind: stripetest.KindWrongEcho, Op: stripetest.OpRefundQuery, Field: field, Times: 1})
		got, err := refunder.QueryRefund(t.Context(), q)
		if err != nil || got.Status == sdk.RefundSucceeded && len(got.Differences(q)) == 0 {
			t.Errorf("%s is believed: %+v, %v", field, got, err)
		}
		if strings.HasPrefix(got.StatusReason, "mismatch") != (field == "payment_intent" || field == "metadata") {
			t.Errorf("%s: reason %q", field, got.StatusReason)
		}
		if got, err := refunder.QueryRefund(t.Context(), q); err != nil || got.Status != sdk.RefundSucceeded || len(got.Differences(q)) > 0 {
			t.Errorf("the truth after another %s: %+v, %v", field, got, err)
		}
	}
}
