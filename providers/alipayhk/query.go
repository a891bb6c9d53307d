package alipayhk

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const queryPath = "mch-api/v1/pa/payment_intents/query"

type queryBody struct {
	OrderID         string `json:"order_id,omitzero"`
	MerchantOrderID string `json:"merchant_order_id,omitzero"`
}

// buildQuery asks by one id only, since which of two would win is not
// documented: the acquirer's own if it is known.
func (c config) buildQuery(order sdk.Order) ([]byte, error) {
	body := queryBody{OrderID: order.AcquirerOrderID}
	if body.OrderID == "" {
		if !sdk.ValidOrderID(order.MerchantOrderID) {
			return nil, sdk.InvalidField("merchant_order_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
		}
		body.MerchantOrderID = order.MerchantOrderID
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, sdk.InvalidField("provider_order_id", "must be valid UTF-8")
	}
	return raw, nil
}

// readQuery reads the answer to a query for the order want.
func (c config) readQuery(resp acquirer.Response, want sdk.Order) (sdk.Payment, error) {
	var data paymentData
	rid, err := c.readEnvelope(resp, callQuery, &data)
	if err != nil {
		return sdk.Payment{}, err
	}
	payment := c.readPayment(data, want)
	payment.RequestID = rid
	return payment, nil
}

// paymentData is what both create and query answer.
type paymentData struct {
	OrderID         acquirer.Text  `json:"order_id"`
	MerchantOrderID acquirer.Text  `json:"merchant_order_id"`
	Amount          acquirer.Text  `json:"amount"`
	Currency        acquirer.Text  `json:"currency"`
	Status          acquirer.Text  `json:"status"`
	CreateTime      acquirer.Text  `json:"create_time"`
	PayTime         acquirer.Text  `json:"pay_time"`
	NextAction      jsontext.Value `json:"next_action"`
}

// statuses are all that the acquirer documents.
var statuses = map[acquirer.Text]sdk.Status{
	"PENDING":   sdk.StatusPending,
	"SUCCEEDED": sdk.StatusSucceeded,
	"CANCELLED": sdk.StatusCancelled,
}

// readPayment reports the acquirer's own words. If they aren't about the order
// want, only SUCCEEDED is passed on: with such words it is never believed (see
// sdk.Payment.Differences), but a person has to know of that money.
func (c config) readPayment(data paymentData, want sdk.Order) sdk.Payment {
	payment := sdk.Payment{
		Order:     sdk.Order{MerchantOrderID: string(data.MerchantOrderID), AcquirerOrderID: string(data.OrderID)},
		Status:    statuses[data.Status],
		RawStatus: acquirer.Clip(string(data.Status)),
		CreatedAt: readTime(data.CreateTime),
	}
	if payment.Status == sdk.StatusSucceeded { // what stands there before is not documented
		payment.PaidAt = readTime(data.PayTime)
	}
	money, err := parseAmount(c.AmountUnit, string(data.Amount), string(data.Currency))
	payment.Money = money
	if err != nil {
		payment.StatusReason = unreadableAmount(data.Amount, data.Currency)
	} else {
		payment.StatusReason = doubt(payment, want)
	}
	if payment.StatusReason != "" && payment.Status != sdk.StatusSucceeded {
		payment.Status = sdk.StatusUnknown
	}
	return payment
}

// doubt returns why an answer can't be believed, or nothing.
func doubt(payment sdk.Payment, want sdk.Order) string {
	if payment.Status == sdk.StatusCancelled {
		// A final state must name our order in full, be it success or not.
		payment.Status = sdk.StatusSucceeded
	}
	if differences := payment.Differences(want); len(differences) > 0 {
		return mismatch(differences)
	}
	switch {
	case payment.RawStatus == "":
		return "the acquirer names no status"
	case payment.Status == sdk.StatusUnknown:
		return fmt.Sprintf("the acquirer's status %q is not documented", payment.RawStatus)
	case payment.AcquirerOrderID == "" && payment.MerchantOrderID == "":
		return "the acquirer's answer names no order"
	}
	return ""
}

func mismatch(differences []sdk.Difference) string {
	texts := make([]string, len(differences))
	for i, d := range differences {
		d.Got = acquirer.Clip(d.Got)
		texts[i] = d.String()
	}
	return "mismatch: " + strings.Join(texts, "; ")
}

// readTime reads a time, with or without a fraction. What can't be read is
// left out: no time ever decides about a payment.
func readTime(text acquirer.Text) time.Time {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return time.Time{}
	}
	return t
}
