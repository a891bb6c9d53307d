package antom

import (
	"cmp"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// payBody is the request that starts a payment. The merchant's order id is the
// paymentRequestId, so that a payment whose answer was lost can be asked for.
type payBody struct {
	ProductCode        string          `json:"productCode"`
	PaymentRequestID   string          `json:"paymentRequestId"`
	Order              payOrder        `json:"order"`
	PaymentAmount      amount          `json:"paymentAmount"`
	PaymentMethod      payMethod       `json:"paymentMethod"`
	PaymentFactor      *paymentFactor  `json:"paymentFactor,omitzero"`
	SettlementStrategy *settlement     `json:"settlementStrategy,omitzero"`
	PaymentRedirectURL string          `json:"paymentRedirectUrl,omitzero"`
	PaymentNotifyURL   string          `json:"paymentNotifyUrl,omitzero"`
	Env                *payEnvironment `json:"env,omitzero"`
}

type payOrder struct {
	ReferenceOrderID string         `json:"referenceOrderId"`
	OrderDescription string         `json:"orderDescription"`
	OrderAmount      amount         `json:"orderAmount"`
	Merchant         jsontext.Value `json:"merchant,omitzero"`
}

type payMethod struct {
	Type string `json:"paymentMethodType"`
}

type paymentFactor struct {
	InStorePaymentScenario string `json:"inStorePaymentScenario"`
}

type settlement struct {
	Currency string `json:"settlementCurrency"`
}

type payEnvironment struct {
	TerminalType string `json:"terminalType"`
	OSType       string `json:"osType,omitzero"`
}

// buildCreate checks the request and returns its body.
func (c config) buildCreate(req sdk.CreateRequest) ([]byte, error) {
	flow := flowOf(req.Flow)
	returnURL := cmp.Or(req.ReturnURL, c.ReturnURL)
	if err := c.checkCreate(req, flow, returnURL); err != nil {
		return nil, err
	}
	money := formatAmount(req.Money)
	body := payBody{
		ProductCode:      flow.product,
		PaymentRequestID: req.MerchantOrderID,
		Order: payOrder{
			ReferenceOrderID: req.MerchantOrderID, OrderDescription: req.Description, OrderAmount: money,
			Merchant: jsontext.Value(c.OrderMerchant),
		},
		PaymentAmount:      money,
		PaymentMethod:      payMethod{wallets[req.Method]},
		PaymentRedirectURL: returnURL,
		PaymentNotifyURL:   req.NotifyURL,
	}
	if c.Settlement != "" {
		body.SettlementStrategy = &settlement{c.Settlement}
	}
	if flow.scenario != "" {
		body.PaymentFactor = &paymentFactor{flow.scenario}
		if c.StoreMethod == storeConnect {
			body.PaymentMethod.Type = "CONNECT_WALLET"
		}
	}
	if flow.terminal != "" {
		body.Env = &payEnvironment{TerminalType: flow.terminal}
		if flow.terminal != "WEB" {
			body.Env.OSType = c.OSType
		}
	}
	raw, err := json.Marshal(body)
	if err != nil { // the only thing that can't be written
		return nil, sdk.InvalidField("description", "must be valid UTF-8, and so must the URLs")
	}
	return raw, nil
}

func (c config) checkCreate(req sdk.CreateRequest, flow flowRow, returnURL string) error {
	if _, err := capabilities().Supports(req.Method, req.Flow, req.Money); err != nil {
		return err
	}
	var err *sdk.Error
	switch {
	case !c.takesCurrency(req.Money.Currency()):
		err = sdk.InvalidField("currency", "%s is not in the provider's currencies", req.Money.Currency())
		err.Code = sdk.CodeUnsupported
	case !c.takes(flow):
		err = sdk.InvalidField("flow", "%s is not under this provider's api_path in the acquirer's sandbox: give it a provider of its own", req.Flow)
		err.Code = sdk.CodeUnsupported
	case !req.Money.Amount().IsPositive():
		err = sdk.InvalidField("amount", "must be greater than zero")
	case !sdk.ValidOrderID(req.MerchantOrderID):
		err = sdk.InvalidField("merchant_order_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	case req.Description == "":
		err = sdk.InvalidField("description", "must not be empty: the acquirer requires it")
	case returnURL == "" && flow.terminal != "":
		err = sdk.InvalidField("return_url", "must not be empty: the acquirer wants one for every payment but those in a store, and the provider's config has none")
	default:
		return nil
	}
	return err
}

// paymentData is what pay and inquiryPayment answer, each a part of it.
type paymentData struct {
	PaymentRequestID  acquirer.Text  `json:"paymentRequestId"`
	PaymentID         acquirer.Text  `json:"paymentId"`
	PaymentStatus     acquirer.Text  `json:"paymentStatus"`
	PaymentAmount     *amount        `json:"paymentAmount"`
	PaymentCreateTime acquirer.Text  `json:"paymentCreateTime"`
	PaymentTime       acquirer.Text  `json:"paymentTime"`
	NormalURL         acquirer.Text  `json:"normalUrl"`
	SchemeURL         acquirer.Text  `json:"schemeUrl"`
	ApplinkURL        acquirer.Text  `json:"applinkUrl"`
	OrderCodeForm     jsontext.Value `json:"orderCodeForm"`
}

// readCreate reads the answer to a create request.
func (c config) readCreate(resp acquirer.Response, req sdk.CreateRequest) (sdk.Payment, error) {
	var data paymentData
	result, err := c.readAnswer(resp, callPay, &data)
	if err != nil {
		return sdk.Payment{}, err
	}
	status, _ := payResult(result)
	payment := data.payment(status, acquirer.Clip(string(result.Status+" "+result.Code)))
	if status == sdk.StatusSucceeded && payment.Money.IsZero() {
		// Paid, but how much isn't said: a query says it.
		payment.Status, payment.StatusReason = sdk.StatusUnknown, "the acquirer says paid, without an amount"
	}
	want := req.Order
	want.AcquirerOrderID = "" // this answer is what names it
	// Another order's answer must not hand its link to our payer.
	if payment.Status == sdk.StatusPending && len(payment.Differences(want)) == 0 {
		payment.NextActions = nextActions(req, data)
		if len(payment.NextActions) == 0 {
			payment.StatusReason = "the acquirer gave nothing that the payer can use"
		}
	}
	return payment, nil
}

// payment reports the acquirer's own words: whether they are about our order is
// for the host to see.
func (d paymentData) payment(status sdk.Status, raw string) sdk.Payment {
	payment := sdk.Payment{
		Order:     sdk.Order{MerchantOrderID: string(d.PaymentRequestID), AcquirerOrderID: string(d.PaymentID)},
		Status:    status,
		RawStatus: raw,
		CreatedAt: readTime(d.PaymentCreateTime),
	}
	if status == sdk.StatusSucceeded { // of a failure it is the time of that
		payment.PaidAt = readTime(d.PaymentTime)
	}
	money, err := d.PaymentAmount.money()
	if err != nil {
		// An amount that can't be handed on can't be compared either. Of a paid one the
		// host sees that it has none, and a person has to know of the money.
		if payment.StatusReason = d.PaymentAmount.unreadable(); status != sdk.StatusSucceeded {
			payment.Status = sdk.StatusUnknown
		}
		return payment
	}
	payment.Money = money
	return payment
}
