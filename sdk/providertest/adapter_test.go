package providertest_test

import (
	"context"
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const bankSchema = `{"type":"object","additionalProperties":false,"required":["base_url","account","secret","keys"],"properties":{
	"base_url":{"type":"string","format":"uri","x-paymux-account":true},
	"account":{"type":"string","pattern":"^[a-z]+$","x-paymux-account":true},
	"secret":{"type":"string","writeOnly":true},
	"keys":{"type":"array","minItems":1,"items":{"type":"string","minLength":1,"writeOnly":true}}}}`

// good is the plugin for the bank, in which every case finds nothing.
func good() sdk.Plugin {
	client := acquirer.NewClient(acquirer.Options{})
	min, _ := sdk.FromMinor(50, "HKD")
	max, _ := sdk.FromMinor(500_000, "HKD")
	row := sdk.Capability{Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Currency: "HKD", Min: min, Max: max, Actions: []sdk.ActionType{sdk.ActionRedirect}}
	jpy, bhd := row, row
	jpy.Currency, jpy.Min, jpy.Max = "JPY", sdk.Money{}, sdk.Money{}
	bhd.Currency, bhd.Min, bhd.Max = "BHD", sdk.Money{}, sdk.Money{}
	return sdk.Plugin{
		Info:         sdk.Info{Name: "bank", Version: "1.0.0", Acquirer: "The Bank"},
		ConfigSchema: bankSchema,
		Capabilities: sdk.Capabilities{
			Rows: []sdk.Capability{row, jpy, bhd}, NotificationAuth: sdk.NotificationSharedSecret,
			QueryKeys:   []sdk.QueryKey{sdk.QueryByAcquirerOrder, sdk.QueryByMerchantOrder},
			CreateRetry: sdk.CreateRetry{Native: true, Window: time.Hour},
		},
		Open: func(_ context.Context, c sdk.Config) (sdk.Provider, error) {
			p := &provider{client: client, rows: []sdk.Capability{row, jpy, bhd}}
			if err := c.Decode(&p.config); err != nil {
				return nil, err
			}
			base, err := acquirer.ParseBaseURL("/base_url", p.config.BaseURL)
			if err != nil {
				return nil, err
			}
			p.base = base
			p.tokens = acquirer.NewTokenSource(p.token, nil)
			return p, nil
		},
	}
}

type provider struct {
	config struct {
		BaseURL string       `json:"base_url"`
		Account string       `json:"account"`
		Secret  sdk.Secret   `json:"secret"`
		Keys    []sdk.Secret `json:"keys"`
	}
	base   *url.URL
	client *acquirer.Client
	tokens *acquirer.TokenSource
	rows   []sdk.Capability
}

func (p *provider) token(ctx context.Context) (acquirer.Token, error) {
	target := p.base.JoinPath("token").String() + "?secret=" + url.QueryEscape(p.config.Secret.Reveal())
	req, err := acquirer.NewRequest(ctx, http.MethodGet, target, "", nil)
	if err != nil {
		return acquirer.Token{}, err
	}
	resp, err := p.client.Do(ctx, req)
	if err != nil {
		return acquirer.Token{}, err
	}
	var data struct {
		Token   string `json:"token"`
		Seconds int    `json:"seconds"`
	}
	if !resp.OK() || acquirer.DecodeJSON(resp.Body, &data) != nil || data.Token == "" {
		return acquirer.Token{}, sdk.NotSent(sdk.CodeCredentialsRefused, "no token (HTTP %d)", resp.Status)
	}
	return acquirer.Token{Value: sdk.NewSecret(data.Token), ExpiresAt: time.Now().Add(time.Duration(data.Seconds) * time.Second)}, nil
}

func (p *provider) post(ctx context.Context, path string, in call, out any) error {
	body, _ := json.Marshal(in)
	resp, err := p.client.DoAuthorized(ctx, p.tokens, func(ctx context.Context, token sdk.Secret) (*http.Request, error) {
		req, err := acquirer.NewRequest(ctx, http.MethodPost, p.base.JoinPath(path).String(), "application/json", body)
		if err == nil {
			req.Header.Set("Authorization", "Bearer "+token.Reveal())
		}
		return req, err
	})
	if err != nil {
		return err
	}
	var problem struct {
		Error string `json:"error"`
	}
	e := sdk.Unknown(sdk.CodeAcquirerError, "HTTP %d", resp.Status)
	e.RetryAfter = resp.RetryAfter
	switch {
	case resp.Status == http.StatusTooManyRequests:
		e.Code, e.Outcome = sdk.CodeAcquirerRateLimited, sdk.OutcomeNotSent
		return e
	case !resp.OK():
		return e
	case acquirer.DecodeJSON(resp.Body, &problem) != nil || acquirer.DecodeJSON(resp.Body, out) != nil:
		return sdk.Unknown(sdk.CodeAcquirerAnswerInvalid, "it can't be read")
	case problem.Error == "refused":
		return sdk.Refused(sdk.CodeRefused, "the bank says no")
	case problem.Error == "no_such_order" && path == "query":
		return sdk.Unknown(sdk.CodeOrderNotFound, "the bank doesn't know it")
	case problem.Error != "":
		e.AcquirerCode = problem.Error
		return e
	}
	return nil
}

func (p *provider) Authorize(ctx context.Context) (sdk.Grant, error) {
	token, err := p.tokens.Token(ctx)
	return sdk.Grant{ExpiresAt: token.ExpiresAt}, err
}

func (p *provider) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	if _, err := (sdk.Capabilities{Rows: p.rows}).Supports(r.Method, r.Flow, r.Money); err != nil {
		return sdk.Payment{}, err
	}
	return p.payment(ctx, "create", call{OrderID: r.MerchantOrderID, Minor: r.Money.Minor(), Currency: r.Money.Currency()})
}

func (p *provider) Query(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
	return p.payment(ctx, "query", call{ID: r.AcquirerOrderID, OrderID: r.MerchantOrderID})
}

func (p *provider) Cancel(ctx context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
	return p.payment(ctx, "cancel", call{ID: r.AcquirerOrderID, OrderID: r.MerchantOrderID})
}

func (p *provider) payment(ctx context.Context, path string, in call) (sdk.Payment, error) {
	var o order
	if err := p.post(ctx, path, in, &o); err != nil {
		return sdk.Payment{}, err
	}
	money, _ := sdk.FromMinor(o.Minor, o.Currency)
	states := map[string]sdk.Status{"open": sdk.StatusPending, "left": sdk.StatusPending, "paid": sdk.StatusSucceeded, "closed": sdk.StatusCancelled}
	out := sdk.Payment{Order: sdk.Order{MerchantOrderID: o.OrderID, AcquirerOrderID: o.ID, Money: money}, Status: states[o.State], RawStatus: o.State}
	if out.Status == sdk.StatusPending {
		out.NextActions = []sdk.NextAction{{Type: sdk.ActionRedirect, URL: o.Link}}
	}
	return out, nil
}

func (p *provider) Refund(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
	return p.refund(ctx, "refund", call{ID: r.AcquirerOrderID, OrderID: r.MerchantOrderID, RefundID: r.MerchantRefundID, Minor: r.Amount.Minor()})
}

func (p *provider) QueryRefund(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
	return p.refund(ctx, "query_refund", call{RefundID: r.MerchantRefundID})
}

func (p *provider) refund(ctx context.Context, path string, in call) (sdk.Refund, error) {
	var r refund
	if err := p.post(ctx, path, in, &r); err != nil {
		return sdk.Refund{}, err
	}
	money, _ := sdk.FromMinor(r.Minor, r.Currency)
	states := map[string]sdk.RefundStatus{"paid": sdk.RefundSucceeded, "waiting": sdk.RefundPending, "returned": sdk.RefundFailed}
	return sdk.Refund{MerchantRefundID: r.RefundID, AcquirerRefundID: r.ID, Amount: money, Status: states[r.State], RawStatus: r.State}, nil
}

func (p *provider) ParseNotification(_ context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
	signed := false
	for _, key := range p.config.Keys {
		signed = hmac.Equal([]byte(r.Get("Bank-Signature")), []byte(sign(r.Body, key.Reveal()))) || signed
	}
	if !signed {
		return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "not the bank's")
	}
	var data struct {
		Event   string `json:"event"`
		OrderID string `json:"order_id"`
	}
	event := sdk.NotificationEvent{Kind: sdk.EventOther, RawType: "unreadable"}
	if acquirer.DecodeJSON(r.Body, &data) == nil && data.OrderID != "" {
		event = sdk.NotificationEvent{Kind: sdk.EventPayment, RawType: data.Event, MerchantOrderID: data.OrderID}
	}
	return sdk.Notification{Events: []sdk.NotificationEvent{event}}, nil
}

func (p provider) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "provider{%s}", p.config.Account)
}
