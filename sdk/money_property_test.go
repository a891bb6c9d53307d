package sdk_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/paymux/paymux/sdk"
)

// decimalsOf has a currency for each number of decimals that is in use.
var decimalsOf = map[string]int{"JPY": 0, "HKD": 2, "KWD": 3}

func genCurrency(t *rapid.T) (code string, decimals int) {
	code = rapid.SampledFrom([]string{"JPY", "HKD", "KWD"}).Draw(t, "currency")
	return code, decimalsOf[code]
}

// moneyGrammar is the rule in the words of the design.
var moneyGrammar = regexp.MustCompile(`^(0|[1-9][0-9]{0,11})(\.[0-9]+)?$`)

// What is taken is what the grammar says, is greater than zero, and has no more
// decimals than the currency.
func TestParseMoneyIsTheGrammar(t *testing.T) {
	near := rapid.StringMatching(`[-+ ]?[0-9]{0,14}([.,][0-9]{0,5})?(e[0-9])?`)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(near, near, rapid.String(), rapid.StringMatching(`[0-9.]{1,16}`)).Draw(t, "text")
		code, decimals := genCurrency(t)
		_, fraction, _ := strings.Cut(text, ".")
		want := moneyGrammar.MatchString(text) && strings.Trim(text, "0.") != "" && len(fraction) <= decimals
		if m, err := sdk.ParseMoney(text, code); (err == nil) != want {
			t.Fatalf("ParseMoney(%q, %s) is %s, %v; the grammar says %t", text, code, m, err, want)
		}
	})
}

// What is printed is padded, is read again as the same, and equals what it was
// read from however that was padded.
func TestMoneyPrintsAndParses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code, decimals := genCurrency(t)
		text := rapid.StringMatching(`(0|[1-9][0-9]{0,11})`).Draw(t, "whole")
		if n := rapid.IntRange(0, decimals).Draw(t, "decimals"); n > 0 {
			text += "." + rapid.StringMatching(`[0-9]{3}`).Draw(t, "fraction")[:n]
		}
		m, err := sdk.ParseMoney(text, code)
		if strings.Trim(text, "0.") == "" {
			if err == nil {
				t.Fatalf("%q is an amount", text)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		printed := m.AmountString()
		if _, fraction, _ := strings.Cut(printed, "."); len(fraction) != decimals || !strings.HasPrefix(printed, text) {
			t.Fatalf("%q prints as %q", text, printed)
		}
		again, err := sdk.ParseMoney(printed, code)
		if err != nil || !again.Equal(m) || again.Minor() != m.Minor() || again.String() != m.String() {
			t.Fatalf("%q is %s, and %s when read again, %v", text, m, again, err)
		}
	})
}

// Amounts compare as whole numbers of the smallest part do, in one currency only.
func TestMoneyOrder(t *testing.T) {
	units := rapid.Int64Range(1, 999_999_999_999)
	rapid.Check(t, func(t *rapid.T) {
		code, _ := genCurrency(t)
		a, b := units.Draw(t, "a"), rapid.OneOf(units, rapid.Just(int64(1))).Draw(t, "b")
		if rapid.Bool().Draw(t, "same") {
			b = a
		}
		x, errX := sdk.FromMinor(a, code)
		y, errY := sdk.FromMinor(b, code)
		if errX != nil || errY != nil {
			t.Fatal(errX, errY)
		}
		cmp, ok := x.Cmp(y)
		back, _ := y.Cmp(x)
		if !ok || cmp != -back || (cmp < 0) != (a < b) || (cmp == 0) != (a == b) || x.Equal(y) != (a == b) {
			t.Fatalf("%d and %d of %s compare as %d and %d, %t", a, b, code, cmp, back, ok)
		}
		other, err := sdk.ParseMoney("1", map[string]string{"JPY": "KRW", "HKD": "CNY", "KWD": "BHD"}[code])
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := x.Cmp(other); ok || x.Equal(other) {
			t.Fatalf("%s and %s compare", x, other)
		}
	})
}
