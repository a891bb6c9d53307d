package alipayhk

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// provider is one account. It has no Cancel: the acquirer has no such request.
type provider struct {
	config config
	client *acquirer.Client
	tokens *acquirer.TokenSource
	now    func() time.Time
}

var (
	_ sdk.Provider = (*provider)(nil)
	_ sdk.Refunder = (*provider)(nil)
)

func newProvider(c config, client *acquirer.Client, now func() time.Time) *provider {
	p := &provider{config: c, client: client, now: now}
	p.tokens = acquirer.NewTokenSource(p.fetchToken, now)
	return p
}

// Authorize proves uid and client_secret by obtaining a token.
func (p *provider) Authorize(ctx context.Context) (sdk.Grant, error) {
	token, err := p.tokens.Token(ctx)
	if err != nil {
		return sdk.Grant{}, err
	}
	return sdk.Grant{ExpiresAt: token.ExpiresAt}, nil
}

// Create starts a payment.
func (p *provider) Create(ctx context.Context, req sdk.CreateRequest) (sdk.Payment, error) {
	body, err := p.config.buildCreate(req)
	if err != nil {
		return sdk.Payment{}, err
	}
	return exchange(ctx, p, createPath, body, func(resp acquirer.Response) (sdk.Payment, error) {
		return p.config.readCreate(resp, req.Order)
	})
}

// Query asks for the state of a payment.
func (p *provider) Query(ctx context.Context, req sdk.QueryRequest) (sdk.Payment, error) {
	body, err := p.config.buildQuery(req.Order)
	if err != nil {
		return sdk.Payment{}, err
	}
	return exchange(ctx, p, queryPath, body, func(resp acquirer.Response) (sdk.Payment, error) {
		return p.config.readQuery(resp, req.Order)
	})
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
	return exchange(ctx, p, refundPath, body, func(resp acquirer.Response) (sdk.Refund, error) {
		return p.config.readRefund(resp, callCreate,
			sdk.RefundQuery{Order: req.Order, MerchantRefundID: req.MerchantRefundID, Amount: req.Amount})
	})
}

// QueryRefund asks for the state of a refund.
func (p *provider) QueryRefund(ctx context.Context, req sdk.RefundQuery) (sdk.Refund, error) {
	body, err := p.config.buildQueryRefund(req)
	if err != nil {
		return sdk.Refund{}, err
	}
	return exchange(ctx, p, queryRefundPath, body, func(resp acquirer.Response) (sdk.Refund, error) {
		return p.config.readRefund(resp, callQueryRefund, req)
	})
}

// exchange posts a body with a token and reads the answer.
func exchange[T any](ctx context.Context, p *provider, path string, body []byte, read func(acquirer.Response) (T, error)) (T, error) {
	var used sdk.Secret
	target := p.config.endpoint(path).String()
	resp, err := p.client.DoAuthorized(ctx, p.tokens, func(ctx context.Context, token sdk.Secret) (*http.Request, error) {
		req, err := acquirer.NewRequest(ctx, http.MethodPost, target, "application/json", body)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
		used = token
		return req, nil
	})
	if err != nil {
		var none T
		return none, err
	}
	answer, err := read(resp)
	if err != nil && mayMeanBadToken(resp, err) {
		p.tokens.Invalidate(acquirer.Token{Value: used})
	}
	return answer, err
}

// mayMeanBadToken reports whether an answer could be the acquirer's way to
// refuse a token, which it doesn't document. Nothing is sent again for it, but
// the next call gets a new token: else all would fail until the old one ends.
func mayMeanBadToken(resp acquirer.Response, err error) bool {
	e := sdk.AsError(err)
	return e.Code == sdk.CodeAcquirerError && (e.AcquirerCode != "" || resp.Status == http.StatusForbidden)
}

// Format keeps the account's secrets out of every print.
func (p provider) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "alipayhk.provider{%s %s}", p.config.BaseURL, p.config.UID)
}
