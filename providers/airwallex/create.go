package airwallex

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// longestRequestID is documented for refunds only; the others are held to it.
const longestRequestID = 64

// The steps of one Create, each with a request id of its own.
const (
	stepCreate  = "create"
	stepConfirm = "confirm"
	stepClose   = "close" // of an intent whose confirm was refused
)

// requestKey derives a step's request id from the one that the host gave: the
// same for every repetition, and never the same for two steps.
func requestKey(requestID, step string) string {
	return fit(requestID + "-" + step)
}

// fit makes a request id short enough.
func fit(key string) string {
	if len(key) <= longestRequestID {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func checkRequestID(id string) error {
	if id == "" || !utf8.ValidString(id) {
		return sdk.InvalidField("request_id", "must not be empty, in UTF-8")
	}
	return nil
}

// createBody makes a payment intent, which nobody can pay until it is confirmed.
type createBody struct {
	RequestID       string         `json:"request_id"`
	Amount          jsontext.Value `json:"amount"`
	Currency        string         `json:"currency"`
	MerchantOrderID string         `json:"merchant_order_id"`
	Descriptor      string         `json:"descriptor,omitzero"`
	ReturnURL       string         `json:"return_url,omitzero"`
}

// confirmBody says how the payer pays.
type confirmBody struct {
	RequestID     string         `json:"request_id"`
	PaymentMethod map[string]any `json:"payment_method"` // type, and one member of that name
}

type walletOptions struct {
	Flow   string `json:"flow"`
	OSType string `json:"os_type,omitzero"`
}

// buildCreate checks the request and returns the bodies of both steps: what can
// be wrong with the second is found before the first is sent.
func (c config) buildCreate(req sdk.CreateRequest) (create, confirm []byte, err error) {
	if err := checkCreate(req); err != nil {
		return nil, nil, err
	}
	create, err = json.Marshal(createBody{
		RequestID:       requestKey(req.RequestID, stepCreate),
		Amount:          formatAmount(req.Money),
		Currency:        req.Money.Currency(),
		MerchantOrderID: req.MerchantOrderID,
		Descriptor:      shorten(req.Description, c.DescriptorBytes),
		ReturnURL:       req.ReturnURL,
	})
	if err != nil { // the only thing that can't be written
		return nil, nil, sdk.InvalidField("description", "must be valid UTF-8, and so must the URL")
	}
	method, options := c.method(req)
	confirm, err = json.Marshal(confirmBody{
		RequestID:     requestKey(req.RequestID, stepConfirm),
		PaymentMethod: map[string]any{"type": method, method: options},
	}, json.Deterministic(true))
	if err != nil {
		return nil, nil, sdk.InvalidField("request_id", "must be valid UTF-8")
	}
	return create, confirm, nil
}

func checkCreate(req sdk.CreateRequest) error {
	if _, err := capabilities().Supports(req.Method, req.Flow, req.Money); err != nil {
		return err
	}
	if !req.Money.Amount().IsPositive() {
		return sdk.InvalidField("amount", "must be greater than zero")
	}
	if !sdk.ValidOrderID(req.MerchantOrderID) {
		return invalidOrderID("merchant_order_id")
	}
	return checkRequestID(req.RequestID)
}

// method returns the acquirer's word for the wallet, and the flow in it.
func (c config) method(req sdk.CreateRequest) (string, walletOptions) {
	var options walletOptions
	for _, f := range flows {
		if f.flow != req.Flow {
			continue
		}
		options.Flow = f.word
		if f.flow == sdk.App {
			options.Flow = c.AppFlow
		}
		if f.osType {
			options.OSType = c.OSType
		}
	}
	for _, w := range wallets {
		if w.method == req.Method {
			return w.word, options
		}
	}
	return "", options // unreachable: Supports saw to it
}

// readCreated reads the answer to the first step. The id is returned only if
// the intent is the one that was asked for and waits for the second.
func (c config) readCreated(resp acquirer.Response, want sdk.Order) (payment sdk.Payment, id string, err error) {
	if payment, err = c.readIntent(resp, callEffect, want); err != nil {
		return sdk.Payment{}, "", err
	}
	ours := payment.MerchantOrderID == want.MerchantOrderID && payment.Money.Equal(want.Money)
	if ours && payment.RawStatus == "REQUIRES_PAYMENT_METHOD" && acquirerID(payment.AcquirerOrderID) {
		id = payment.AcquirerOrderID
	}
	return payment, id, nil
}

// readConfirmed reads the answer to the second step about the intent id. The
// host knows no id yet, so only here another intent can be told from ours.
func (c config) readConfirmed(resp acquirer.Response, want sdk.Order, id string) (sdk.Payment, error) {
	payment, err := c.readIntent(resp, callEffect, want)
	if err == nil && payment.AcquirerOrderID != id {
		payment.Status, payment.NextActions = sdk.StatusUnknown, nil
		payment.StatusReason = "mismatch: confirm answered with another payment intent than create"
		payment.AcquirerOrderID = id
	}
	return payment, err
}

// confirmFailed is an error of the second step: whatever it means by itself,
// there is an intent.
func confirmFailed(err error, id string) *sdk.Error {
	e := *sdk.AsError(err)
	e.Outcome = sdk.OutcomeUnknown
	e.Message = "payment intent " + id + " was created, but not surely confirmed: " + e.Message
	return &e
}

// shorten cuts a text to so many bytes, between two characters.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
