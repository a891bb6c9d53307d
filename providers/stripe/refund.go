package stripe

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const refundsPath = "v1/refunds"

// reasons are the acquirer's only words, apart from fraudulent: that one puts
// the payer on a block list, which no merchant asks for in passing.
var reasons = []string{"duplicate", "requested_by_customer"}

// checkRefund checks a refund before anything is sent.
func checkRefund(req sdk.RefundRequest) error {
	if !sdk.ValidOrderID(req.MerchantRefundID) {
		return sdk.InvalidField("merchant_refund_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
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
	return checkKey(req.RequestID)
}

// buildRefund returns the form that refunds the PaymentIntent. Only a reason in
// the acquirer's words is sent; others have no place there.
func buildRefund(req sdk.RefundRequest, intent string) url.Values {
	form := url.Values{
		"payment_intent":                 {intent},
		"amount":                         {formatAmount(req.Amount)},
		"metadata[" + refundMember + "]": {req.MerchantRefundID},
		"metadata[" + orderMember + "]":  {req.MerchantOrderID},
	}
	if slices.Contains(reasons, req.Reason) {
		form.Set("reason", req.Reason)
	}
	return form
}

// refundData is the part of a Refund that matters to us. Its payment_intent is
// an id unless expansion is asked for.
type refundData struct {
	ID            acquirer.Text            `json:"id"`
	Object        acquirer.Text            `json:"object"`
	Intent        acquirer.Text            `json:"payment_intent"`
	Amount        acquirer.Text            `json:"amount"`
	Currency      acquirer.Text            `json:"currency"`
	Status        acquirer.Text            `json:"status"`
	FailureReason acquirer.Text            `json:"failure_reason"`
	Metadata      map[string]acquirer.Text `json:"metadata"`
}

// refundRule is what one of the acquirer's statuses of a refund means.
type refundRule struct {
	raw    acquirer.Text
	status sdk.RefundStatus
	note   string
}

// refundStatuses are all that the acquirer documents.
var refundStatuses = []refundRule{
	{"pending", sdk.RefundPending, "usual: refunds take minutes"},
	{"requires_action", sdk.RefundPending, ""},
	{"succeeded", sdk.RefundSucceeded, ""},
	{"failed", sdk.RefundFailed, "the money is back in your balance"},
	{"canceled", sdk.RefundFailed, "only a refund that `requires_action` can be cancelled"},
}

// readRefund reads an answer that is a Refund of the payment order.
func readRefund(resp acquirer.Response, asked op, order sdk.Order) (sdk.Refund, error) {
	var data refundData
	if _, err := decode(resp, asked, &data); err != nil {
		return sdk.Refund{}, err
	}
	if data.Object != "refund" || !objectID(string(data.ID)) {
		return sdk.Refund{}, answerError(resp, sdk.CodeAcquirerAnswerInvalid, "the answer is no Refund")
	}
	return reportRefund(data, order, requestID(resp)), nil
}

// readRefunds looks for our refund in the list of a payment's refunds.
func readRefunds(resp acquirer.Response, want sdk.RefundQuery) (sdk.Refund, error) {
	var all page[refundData]
	if _, err := decode(resp, opList, &all); err != nil {
		return sdk.Refund{}, err
	}
	if all.Object != "list" || all.Data == nil || all.HasMore == nil {
		return sdk.Refund{}, answerError(resp, sdk.CodeAcquirerAnswerInvalid, "the answer is no list")
	}
	var ours []refundData
	for _, r := range *all.Data {
		if string(r.Metadata[refundMember]) == want.MerchantRefundID {
			ours = append(ours, r)
		}
	}
	switch {
	case len(ours) > 1:
		return sdk.Refund{}, answerError(resp, sdk.CodeMismatch, "more than one Refund carries this merchant_refund_id: look at them by hand")
	case len(ours) == 1:
		return reportRefund(ours[0], want.Order, requestID(resp)), nil
	case *all.HasMore:
		return sdk.Refund{}, answerError(resp, sdk.CodeAcquirerError, "the payment has more refunds than one answer holds, and this one is not among the newest")
	}
	return sdk.Refund{}, verdictError(resp, notFound, "")
}

// reportRefund reports a Refund in the acquirer's own words. That it is of our
// payment the host can't see, so it is looked at here.
func reportRefund(data refundData, order sdk.Order, request string) sdk.Refund {
	refund := sdk.Refund{
		MerchantRefundID: string(data.Metadata[refundMember]),
		AcquirerRefundID: string(data.ID),
		RawStatus:        acquirer.Clip(string(data.Status)),
		RequestID:        request,
	}
	money, err := parseAmount(data.Amount, data.Currency)
	if err != nil {
		refund.StatusReason = fmt.Sprintf("amount %q with currency %q can't be read", acquirer.Clip(string(data.Amount)), acquirer.Clip(string(data.Currency)))
		return refund
	}
	refund.Amount = money
	if refund.StatusReason = otherPayment(data, order); refund.StatusReason != "" {
		return refund
	}
	for _, rule := range refundStatuses {
		if rule.raw == data.Status {
			refund.Status = rule.status
			refund.StatusReason = identifier(string(data.FailureReason))
			return refund
		}
	}
	refund.StatusReason = fmt.Sprintf("the acquirer's status %q is not documented", refund.RawStatus)
	return refund
}

func otherPayment(data refundData, order sdk.Order) string {
	if got := string(data.Intent); got != "" && order.AcquirerOrderID != "" && got != order.AcquirerOrderID {
		return "mismatch: " + sdk.Difference{Field: "provider_order_id", Want: order.AcquirerOrderID, Got: acquirer.Clip(got)}.String()
	}
	if got := string(data.Metadata[orderMember]); got != "" && order.MerchantOrderID != "" && got != order.MerchantOrderID {
		return "mismatch: " + sdk.Difference{Field: "merchant_order_id", Want: order.MerchantOrderID, Got: acquirer.Clip(got)}.String()
	}
	return ""
}
