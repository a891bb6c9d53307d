package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// paid is an answer as Acme documents it. What was seen in its real test system
// belongs here, word for word.
//
// Fact: the whole answer.
const paid = `{"id":"pay_1","reference":"order-1","amount":"1.50","currency":"HKD","status":"paid",
	"created_at":"2026-01-02T03:04:05Z","paid_at":"2026-01-02T03:05:00Z"}`

func order(t *testing.T, amount string) sdk.Order {
	t.Helper()
	money, err := sdk.ParseMoney(amount, "HKD")
	if err != nil {
		t.Fatal(err)
	}
	return sdk.Order{MerchantOrderID: "order-1", AcquirerOrderID: "pay_1", Money: money}
}

func answer(status int, body string) acquirer.Response {
	return acquirer.Response{Status: status, Header: http.Header{"Acme-Request-Id": {"req_1"}}, Body: []byte(body)}
}

func TestPaid(t *testing.T) {
	p, err := readPayment(answer(200, paid), onQuery, order(t, "1.50"))
	if err != nil || p.Status != sdk.StatusSucceeded || p.RawStatus != "paid" || !p.PaidAt.After(p.CreatedAt) || p.RequestID != "req_1" {
		t.Errorf("%+v, %v", p, err)
	}
}

// An answer about another amount must not send our payer anywhere; what else it
// says is for the host to judge.
func TestMismatch(t *testing.T) {
	const open = `{"id":"pay_1","reference":"order-1","amount":"1.50","currency":"HKD","status":"open","pay_url":"https://wallet.example/1"}`
	p, err := readPayment(answer(200, open), onQuery, order(t, "1.50"))
	if err != nil || p.Status != sdk.StatusPending || len(p.NextActions) != 1 {
		t.Errorf("our own: %+v, %v", p, err)
	}
	p, err = readPayment(answer(200, open), onQuery, order(t, "150"))
	if err != nil || len(p.Differences(order(t, "150"))) != 1 || len(p.NextActions) != 0 {
		t.Errorf("another's: %+v, %v", p, err)
	}
}

func TestActions(t *testing.T) {
	for _, tt := range []struct {
		answer paymentAnswer
		want   int
	}{
		{paymentAnswer{PayURL: "https://wallet.example/1", QRCode: "x"}, 2},
		{paymentAnswer{PayURL: "https:///nowhere"}, 0},
		{paymentAnswer{PayURL: "javascript:alert(1)"}, 0},
		{paymentAnswer{QRCode: acquirer.Text(strings.Repeat("x", 3000))}, 0}, // no code holds it
	} {
		if got := readActions(tt.answer); len(got) != tt.want {
			t.Errorf("%.60v gives %v", tt.answer, got)
		}
	}
}

// Only documented answers are a final no, or surely had no effect.
func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		on      call
		status  int
		body    string
		code    sdk.Code
		outcome sdk.Outcome
	}{
		{onCreate, 402, `{"error":{"code":"declined"}}`, sdk.CodeRefused, sdk.OutcomeRefused},
		{onQuery, 402, `{"error":{"code":"declined"}}`, sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		{onCreate, 402, `<html>`, sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		{onQuery, 404, `{"error":{"code":"not_found"}}`, sdk.CodeOrderNotFound, sdk.OutcomeUnknown},
		{onCreate, 404, `{"error":{"code":"not_found"}}`, sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		{onQuery, 404, `<html>`, sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		{onCreate, 401, ``, sdk.CodeCredentialsRefused, sdk.OutcomeNotSent},
		{onCreate, 429, ``, sdk.CodeAcquirerRateLimited, sdk.OutcomeNotSent},
		{onCreate, 500, ``, sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		{onCreate, 200, `{"id":"pay_1","amount":"x"}`, sdk.CodeMismatch, sdk.OutcomeUnknown},
	} {
		_, err := readPayment(answer(tt.status, tt.body), tt.on, order(t, "1.50"))
		if e := sdk.AsError(err); err == nil || e.Code != tt.code || e.Outcome != tt.outcome {
			t.Errorf("%d %s on %d: %v, want %s %s", tt.status, tt.body, tt.on, err, tt.code.Name(), tt.outcome)
		}
	}
}
