package alipayhk

import (
	"fmt"
	"strconv"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// formatAmount writes an amount in the acquirer's unit. In major units it
// writes whole amounts as the acquirer's own sample does ("1") and pads the
// others ("1.50").
func formatAmount(unit string, m sdk.Money) string {
	switch {
	case unit == unitMinor:
		return strconv.FormatInt(m.Minor(), 10)
	case m.Amount().IsInteger():
		return m.Amount().StringFixed(0)
	default:
		return m.AmountString()
	}
}

// unreadableAmount is the reason not to believe an answer.
func unreadableAmount(amount, currency acquirer.Text) string {
	return fmt.Sprintf("amount %q with currency %q can't be read", acquirer.Clip(string(amount)), acquirer.Clip(string(currency)))
}

// parseAmount reads an amount in the acquirer's unit. Nothing said is the zero
// Money; half of it said is an error.
func parseAmount(unit, amount, currency string) (sdk.Money, error) {
	if amount == "" && currency == "" {
		return sdk.Money{}, nil
	}
	if unit != unitMinor {
		return sdk.ParseMoney(amount, currency)
	}
	return sdk.ParseMinor(amount, currency)
}
