package airwallex_test

import (
	"testing"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
	"github.com/paymux/paymux/sdk"
)

// paid returns a paid payment at a sandbox where refunds end when told.
func paid(t *testing.T, o airwallextest.Options) (*airwallextest.Server, sdk.Provider, sdk.Order) {
	t.Helper()
	o.RefundSettleAfter = -1
	server := airwallextest.Start(t, o)
	p := account(t, server, "")
	payment, err := p.Create(t.Context(), newPayment(t, "P1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	return server, p, payment.Order
}

func newRefund(t *testing.T, order sdk.Order, id, amount string) sdk.RefundRequest {
	return sdk.RefundRequest{Order: order, MerchantRefundID: id, RequestID: "req_" + id, Amount: money(t, amount, "HKD"), Reason: "returned"}
}

func queryOf(req sdk.RefundRequest, id string) sdk.RefundQuery {
	return sdk.RefundQuery{Order: req.Order, MerchantRefundID: req.MerchantRefundID, AcquirerRefundID: id, Amount: req.Amount}
}

func TestSandboxRefunds(t *testing.T) {
	server, p, order := paid(t, airwallextest.Options{})
	in := newInbox(t, func() sdk.Provider { return p })
	server.SetWebhook(in.url, airwallextest.DefaultWebhookSecret)
	refunder := p.(sdk.Refunder)
	for i, test := range []struct {
		amount string
		well   bool
		want   sdk.RefundStatus
	}{
		{"2.5", true, sdk.RefundSucceeded},
		{"10", false, sdk.RefundFailed},
		{"10", true, sdk.RefundSucceeded},
	} {
		req := newRefund(t, order, "R"+string(rune('1'+i)), test.amount)
		refund, err := refunder.Refund(t.Context(), req)
		if err != nil || refund.Status != sdk.RefundPending || refund.AcquirerRefundID == "" || len(refund.Differences(queryOf(req, ""))) > 0 {
			t.Fatalf("got %+v, %v", refund, err)
		}
		if _, err := server.SettleRefund(refund.AcquirerRefundID, test.well); err != nil {
			t.Fatal(err)
		}
		if event := in.next(t); event.Kind != sdk.EventRefund || event.MerchantRefundID != req.MerchantRefundID || event.AcquirerRefundID != refund.AcquirerRefundID || event.AcquirerOrderID != order.AcquirerOrderID {
			t.Errorf("event %+v", event)
		}
		for _, id := range []string{"", refund.AcquirerRefundID} {
			got, err := refunder.QueryRefund(t.Context(), queryOf(req, id))
			if err != nil || got.Status != test.want || len(got.Differences(queryOf(req, refund.AcquirerRefundID))) > 0 {
				t.Errorf("got %+v, %v", got, err)
			}
		}
	}
	// Everything went back.
	_, err := refunder.Refund(t.Context(), newRefund(t, order, "R9", "0.01"))
	if e := sdk.AsError(err); err == nil || e.Outcome != sdk.OutcomeUnknown || e.AcquirerCode != "amount_above_limit" {
		t.Errorf("got %v", err)
	}
	if got := query(t, p, order); got.Status != sdk.StatusSucceeded {
		t.Errorf("a refund changed the payment: %+v", got)
	}
}

// A lost answer is never taken for a failure; the query finds the refund if it
// was made, and says nothing if not.
func TestSandboxFaultsOfRefund(t *testing.T) {
	type fault = airwallextest.Fault
	tests := []struct {
		fault   fault
		code    sdk.Code
		outcome sdk.Outcome
		made    bool
	}{
		{fault{Kind: airwallextest.KindCloseBefore}, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown, false},
		{fault{Kind: airwallextest.KindCloseAfter}, sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown, true},
		{fault{Kind: airwallextest.KindHTTPErrorBefore}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, false},
		{fault{Kind: airwallextest.KindHTTPErrorAfter, Status: 500}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, true},
		{fault{Kind: airwallextest.KindTruncatedJSON}, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, true},
		{fault{Kind: airwallextest.KindRateLimited}, sdk.CodeAcquirerRateLimited, sdk.OutcomeUnknown, false},
		{fault{Kind: airwallextest.KindCode, Code: "invalid_argument"}, sdk.CodeRefused, sdk.OutcomeRefused, false},
		{fault{Kind: airwallextest.KindCode, Code: "duplicate_request"}, sdk.CodeAcquirerError, sdk.OutcomeUnknown, false},
		{fault{Kind: airwallextest.KindTokenInvalid, Times: 2}, sdk.CodeCredentialsRefused, sdk.OutcomeNotSent, false},
	}
	for _, test := range tests {
		t.Run(string(test.fault.Kind)+test.fault.Code, func(t *testing.T) {
			server, p, order := paid(t, airwallextest.Options{})
			refunder := p.(sdk.Refunder)
			test.fault.Op, test.fault.Times = airwallextest.OpRefund, max(test.fault.Times, 1)
			server.Inject(test.fault)
			req := newRefund(t, order, "R1", "12.5")
			_, err := refunder.Refund(t.Context(), req)
			if e := sdk.AsError(err); err == nil || e.Code != test.code || e.Outcome != test.outcome {
				t.Errorf("got %v", err)
			}
			got, err := refunder.QueryRefund(t.Context(), queryOf(req, ""))
			if test.made && (err != nil || got.Status != sdk.RefundPending || len(got.Differences(queryOf(req, ""))) > 0) {
				t.Errorf("query: %+v, %v", got, err)
			}
			if !test.made && (err == nil || sdk.AsError(err).Outcome != sdk.OutcomeUnknown || sdk.IsCode(err, sdk.CodeOrderNotFound)) {
				t.Errorf("query: %+v, %v", got, err)
			}
			if len(server.Refunds()) > 1 {
				t.Errorf("%d refunds", len(server.Refunds()))
			}
		})
	}
}

func TestSandboxWrongEchoOfRefund(t *testing.T) {
	for _, field := range []string{"amount", "currency"} {
		server, p, order := paid(t, airwallextest.Options{})
		req := newRefund(t, order, "R1", "1")
		server.Inject(airwallextest.Fault{Kind: airwallextest.KindWrongEcho, Op: airwallextest.OpRefund, Field: field, Times: 1})
		refund, err := p.(sdk.Refunder).Refund(t.Context(), req)
		if err != nil || len(refund.Differences(queryOf(req, ""))) == 0 {
			t.Errorf("another %s: %+v, %v", field, refund, err)
		}
	}
}
