package antom

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

type refundBody struct {
	RefundRequestID string `json:"refundRequestId"`
	PaymentID       string `json:"paymentId"`
	RefundAmount    amount `json:"refundAmount"`
}

// buildRefund checks the request and returns its body. It has no place for a
// reason.
func (c config) buildRefund(req sdk.RefundRequest) ([]byte, error) {
	if err := checkRefund(req); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(refundBody{req.MerchantRefundID, req.AcquirerOrderID, formatAmount(req.Amount)})
	if err != nil {
		return nil, sdk.InvalidField("provider_order_id", "must be valid UTF-8")
	}
	return raw, nil
}

func checkRefund(req sdk.RefundRequest) error {
	over, same := req.Amount.Cmp(req.Money)
	switch {
	case !sdk.ValidOrderID(req.MerchantRefundID):
		return sdk.InvalidField("merchant_refund_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	case req.AcquirerOrderID == "":
		return sdk.InvalidField("provider_order_id", "must be known: the acquirer takes no other id for a refund")
	case req.Amount.IsZero() || !same:
		return sdk.InvalidField("currency", "must be that of the payment")
	case !req.Amount.Amount().IsPositive():
		return sdk.InvalidField("amount", "must be greater than zero")
	case over > 0:
		return sdk.InvalidField("amount", "must be at most %s", req.Money)
	}
	return nil
}

type refundKey struct {
	RefundRequestID string `json:"refundRequestId"`
}

// buildQueryRefund asks by our own id, which is always known.
func buildQueryRefund(req sdk.RefundQuery) ([]byte, error) {
	if !sdk.ValidOrderID(req.MerchantRefundID) {
		return nil, sdk.InvalidField("merchant_refund_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	raw, err := json.Marshal(refundKey{req.MerchantRefundID})
	if err != nil {
		return nil, sdk.InvalidField("merchant_refund_id", "must be valid UTF-8")
	}
	return raw, nil
}

// refundData is what refund and inquiryRefund answer, each a part of it.
type refundData struct {
	RefundRequestID acquirer.Text `json:"refundRequestId"`
	RefundID        acquirer.Text `json:"refundId"`
	RefundAmount    *amount       `json:"refundAmount"`
	RefundTime      acquirer.Text `json:"refundTime"`
	RefundStatus    acquirer.Text `json:"refundStatus"`
}

// readRefund reads the answer to a refund. Whether its S means that the money
// went back or that the request was taken is not documented: inquiryRefund tells.
func (c config) readRefund(resp acquirer.Response) (sdk.Refund, error) {
	var data refundData
	result, err := c.readAnswer(resp, callRefund, &data)
	if err != nil {
		return sdk.Refund{}, err
	}
	return data.refund(sdk.RefundPending, acquirer.Clip(string(result.Status+" "+result.Code))), nil
}

// readQueryRefund reads the answer to a query of a refund.
func (c config) readQueryRefund(resp acquirer.Response) (sdk.Refund, error) {
	var data refundData
	if _, err := c.readAnswer(resp, callQueryRefund, &data); err != nil {
		return sdk.Refund{}, err
	}
	status := refundStatus(data.RefundStatus)
	refund := data.refund(status, acquirer.Clip(string(data.RefundStatus)))
	if status == sdk.RefundUnknown && refund.StatusReason == "" {
		refund.StatusReason = undocumented(data.RefundStatus)
	}
	return refund, nil
}

// refund reports the acquirer's own words.
func (d refundData) refund(status sdk.RefundStatus, raw string) sdk.Refund {
	refund := sdk.Refund{
		MerchantRefundID: string(d.RefundRequestID),
		AcquirerRefundID: string(d.RefundID),
		Status:           status,
		RawStatus:        raw,
		RefundedAt:       readTime(d.RefundTime),
	}
	money, err := d.RefundAmount.money()
	if err != nil {
		refund.Status, refund.StatusReason, refund.RefundedAt = sdk.RefundUnknown, d.RefundAmount.unreadable(), time.Time{}
		return refund
	}
	refund.Amount = money
	return refund
}
