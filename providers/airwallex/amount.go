package airwallex

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// formatAmount writes an amount as the acquirer wants it: a JSON number in major
// units, made of the exact digits. It never was a float.
func formatAmount(m sdk.Money) jsontext.Value { return jsontext.Value(m.AmountString()) }

// longestNumber is more than any amount needs, and keeps an exponent from making
// one with millions of digits.
const longestNumber = 32

// parseAmount reads a JSON number as an exact amount, however it is written: 1,
// 1.0, 1.00 and 1E+2 are all amounts, but not more decimals than the currency
// has. Nothing said is the zero Money; half of it said is an error.
func parseAmount(raw jsontext.Value, currency acquirer.Text) (sdk.Money, error) {
	if isNull(raw) && currency == "" {
		return sdk.Money{}, nil
	}
	unreadable := fmt.Errorf("amount %s with currency %q can't be read", acquirer.Clip(raw.String()), acquirer.Clip(string(currency)))
	exponent, known := sdk.CurrencyExponent(string(currency))
	if !known || raw.Kind() != '0' || len(raw) > longestNumber {
		return sdk.Money{}, unreadable
	}
	number, err := decimal.NewFromString(string(raw))
	if err != nil || number.Exponent() > longestNumber || number.Exponent() < -longestNumber || !number.Equal(number.Truncate(int32(exponent))) {
		return sdk.Money{}, unreadable
	}
	money, err := sdk.ParseMoney(number.StringFixed(int32(exponent)), string(currency))
	if err != nil {
		return sdk.Money{}, unreadable
	}
	return money, nil
}

func isNull(raw jsontext.Value) bool { return len(raw) == 0 || raw.Kind() == 'n' }
