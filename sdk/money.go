package sdk

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Money is an exact amount in one currency, never a float. The zero Money means
// "not said"; it has no currency. Compare with Equal and Cmp.
type Money struct {
	_        [0]func()       // no ==: it would compare pointers
	amount   decimal.Decimal // always with the currency's decimals, so that reflect.DeepEqual works too
	currency string
}

const maxWholeDigits = 12

// ParseMoney reads an amount by the one grammar that paymux has:
//
//	(0|[1-9][0-9]{0,11})(\.[0-9]+)?
//
// in ASCII, greater than zero, with no more decimals than the currency has. An
// excess is an error, never rounded away: "1.005" HKD is refused, and so are
// "1e3", "+1", ".5", "01" and "1.".
//
// The error is an [*Error] with [CodeInvalidRequest] and OutcomeUnknown: answers
// are read with this too, and an adapter that hands the error on after it sent
// an order must not claim that there is none.
func ParseMoney(amount, currency string) (Money, error) {
	m, err := parseMoney(amount, currency)
	if err != nil {
		return Money{}, err
	}
	if !m.amount.IsPositive() {
		return Money{}, amountError(`must be greater than zero, got %q`, amount)
	}
	return m, nil
}

// Zero returns nothing of a currency, for sums.
func Zero(currency string) (Money, error) { return parseMoney("0", currency) }

func parseMoney(amount, currency string) (Money, error) {
	exponent, ok := CurrencyExponent(currency)
	if !ok {
		return Money{}, &Error{Code: CodeInvalidRequest, Field: "currency",
			Message: fmt.Sprintf("must be an ISO 4217 code in upper case, such as HKD, got %q", clip(currency))}
	}
	whole, fraction, ok := splitAmount(amount)
	if !ok || whole > maxWholeDigits {
		return Money{}, amountError(`must be a decimal number as a string, such as "100.00": up to 12 digits, no sign, no exponent, no leading zeros; got %q`, amount)
	}
	if fraction > exponent {
		return Money{}, amountError(fmt.Sprintf("must have at most %d decimals in %s, got %%q", exponent, currency), amount)
	}
	units, err := strconv.ParseInt(strings.Replace(amount, ".", "", 1)+strings.Repeat("0", exponent-fraction), 10, 64)
	if err != nil { // unreachable: at most 12+3 digits
		return Money{}, amountError("is not a decimal number: %q", amount)
	}
	return Money{amount: decimal.New(units, -int32(exponent)), currency: currency}, nil
}

// splitAmount checks the grammar and counts the digits before and after the point.
func splitAmount(s string) (whole, fraction int, ok bool) {
	for whole < len(s) && isDigit(s[whole]) {
		whole++
	}
	if whole == 0 || (whole > 1 && s[0] == '0') {
		return 0, 0, false
	}
	if whole == len(s) {
		return whole, 0, true
	}
	if s[whole] != '.' || whole+1 == len(s) {
		return 0, 0, false
	}
	for _, c := range []byte(s[whole+1:]) {
		if !isDigit(c) {
			return 0, 0, false
		}
	}
	return whole, len(s) - whole - 1, true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func amountError(format, amount string) *Error {
	return &Error{Code: CodeInvalidRequest, Field: "amount", Message: fmt.Sprintf(format, clip(amount))}
}

// clip keeps hostile input from flooding an error text.
func clip(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// FromMinor returns units of the currency's smallest part: FromMinor(150, "HKD")
// is 1.50 HKD. It fails for amounts that ParseMoney would refuse.
func FromMinor(units int64, currency string) (Money, error) {
	exponent, ok := CurrencyExponent(currency)
	if !ok {
		_, err := parseMoney("0", currency)
		return Money{}, err
	}
	return ParseMoney(decimal.New(units, -int32(exponent)).StringFixed(int32(exponent)), currency)
}

// ParseMinor reads an amount in the currency's smallest part, such as "150" for
// 1.50 HKD: a whole number without sign and leading zeros. Its errors are those of
// [ParseMoney].
func ParseMinor(units, currency string) (Money, error) {
	n, err := strconv.ParseInt(units, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != units {
		return Money{}, amountError(`must be a whole number of the currency's smallest part, no sign, no leading zeros; got %q`, units)
	}
	return FromMinor(n, currency)
}

// Amount returns the exact decimal.
func (m Money) Amount() decimal.Decimal { return m.amount }

// Currency returns the ISO 4217 code, empty for the zero Money.
func (m Money) Currency() string { return m.currency }

// IsZero reports whether nothing was said: no currency.
func (m Money) IsZero() bool { return m.currency == "" }

// AmountString prints the amount padded to the currency's decimals: "100.00".
func (m Money) AmountString() string {
	exponent, ok := CurrencyExponent(m.currency)
	if !ok {
		return ""
	}
	return m.amount.StringFixed(int32(exponent))
}

// String prints amount and currency: "100.00 HKD".
func (m Money) String() string {
	if m.IsZero() {
		return "(no amount)"
	}
	return m.AmountString() + " " + m.currency
}

// Minor returns the amount in the currency's smallest part: 1.50 HKD is 150.
func (m Money) Minor() int64 {
	exponent, ok := CurrencyExponent(m.currency)
	if !ok {
		return 0
	}
	return m.amount.Shift(int32(exponent)).IntPart() // fits: at most 12+3 digits
}

// Equal compares numerically, currency included: 1 HKD equals 1.00 HKD.
func (m Money) Equal(n Money) bool {
	return m.currency == n.currency && m.amount.Equal(n.amount)
}

// Cmp compares two amounts of the same currency: -1, 0 or 1. Amounts of
// different currencies can't be compared; ok is false.
func (m Money) Cmp(n Money) (cmp int, ok bool) {
	return m.amount.Cmp(n.amount), m.currency == n.currency
}

// MarshalText prints as String does, so that an amount in a log or in JSON is
// never lost: without it encoders would write {}.
func (m Money) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// GoString keeps %#v readable.
func (m Money) GoString() string { return "sdk.Money{" + m.String() + "}" }
