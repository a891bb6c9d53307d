package airwallex

import (
	"fmt"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const longestReason = 128

// refundBody names our refund in its metadata, which the acquirer keeps with
// the refund: it has no member for a merchant's refund id.
type refundBody struct {
	RequestID       string         `json:"request_id"`
	PaymentIntentID string         `json:"payment_intent_id"`
	Amount          jsontext.Value `json:"amount"`
	Reason          string         `json:"reason,omitzero"`
	Metadata        refundMetadata `json:"metadata"`
}

type refundMetadata struct {
	MerchantRefundID acquirer.Text `json:"merchant_refund_id"`
}

// buildRefund checks the request and returns its body.
func (c config) buildRefund(req sdk.RefundRequest) ([]byte, error) {
	if err := checkRefund(req); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(refundBody{
		RequestID:       fit(req.RequestID),
		PaymentIntentID: req.AcquirerOrderID,
		Amount:          formatAmount(req.Amount),
		Reason:          shorten(req.Reason, longestReason), // bytes are never fewer than characters
		Metadata:        refundMetadata{acquirer.Text(req.MerchantRefundID)},
	})
	if err != nil {
		return nil, sdk.InvalidField("reason", "must be valid UTF-8")
	}
	return raw, nil
}

func checkRefund(req sdk.RefundRequest) error {
	if !sdk.ValidOrderID(req.MerchantRefundID) {
		return sdk.InvalidField("merchant_refund_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	if err := checkRequestID(req.RequestID); err != nil {
		return err
	}
	if err := checkKnown(req.Order); err != nil {
		return err
	}
	// The request has no currency: the acquirer takes that of the payment.
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

// checkKnown wants the acquirer's id: no request but the search takes ours.
func checkKnown(order sdk.Order) error {
	switch {
	case order.AcquirerOrderID == "":
		return sdk.NotSent(sdk.CodeInvalidState, "the acquirer's id of the payment isn't known yet: a query will tell it")
	case !acquirerID(order.AcquirerOrderID):
		return invalidOrderID("provider_order_id")
	}
	return nil
}

// refundTarget asks for one refund, or, if its id got lost with the answer, for
// all refunds of the payment.
func (c config) refundTarget(req sdk.RefundQuery) (target string, list bool, err error) {
	if !sdk.ValidOrderID(req.MerchantRefundID) {
		return "", false, sdk.InvalidField("merchant_refund_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	if req.AcquirerRefundID != "" {
		if !acquirerID(req.AcquirerRefundID) {
			return "", false, invalidOrderID("provider_refund_id")
		}
		return c.endpoint("pa", "refunds", req.AcquirerRefundID).String(), false, nil
	}
	if err := checkKnown(req.Order); err != nil {
		return "", false, err
	}
	u := c.endpoint("pa", "refunds")
	u.RawQuery = url.Values{"payment_intent_id": {req.AcquirerOrderID}}.Encode()
	return u.String(), true, nil
}

// refund is what the acquirer says of one.
type refund struct {
	ID              acquirer.Text  `json:"id"`
	PaymentIntentID acquirer.Text  `json:"payment_intent_id"`
	Amount          jsontext.Value `json:"amount"`
	Currency        acquirer.Text  `json:"currency"`
	Status          acquirer.Text  `json:"status"`
	Metadata        jsontext.Value `json:"metadata"`
}

// merchantID returns our id of the refund, if the answer has it.
func (r refund) merchantID() string {
	var data refundMetadata
	if r.Metadata.Kind() != '{' || acquirer.DecodeJSON(r.Metadata, &data) != nil {
		return ""
	}
	return string(data.MerchantRefundID)
}

// readRefund reads an answer that is one refund.
func (c config) readRefund(resp acquirer.Response, asked call, want sdk.RefundQuery) (sdk.Refund, error) {
	var data refund
	if err := c.decode(resp, asked, &data); err != nil {
		return sdk.Refund{}, err
	}
	return data.answer(want)
}

// answer reports the acquirer's own words. The payment of a refund has no place
// in them, so another payment's refund is told from ours here.
func (r refund) answer(want sdk.RefundQuery) (sdk.Refund, error) {
	if r.ID == "" && r.Status == "" {
		return sdk.Refund{}, invalid("the answer is no refund: it has neither id nor status")
	}
	out := sdk.Refund{
		MerchantRefundID: r.merchantID(),
		AcquirerRefundID: string(r.ID),
		Status:           refundStatusOf(string(r.Status)),
		RawStatus:        acquirer.Clip(string(r.Status)),
	}
	money, err := parseAmount(r.Amount, r.Currency)
	switch {
	case err != nil:
		out.Status, out.StatusReason = sdk.RefundUnknown, err.Error()
	case string(r.PaymentIntentID) != want.AcquirerOrderID && r.PaymentIntentID != "" && want.AcquirerOrderID != "":
		out.Status, out.StatusReason = sdk.RefundUnknown, "mismatch: the refund is of another payment intent"
	case out.RawStatus == "":
		out.StatusReason = "the acquirer names no status"
	case out.Status == sdk.RefundUnknown:
		out.StatusReason = fmt.Sprintf("the acquirer's status %q is not documented", out.RawStatus)
	}
	out.Amount = money
	return out, nil
}

type refundList struct {
	Items   []refund `json:"items"`
	HasMore bool     `json:"has_more"`
}

// readRefundList looks for our refund among those of the payment. That it isn't
// there is never taken for "there is none": a refund that is called lost by
// mistake is paid twice.
func (c config) readRefundList(resp acquirer.Response, want sdk.RefundQuery) (sdk.Refund, error) {
	var list refundList
	if err := c.decode(resp, callQueryRefund, &list); err != nil {
		return sdk.Refund{}, err
	}
	var ours []refund
	for _, r := range list.Items {
		if r.merchantID() == want.MerchantRefundID {
			ours = append(ours, r)
		}
	}
	switch {
	case len(ours) == 1:
		return ours[0].answer(want)
	case len(ours) > 1:
		return sdk.Refund{StatusReason: "the acquirer has several refunds with this merchant_refund_id; look at its site"}, nil
	case list.HasMore:
		return sdk.Refund{}, sdk.Unknown(sdk.CodeAcquirerError, "the refund isn't on the first page of the payment's refunds")
	}
	return sdk.Refund{}, sdk.Unknown(sdk.CodeAcquirerError, "the refund isn't among the payment's refunds, which is no proof that it will not come")
}
