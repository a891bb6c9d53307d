package antom

import (
	"fmt"
	"strconv"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// amount is money in the acquirer's form: a whole number of the currency's
// smallest part, as a string.
type amount struct {
	Currency acquirer.Text `json:"currency"`
	Value    acquirer.Text `json:"value"`
}

func formatAmount(m sdk.Money) amount {
	return amount{acquirer.Text(m.Currency()), acquirer.Text(strconv.FormatInt(m.Minor(), 10))}
}

// money reads an amount. Nothing said is the zero Money; half of it said is an
// error.
func (a *amount) money() (sdk.Money, error) {
	if a == nil || *a == (amount{}) {
		return sdk.Money{}, nil
	}
	return sdk.ParseMinor(string(a.Value), string(a.Currency))
}

// unreadable is the reason not to believe an answer.
func (a *amount) unreadable() string {
	return fmt.Sprintf("amount %q with currency %q can't be read", acquirer.Clip(string(a.Value)), acquirer.Clip(string(a.Currency)))
}
