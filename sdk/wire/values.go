package wire

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// MoneyToProto converts; the zero Money becomes nil.
func MoneyToProto(m sdk.Money) *pb.Money {
	if m.IsZero() {
		return nil
	}
	return &pb.Money{Amount: m.AmountString(), Currency: m.Currency()}
}

// MoneyFromProto converts; nil becomes the zero Money, and what is out of the
// grammar is an error.
func MoneyFromProto(m *pb.Money) (sdk.Money, error) {
	if m == nil {
		return sdk.Money{}, nil
	}
	return sdk.ParseMoney(m.GetAmount(), m.GetCurrency())
}

// OrderToProto converts.
func OrderToProto(o sdk.Order) *pb.Order {
	return &pb.Order{MerchantOrderId: text(o.MerchantOrderID), AcquirerOrderId: text(o.AcquirerOrderID), Money: MoneyToProto(o.Money)}
}

// OrderFromProto converts. An order in an answer may lack anything; for one in a
// request see requestOrder.
func OrderFromProto(o *pb.Order) (sdk.Order, error) {
	money, err := MoneyFromProto(o.GetMoney())
	return sdk.Order{MerchantOrderID: o.GetMerchantOrderId(), AcquirerOrderID: o.GetAcquirerOrderId(), Money: money}, err
}

// requestOrder reads the order of a request, which always names the merchant's
// order and an amount. Its errors mean that nothing was sent.
func requestOrder(o *pb.Order) (sdk.Order, error) {
	order, err := OrderFromProto(o)
	if err == nil && !sdk.ValidOrderID(order.MerchantOrderID) {
		err = sdk.InvalidField("merchant_order_id", "must match [A-Za-z0-9_-]{1,32}")
	}
	if err == nil && order.Money.IsZero() {
		err = sdk.InvalidField("amount", "is missing")
	}
	if err != nil {
		return sdk.Order{}, notSent(err)
	}
	return order, nil
}

// notSent states of a request that can't be read that it had no effect.
func notSent(err error) error {
	e := *sdk.AsError(err)
	e.Outcome = sdk.OutcomeNotSent
	return &e
}

// requestRefund reads the order, the id and the amount of a refund's request.
func requestRefund(r interface {
	GetOrder() *pb.Order
	GetMerchantRefundId() string
	GetAmount() *pb.Money
}) (sdk.Order, sdk.Money, error) {
	order, err := requestOrder(r.GetOrder())
	if err != nil {
		return sdk.Order{}, sdk.Money{}, err
	}
	amount, err := MoneyFromProto(r.GetAmount())
	switch {
	case err != nil:
	case amount.Currency() != order.Money.Currency():
		err = sdk.InvalidField("currency", "must be the payment's")
	case !sdk.ValidOrderID(r.GetMerchantRefundId()):
		err = sdk.InvalidField("merchant_refund_id", "must match [A-Za-z0-9_-]{1,32}")
	}
	if err != nil {
		return sdk.Order{}, sdk.Money{}, notSent(err)
	}
	return order, amount, nil
}

// ErrorToProto converts any error; what is no *sdk.Error has an unknown outcome.
func ErrorToProto(err error) *pb.Error {
	e := sdk.AsError(err)
	if e == nil {
		return nil
	}
	return &pb.Error{
		Code:              uint32(e.Code),
		Outcome:           pb.Outcome(e.Outcome),
		Message:           text(e.Message),
		Field:             text(e.Field),
		AcquirerCode:      text(e.AcquirerCode),
		AcquirerRequestId: text(e.AcquirerRequestID),
		RetryAfter:        durationToProto(e.RetryAfter),
	}
}

// ErrorFromProto converts. An unheard-of outcome is OutcomeUnknown; an
// unheard-of code is kept if it can be, so that logs show it.
func ErrorFromProto(e *pb.Error) *sdk.Error {
	out := &sdk.Error{
		Message:           e.GetMessage(),
		Field:             e.GetField(),
		AcquirerCode:      e.GetAcquirerCode(),
		AcquirerRequestID: e.GetAcquirerRequestId(),
		RetryAfter:        max(0, e.GetRetryAfter().AsDuration()),
	}
	if code := e.GetCode(); code <= 1<<16-1 {
		out.Code = sdk.Code(code)
	}
	switch e.GetOutcome() {
	case pb.Outcome_OUTCOME_NOT_SENT:
		out.Outcome = sdk.OutcomeNotSent
	case pb.Outcome_OUTCOME_REFUSED:
		out.Outcome = sdk.OutcomeRefused
	}
	return out
}

// statusFromProto makes everything unheard of unknown. CREATED is the host's
// alone: from a plugin it says nothing.
func statusFromProto(s pb.Status) sdk.Status {
	if s <= pb.Status_STATUS_CREATED || s > pb.Status_STATUS_FAILED {
		return sdk.StatusUnknown
	}
	return sdk.Status(s)
}

func refundStatusFromProto(s pb.RefundStatus) sdk.RefundStatus {
	if s < 0 || s > pb.RefundStatus_REFUND_STATUS_FAILED {
		return sdk.RefundUnknown
	}
	return sdk.RefundStatus(s)
}

// text makes a string that protobuf can carry: it refuses to send invalid
// UTF-8, which would turn an answer into a lost one.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func texts(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[text(k)] = text(v)
	}
	return out
}

func timeToProto(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func timeFromProto(t *timestamppb.Timestamp) time.Time {
	if !t.IsValid() { // nil included
		return time.Time{}
	}
	return t.AsTime()
}

func durationToProto(d time.Duration) *durationpb.Duration {
	if d <= 0 {
		return nil
	}
	return durationpb.New(d)
}
