package stripe

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	intentsPath = "v1/payment_intents"

	// The members of metadata by which our ids come back to us.
	orderMember  = "merchant_order_id"
	refundMember = "merchant_refund_id"

	longestKey = 255
)

// buildCreate checks the request and returns the form that creates and confirms
// a payment in one. The form is the same to the byte for the same request, or
// the acquirer would take a repetition for a misuse of the Idempotency-Key.
func (c config) buildCreate(req sdk.CreateRequest) (url.Values, error) {
	if _, err := capabilities().Supports(req.Method, req.Flow, req.Money); err != nil {
		return nil, err
	}
	if !slices.Contains(c.Currencies, req.Money.Currency()) {
		e := sdk.InvalidField("currency", "%s is not in this account's currencies", req.Money.Currency())
		e.Code = sdk.CodeUnsupported
		return nil, e
	}
	if !req.Money.Amount().IsPositive() {
		return nil, sdk.InvalidField("amount", "must be greater than zero")
	}
	if !sdk.ValidOrderID(req.MerchantOrderID) {
		return nil, sdk.InvalidField("merchant_order_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	if !utf8.ValidString(req.Description) || req.Description == "" {
		return nil, sdk.InvalidField("description", "must be text in UTF-8")
	}
	returnURL := req.ReturnURL
	if returnURL == "" {
		returnURL = c.ReturnURL
	}
	if !acquirer.WebLink(returnURL) {
		return nil, sdk.InvalidField("return_url", "must be an absolute URL: the acquirer sends every payer back")
	}
	return url.Values{
		"amount":                        {formatAmount(req.Money)},
		"currency":                      {formatCurrency(req.Money)},
		"payment_method_types[]":        {"alipay"},
		"payment_method_data[type]":     {"alipay"},
		"confirm":                       {"true"},
		"return_url":                    {returnURL},
		"description":                   {req.Description},
		"metadata[" + orderMember + "]": {req.MerchantOrderID},
	}, nil
}

// checkKey checks what is sent as Idempotency-Key. Without one a repetition
// would be a second order, so nothing is sent.
func checkKey(id string) error {
	if id == "" || len(id) > longestKey || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return sdk.InvalidField("request_id", "must be 1 to %d visible ASCII characters", longestKey)
	}
	return nil
}

// formatAmount writes an amount in the smallest part of its currency: HKD 1.50
// is 150, JPY 150 is 150.
func formatAmount(m sdk.Money) string { return strconv.FormatInt(m.Minor(), 10) }

func formatCurrency(m sdk.Money) string { return strings.ToLower(m.Currency()) }
