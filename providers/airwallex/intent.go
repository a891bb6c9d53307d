package airwallex

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// intent is what create, confirm, retrieve, list and cancel answer. A member
// that decides nothing can't spoil one that does, so all of them read leniently.
type intent struct {
	ID              acquirer.Text  `json:"id"`
	MerchantOrderID acquirer.Text  `json:"merchant_order_id"`
	Amount          jsontext.Value `json:"amount"`
	Currency        acquirer.Text  `json:"currency"`
	Status          acquirer.Text  `json:"status"`
	CreatedAt       acquirer.Text  `json:"created_at"`
	NextAction      jsontext.Value `json:"next_action"`
	LatestAttempt   jsontext.Value `json:"latest_payment_attempt"`
}

// attempt is the last try to pay an intent.
type attempt struct {
	Status      acquirer.Text `json:"status"`
	FailureCode acquirer.Text `json:"failure_code"`
}

// readIntent reads an answer that is one intent.
func (c config) readIntent(resp acquirer.Response, asked call, want sdk.Order) (sdk.Payment, error) {
	var data intent
	if err := c.decode(resp, asked, &data); err != nil {
		return sdk.Payment{}, err
	}
	return data.payment(want)
}

// payment reports the acquirer's own words: the host compares them with what was
// asked. The order want only decides whether a payer may be sent on.
func (in intent) payment(want sdk.Order) (sdk.Payment, error) {
	if in.ID == "" && in.Status == "" {
		return sdk.Payment{}, invalid("the answer is no payment intent: it has neither id nor status")
	}
	p := sdk.Payment{
		Order:     sdk.Order{MerchantOrderID: string(in.MerchantOrderID), AcquirerOrderID: string(in.ID)},
		Status:    statusOf(string(in.Status)),
		RawStatus: acquirer.Clip(string(in.Status)),
		CreatedAt: readTime(in.CreatedAt),
	}
	money, err := parseAmount(in.Amount, in.Currency)
	if err != nil {
		// Left out it would look as if nothing had been said; of a paid one the host
		// sees that, and a person has to know of the money.
		if p.StatusReason = err.Error(); p.Status != sdk.StatusSucceeded {
			p.Status = sdk.StatusUnknown
		}
		return p, nil
	}
	p.Money = money
	switch {
	case p.Status == sdk.StatusUnknown && p.RawStatus == "":
		p.StatusReason = "the acquirer names no status"
	case p.Status == sdk.StatusUnknown:
		p.StatusReason = fmt.Sprintf("the acquirer's status %q is not documented", p.RawStatus)
	case p.RawStatus == "REQUIRES_PAYMENT_METHOD":
		p.StatusReason = in.unpaidReason()
	case p.RawStatus == "REQUIRES_CUSTOMER_ACTION":
		in.addAction(&p, want)
	}
	return p, nil
}

// unpaidReason says why an intent waits for a payment method.
func (in intent) unpaidReason() string {
	var last attempt
	if isNull(in.LatestAttempt) || in.LatestAttempt.Kind() != '{' || acquirer.DecodeJSON(in.LatestAttempt, &last) != nil {
		return "not confirmed: the payer was never asked"
	}
	if code := word(last.FailureCode); code != "" {
		return "the payer's last attempt failed: " + code
	}
	return "the payer's last attempt failed"
}

// addAction adds what the payer has to do, unless the answer is not about the
// order: nobody is sent to pay another amount.
func (in intent) addAction(p *sdk.Payment, want sdk.Order) {
	if p.MerchantOrderID == "" || p.Money.IsZero() || len(p.Differences(want)) > 0 {
		p.StatusReason = "the acquirer's answer differs from what was asked: the payer isn't sent on"
		return
	}
	action, reason := readNextAction(in.NextAction)
	if reason != "" {
		p.StatusReason = reason
		return
	}
	p.NextActions = []sdk.NextAction{action}
}

// intentList is the answer to a search.
type intentList struct {
	Items   []intent `json:"items"`
	HasMore *bool    `json:"has_more"`
}

// listTarget asks for the intents with the merchant's order id.
func (c config) listTarget(order sdk.Order) (string, error) {
	if !sdk.ValidOrderID(order.MerchantOrderID) {
		return "", invalidOrderID("merchant_order_id")
	}
	target := c.endpoint("pa", "payment_intents")
	target.RawQuery = url.Values{"merchant_order_id": {order.MerchantOrderID}}.Encode()
	return target.String(), nil
}

// readList reads the answer to a search by the merchant's order id. Only a
// complete and empty list means that there is no order.
func (c config) readList(resp acquirer.Response, want sdk.Order) (sdk.Payment, error) {
	var list intentList
	if err := c.decode(resp, callQuery, &list); err != nil {
		return sdk.Payment{}, err
	}
	more := list.HasMore != nil && *list.HasMore
	switch {
	case list.Items == nil:
		return sdk.Payment{}, invalid("the answer is no list of payment intents")
	case len(list.Items) == 1 && !more:
		return list.Items[0].payment(want)
	case len(list.Items) == 0 && list.HasMore != nil && !more:
		return sdk.Payment{}, sdk.Unknown(sdk.CodeOrderNotFound, "the acquirer has no payment intent with this merchant_order_id")
	case len(list.Items) == 0:
		return sdk.Payment{}, invalid("the list is empty, but doesn't say that it is complete")
	}
	// Which of them is ours can't be told, and one of them may be paid.
	return sdk.Payment{StatusReason: "the acquirer has several payment intents with this merchant_order_id; look at its site"}, nil
}

// retrieveTarget asks for one intent.
func (c config) retrieveTarget(order sdk.Order) (string, error) {
	if !acquirerID(order.AcquirerOrderID) {
		return "", invalidOrderID("provider_order_id")
	}
	return c.endpoint("pa", "payment_intents", order.AcquirerOrderID).String(), nil
}

// acquirerID reports whether id can stand in a path.
func acquirerID(id string) bool {
	return id != "" && word(acquirer.Text(id)) == id && strings.Trim(id, ".") != ""
}

func invalidOrderID(field string) error {
	if field == "merchant_order_id" {
		return sdk.InvalidField(field, "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	return sdk.InvalidField(field, "must be 1 to 64 of A-Z, a-z, 0-9, _, - and dots")
}

// readTime reads a time; the acquirer writes offsets as +0000. What can't be
// read is left out: no time ever decides about a payment.
func readTime(text acquirer.Text) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, string(text)); err == nil {
			return t
		}
	}
	return time.Time{}
}
