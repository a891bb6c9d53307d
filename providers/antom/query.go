package antom

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// paymentKey names a payment, for inquiryPayment and cancel.
type paymentKey struct {
	PaymentID        string `json:"paymentId,omitzero"`
	PaymentRequestID string `json:"paymentRequestId,omitzero"`
}

// buildQuery asks by one id only, so that the answer's other one proves
// something: the acquirer's own if it is known.
func buildQuery(order sdk.Order) ([]byte, error) {
	key := paymentKey{PaymentID: order.AcquirerOrderID}
	if key.PaymentID == "" {
		if !sdk.ValidOrderID(order.MerchantOrderID) {
			return nil, sdk.InvalidField("merchant_order_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
		}
		key.PaymentRequestID = order.MerchantOrderID
	}
	raw, err := json.Marshal(key)
	if err != nil {
		return nil, sdk.InvalidField("provider_order_id", "must be valid UTF-8")
	}
	return raw, nil
}

// readQuery reads the answer to a query.
func (c config) readQuery(resp acquirer.Response) (sdk.Payment, error) {
	var data paymentData
	if _, err := c.readAnswer(resp, callQuery, &data); err != nil {
		return sdk.Payment{}, err
	}
	status := paymentStatus(data.PaymentStatus)
	payment := data.payment(status, acquirer.Clip(string(data.PaymentStatus)))
	if status == sdk.StatusUnknown && payment.StatusReason == "" {
		payment.StatusReason = undocumented(data.PaymentStatus)
	}
	return payment, nil
}

// undocumented is the reason of a status that isn't in the tables.
func undocumented(status acquirer.Text) string {
	if status == "" {
		return "the acquirer names no status"
	}
	return fmt.Sprintf("the acquirer's status %q is not documented", acquirer.Clip(string(status)))
}
