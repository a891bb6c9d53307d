package wire

import (
	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// PaymentToProto converts a provider's answer.
func PaymentToProto(p sdk.Payment) *pb.Payment {
	out := &pb.Payment{
		Order:        OrderToProto(p.Order),
		Status:       pb.Status(p.Status),
		StatusReason: text(p.StatusReason),
		RawStatus:    text(p.RawStatus),
		CreatedAt:    timeToProto(p.CreatedAt),
		PaidAt:       timeToProto(p.PaidAt),
		RequestId:    text(p.RequestID),
	}
	for _, a := range p.NextActions {
		out.NextActions = append(out.NextActions, &pb.NextAction{
			Type: text(string(a.Type)), Url: text(a.URL), QrCode: text(a.QRCode), FallbackUrl: text(a.FallbackURL),
			Params: texts(a.Params), ExpiresAt: timeToProto(a.ExpiresAt),
		})
	}
	return out
}

// PaymentFromProto converts a provider's answer. Its error has an unknown
// outcome: a payment of which the answer can't be read may well exist.
func PaymentFromProto(p *pb.Payment) (sdk.Payment, error) {
	order, err := OrderFromProto(p.GetOrder())
	if err != nil {
		return sdk.Payment{}, garbled(err)
	}
	out := sdk.Payment{
		Order:        order,
		Status:       statusFromProto(p.GetStatus()),
		StatusReason: p.GetStatusReason(),
		RawStatus:    p.GetRawStatus(),
		CreatedAt:    timeFromProto(p.GetCreatedAt()),
		PaidAt:       timeFromProto(p.GetPaidAt()),
		RequestID:    p.GetRequestId(),
	}
	for _, a := range p.GetNextActions() {
		out.NextActions = append(out.NextActions, sdk.NextAction{
			Type: sdk.ActionType(a.GetType()), URL: a.GetUrl(), QRCode: a.GetQrCode(), FallbackURL: a.GetFallbackUrl(),
			Params: a.GetParams(), ExpiresAt: timeFromProto(a.GetExpiresAt()),
		})
	}
	return out, nil
}

// CreateRequestToProto converts.
func CreateRequestToProto(r sdk.CreateRequest, in *pb.Instance) *pb.CreateRequest {
	return &pb.CreateRequest{
		Instance: in, Order: OrderToProto(r.Order), RequestId: text(r.RequestID),
		Method: text(string(r.Method)), Flow: text(string(r.Flow)), Description: text(r.Description),
		ReturnUrl: text(r.ReturnURL), NotifyUrl: text(r.NotifyURL),
	}
}

// CreateRequestFromProto converts. Like those of every request, its error means
// that nothing was sent.
func CreateRequestFromProto(r *pb.CreateRequest) (sdk.CreateRequest, error) {
	order, err := requestOrder(r.GetOrder())
	if err != nil {
		return sdk.CreateRequest{}, err
	}
	return sdk.CreateRequest{
		Order: order, RequestID: r.GetRequestId(),
		Method: sdk.Method(r.GetMethod()), Flow: sdk.Flow(r.GetFlow()), Description: r.GetDescription(),
		ReturnURL: r.GetReturnUrl(), NotifyURL: r.GetNotifyUrl(),
	}, nil
}

// RefundToProto converts a provider's answer.
func RefundToProto(r sdk.Refund) *pb.Refund {
	return &pb.Refund{
		MerchantRefundId: text(r.MerchantRefundID), AcquirerRefundId: text(r.AcquirerRefundID), Amount: MoneyToProto(r.Amount),
		Status: pb.RefundStatus(r.Status), StatusReason: text(r.StatusReason), RawStatus: text(r.RawStatus),
		RefundedAt: timeToProto(r.RefundedAt), RequestId: text(r.RequestID),
	}
}

// RefundFromProto converts a provider's answer. Its error has an unknown outcome.
func RefundFromProto(r *pb.Refund) (sdk.Refund, error) {
	amount, err := MoneyFromProto(r.GetAmount())
	if err != nil {
		return sdk.Refund{}, garbled(err)
	}
	return sdk.Refund{
		MerchantRefundID: r.GetMerchantRefundId(), AcquirerRefundID: r.GetAcquirerRefundId(), Amount: amount,
		Status: refundStatusFromProto(r.GetStatus()), StatusReason: r.GetStatusReason(), RawStatus: r.GetRawStatus(),
		RefundedAt: timeFromProto(r.GetRefundedAt()), RequestID: r.GetRequestId(),
	}, nil
}

// RefundRequestToProto converts.
func RefundRequestToProto(r sdk.RefundRequest, in *pb.Instance) *pb.RefundRequest {
	return &pb.RefundRequest{
		Instance: in, Order: OrderToProto(r.Order), MerchantRefundId: text(r.MerchantRefundID), RequestId: text(r.RequestID),
		Amount: MoneyToProto(r.Amount), Reason: text(r.Reason),
	}
}

// RefundRequestFromProto converts.
func RefundRequestFromProto(r *pb.RefundRequest) (sdk.RefundRequest, error) {
	order, amount, err := requestRefund(r)
	if err != nil {
		return sdk.RefundRequest{}, err
	}
	return sdk.RefundRequest{
		Order: order, MerchantRefundID: r.GetMerchantRefundId(), RequestID: r.GetRequestId(), Amount: amount, Reason: r.GetReason(),
	}, nil
}

// RefundQueryToProto converts.
func RefundQueryToProto(r sdk.RefundQuery, in *pb.Instance) *pb.QueryRefundRequest {
	return &pb.QueryRefundRequest{
		Instance: in, Order: OrderToProto(r.Order), MerchantRefundId: text(r.MerchantRefundID),
		AcquirerRefundId: text(r.AcquirerRefundID), Amount: MoneyToProto(r.Amount),
	}
}

// RefundQueryFromProto converts.
func RefundQueryFromProto(r *pb.QueryRefundRequest) (sdk.RefundQuery, error) {
	order, amount, err := requestRefund(r)
	if err != nil {
		return sdk.RefundQuery{}, err
	}
	return sdk.RefundQuery{
		Order: order, MerchantRefundID: r.GetMerchantRefundId(), AcquirerRefundID: r.GetAcquirerRefundId(), Amount: amount,
	}, nil
}

// GrantToProto converts.
func GrantToProto(g sdk.Grant) *pb.Grant { return &pb.Grant{ExpiresAt: timeToProto(g.ExpiresAt)} }

// GrantFromProto converts.
func GrantFromProto(g *pb.Grant) sdk.Grant {
	return sdk.Grant{ExpiresAt: timeFromProto(g.GetExpiresAt())}
}

// QueryRequestToProto converts.
func QueryRequestToProto(r sdk.QueryRequest, in *pb.Instance) *pb.QueryRequest {
	return &pb.QueryRequest{Instance: in, Order: OrderToProto(r.Order)}
}

// QueryRequestFromProto converts.
func QueryRequestFromProto(r *pb.QueryRequest) (sdk.QueryRequest, error) {
	order, err := requestOrder(r.GetOrder())
	if err != nil {
		return sdk.QueryRequest{}, err
	}
	return sdk.QueryRequest{Order: order}, nil
}

// CancelRequestToProto converts.
func CancelRequestToProto(r sdk.CancelRequest, in *pb.Instance) *pb.CancelRequest {
	return &pb.CancelRequest{Instance: in, Order: OrderToProto(r.Order), RequestId: text(r.RequestID)}
}

// CancelRequestFromProto converts.
func CancelRequestFromProto(r *pb.CancelRequest) (sdk.CancelRequest, error) {
	order, err := requestOrder(r.GetOrder())
	if err != nil {
		return sdk.CancelRequest{}, err
	}
	return sdk.CancelRequest{Order: order, RequestID: r.GetRequestId()}, nil
}
