package airwallex

import (
	"context"
	"net/http"
	"testing"

	"github.com/paymux/paymux/sdk"
)

// operation is one of the provider's calls, for tables over all of them. The
// bad answer comes to the last request that it makes.
type operation struct {
	name string
	kind call
	call func(context.Context, *provider) error
	via  func(bad http.HandlerFunc) http.HandlerFunc
}

func operations(t testing.TB) []operation {
	direct := func(bad http.HandlerFunc) http.HandlerFunc { return bad }
	create := func(ctx context.Context, p *provider) error { _, err := p.Create(ctx, createRequest(t)); return err }
	query := func(o sdk.Order) func(context.Context, *provider) error {
		return func(ctx context.Context, p *provider) error {
			_, err := p.Query(ctx, sdk.QueryRequest{Order: o})
			return err
		}
	}
	queryRefund := func(id string) func(context.Context, *provider) error {
		return func(ctx context.Context, p *provider) error {
			q := refundQuery(t)
			q.AcquirerRefundID = id
			_, err := p.QueryRefund(ctx, q)
			return err
		}
	}
	return []operation{
		{"create", callEffect, create, direct},
		{"confirm", callEffect, create, func(bad http.HandlerFunc) http.HandlerFunc {
			return steps(t, say(201, string(golden(t, "create_response.json"))), bad)
		}},
		{"cancel", callEffect, func(ctx context.Context, p *provider) error { _, err := p.Cancel(ctx, cancelRequest(t)); return err }, direct},
		{"refund", callEffect, func(ctx context.Context, p *provider) error { _, err := p.Refund(ctx, refundRequest(t)); return err }, direct},
		{"retrieve", callQuery, query(order(t)), direct},
		{"list", callQuery, query(createRequest(t).Order), direct},
		{"retrieve refund", callQueryRefund, queryRefund(refundID), direct},
		{"list refunds", callQueryRefund, queryRefund(""), direct},
	}
}
