package alipayhk

import (
	"cmp"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	refundPath      = "mch-api/v1/pa/refunds/create"
	queryRefundPath = "mch-api/v1/pa/refunds/query"

	longestReason = 128
)

type refundBody struct {
	PaymentOrderID         string `json:"payment_order_id,omitzero"`
	MerchantPaymentOrderID string `json:"merchant_payment_order_id,omitzero"`
	MerchantRefundID       string `json:"merchant_refund_id"`
	Amount                 string `json:"amount"`
	Reason                 string `json:"reason,omitzero"`
}

// buildRefund checks the request and returns its body. Like a query it names
// the payment by one id only.
func (c config) buildRefund(req sdk.RefundRequest) ([]byte, error) {
	if err := checkRefund(req); err != nil {
		return nil, err
	}
	body := refundBody{
		PaymentOrderID:   req.AcquirerOrderID,
		MerchantRefundID: req.MerchantRefundID,
		Amount:           formatAmount(c.AmountUnit, req.Amount),
		Reason:           shorten(req.Reason),
	}
	if body.PaymentOrderID == "" {
		body.MerchantPaymentOrderID = req.MerchantOrderID
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, sdk.InvalidField("reason", "must be valid UTF-8")
	}
	return raw, nil
}

func checkRefund(req sdk.RefundRequest) error {
	if !sdk.ValidOrderID(req.MerchantRefundID) {
		return sdk.InvalidField("merchant_refund_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	if req.AcquirerOrderID == "" && !sdk.ValidOrderID(req.MerchantOrderID) {
		return sdk.InvalidField("merchant_order_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	// The request has no currency: the acquirer takes that of the payment.
	if req.Amount.Currency() != currency {
		return sdk.InvalidField("currency", "must be %s", currency)
	}
	switch over, same := req.Amount.Cmp(req.Money); {
	case !req.Amount.Amount().IsPositive():
		return sdk.InvalidField("amount", "must be greater than zero")
	case !same:
		return sdk.InvalidField("currency", "must be that of the payment")
	case over > 0:
		return sdk.InvalidField("amount", "must be at most %s", req.Money)
	}
	return nil
}

// shorten cuts a reason to what the acquirer takes. Whether its limit counts
// bytes or characters is not documented; bytes are never too many.
func shorten(reason string) string {
	if len(reason) <= longestReason {
		return reason
	}
	end := longestReason
	for end > 0 && !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end]
}

type queryRefundBody struct {
	MerchantRefundID string `json:"merchant_refund_id"`
}

// buildQueryRefund asks by our own id, which is always known.
func (c config) buildQueryRefund(req sdk.RefundQuery) ([]byte, error) {
	if !sdk.ValidOrderID(req.MerchantRefundID) {
		return nil, sdk.InvalidField("merchant_refund_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	raw, err := json.Marshal(queryRefundBody{req.MerchantRefundID})
	if err != nil {
		return nil, sdk.InvalidField("merchant_refund_id", "must be valid UTF-8")
	}
	return raw, nil
}

// refundData is what refunds/create answers; refunds/query is taken to answer
// the same. refund_id is in no sample of it, but the query accepts one; amount
// and currency are in none either, and are compared if they come.
type refundData struct {
	PaymentOrderID         acquirer.Text `json:"payment_order_id"`
	MerchantPaymentOrderID acquirer.Text `json:"merchant_payment_order_id"`
	RefundID               acquirer.Text `json:"refund_id"`
	MerchantRefundID       acquirer.Text `json:"merchant_refund_id"`
	Amount                 acquirer.Text `json:"amount"`
	Currency               acquirer.Text `json:"currency"`
	RefundTime             acquirer.Text `json:"refund_time"`
	Status                 acquirer.Text `json:"status"`
}

// readRefund reads the answer about the refund want.
func (c config) readRefund(resp acquirer.Response, from call, want sdk.RefundQuery) (sdk.Refund, error) {
	var data refundData
	rid, err := c.readEnvelope(resp, from, &data)
	if err != nil {
		return sdk.Refund{}, err
	}
	refund := sdk.Refund{
		MerchantRefundID: string(data.MerchantRefundID),
		AcquirerRefundID: string(data.RefundID),
		RawStatus:        acquirer.Clip(string(data.Status)),
		RequestID:        rid,
	}
	refund.Amount, err = c.readRefundAmount(data)
	if err != nil {
		refund.StatusReason = unreadableAmount(data.Amount, data.Currency)
		return refund, nil
	}
	refund.Status, refund.StatusReason = readRefundStatus(data.Status)
	if refund.Status == sdk.RefundSucceeded {
		refund.RefundedAt = readTime(data.RefundTime)
	}
	differences := append(refund.Differences(want), otherPayment(data, want.Order)...)
	if len(differences) > 0 {
		refund.Status, refund.StatusReason = sdk.RefundUnknown, mismatch(differences)
	}
	return refund, nil
}

// readRefundAmount reads the amount if the answer has one. It may lack the
// currency, as the request does.
func (c config) readRefundAmount(data refundData) (sdk.Money, error) {
	if data.Amount == "" && data.Currency == "" {
		return sdk.Money{}, nil
	}
	return parseAmount(c.AmountUnit, string(data.Amount), cmp.Or(string(data.Currency), currency))
}

// readRefundStatus maps the status. Only SUCCEEDED is documented. A word that
// sounds like failure is no proof: money called unreturned by mistake is
// returned twice.
func readRefundStatus(status acquirer.Text) (sdk.RefundStatus, string) {
	switch status {
	case "SUCCEEDED":
		return sdk.RefundSucceeded, ""
	case "PENDING":
		return sdk.RefundPending, ""
	case "":
		return sdk.RefundUnknown, "the acquirer names no status"
	case "FAILED":
		return sdk.RefundUnknown, "the acquirer says FAILED, which it doesn't document: ask it before you repeat the refund"
	default:
		return sdk.RefundUnknown, fmt.Sprintf("the acquirer's status %q is not documented", acquirer.Clip(string(status)))
	}
}

// otherPayment compares the payment that the answer names, if it names one.
func otherPayment(data refundData, want sdk.Order) []sdk.Difference {
	var all []sdk.Difference
	add := func(field, want, got string) {
		if got != "" && want != "" && got != want {
			all = append(all, sdk.Difference{Field: field, Want: want, Got: got})
		}
	}
	add("provider_order_id", want.AcquirerOrderID, string(data.PaymentOrderID))
	add("merchant_order_id", want.MerchantOrderID, string(data.MerchantPaymentOrderID))
	return all
}
