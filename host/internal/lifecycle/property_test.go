package lifecycle_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/sdk"
)

// genAnswer draws an answer that is about our order, nearly so, or not at all.
func genAnswer(t *rapid.T) sdk.Payment {
	pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label) }
	answer := sdk.Payment{Status: sdk.Status(rapid.Uint8Range(0, 9).Draw(t, "status"))}
	answer.MerchantOrderID = pick("merchant order", "order-1", "order-1", "order-1", "order-2", "ORDER-1", "")
	answer.AcquirerOrderID = pick("acquirer order", "acq-1", "acq-1", "acq-1", "acq-2", "")
	if amount := pick("amount", "100.00", "100.00", "100", "99.99", "1.00", ""); amount != "" {
		answer.Money = money(t, amount, pick("currency", "HKD", "HKD", "HKD", "CNY"))
	}
	return answer
}

func genError(t *rapid.T) *sdk.Error {
	codes := []sdk.Code{sdk.CodeOrderNotFound, sdk.CodeOrderNotFound, sdk.CodeRefused, sdk.CodePluginTimeout, sdk.CodeUnspecified}
	return &sdk.Error{Code: rapid.SampledFrom(codes).Draw(t, "code"), Outcome: sdk.Outcome(rapid.Uint8Range(0, 3).Draw(t, "outcome"))}
}

// Whatever is said in whatever order: an end is an end, and paid means that one
// answer named our order, amount and currency.
func TestAnySequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := lifecycle.Payment{Status: sdk.StatusCreated, Order: ours(t), SentAt: time.Unix(1000, 0)}
		if rapid.Bool().Draw(t, "acquirer order unknown") {
			p.Order.AcquirerOrderID = ""
		}
		for range rapid.IntRange(1, 12).Draw(t, "answers") {
			before := p.Status
			v, answer := step(t, p)
			p.Status = v.Status
			switch {
			case v.Moved != (v.Status != before):
				t.Fatalf("Moved is %t from %s to %s", v.Moved, before, v.Status)
			case before.Terminal() && p.Status != before:
				t.Fatalf("%s was final and became %s", before, p.Status)
			case p.Status == sdk.StatusCreated && before != sdk.StatusCreated:
				t.Fatalf("%s became CREATED", before)
			case v.Moved && !lifecycle.Legal(before, p.Status):
				t.Fatalf("%s became %s", before, p.Status)
			case v.Moved && p.Status == sdk.StatusSucceeded && !proves(answer, p.Order):
				t.Fatalf("paid by %+v, asked for %+v", answer, p.Order)
			case v.Review != "" && v.Believed:
				t.Fatalf("%+v is doubted and believed", v)
			}
		}
	})
}

// step is one thing that the host learns; answer is nil if it is an error.
func step(t *rapid.T, p lifecycle.Payment) (v lifecycle.Verdict, answer *sdk.Payment) {
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return lifecycle.CreateError(p, genError(t)), nil
	case 1:
		p.ActionHanded = rapid.Bool().Draw(t, "handed")
		now := time.Unix(rapid.Int64Range(0, 5000).Draw(t, "now"), 0)
		return lifecycle.QueryError(p, genError(t), now, time.Duration(rapid.Int64Range(0, 2000).Draw(t, "settling"))*time.Second), nil
	default:
		said := genAnswer(t)
		return lifecycle.Answer(p, said), &said
	}
}

// proves is the rule in words of its own, so that a mistake in
// sdk.Payment.Differences shows here too.
func proves(answer *sdk.Payment, want sdk.Order) bool {
	return answer != nil && answer.Status == sdk.StatusSucceeded && answer.MerchantOrderID == want.MerchantOrderID &&
		(want.AcquirerOrderID == "" || answer.AcquirerOrderID == want.AcquirerOrderID) &&
		answer.Money.Currency() == want.Money.Currency() && answer.Money.Amount().Equal(want.Money.Amount())
}
