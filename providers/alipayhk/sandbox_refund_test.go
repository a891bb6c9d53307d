package alipayhk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk"
)

func TestSandboxNotificationFaults(t *testing.T) {
	server := cbtistest.Start(t, cbtistest.Options{SpeedUp: 10_000})
	p := account(t, server, "")
	in := newInbox(t, func() sdk.Provider { return p })
	pay := func(id string, fault cbtistest.Fault) {
		t.Helper()
		req := newPayment(t, id)
		req.NotifyURL = in.url
		if _, err := p.Create(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		fault.Op, fault.Times = cbtistest.OpNotify, 1
		server.Inject(fault)
		if _, err := server.Pay(id); err != nil {
			t.Fatal(err)
		}
	}
	// A forged or lost one is sent again, rightly.
	for i, kind := range []cbtistest.Kind{cbtistest.KindBadSignature, cbtistest.KindMissingSignature, cbtistest.KindDrop} {
		id := fmt.Sprintf("P%d", i)
		pay(id, cbtistest.Fault{Kind: kind})
		if event := in.next(t); event.Kind != sdk.EventPayment || event.MerchantOrderID != id {
			t.Errorf("%s: %+v", kind, event)
		}
	}
	pay("P7", cbtistest.Fault{Kind: cbtistest.KindUnknownType})
	if event := in.next(t); event.Kind != sdk.EventOther || !strings.Contains(event.RawType, "unheard_of") {
		t.Errorf("unknown type: %+v", event)
	}
	pay("P8", cbtistest.Fault{Kind: cbtistest.KindDuplicate})
	for range 2 {
		if event := in.next(t); event.MerchantOrderID != "P8" {
			t.Errorf("duplicate: %+v", event)
		}
	}
}

// The refund's notification comes before that of its payment.
func TestSandboxReorderedNotifications(t *testing.T) {
	server := cbtistest.Start(t, cbtistest.Options{})
	p := account(t, server, "")
	in := newInbox(t, func() sdk.Provider { return p })
	req := newPayment(t, "P1")
	req.NotifyURL = in.url
	if _, err := p.Create(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	server.Inject(cbtistest.Fault{Kind: cbtistest.KindReorder, Times: 1})
	if _, err := server.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.(sdk.Refunder).Refund(t.Context(), sdk.RefundRequest{Order: req.Order, MerchantRefundID: "R1", Amount: hkd(t, "1")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []sdk.EventKind{sdk.EventRefund, sdk.EventPayment} {
		if event := in.next(t); event.Kind != want {
			t.Errorf("event %+v, want %s", event, want)
		}
	}
	if got := query(t, p, req.Order); got.Status != sdk.StatusSucceeded {
		t.Errorf("got %+v", got)
	}
}

func TestSandboxRefunds(t *testing.T) {
	tests := []struct {
		outcome       cbtistest.RefundOutcome
		create, later sdk.RefundStatus
	}{
		{cbtistest.RefundSucceeds, sdk.RefundSucceeded, sdk.RefundSucceeded},
		{cbtistest.RefundFails, sdk.RefundUnknown, sdk.RefundUnknown},
		{cbtistest.RefundPendingSucceeds, sdk.RefundPending, sdk.RefundSucceeded},
		{cbtistest.RefundPendingFails, sdk.RefundPending, sdk.RefundUnknown},
	}
	for _, test := range tests {
		t.Run(string(test.outcome), func(t *testing.T) {
			server := cbtistest.Start(t, cbtistest.Options{RefundOutcome: test.outcome, RefundSettleAfter: time.Hour})
			p := account(t, server, "")
			in := newInbox(t, func() sdk.Provider { return p })
			req := newPayment(t, "P1")
			req.NotifyURL = in.url
			payment, err := p.Create(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			req.AcquirerOrderID = payment.AcquirerOrderID
			refunder := p.(sdk.Refunder)
			refund := sdk.RefundRequest{Order: req.Order, MerchantRefundID: "R1", Amount: hkd(t, "2.5"), Reason: "returned"}
			_, err = refunder.Refund(t.Context(), refund)
			if e := sdk.AsError(err); err == nil || e.Outcome != sdk.OutcomeRefused { // not paid yet
				t.Fatalf("got %v", err)
			}
			if _, err := server.Pay("P1"); err != nil {
				t.Fatal(err)
			}
			in.next(t)
			got, err := refunder.Refund(t.Context(), refund)
			if err != nil || got.Status != test.create || got.MerchantRefundID != "R1" {
				t.Fatalf("got %+v, %v", got, err)
			}
			if test.create == sdk.RefundPending {
				to := cbtistest.Succeeded
				if test.outcome == cbtistest.RefundPendingFails {
					to = cbtistest.Failed
				}
				if err := server.SettleRefund("R1", to); err != nil {
					t.Fatal(err)
				}
			}
			if event := in.next(t); event.Kind != sdk.EventRefund || event.MerchantRefundID != "R1" {
				t.Errorf("event %+v", event)
			}
			got, err = refunder.QueryRefund(t.Context(), sdk.RefundQuery{Order: req.Order, MerchantRefundID: "R1", Amount: refund.Amount})
			if err != nil || got.Status != test.later {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestSandboxLostRefund(t *testing.T) {
	server := cbtistest.Start(t, cbtistest.Options{})
	p := account(t, server, "")
	req := newPayment(t, "P1")
	if _, err := p.Create(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	refunder := p.(sdk.Refunder)
	for _, kind := range []cbtistest.Kind{cbtistest.KindCloseAfter, cbtistest.KindTruncatedJSON, cbtistest.KindHTTPErrorAfter} {
		id := "R-" + strings.ReplaceAll(string(kind), "_", "-")
		server.Inject(cbtistest.Fault{Kind: kind, Op: cbtistest.OpRefund, Times: 1})
		_, err := refunder.Refund(t.Context(), sdk.RefundRequest{Order: req.Order, MerchantRefundID: id, Amount: hkd(t, "1")})
		if e := sdk.AsError(err); err == nil || e.Outcome != sdk.OutcomeUnknown {
			t.Errorf("%s: %v", kind, err)
		}
		got, err := refunder.QueryRefund(t.Context(), sdk.RefundQuery{Order: req.Order, MerchantRefundID: id, Amount: hkd(t, "1")})
		if err != nil || got.Status != sdk.RefundSucceeded {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
	}
	for _, field := range []string{"order_id", "merchant_order_id", "amount", "currency"} {
		refund := sdk.RefundQuery{Order: req.Order, MerchantRefundID: "R-close-after", Amount: hkd(t, "1")}
		refund.AcquirerOrderID = server.Orders()[0].ID
		server.Inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Op: cbtistest.OpRefundQuery, Field: field, Times: 1})
		if got, err := refunder.QueryRefund(t.Context(), refund); err != nil || got.Status != sdk.RefundUnknown || !strings.HasPrefix(got.StatusReason, "mismatch: ") {
			t.Errorf("another %s: %+v, %v", field, got, err)
		}
		if got, err := refunder.QueryRefund(t.Context(), refund); err != nil || got.Status != sdk.RefundSucceeded {
			t.Errorf("the truth after another %s: %+v, %v", field, got, err)
		}
	}
	if got := len(server.Ledger()); got != 4 { // a charge and three refunds
		t.Errorf("%d movements", got)
	}
}
