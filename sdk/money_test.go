package sdk_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/bojanz/currency"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/paymux/paymux/sdk"
)

func ExampleParseMoney() {
	price, _ := sdk.ParseMoney("100", "HKD")
	fmt.Println(price, price.Minor())

	_, err := sdk.ParseMoney("1.005", "HKD") // refused, never rounded
	fmt.Println(err)
	// Output:
	// 100.00 HKD 10000
	// INVALID_REQUEST: amount: must have at most 2 decimals in HKD, got "1.005"
}

func ExampleFromMinor() {
	price, _ := sdk.FromMinor(150, "HKD")
	yen, _ := sdk.FromMinor(150, "JPY")
	fmt.Println(price, yen)
	// Output: 1.50 HKD 150 JPY
}

func TestParseMoneyAccepts(t *testing.T) {
	for _, c := range []struct {
		amount, currency, printed string
		minor                     int64
	}{
		{"1", "HKD", "1.00", 100},
		{"100.00", "HKD", "100.00", 10000},
		{"0.01", "HKD", "0.01", 1},
		{"0.1", "HKD", "0.10", 10},
		{"10.5", "CNY", "10.50", 1050},
		{"999999999999.99", "HKD", "999999999999.99", 99999999999999},
		{"5", "JPY", "5", 5},
		{"1.5", "BHD", "1.500", 1500},
		{"1.234", "BHD", "1.234", 1234},
		{"999999999999.999", "BHD", "999999999999.999", 999999999999999},
	} {
		m, err := sdk.ParseMoney(c.amount, c.currency)
		if err != nil {
			t.Errorf("%s %s: %v", c.amount, c.currency, err)
			continue
		}
		if m.AmountString() != c.printed || m.Minor() != c.minor || m.Currency() != c.currency || m.IsZero() {
			t.Errorf("%s %s: got %s, minor %d", c.amount, c.currency, m, m.Minor())
		}
	}
}

func TestParseMoneyRefuses(t *testing.T) {
	for _, c := range []struct{ amount, currency, field string }{
		{"", "HKD", "amount"}, {".", "HKD", "amount"}, {".5", "HKD", "amount"}, {"5.", "HKD", "amount"},
		{"01", "HKD", "amount"}, {"00", "HKD", "amount"}, {"00.5", "HKD", "amount"},
		{"1e3", "HKD", "amount"}, {"1E3", "HKD", "amount"}, {"0x10", "HKD", "amount"}, {"1p4", "HKD", "amount"},
		{"+1", "HKD", "amount"}, {"-1", "HKD", "amount"}, {"-0", "HKD", "amount"}, {"--1", "HKD", "amount"},
		{"1_000", "HKD", "amount"}, {"1,000", "HKD", "amount"}, {"1,5", "HKD", "amount"}, {"1.2.3", "HKD", "amount"},
		{" 1", "HKD", "amount"}, {"1 ", "HKD", "amount"}, {"1\n", "HKD", "amount"}, {"1\x00", "HKD", "amount"},
		{"NaN", "HKD", "amount"}, {"Inf", "HKD", "amount"}, {"null", "HKD", "amount"},
		{"\uff11", "HKD", "amount"}, {"\u0661\u0662", "HKD", "amount"}, {"1.\u0665", "HKD", "amount"}, {"\xff1", "HKD", "amount"}, // other digits, not UTF-8
		{"0", "HKD", "amount"}, {"0.0", "HKD", "amount"}, {"0.00", "HKD", "amount"},
		{"1000000000000", "HKD", "amount"}, {"1000000000000.00", "HKD", "amount"},
		{"1.005", "HKD", "amount"}, {"1.000", "HKD", "amount"}, {"1.5", "JPY", "amount"}, {"1.0", "JPY", "amount"}, {"1.2345", "BHD", "amount"},
		{strings.Repeat("9", 1<<20), "HKD", "amount"}, {"1." + strings.Repeat("0", 1<<20), "HKD", "amount"},
		{"1", "", "currency"}, {"1", "hkd", "currency"}, {"1", "HK", "currency"}, {"1", "HKDX", "currency"},
		{"1", "D A", "currency"}, {"1", "XXX", "currency"}, {"1", "XAU", "currency"}, {"1", "\u0397KD", "currency"},
		{"1", strings.Repeat("H", 1<<20), "currency"},
	} {
		m, err := sdk.ParseMoney(c.amount, c.currency)
		var e *sdk.Error
		if !errors.As(err, &e) {
			t.Errorf("%.40q %.10q: accepted as %s", c.amount, c.currency, m)
			continue
		}
		if e.Field != c.field || e.Code != sdk.CodeInvalidRequest || !m.IsZero() {
			t.Errorf("%.40q %.10q: %v, %s", c.amount, c.currency, err, m)
		}
		// An adapter that reads an answer after it sent an order hands this on.
		if e.Outcome != sdk.OutcomeUnknown {
			t.Errorf("%.40q: the outcome must be UNKNOWN, not %s", c.amount, e.Outcome)
		}
		if len(err.Error()) > 400 {
			t.Errorf("%.40q: the error text has %d bytes", c.amount, len(err.Error()))
		}
	}
}

func TestFromMinorRefuses(t *testing.T) {
	for _, c := range []struct {
		units    int64
		currency string
	}{{0, "HKD"}, {-1, "HKD"}, {math.MinInt64, "HKD"}, {math.MaxInt64, "HKD"}, {1e14, "HKD"}, {1e12, "JPY"}, {1, "hkd"}, {1, ""}} {
		if m, err := sdk.FromMinor(c.units, c.currency); err == nil {
			t.Errorf("FromMinor(%d, %q) = %s", c.units, c.currency, m)
		}
	}
}

func TestParseMinor(t *testing.T) {
	for _, c := range []struct{ units, currency, want string }{{"150", "HKD", "1.50 HKD"}, {"150", "JPY", "150 JPY"}, {"150", "BHD", "0.150 BHD"}} {
		if m, err := sdk.ParseMinor(c.units, c.currency); err != nil || m.String() != c.want {
			t.Errorf("ParseMinor(%q, %q) = %s, %v", c.units, c.currency, m, err)
		}
	}
	for _, units := range []string{"", "0", "-0", "-1", "+1", "01", "1.0", "1e3", " 1", "1_000", "0x1", "٣", "9223372036854775808", "100000000000000"} {
		if m, err := sdk.ParseMinor(units, "HKD"); err == nil || sdk.AsError(err).Outcome != sdk.OutcomeUnknown {
			t.Errorf("ParseMinor(%q) = %s, %v", units, m, err)
		}
	}
	if m, err := sdk.ParseMinor("1", "hkd"); err == nil {
		t.Errorf("a currency in lower case gives %s", m)
	}
}

func TestMinorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom([]string{"HKD", "CNY", "JPY", "BHD", "USD"}).Draw(t, "currency")
		units := rapid.Int64Range(1, 999_999_999_999).Draw(t, "units")
		m, err := sdk.FromMinor(units, code)
		if err != nil {
			t.Fatal(err)
		}
		again, err := sdk.ParseMoney(m.AmountString(), code)
		if err != nil || m.Minor() != units || !again.Equal(m) || !reflect.DeepEqual(again, m) {
			t.Fatalf("%d %s became %s, %d, %s, %v", units, code, m, m.Minor(), again, err)
		}
	})
}

func TestMoneyCompares(t *testing.T) {
	for _, c := range []struct {
		a, b  sdk.Money
		equal bool
		cmp   int
		ok    bool
	}{
		{money("1", "HKD"), money("1.00", "HKD"), true, 0, true},
		{money("1", "HKD"), money("1.01", "HKD"), false, -1, true},
		{money("2", "HKD"), money("1.99", "HKD"), false, 1, true},
		{money("1", "HKD"), money("1", "CNY"), false, 0, false},
		{sdk.Money{}, sdk.Money{}, true, 0, true},
		{sdk.Money{}, money("1", "HKD"), false, 0, false},
	} {
		cmp, ok := c.a.Cmp(c.b)
		if c.a.Equal(c.b) != c.equal || ok != c.ok || ok && cmp != c.cmp {
			t.Errorf("%s with %s: equal %t, cmp %d, %t", c.a, c.b, c.a.Equal(c.b), cmp, ok)
		}
	}
	if reflect.TypeFor[sdk.Money]().Comparable() {
		t.Error("Money can be compared by ==, which compares pointers: 1 HKD would not be 1 HKD")
	}
}

func TestMoneyZeroAndPrinting(t *testing.T) {
	nothing, err := sdk.Zero("HKD")
	if err != nil || nothing.IsZero() || nothing.String() != "0.00 HKD" || !nothing.Amount().Equal(decimal.Zero) {
		t.Errorf("Zero: %s, %v", nothing, err)
	}
	if _, err := sdk.Zero("nope"); err == nil {
		t.Error("Zero takes any currency")
	}
	var unsaid sdk.Money
	if !unsaid.IsZero() || unsaid.AmountString() != "" || unsaid.String() != "(no amount)" || unsaid.Minor() != 0 {
		t.Errorf("zero Money: %s", unsaid)
	}
	// Encoders see no exported field; without a method they would print {}.
	m := money("1.5", "HKD")
	if b, err := json.Marshal(m); err != nil || string(b) != `"1.50 HKD"` {
		t.Errorf("JSON: %s, %v", b, err)
	}
	if s := fmt.Sprintf("%#v", m); s != "sdk.Money{1.50 HKD}" {
		t.Error(s)
	}
}

// Whatever our table has must be as in CLDR's copy of ISO 4217, and the other
// way round; each exception is explained.
func TestCurrenciesAgreeWithCLDR(t *testing.T) {
	onlyTheirs := map[string]string{
		"BOV": "unit of account", "CHE": "unit of account", "CHW": "unit of account", "CLF": "unit of account", "COU": "unit of account",
		"MXV": "unit of account", "USN": "next-day funds", "UYI": "unit of account", "UYW": "unit of account", "XAD": "unit of account", "XSU": "unit of account",
	}
	theirs := currency.GetCurrencyCodes()
	for _, code := range theirs {
		ours, ok := sdk.CurrencyExponent(code)
		if !ok {
			if onlyTheirs[code] == "" {
				t.Errorf("%s is missing", code)
			}
			continue
		}
		if onlyTheirs[code] != "" {
			t.Errorf("%s is here, although it is said to be a %s", code, onlyTheirs[code])
		}
		if digits, _ := currency.GetDigits(code); int(digits) != ours {
			t.Errorf("%s has %d decimals here, %d there", code, ours, digits)
		}
	}
	// Every code of three letters, to find those that only we have.
	for i := range 26 * 26 * 26 {
		code := string([]byte{'A' + byte(i/676), 'A' + byte(i/26%26), 'A' + byte(i%26)})
		if _, ok := sdk.CurrencyExponent(code); ok && !currency.IsValid(code) {
			t.Errorf("%s is here only", code)
		}
	}
}

// The grammar that the design fixes, kept here apart from the code's.
var amountGrammar = regexp.MustCompile(`\A(0|[1-9][0-9]{0,11})(\.[0-9]+)?\z`)

func FuzzParseMoney(f *testing.F) {
	for _, amount := range []string{"1", "100.00", "0.00", "1e3", "01", "5.", "\uff11", "1\n", "999999999999.999", "1000000000000", "1.005"} {
		f.Add(amount, "HKD")
		f.Add(amount, "JPY")
		f.Add(amount, "BHD")
	}
	f.Fuzz(func(t *testing.T, amount, code string) {
		m, err := sdk.ParseMoney(amount, code)
		exponent, known := sdk.CurrencyExponent(code)
		_, fraction, _ := strings.Cut(amount, ".")
		allowed := known && amountGrammar.MatchString(amount) && len(fraction) <= exponent && strings.Trim(amount, "0.") != ""
		if allowed != (err == nil) {
			t.Fatalf("%q %q: error %v, but allowed is %t", amount, code, err, allowed)
		}
		if err != nil {
			return
		}
		printed, err := sdk.ParseMoney(m.AmountString(), m.Currency())
		if err != nil || !printed.Equal(m) || printed.AmountString() != m.AmountString() {
			t.Fatalf("%q printed as %q: %v", amount, m.AmountString(), err)
		}
		if d, err := decimal.NewFromString(amount); err != nil || !d.Equal(m.Amount()) {
			t.Fatalf("%q is %s: %v", amount, m.Amount(), err)
		}
		if minor, err := sdk.FromMinor(m.Minor(), code); err != nil || !minor.Equal(m) {
			t.Fatalf("%q by minor units is %s: %v", amount, minor, err)
		}
	})
}

// money is ParseMoney for amounts that are known to be good.
func money(amount, currency string) sdk.Money {
	m, err := sdk.ParseMoney(amount, currency)
	if err != nil {
		panic(err)
	}
	return m
}
