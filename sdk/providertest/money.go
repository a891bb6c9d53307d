package providertest

import (
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var moneyRules = []rule{
	exponentRule(0, "JPY"), exponentRule(2, "HKD"), exponentRule(3, "BHD"),
	{ID: "money/smallest", Says: "The smallest amount of each currency goes through exactly.", Check: func(t *rules.T, s *subject) {
		eachCurrency(t, s, func(w *world, row sdk.Capability) (sdk.Money, error) {
			if !row.Min.IsZero() {
				return row.Min, nil
			}
			return sdk.FromMinor(1, row.Currency)
		})
	}},
	{ID: "money/largest", Says: "A large amount of each currency, or the largest that the row allows, goes through exactly.", Check: func(t *rules.T, s *subject) {
		eachCurrency(t, s, func(w *world, row sdk.Capability) (sdk.Money, error) {
			if !row.Max.IsZero() {
				return row.Max, nil
			}
			return sdk.FromMinor(9_007_199_25, row.Currency) // with the digits of the largest whole float64
		})
	}},
	{ID: "money/bounds", Says: "An amount beyond a row's bounds makes no order, and the error says so.", Check: checkBounds},
	{ID: "money/other_currency", Says: "A currency that no row has makes no order, and the error says so.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		req := w.request()
		for _, currency := range []string{"ISK", "NPR", "TND"} { // of 0, 2 and 3 decimals
			if has(s.Capabilities, req.Method, currency) {
				continue
			}
			req.MerchantOrderID = newID("o")
			req.Money, _ = sdk.FromMinor(100_000, currency)
			w.refusedBefore(currency, req)
		}
	}},
}

func exponentRule(decimals int, example string) rule {
	return rule{
		ID:   fmt.Sprintf("money/exponent_%d", decimals),
		Says: fmt.Sprintf("An amount of a currency with %d decimals, such as %s, arrives at the acquirer as that amount, and comes back so.", decimals, example),
		Check: func(t *rules.T, s *subject) {
			for _, row := range s.Capabilities.Rows {
				if n, _ := sdk.CurrencyExponent(row.Currency); n == decimals {
					w := newWorld(t, s)
					taken := 0
					for _, units := range []int64{1_234, 1_000, 120, 1_999, 100_007} {
						if m, err := sdk.FromMinor(units, row.Currency); err == nil && within(row, m) && w.through(row, m) {
							taken++
						}
					}
					if taken == 0 {
						t.Errorf("no amount in %s is taken", row.Currency)
					}
					return
				}
			}
			t.Skipf("no row has such a currency")
		},
	}
}

// through sends an amount and looks at what arrived and what comes back. An
// acquirer may have bounds that the row doesn't know: then it says no.
func (w *world) through(row sdk.Capability, m sdk.Money) (taken bool) {
	w.Helper()
	req := w.requestFor(row)
	req.Money = m
	p, err := w.provider.Create(w.Context(), req)
	if err != nil && sdk.AsError(err).Outcome != sdk.OutcomeUnknown {
		w.Logf("%s isn't taken: %v", m, err)
		return false
	}
	if err != nil {
		w.Errorf("%s: %v", m, err)
		return false
	}
	req.AcquirerOrderID = p.AcquirerOrderID
	if w.Amount == nil {
		w.Logf("the harness has no Amount: what the sandbox was asked for isn't seen")
	} else if text, currency, err := w.Amount(req.MerchantOrderID); err != nil {
		w.Errorf("%s: the harness doesn't find it: %v", m, err)
	} else if got, err := decimal.NewFromString(text); err != nil || currency != m.Currency() || !got.Equal(m.Amount()) {
		w.Errorf("%s arrives as %s %s", m, text, currency)
	}
	w.pay(req.Order)
	w.same(req.Order, sdk.StatusSucceeded)
	return true
}

// eachCurrency sends one amount in each currency.
func eachCurrency(t *rules.T, s *subject, amount func(*world, sdk.Capability) (sdk.Money, error)) {
	w := newWorld(t, s)
	seen := map[string]bool{}
	for _, row := range s.Capabilities.Rows {
		if seen[row.Currency] {
			continue
		}
		seen[row.Currency] = true
		if m, err := amount(w, row); err == nil && within(row, m) {
			w.through(row, m)
		}
	}
}

func checkBounds(t *rules.T, s *subject) {
	w := newWorld(t, s)
	checked := false
	for _, row := range s.Capabilities.Rows {
		for _, outside := range []int64{row.Min.Minor() - 1, row.Max.Minor() + 1} {
			m, err := sdk.FromMinor(outside, row.Currency)
			if err != nil || outside == 1 || within(row, m) { // 1: there is no Max
				continue
			}
			req := w.requestFor(row)
			req.Money = m
			w.refusedBefore(m.String(), req)
			checked = true
		}
		if checked {
			return // of one row: the others are alike
		}
	}
	t.Skipf("no row has a bound")
}

// refusedBefore checks that a request makes no order. The host would not send
// it, but its table and the plugin's code can differ.
func (w *world) refusedBefore(what string, req sdk.CreateRequest) {
	w.Helper()
	_, err := w.provider.Create(w.Context(), req)
	if err == nil {
		w.Errorf("%s: an order was made", what)
	} else if e := sdk.AsError(err); e.Outcome == sdk.OutcomeUnknown {
		w.Errorf("%s: the outcome is UNKNOWN: %v", what, err)
	}
	w.orders(req.MerchantOrderID, 0)
}

func has(c sdk.Capabilities, method sdk.Method, currency string) bool {
	for _, row := range c.Rows {
		if row.Method == method && row.Currency == currency {
			return true
		}
	}
	return false
}
