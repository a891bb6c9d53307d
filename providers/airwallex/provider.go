package airwallex

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// provider is one account.
type provider struct {
	config config
	client *acquirer.Client
	tokens *acquirer.TokenSource
	now    func() time.Time
}

var (
	_ sdk.Provider  = (*provider)(nil)
	_ sdk.Refunder  = (*provider)(nil)
	_ sdk.Canceller = (*provider)(nil)
)

func newProvider(c config, client *acquirer.Client, now func() time.Time) *provider {
	p := &provider{config: c, client: client, now: now}
	p.tokens = acquirer.NewTokenSource(p.fetchToken, now)
	return p
}

// Authorize proves client_id and api_key by logging in.
func (p *provider) Authorize(ctx context.Context) (sdk.Grant, error) {
	token, err := p.tokens.Token(ctx)
	if err != nil {
		return sdk.Grant{}, err
	}
	return sdk.Grant{ExpiresAt: token.ExpiresAt}, nil
}

// Create makes a payment intent and confirms it. Once there may be an intent, no
// error is NOT_SENT any more.
func (p *provider) Create(ctx context.Context, req sdk.CreateRequest) (sdk.Payment, error) {
	create, confirm, err := p.config.buildCreate(req)
	if err != nil {
		return sdk.Payment{}, err
	}
	want := sdk.Order{MerchantOrderID: req.MerchantOrderID, Money: req.Money}
	resp, err := p.post(ctx, create, "pa", "payment_intents", "create")
	if err != nil {
		return sdk.Payment{}, err
	}
	payment, id, err := p.config.readCreated(resp, want)
	if err != nil || id == "" {
		return payment, err
	}
	resp, err = p.post(ctx, confirm, "pa", "payment_intents", id, "confirm")
	if err == nil {
		payment, err = p.config.readConfirmed(resp, want, id)
	}
	if err == nil {
		return payment, nil
	}
	if sdk.AsError(err).Outcome == sdk.OutcomeRefused {
		return sdk.Payment{}, p.refuse(ctx, req, id, err)
	}
	return sdk.Payment{}, confirmFailed(err, id)
}

// refuse closes an intent whose confirm was refused. Nobody was asked to pay it,
// but only a closed one lets the refusal be final.
func (p *provider) refuse(ctx context.Context, req sdk.CreateRequest, id string, refusal error) error {
	closed, err := p.cancel(ctx, requestKey(req.RequestID, stepClose), sdk.Order{MerchantOrderID: req.MerchantOrderID, AcquirerOrderID: id, Money: req.Money})
	if err == nil && closed.Status == sdk.StatusCancelled && closed.AcquirerOrderID == id {
		return refusal
	}
	e := confirmFailed(refusal, id)
	e.Code = sdk.CodeAcquirerError // not REFUSED: the intent can still be paid
	return e
}

// Query asks for the state of a payment.
func (p *provider) Query(ctx context.Context, req sdk.QueryRequest) (sdk.Payment, error) {
	build := p.config.retrieveTarget
	if req.AcquirerOrderID == "" {
		build = p.config.listTarget
	}
	target, err := build(req.Order)
	if err != nil {
		return sdk.Payment{}, err
	}
	resp, err := p.send(ctx, http.MethodGet, target, nil)
	switch {
	case err != nil:
		return sdk.Payment{}, err
	case req.AcquirerOrderID == "":
		return p.config.readList(resp, req.Order)
	}
	return p.config.readIntent(resp, callQuery, req.Order)
}

type cancelBody struct {
	RequestID string `json:"request_id"`
}

// Cancel closes an unpaid payment.
func (p *provider) Cancel(ctx context.Context, req sdk.CancelRequest) (sdk.Payment, error) {
	if err := checkRequestID(req.RequestID); err != nil {
		return sdk.Payment{}, err
	}
	if err := checkKnown(req.Order); err != nil {
		return sdk.Payment{}, err
	}
	return p.cancel(ctx, fit(req.RequestID), req.Order)
}

func (p *provider) cancel(ctx context.Context, key string, order sdk.Order) (sdk.Payment, error) {
	body, err := json.Marshal(cancelBody{key})
	if err != nil {
		return sdk.Payment{}, sdk.InvalidField("request_id", "must be valid UTF-8")
	}
	resp, err := p.post(ctx, body, "pa", "payment_intents", order.AcquirerOrderID, "cancel")
	if err != nil {
		return sdk.Payment{}, err
	}
	return p.config.readIntent(resp, callEffect, order)
}

// ParseNotification verifies and reads a notification.
func (p *provider) ParseNotification(_ context.Context, req sdk.HTTPRequest) (sdk.Notification, error) {
	return p.config.readNotification(req)
}

// Refund gives money back.
func (p *provider) Refund(ctx context.Context, req sdk.RefundRequest) (sdk.Refund, error) {
	body, err := p.config.buildRefund(req)
	if err != nil {
		return sdk.Refund{}, err
	}
	resp, err := p.post(ctx, body, "pa", "refunds", "create")
	if err != nil {
		return sdk.Refund{}, err
	}
	return p.config.readRefund(resp, callEffect, sdk.RefundQuery{Order: req.Order, MerchantRefundID: req.MerchantRefundID, Amount: req.Amount})
}

// QueryRefund asks for the state of a refund.
func (p *provider) QueryRefund(ctx context.Context, req sdk.RefundQuery) (sdk.Refund, error) {
	target, list, err := p.config.refundTarget(req)
	if err != nil {
		return sdk.Refund{}, err
	}
	resp, err := p.send(ctx, http.MethodGet, target, nil)
	switch {
	case err != nil:
		return sdk.Refund{}, err
	case list:
		return p.config.readRefundList(resp, req)
	}
	return p.config.readRefund(resp, callQueryRefund, req)
}

func (p *provider) post(ctx context.Context, body []byte, path ...string) (acquirer.Response, error) {
	return p.send(ctx, http.MethodPost, p.config.endpoint(path...).String(), body)
}

// send sends a request with a token; a GET has no body.
func (p *provider) send(ctx context.Context, method, target string, body []byte) (acquirer.Response, error) {
	contentType := ""
	if method == http.MethodPost {
		contentType = "application/json"
	}
	return p.client.DoAuthorized(ctx, p.tokens, func(ctx context.Context, token sdk.Secret) (*http.Request, error) {
		req, err := acquirer.NewRequest(ctx, method, target, contentType, body)
		if err != nil {
			return nil, err
		}
		req.Header.Set("X-Api-Version", p.config.APIVersion)
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
		return req, nil
	})
}

// Format keeps the account's secrets out of every print.
func (p provider) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "airwallex.provider{%s %s}", p.config.BaseURL, p.config.ClientID)
}
