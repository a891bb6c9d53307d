package plugin

import (
	"errors"
	"fmt"
	"slices"

	"github.com/paymux/paymux/sdk"
)

// checkCapabilities finds what would make the host route wrongly: it believes
// these rows without asking anybody.
func checkCapabilities(c sdk.Capabilities) error {
	if len(c.Rows) == 0 {
		return errors.New("there are no rows: the plugin could take no payment")
	}
	if len(c.QueryKeys) == 0 {
		return errors.New("QueryKeys is empty: no payment could be asked about")
	}
	type key struct {
		method   sdk.Method
		flow     sdk.Flow
		currency string
	}
	seen := map[key]bool{}
	for _, row := range c.Rows {
		k := key{row.Method, row.Flow, row.Currency}
		err := checkRow(row)
		if err == nil && seen[k] {
			err = errors.New("is there twice")
		}
		if err != nil {
			return fmt.Errorf("row %s %s %s: %w", row.Method, row.Flow, row.Currency, err)
		}
		seen[k] = true
	}
	return nil
}

func checkRow(row sdk.Capability) error {
	if !slices.Contains(sdk.Methods(), row.Method) || !slices.Contains(sdk.Flows(), row.Flow) {
		return errors.New("the method or the flow is unheard of")
	}
	if _, ok := sdk.CurrencyExponent(row.Currency); !ok {
		return errors.New("the currency is unheard of")
	}
	for _, bound := range []sdk.Money{row.Min, row.Max} {
		if !bound.IsZero() && (bound.Currency() != row.Currency || !bound.Amount().IsPositive()) {
			return fmt.Errorf("the bound %s must be greater than zero and in %s", bound, row.Currency)
		}
	}
	if cmp, ok := row.Min.Cmp(row.Max); ok && cmp > 0 {
		return errors.New("the field Min is greater than Max")
	}
	for _, a := range row.Actions {
		if !slices.Contains(sdk.ActionTypes(), a) {
			return fmt.Errorf("the action %q is unheard of", a)
		}
	}
	return nil
}
