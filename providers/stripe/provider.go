package stripe

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// provider is one account.
type provider struct {
	config config
	client *acquirer.Client
}

var (
	_ sdk.Provider  = (*provider)(nil)
	_ sdk.Refunder  = (*provider)(nil)
	_ sdk.Canceller = (*provider)(nil)
)

const accountPath = "v1/account"

// Authorize proves that the key is good, and that it is of the account which
// payments are tied to.
func (p *provider) Authorize(ctx context.Context) (sdk.Grant, error) {
	resp, err := p.get(ctx, nil, accountPath)
	if err != nil {
		return sdk.Grant{}, err
	}
	return sdk.Grant{}, p.config.readAccount(resp)
}

func (c config) readAccount(resp acquirer.Response) error {
	var account struct {
		ID     acquirer.Text `json:"id"`
		Object acquirer.Text `json:"object"`
	}
	if _, err := decode(resp, opList, &account); err != nil {
		return err
	}
	switch {
	case account.Object != "account" || account.ID == "":
		return answerError(resp, sdk.CodeAcquirerAnswerInvalid, "the answer is no account")
	case string(account.ID) != c.AccountID:
		return sdk.NotSent(sdk.CodeCredentialsRefused, "secret_key is of the account %s, not of account_id %s", identifier(string(account.ID)), c.AccountID)
	}
	return nil
}

// Create starts a payment.
func (p *provider) Create(ctx context.Context, req sdk.CreateRequest) (sdk.Payment, error) {
	form, err := p.config.buildCreate(req)
	if err != nil {
		return sdk.Payment{}, err
	}
	if err := checkKey(req.RequestID); err != nil {
		return sdk.Payment{}, err
	}
	resp, err := p.post(ctx, form, req.RequestID, intentsPath)
	if err != nil {
		return sdk.Payment{}, err
	}
	payment, err := p.config.readIntent(resp, opCreate)
	payment.NextActions = forFlow(payment.NextActions, req.Flow)
	return payment, err
}

// Query asks for the state of a payment. By our id alone it takes two steps,
// since what a search says may be old.
func (p *provider) Query(ctx context.Context, req sdk.QueryRequest) (sdk.Payment, error) {
	id, err := p.intentOf(ctx, req.Order)
	if err != nil {
		return sdk.Payment{}, err
	}
	resp, err := p.get(ctx, nil, intentsPath, id)
	if err != nil {
		return sdk.Payment{}, err
	}
	return p.config.readIntent(resp, opQuery)
}

// intentOf returns the acquirer's id of an order.
func (p *provider) intentOf(ctx context.Context, order sdk.Order) (string, error) {
	if order.AcquirerOrderID != "" {
		if !objectID(order.AcquirerOrderID) {
			return "", sdk.InvalidField("provider_order_id", "can't be an id of this acquirer")
		}
		return order.AcquirerOrderID, nil
	}
	query, err := buildSearch(order)
	if err != nil {
		return "", err
	}
	resp, err := p.get(ctx, query, searchPath)
	if err != nil {
		return "", err
	}
	return readSearch(resp, order)
}

// Cancel closes an unpaid payment. It carries no Idempotency-Key: cancelling
// twice has the effect of once, and with the key the acquirer would repeat an
// old failure for a day.
func (p *provider) Cancel(ctx context.Context, req sdk.CancelRequest) (sdk.Payment, error) {
	id, err := p.intentOf(ctx, req.Order)
	if err != nil {
		return sdk.Payment{}, notSent(err)
	}
	resp, err := p.post(ctx, url.Values{"cancellation_reason": {"abandoned"}}, "", intentsPath, id, "cancel")
	if err != nil {
		return sdk.Payment{}, err
	}
	payment, err := p.config.readIntent(resp, opCancel)
	if failed := sdk.AsError(err); err != nil && failed.AcquirerCode == unexpectedState {
		// Paid, or closed already: the state says which.
		req.AcquirerOrderID = id
		if state, err := p.Query(ctx, sdk.QueryRequest{Order: req.Order}); err == nil {
			return state, nil
		}
	}
	return payment, err
}

// Refund gives money back.
func (p *provider) Refund(ctx context.Context, req sdk.RefundRequest) (sdk.Refund, error) {
	if err := checkRefund(req); err != nil {
		return sdk.Refund{}, err
	}
	id, err := p.intentOf(ctx, req.Order)
	if err != nil {
		return sdk.Refund{}, notSent(err)
	}
	resp, err := p.post(ctx, buildRefund(req, id), req.RequestID, refundsPath)
	if err != nil {
		return sdk.Refund{}, err
	}
	req.AcquirerOrderID = id
	return readRefund(resp, opRefund, req.Order)
}

// QueryRefund asks for the state of a refund, by the acquirer's id or among the
// refunds of its payment.
func (p *provider) QueryRefund(ctx context.Context, req sdk.RefundQuery) (sdk.Refund, error) {
	if req.AcquirerRefundID != "" {
		if !objectID(req.AcquirerRefundID) {
			return sdk.Refund{}, sdk.InvalidField("provider_refund_id", "can't be an id of this acquirer")
		}
		resp, err := p.get(ctx, nil, refundsPath, req.AcquirerRefundID)
		if err != nil {
			return sdk.Refund{}, err
		}
		return readRefund(resp, opQuery, req.Order)
	}
	if !sdk.ValidOrderID(req.MerchantRefundID) {
		return sdk.Refund{}, sdk.InvalidField("merchant_refund_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	id, err := p.intentOf(ctx, req.Order)
	if sdk.IsCode(err, sdk.CodeOrderNotFound) {
		// That the payment isn't found says nothing about its refund.
		e := *sdk.AsError(err)
		e.Code = sdk.CodeAcquirerError
		return sdk.Refund{}, &e
	}
	if err != nil {
		return sdk.Refund{}, err
	}
	resp, err := p.get(ctx, url.Values{"payment_intent": {id}, "limit": {"100"}}, refundsPath)
	if err != nil {
		return sdk.Refund{}, err
	}
	req.AcquirerOrderID = id
	return readRefunds(resp, req)
}

// notSent says of a failed question that the request after it never left.
func notSent(err error) error {
	e := *sdk.AsError(err)
	e.Outcome = sdk.OutcomeNotSent
	return &e
}

// ParseNotification verifies and reads a notification.
func (p *provider) ParseNotification(_ context.Context, req sdk.HTTPRequest) (sdk.Notification, error) {
	return p.config.readNotification(req)
}

func (p *provider) get(ctx context.Context, query url.Values, path ...string) (acquirer.Response, error) {
	target := p.config.endpoint(path...)
	target.RawQuery = query.Encode()
	req, err := acquirer.NewRequest(ctx, http.MethodGet, target.String(), "", nil)
	if err != nil {
		return acquirer.Response{}, err
	}
	return p.do(ctx, req)
}

func (p *provider) post(ctx context.Context, form url.Values, key string, path ...string) (acquirer.Response, error) {
	req, err := acquirer.NewRequest(ctx, http.MethodPost, p.config.endpoint(path...).String(), "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err != nil {
		return acquirer.Response{}, err
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	return p.do(ctx, req)
}

func (p *provider) do(ctx context.Context, req *http.Request) (acquirer.Response, error) {
	req.Header.Set("Authorization", "Bearer "+p.config.SecretKey.Reveal())
	req.Header.Set("Stripe-Version", p.config.APIVersion)
	return p.client.Do(ctx, req)
}

// Format keeps the account's secrets out of every print.
func (p provider) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "stripe.provider{%s %s %s}", p.config.BaseURL, p.config.AccountID, p.config.Mode)
}
