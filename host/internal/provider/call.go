package provider

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// answer is what every response of the protocol is: a result or an error.
type answer interface {
	comparable // so that a nil response can be told
	GetError() *pb.Error
}

// method is one RPC of the generated client.
type method[Req any, Resp answer] func(pb.ProviderServiceClient, context.Context, Req, ...grpc.CallOption) (Resp, error)

// do runs one RPC. Before it is invoked every failure is NOT_SENT; afterwards
// every failure that the plugin didn't put into words is UNKNOWN.
func do[Req any, Resp answer](ctx context.Context, p *Provider, timeout time.Duration, rpc method[Req, Resp], request Req) (Resp, error) {
	var none Resp
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return none, sdk.NotSent(sdk.CodePluginTimeout, "provider %s is busy: %d calls are running", p.instance.GetName(), concurrency)
	}
	service, err := p.services.Service(ctx)
	if err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resp, err := invoke(ctx, service, rpc, request)
	if !sdk.IsCode(err, sdk.CodeNotConfigured) {
		return resp, err
	}
	// The plugin did nothing but say that it lacks the config: the one case in
	// which a call is repeated.
	if _, err := p.configure(ctx, service); err != nil {
		return none, notSent(err)
	}
	return invoke(ctx, service, rpc, request)
}

func invoke[Req any, Resp answer](ctx context.Context, service pb.ProviderServiceClient, rpc method[Req, Resp], request Req) (Resp, error) {
	var none Resp
	resp, err := rpc(service, ctx, request)
	switch {
	case err != nil:
		return none, lost(err)
	case resp == none:
		return none, sdk.Unknown(sdk.CodePluginAnswerInvalid, "the plugin's answer is empty")
	case resp.GetError() != nil:
		return none, wire.ErrorFromProto(resp.GetError())
	}
	return resp, nil
}

// lost gives an RPC's own failure its meaning: the call was made, and what came
// of it isn't known.
func lost(err error) *sdk.Error {
	switch s := status.Convert(err); s.Code() {
	case codes.DeadlineExceeded, codes.Canceled:
		return sdk.Unknown(sdk.CodePluginTimeout, "the plugin didn't answer in time: %w", err)
	case codes.Unavailable:
		return sdk.Unknown(sdk.CodePluginUnavailable, "the plugin's process ended during the call: %w", err)
	case codes.Unimplemented:
		return sdk.Unknown(sdk.CodeUnimplemented, "the plugin doesn't serve this call: %w", err)
	default:
		return sdk.Unknown(sdk.CodePluginAnswerInvalid, "the call of the plugin failed: %w", err)
	}
}

// notSent is for failures of Configure in place of a call.
func notSent(err error) error {
	e := *sdk.AsError(err)
	e.Outcome = sdk.OutcomeNotSent
	return &e
}

// garbled is a result that breaks the contract.
func garbled(err error) error {
	return sdk.Unknown(sdk.CodePluginAnswerInvalid, "the plugin's answer breaks the contract: %w", err)
}

// Authorize proves the account's credentials to the acquirer.
func (p *Provider) Authorize(ctx context.Context) (sdk.Grant, error) {
	resp, err := do(ctx, p, callTimeout, pb.ProviderServiceClient.Authorize, &pb.AuthorizeRequest{Instance: p.instance})
	if err != nil {
		return sdk.Grant{}, err
	}
	return wire.GrantFromProto(resp.GetGrant()), nil
}

// Create starts a payment.
func (p *Provider) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	resp, err := do(ctx, p, callTimeout, pb.ProviderServiceClient.Create, wire.CreateRequestToProto(r, p.instance))
	return payment(resp, err)
}

// Query asks for the state of a payment.
func (p *Provider) Query(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
	resp, err := do(ctx, p, callTimeout, pb.ProviderServiceClient.Query, wire.QueryRequestToProto(r, p.instance))
	return payment(resp, err)
}

// Cancel closes an unpaid order.
func (p *Provider) Cancel(ctx context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
	resp, err := do(ctx, p, callTimeout, pb.ProviderServiceClient.Cancel, wire.CancelRequestToProto(r, p.instance))
	return payment(resp, err)
}

func payment(resp interface{ GetPayment() *pb.Payment }, err error) (sdk.Payment, error) {
	if err != nil {
		return sdk.Payment{}, err
	}
	if resp.GetPayment() == nil {
		return sdk.Payment{}, sdk.Unknown(sdk.CodePluginAnswerInvalid, "the plugin's answer has neither a payment nor an error")
	}
	out, err := wire.PaymentFromProto(resp.GetPayment())
	if err != nil {
		return sdk.Payment{}, garbled(err)
	}
	return out, nil
}

// Refund gives money back.
func (p *Provider) Refund(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
	resp, err := do(ctx, p, callTimeout, pb.ProviderServiceClient.Refund, wire.RefundRequestToProto(r, p.instance))
	return refund(resp, err)
}

// QueryRefund asks for the state of a refund.
func (p *Provider) QueryRefund(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
	resp, err := do(ctx, p, callTimeout, pb.ProviderServiceClient.QueryRefund, wire.RefundQueryToProto(r, p.instance))
	return refund(resp, err)
}

func refund(resp interface{ GetRefund() *pb.Refund }, err error) (sdk.Refund, error) {
	if err != nil {
		return sdk.Refund{}, err
	}
	if resp.GetRefund() == nil {
		return sdk.Refund{}, sdk.Unknown(sdk.CodePluginAnswerInvalid, "the plugin's answer has neither a refund nor an error")
	}
	out, err := wire.RefundFromProto(resp.GetRefund())
	if err != nil {
		return sdk.Refund{}, garbled(err)
	}
	return out, nil
}

// ParseNotification verifies and reads a notification.
func (p *Provider) ParseNotification(ctx context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
	request := &pb.ParseNotificationRequest{Instance: p.instance, Request: wire.HTTPRequestToProto(r)}
	resp, err := do(ctx, p, parseTimeout, pb.ProviderServiceClient.ParseNotification, request)
	if err != nil {
		return sdk.Notification{}, err
	}
	if resp.GetNotification() == nil {
		return sdk.Notification{}, sdk.Unknown(sdk.CodePluginAnswerInvalid, "the plugin's answer has neither a notification nor an error")
	}
	return wire.NotificationFromProto(resp.GetNotification()), nil
}
