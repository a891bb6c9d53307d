package plugin

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// call runs one method of a provider: find the instance, read the request, run,
// write the answer. Whatever goes wrong is an error as data with secrets taken
// out; a panic harms this call only.
func call[Req interface{ GetInstance() *pb.Instance }, In, Out, PB any](
	s *Server, r Req,
	read func(Req) (In, error),
	run func(sdk.Provider, In) (Out, error),
	write func(Out) PB,
) (answer PB, failed *pb.Error) {
	var none PB
	in, err := s.find(r)
	if err != nil {
		return none, wire.ErrorToProto(err)
	}
	defer func() { failed = in.redactor.error(failed) }()
	defer recoverTo(&failed)
	request, err := read(r)
	if err != nil {
		return none, wire.ErrorToProto(err)
	}
	out, err := run(in.provider, request)
	if err != nil {
		return none, wire.ErrorToProto(err)
	}
	return write(out), nil
}

// recoverTo turns a panic into an error whose outcome is unknown. The text of
// the panic stays in the log of this process: it may hold anything.
func recoverTo(failed **pb.Error) {
	if p := recover(); p != nil {
		hclog.Default().Error("panic in a provider's method", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		*failed = wire.ErrorToProto(sdk.Unknown(sdk.CodePluginPanic, "a method of the provider panicked (%T)", p))
	}
}

// Authorize proves the instance's credentials.
func (s *Server) Authorize(ctx context.Context, r *pb.AuthorizeRequest) (*pb.AuthorizeResponse, error) {
	grant, failed := call(s, r, nothing,
		func(p sdk.Provider, _ struct{}) (sdk.Grant, error) { return p.Authorize(ctx) }, wire.GrantToProto)
	if failed != nil {
		return &pb.AuthorizeResponse{Result: &pb.AuthorizeResponse_Error{Error: failed}}, nil
	}
	return &pb.AuthorizeResponse{Result: &pb.AuthorizeResponse_Grant{Grant: grant}}, nil
}

func nothing(*pb.AuthorizeRequest) (struct{}, error) { return struct{}{}, nil }

// Create starts a payment.
func (s *Server) Create(ctx context.Context, r *pb.CreateRequest) (*pb.CreateResponse, error) {
	payment, failed := call(s, r, wire.CreateRequestFromProto,
		func(p sdk.Provider, in sdk.CreateRequest) (sdk.Payment, error) { return p.Create(ctx, in) }, wire.PaymentToProto)
	if failed != nil {
		return &pb.CreateResponse{Result: &pb.CreateResponse_Error{Error: failed}}, nil
	}
	return &pb.CreateResponse{Result: &pb.CreateResponse_Payment{Payment: payment}}, nil
}

// Query reports the state of a payment.
func (s *Server) Query(ctx context.Context, r *pb.QueryRequest) (*pb.QueryResponse, error) {
	payment, failed := call(s, r, wire.QueryRequestFromProto,
		func(p sdk.Provider, in sdk.QueryRequest) (sdk.Payment, error) { return p.Query(ctx, in) }, wire.PaymentToProto)
	if failed != nil {
		return &pb.QueryResponse{Result: &pb.QueryResponse_Error{Error: failed}}, nil
	}
	return &pb.QueryResponse{Result: &pb.QueryResponse_Payment{Payment: payment}}, nil
}

// ParseNotification verifies and reads a notification.
func (s *Server) ParseNotification(ctx context.Context, r *pb.ParseNotificationRequest) (*pb.ParseNotificationResponse, error) {
	read := func(r *pb.ParseNotificationRequest) (sdk.HTTPRequest, error) {
		return wire.HTTPRequestFromProto(r.GetRequest()), nil
	}
	notification, failed := call(s, r, read,
		func(p sdk.Provider, in sdk.HTTPRequest) (sdk.Notification, error) {
			return p.ParseNotification(ctx, in)
		}, wire.NotificationToProto)
	if failed != nil {
		return &pb.ParseNotificationResponse{Result: &pb.ParseNotificationResponse_Error{Error: failed}}, nil
	}
	return &pb.ParseNotificationResponse{Result: &pb.ParseNotificationResponse_Notification{Notification: notification}}, nil
}

// Cancel closes an unpaid order.
func (s *Server) Cancel(ctx context.Context, r *pb.CancelRequest) (*pb.CancelResponse, error) {
	run := func(p sdk.Provider, in sdk.CancelRequest) (sdk.Payment, error) {
		canceller, ok := p.(sdk.Canceller)
		if !ok {
			return sdk.Payment{}, lacks("cancel")
		}
		return canceller.Cancel(ctx, in)
	}
	payment, failed := call(s, r, wire.CancelRequestFromProto, run, wire.PaymentToProto)
	if failed != nil {
		return &pb.CancelResponse{Result: &pb.CancelResponse_Error{Error: failed}}, nil
	}
	return &pb.CancelResponse{Result: &pb.CancelResponse_Payment{Payment: payment}}, nil
}

// Refund gives money back.
func (s *Server) Refund(ctx context.Context, r *pb.RefundRequest) (*pb.RefundResponse, error) {
	run := func(p sdk.Provider, in sdk.RefundRequest) (sdk.Refund, error) {
		refunder, ok := p.(sdk.Refunder)
		if !ok {
			return sdk.Refund{}, lacks("refund")
		}
		return refunder.Refund(ctx, in)
	}
	refund, failed := call(s, r, wire.RefundRequestFromProto, run, wire.RefundToProto)
	if failed != nil {
		return &pb.RefundResponse{Result: &pb.RefundResponse_Error{Error: failed}}, nil
	}
	return &pb.RefundResponse{Result: &pb.RefundResponse_Refund{Refund: refund}}, nil
}

// QueryRefund reports the state of a refund.
func (s *Server) QueryRefund(ctx context.Context, r *pb.QueryRefundRequest) (*pb.QueryRefundResponse, error) {
	run := func(p sdk.Provider, in sdk.RefundQuery) (sdk.Refund, error) {
		refunder, ok := p.(sdk.Refunder)
		if !ok {
			return sdk.Refund{}, lacks("refund")
		}
		return refunder.QueryRefund(ctx, in)
	}
	refund, failed := call(s, r, wire.RefundQueryFromProto, run, wire.RefundToProto)
	if failed != nil {
		return &pb.QueryRefundResponse{Result: &pb.QueryRefundResponse_Error{Error: failed}}, nil
	}
	return &pb.QueryRefundResponse{Result: &pb.QueryRefundResponse_Refund{Refund: refund}}, nil
}

func lacks(ability string) *sdk.Error {
	return sdk.NotSent(sdk.CodeUnimplemented, "the provider can't %s", ability)
}
