package airwallex

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk/acquirer"
)

func TestAmounts(t *testing.T) {
	for raw, want := range map[string]string{
		"16.66": "16.66", "1": "1.00", "1.0": "1.00", "1.000": "1.00", "1E+2": "100.00", "1e2": "100.00", "0.01": "0.01",
		"999999999999.99": "999999999999.99", "0.1e1": "1.00", "1.050": "1.05",
	} {
		got, err := parseAmount(jsontext.Value(raw), "HKD")
		if err != nil || got.AmountString() != want {
			t.Errorf("%s: got %v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{`"1"`, "1.005", "0", "-1", "1e-3", "1e400", "1e999999999", "1e-999999999", "0e999999999", "null", "", "true", "{}", "[1]", "1000000000000", "0." + strings.Repeat("0", 40) + "1", "1." + strings.Repeat("0", 40)} {
		if got, err := parseAmount(jsontext.Value(raw), "HKD"); err == nil {
			t.Errorf("%s: got %v", raw, got)
		}
	}
	if got, err := parseAmount(nil, ""); err != nil || !got.IsZero() {
		t.Errorf("nothing: got %v, %v", got, err)
	}
	for _, currency := range []acquirer.Text{"", "hkd", "XXX", "HKDHKD"} {
		if got, err := parseAmount(jsontext.Value("1"), currency); err == nil {
			t.Errorf("%q: got %v", currency, got)
		}
	}
	if got := formatAmount(money(t, "0.1", "HKD")); string(got) != "0.10" || !got.IsValid() {
		t.Errorf("wrote %s", got)
	}
}
