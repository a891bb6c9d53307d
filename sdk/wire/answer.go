package wire

import (
	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// PaymentAnswer reads the answer to Create, Query and Cancel: the payment, or
// the plugin's error. An answer that holds neither is an error of its own, not
// an empty payment; so it is with the other answers.
func PaymentAnswer(r interface {
	GetPayment() *pb.Payment
	GetError() *pb.Error
}) (sdk.Payment, error) {
	return answer(r.GetPayment(), r.GetError(), PaymentFromProto)
}

// RefundAnswer reads the answer to Refund and QueryRefund.
func RefundAnswer(r interface {
	GetRefund() *pb.Refund
	GetError() *pb.Error
}) (sdk.Refund, error) {
	return answer(r.GetRefund(), r.GetError(), RefundFromProto)
}

// GrantAnswer reads the answer to Authorize.
func GrantAnswer(r *pb.AuthorizeResponse) (sdk.Grant, error) {
	return answer(r.GetGrant(), r.GetError(), func(g *pb.Grant) (sdk.Grant, error) { return GrantFromProto(g), nil })
}

// NotificationAnswer reads the answer to ParseNotification.
func NotificationAnswer(r *pb.ParseNotificationResponse) (sdk.Notification, error) {
	return answer(r.GetNotification(), r.GetError(), func(n *pb.Notification) (sdk.Notification, error) { return NotificationFromProto(n), nil })
}

// ConfiguredAnswer reads the answer to Configure. An account without a name is
// an error: payments couldn't be tied to it.
func ConfiguredAnswer(r *pb.ConfigureResponse) (*pb.Configured, error) {
	return answer(r.GetConfigured(), r.GetError(), func(c *pb.Configured) (*pb.Configured, error) {
		if c.GetAccount() == "" {
			return nil, sdk.Unknown(sdk.CodePluginAnswerInvalid, "the plugin named no account")
		}
		return c, nil
	})
}

func answer[PB, Out any](result *PB, failed *pb.Error, read func(*PB) (Out, error)) (Out, error) {
	var none Out
	switch {
	case failed != nil:
		return none, ErrorFromProto(failed)
	case result == nil:
		return none, sdk.Unknown(sdk.CodePluginAnswerInvalid, "the answer holds neither a result nor an error")
	default:
		return read(result)
	}
}

// garbled is an answer that breaks the contract: the plugin's fault, not that of
// the merchant's request, whatever code the cause has.
func garbled(cause error) error {
	e := sdk.Unknown(sdk.CodePluginAnswerInvalid, "the answer breaks the contract: %v", cause)
	e.Field = sdk.AsError(cause).Field
	return e
}
