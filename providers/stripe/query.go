package stripe

import (
	"net/url"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const searchPath = intentsPath + "/search"

// buildSearch asks for the PaymentIntents that carry our order id, which holds
// no character that would have to be escaped.
func buildSearch(order sdk.Order) (url.Values, error) {
	if !sdk.ValidOrderID(order.MerchantOrderID) {
		return nil, sdk.InvalidField("merchant_order_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	return url.Values{"query": {"metadata['" + orderMember + "']:'" + order.MerchantOrderID + "'"}, "limit": {"10"}}, nil
}

// page is a part of a list. What must not be missing is a pointer.
type page[T any] struct {
	Object  acquirer.Text `json:"object"`
	Data    *[]T          `json:"data"`
	HasMore *bool         `json:"has_more"`
}

// readSearch returns the id of the one PaymentIntent that carries our order id.
// Nothing else in the answer is used: the index can be an hour behind. How it
// compares (by case?) is not published, so the id is compared here.
func readSearch(resp acquirer.Response, order sdk.Order) (string, error) {
	var found page[intentData]
	if _, err := decode(resp, opList, &found); err != nil {
		return "", err
	}
	if found.Object != "search_result" || found.Data == nil || found.HasMore == nil {
		return "", answerError(resp, sdk.CodeAcquirerAnswerInvalid, "the answer is no result of a search")
	}
	var ids []string
	for _, intent := range *found.Data {
		if string(intent.Metadata[orderMember]) == order.MerchantOrderID {
			ids = append(ids, string(intent.ID))
		}
	}
	switch {
	case len(ids) > 1 || *found.HasMore:
		return "", answerError(resp, sdk.CodeMismatch, "more than one PaymentIntent carries this merchant_order_id: look at them by hand")
	case len(ids) == 0:
		return "", verdictError(resp, notFound, "")
	case !objectID(ids[0]):
		return "", answerError(resp, sdk.CodeAcquirerAnswerInvalid, "the PaymentIntent that was found has no usable id")
	}
	return ids[0], nil
}

// readIntent reads an answer that is a PaymentIntent. An error with one in it,
// which a failed attempt at create can be, speaks of our payment as well.
func (c config) readIntent(resp acquirer.Response, asked op) (sdk.Payment, error) {
	var data intentData
	inside, err := decode(resp, asked, &data)
	switch {
	case err != nil && (asked != opCreate || inside == nil):
		return sdk.Payment{}, err
	case err != nil:
		data = *inside
	}
	if data.Object != "payment_intent" || !objectID(string(data.ID)) {
		if err != nil {
			err.Code, err.Outcome = sdk.CodeAcquirerError, sdk.OutcomeUnknown // something is there
			return sdk.Payment{}, err
		}
		return sdk.Payment{}, answerError(resp, sdk.CodeAcquirerAnswerInvalid, "the answer is no PaymentIntent")
	}
	payment := c.readPayment(data)
	payment.RequestID = requestID(resp)
	return payment, nil
}

// objectID reports whether s can be an object's id and a segment of a path.
func objectID(s string) bool {
	for _, c := range []byte(s) {
		if c == '.' || c == '-' {
			return false
		}
	}
	return s != "" && identifier(s) == s
}
