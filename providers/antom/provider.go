package antom

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// provider is one account.
type provider struct {
	config config
	client *acquirer.Client
	now    func() time.Time
}

var (
	_ sdk.Provider  = (*provider)(nil)
	_ sdk.Refunder  = (*provider)(nil)
	_ sdk.Canceller = (*provider)(nil)
)

func newProvider(c config, client *acquirer.Client, now func() time.Time) *provider {
	return &provider{config: c, client: client, now: now}
}

// nobody is an order id that nobody uses, to ask for.
const nobody = "paymux-authorize"

// Authorize proves the keys by asking for a payment that doesn't exist: there is
// no request for just that. The signed answer has to be one that is known to
// come after our signature was found good.
func (p *provider) Authorize(ctx context.Context) (sdk.Grant, error) {
	_, err := p.Query(ctx, sdk.QueryRequest{Order: sdk.Order{MerchantOrderID: nobody}})
	if err == nil || sdk.IsCode(err, sdk.CodeOrderNotFound) {
		return sdk.Grant{}, nil
	}
	e := *sdk.AsError(err)
	if e.Code == sdk.CodeAcquirerError && e.AcquirerCode != "" {
		e.Message += "; if its code means that there is no such payment, all is well: list it in codes.not_found. If it refuses the credentials, list it in codes.credentials"
	}
	return sdk.Grant{}, &e
}

// Create starts a payment.
func (p *provider) Create(ctx context.Context, req sdk.CreateRequest) (sdk.Payment, error) {
	body, err := p.config.buildCreate(req)
	if err != nil {
		return sdk.Payment{}, err
	}
	return exchange(ctx, p, callPay, body, func(resp acquirer.Response) (sdk.Payment, error) {
		return p.config.readCreate(resp, req)
	})
}

// Query asks for the state of a payment.
func (p *provider) Query(ctx context.Context, req sdk.QueryRequest) (sdk.Payment, error) {
	body, err := buildQuery(req.Order)
	if err != nil {
		return sdk.Payment{}, err
	}
	return exchange(ctx, p, callQuery, body, p.config.readQuery)
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
	return exchange(ctx, p, callRefund, body, p.config.readRefund)
}

// QueryRefund asks for the state of a refund.
func (p *provider) QueryRefund(ctx context.Context, req sdk.RefundQuery) (sdk.Refund, error) {
	body, err := buildQueryRefund(req)
	if err != nil {
		return sdk.Refund{}, err
	}
	return exchange(ctx, p, callQueryRefund, body, p.config.readQueryRefund)
}

// exchange signs and posts a body, once, and reads the answer.
func exchange[T any](ctx context.Context, p *provider, to call, body []byte, read func(acquirer.Response) (T, error)) (T, error) {
	var none T
	req, err := p.request(ctx, to, body)
	if err != nil {
		return none, err
	}
	resp, err := p.client.Do(ctx, req)
	if err != nil {
		return none, err
	}
	answer, err := read(resp)
	if err != nil {
		return none, err
	}
	return answer, nil
}

func (p *provider) request(ctx context.Context, to call, body []byte) (*http.Request, error) {
	req, err := acquirer.NewRequest(ctx, http.MethodPost, p.config.endpoint(to), "application/json; charset=UTF-8", body)
	if err != nil {
		return nil, err
	}
	at := strconv.FormatInt(p.now().UnixMilli(), 10)
	signature, err := p.config.sign(http.MethodPost, p.config.path(to), at, body)
	if err != nil {
		return nil, sdk.NotSent(sdk.CodeUnspecified, "the request can't be signed")
	}
	req.Header.Set("Client-Id", p.config.ClientID)
	req.Header.Set("Request-Time", at)
	req.Header.Set("Signature", signature)
	return req, nil
}

// Format keeps the account's secrets out of every print.
func (p provider) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "antom.provider{%s %s}", p.config.BaseURL, p.config.ClientID)
}
