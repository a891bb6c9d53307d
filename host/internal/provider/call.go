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
type answer interface{ GetError() *pb.Error }

// method is one RPC of the generated client.
type method[Req any, Resp answer] func(pb.ProviderServiceClient, context.Context, Req, ...grpc.CallOption) (Resp, error)

// do runs one RPC and reads its answer. Before it is invoked every failure is
// NOT_SENT; afterwards every failure that the plugin didn't put into words is
// UNKNOWN.
func do[Req any, Resp answer, Out any](
	ctx context.Context, p *Provider, timeout time.Duration, rpc method[Req, Resp], request Req, read func(Resp) (Out, error),
) (Out, error) {
	var none Out
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
	resp, err := rpc(service, ctx, request)
	if err != nil {
		return none, lost(err)
	}
	if resp.GetError().GetCode() != uint32(sdk.CodeNotConfigured) {
		return read(resp)
	}
	// The plugin did nothing but say that it lacks the config: the one case in
	// which a call is repeated.
	if _, err := p.configure(ctx, service); err != nil {
		return none, notSent(err)
	}
	if resp, err = rpc(service, ctx, request); err != nil {
		return none, lost(err)
	}
	return read(resp)
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

// Authorize proves the account's credentials to the acquirer.
func (p *Provider) Authorize(ctx context.Context) (sdk.Grant, error) {
	return do(ctx, p, callTimeout, pb.ProviderServiceClient.Authorize, &pb.AuthorizeRequest{Instance: p.instance}, wire.GrantAnswer)
}

// Create starts a payment.
func (p *Provider) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	return do(ctx, p, callTimeout, pb.ProviderServiceClient.Create, wire.CreateRequestToProto(r, p.instance), payment[*pb.CreateResponse])
}

// Query asks for the state of a payment.
func (p *Provider) Query(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
	return do(ctx, p, callTimeout, pb.ProviderServiceClient.Query, wire.QueryRequestToProto(r, p.instance), payment[*pb.QueryResponse])
}

// Cancel closes an unpaid order.
func (p *Provider) Cancel(ctx context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
	return do(ctx, p, callTimeout, pb.ProviderServiceClient.Cancel, wire.CancelRequestToProto(r, p.instance), payment[*pb.CancelResponse])
}

func payment[Resp interface {
	GetPayment() *pb.Payment
	GetError() *pb.Error
}](r Resp) (sdk.Payment, error) {
	return wire.PaymentAnswer(r)
}

// Refund gives money back.
func (p *Provider) Refund(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
	return do(ctx, p, callTimeout, pb.ProviderServiceClient.Refund, wire.RefundRequestToProto(r, p.instance), refund[*pb.RefundResponse])
}

// QueryRefund asks for the state of a refund.
func (p *Provider) QueryRefund(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
	return do(ctx, p, callTimeout, pb.ProviderServiceClient.QueryRefund, wire.RefundQueryToProto(r, p.instance), refund[*pb.QueryRefundResponse])
}

func refund[Resp interface {
	GetRefund() *pb.Refund
	GetError() *pb.Error
}](r Resp) (sdk.Refund, error) {
	return wire.RefundAnswer(r)
}

// ParseNotification verifies and reads a notification.
func (p *Provider) ParseNotification(ctx context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
	request := &pb.ParseNotificationRequest{Instance: p.instance, Request: wire.HTTPRequestToProto(r)}
	return do(ctx, p, parseTimeout, pb.ProviderServiceClient.ParseNotification, request, wire.NotificationAnswer)
}
