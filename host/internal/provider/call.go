package provider

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/paymux/paymux/host/internal/failpoint"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// answer is what every response of the protocol is: a result or an error.
type answer interface{ GetError() *pb.Error }

// method is one RPC of the generated client.
type method[Req any, Resp answer] func(pb.ProviderServiceClient, context.Context, Req, ...grpc.CallOption) (Resp, error)

// lane bounds the calls of one kind: those that wait for an acquirer never keep
// notifications from being read.
type lane struct {
	slots   chan struct{}
	wait    time.Duration // for a slot and for a running process
	timeout time.Duration // for the call itself
	breaker *breaker      // nil: none
}

// enter waits for a slot; leave gives it back.
func (l lane) enter(ctx context.Context) (leave func(), err error) {
	select {
	case l.slots <- struct{}{}:
		return func() { <-l.slots }, nil
	case <-ctx.Done():
		return nil, sdk.NotSent(sdk.CodePluginTimeout, "the provider is busy: %d calls are running", cap(l.slots))
	}
}

// do runs one RPC and reads its answer. Before it is invoked every failure is
// NOT_SENT; afterwards every failure that the plugin didn't put into words is
// UNKNOWN.
func do[Req any, Resp answer, Out any](
	ctx context.Context, p *Provider, l lane, rpc method[Req, Resp], request Req, read func(Resp) (Out, error),
) (out Out, err error) {
	var none Out
	waiting, stop := context.WithTimeout(ctx, l.wait)
	defer stop()
	leave, err := l.enter(waiting)
	if err != nil {
		return none, err
	}
	defer leave()
	service, err := p.services.Service(waiting)
	if err != nil {
		return none, notSent(err)
	}
	if p.configures.Load() == 0 {
		// Which account the config names wasn't looked at yet: the call could be about
		// a payment of another one, which knows no such order.
		return none, sdk.NotSent(sdk.CodePluginUnavailable, "the provider isn't set up yet")
	}
	done, err := l.breaker.allow()
	if err != nil {
		return none, err
	}
	defer func() { done(err) }()
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	seen := p.configures.Load()
	if p.doubtful.Load() {
		if err := p.configureAgain(ctx, service, seen); err != nil {
			return none, notSent(err)
		}
	}
	resp, err := invoke(ctx, service, rpc, request)
	if err != nil {
		return none, err
	}
	if resp.GetError().GetCode() != uint32(sdk.CodeNotConfigured) {
		return read(resp)
	}
	// The plugin did nothing but say that it lacks the config: the one case in
	// which a call is repeated.
	if err := p.configureAgain(ctx, service, seen); err != nil {
		return none, notSent(err)
	}
	if resp.GetError().GetOutcome() != pb.Outcome_OUTCOME_NOT_SENT {
		return read(resp) // but it doesn't say so: the next call finds it configured
	}
	if resp, err = invoke(ctx, service, rpc, request); err != nil {
		return none, err
	}
	return read(resp)
}

// maxAnswer bounds what a plugin may say of one payment, all of which is stored.
const maxAnswer = 64 << 10

func invoke[Req any, Resp answer](ctx context.Context, service pb.ProviderServiceClient, rpc method[Req, Resp], request Req) (Resp, error) {
	var none Resp
	if err := ctx.Err(); err != nil {
		return none, sdk.NotSent(sdk.CodePluginTimeout, "there was no time left to call the plugin: %w", err)
	}
	failpoint.Hit("rpc.before") // held for a call that was never made
	resp, err := rpc(service, ctx, request, grpc.MaxCallRecvMsgSize(maxAnswer))
	failpoint.Hit("rpc.after") // the acquirer did it, the store doesn't know
	if err != nil {
		return none, lost(err)
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

// notSent is for failures in place of a call, whatever they say of themselves.
func notSent(err error) error {
	e := *sdk.AsError(err)
	e.Outcome = sdk.OutcomeNotSent
	if e.Code == sdk.CodeUnspecified {
		e.Code = sdk.CodePluginUnavailable
	}
	return &e
}

// Authorize proves the account's credentials to the acquirer.
func (p *Provider) Authorize(ctx context.Context) (sdk.Grant, error) {
	return do(ctx, p, p.calls, pb.ProviderServiceClient.Authorize, &pb.AuthorizeRequest{Instance: p.instance}, wire.GrantAnswer)
}

// Create starts a payment.
func (p *Provider) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	answer, err := do(ctx, p, p.calls, pb.ProviderServiceClient.Create, wire.CreateRequestToProto(r, p.instance), payment[*pb.CreateResponse])
	return p.judged(r.Order, answer, err)
}

// Query asks for the state of a payment.
func (p *Provider) Query(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
	answer, err := do(ctx, p, p.calls, pb.ProviderServiceClient.Query, wire.QueryRequestToProto(r, p.instance), payment[*pb.QueryResponse])
	return p.judged(r.Order, answer, err)
}

// Cancel closes an unpaid order.
func (p *Provider) Cancel(ctx context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
	answer, err := do(ctx, p, p.calls, pb.ProviderServiceClient.Cancel, wire.CancelRequestToProto(r, p.instance), payment[*pb.CancelResponse])
	return p.judged(r.Order, answer, err)
}

func payment[Resp interface {
	GetPayment() *pb.Payment
	GetError() *pb.Error
}](r Resp) (sdk.Payment, error) {
	return wire.PaymentAnswer(r)
}

// Refund gives money back.
func (p *Provider) Refund(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
	answer, err := do(ctx, p, p.calls, pb.ProviderServiceClient.Refund, wire.RefundRequestToProto(r, p.instance), refund[*pb.RefundResponse])
	return p.judgedRefund(r.MerchantRefundID, answer, err)
}

// QueryRefund asks for the state of a refund.
func (p *Provider) QueryRefund(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
	answer, err := do(ctx, p, p.calls, pb.ProviderServiceClient.QueryRefund, wire.RefundQueryToProto(r, p.instance), refund[*pb.QueryRefundResponse])
	return p.judgedRefund(r.MerchantRefundID, answer, err)
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
	return do(ctx, p, p.parses, pb.ProviderServiceClient.ParseNotification, request, wire.NotificationAnswer)
}
