package alipayhk

import (
	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const createPath = "mch-api/v1/pa/payment_intents/create"

// createBody is the request that creates and confirms a payment in one.
type createBody struct {
	Amount          string         `json:"amount"`
	Currency        string         `json:"currency"`
	MerchantOrderID string         `json:"merchant_order_id"`
	PaymentMethod   map[string]any `json:"payment_method"` // type, and one member named options_key
	Description     string         `json:"description"`
	NotifyURL       string         `json:"notify_url,omitzero"`
	ReturnURL       string         `json:"return_url,omitzero"`
}

type walletOptions struct {
	Flow          string `json:"flow"`
	PaymentMethod string `json:"payment_method"`
}

// buildCreate checks the request and returns its body.
func (c config) buildCreate(req sdk.CreateRequest) ([]byte, error) {
	if _, err := capabilities().Supports(req.Method, req.Flow, req.Money); err != nil {
		return nil, err
	}
	if !req.Money.Amount().IsPositive() {
		return nil, sdk.InvalidField("amount", "must be greater than zero")
	}
	if !sdk.ValidOrderID(req.MerchantOrderID) {
		return nil, sdk.InvalidField("merchant_order_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	if req.Description == "" {
		return nil, sdk.InvalidField("description", "must not be empty: the acquirer requires it")
	}
	body, err := json.Marshal(createBody{
		Amount:          formatAmount(c.AmountUnit, req.Money),
		Currency:        req.Money.Currency(),
		MerchantOrderID: req.MerchantOrderID,
		PaymentMethod: map[string]any{
			"type":       "alipayhk",
			c.OptionsKey: walletOptions{Flow: flows[req.Flow], PaymentMethod: wallets[req.Method]},
		},
		Description: req.Description,
		NotifyURL:   req.NotifyURL,
		ReturnURL:   req.ReturnURL,
	}, json.Deterministic(true))
	if err != nil { // the only thing that can't be written
		return nil, sdk.InvalidField("description", "must be valid UTF-8, and so must the URLs")
	}
	return body, nil
}

// readCreate reads the answer to a create request for the order want.
func (c config) readCreate(resp acquirer.Response, want sdk.Order) (sdk.Payment, error) {
	var data paymentData
	rid, err := c.readEnvelope(resp, callCreate, &data)
	if err != nil {
		return sdk.Payment{}, err
	}
	want.AcquirerOrderID = "" // this answer is what names it
	payment := c.readPayment(data, want)
	payment.RequestID = rid
	if payment.Status != sdk.StatusPending {
		return payment, nil
	}
	action, reason := readNextAction(data.NextAction)
	if reason != "" {
		payment.StatusReason = reason
		return payment, nil
	}
	payment.NextActions = []sdk.NextAction{action}
	return payment, nil
}
