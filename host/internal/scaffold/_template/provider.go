package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// provider is one account at Acme. Its methods run side by side, so it holds
// nothing that changes.
//
// Refund and Cancel are optional: a provider that has sdk.Refunder's or
// sdk.Canceller's methods has the ability, there is nothing to declare.
type provider struct {
	config config
	client *acquirer.Client
}

var _ sdk.Provider = (*provider)(nil)

// Authorize proves the account's key. It moves no money.
//
// Fact: a key is sent as it is and doesn't expire. Where it has to be exchanged
// for a token, see acquirer.TokenSource and acquirer.Client.DoAuthorized. Where no
// call proves just that, ask for a payment that can't be there.
func (p *provider) Authorize(ctx context.Context) (sdk.Grant, error) {
	resp, err := p.send(ctx, http.MethodGet, p.endpoint("v1/account", nil), nil, "")
	if err != nil {
		return sdk.Grant{}, err
	}
	var answer struct {
		Account string `json:"account"`
	}
	if err := readAnswer(resp, onAuthorize, &answer); err != nil {
		return sdk.Grant{}, err
	}
	if answer.Account != p.config.Account {
		return sdk.Grant{}, sdk.NotSent(sdk.CodeCredentialsRefused, "api_key is not the key of account %s", p.config.Account)
	}
	return sdk.Grant{}, nil
}

// Create starts a payment. Whatever is sent is sent once.
func (p *provider) Create(ctx context.Context, req sdk.CreateRequest) (sdk.Payment, error) {
	body, err := buildCreate(req)
	if err != nil {
		return sdk.Payment{}, err
	}
	resp, err := p.send(ctx, http.MethodPost, p.endpoint("v1/payments", nil), body, req.RequestID)
	if err != nil {
		return sdk.Payment{}, err // an *sdk.Error that says whether anything was sent
	}
	return readPayment(resp, onCreate, req.Order)
}

// Query asks for the state of a payment, by Acme's id if it is known.
func (p *provider) Query(ctx context.Context, req sdk.QueryRequest) (sdk.Payment, error) {
	// Fact: either id is a parameter.
	by := url.Values{"id": {req.AcquirerOrderID}}
	if req.AcquirerOrderID == "" {
		if !sdk.ValidOrderID(req.MerchantOrderID) {
			return sdk.Payment{}, sdk.InvalidField("merchant_order_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
		}
		by = url.Values{"reference": {req.MerchantOrderID}}
	}
	resp, err := p.send(ctx, http.MethodGet, p.endpoint("v1/payments", by), nil, "")
	if err != nil {
		return sdk.Payment{}, err
	}
	return readPayment(resp, onQuery, req.Order)
}

// ParseNotification verifies and reads a notification. It is pure: it works on
// the bytes alone, so that the host may call it while Acme is down.
func (p *provider) ParseNotification(_ context.Context, req sdk.HTTPRequest) (sdk.Notification, error) {
	return p.config.readNotification(req)
}

func (p *provider) endpoint(path string, query url.Values) string {
	u := p.config.base.JoinPath(path)
	u.RawQuery = query.Encode()
	return u.String()
}

// send is the only place that uses the network. The client sends a request once,
// bounds time and size, and keeps secrets out of its errors.
func (p *provider) send(ctx context.Context, method, target string, body []byte, key string) (acquirer.Response, error) {
	contentType := ""
	if body != nil {
		contentType = "application/json"
	}
	req, err := acquirer.NewRequest(ctx, method, target, contentType, body)
	if err != nil {
		return acquirer.Response{}, err
	}
	// Fact: where the key goes, and what makes a repetition harmless.
	req.Header.Set("Authorization", "Bearer "+p.config.APIKey.Reveal())
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	return p.client.Do(ctx, req)
}

// Format keeps the account's secrets out of every print.
func (p provider) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "provider{%v}", p.config) }
