package wire

import (
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// HTTPRequestToProto converts. Header values that are not UTF-8 are left out:
// protobuf can't carry them, and a changed one could pass for another.
func HTTPRequestToProto(r sdk.HTTPRequest) *pb.HttpRequest {
	out := &pb.HttpRequest{
		Method: text(r.Method), Path: text(r.Path), RawQuery: text(r.RawQuery), Body: r.Body, ReceivedAt: timeToProto(r.ReceivedAt),
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		h := &pb.HttpHeader{Name: name}
		for _, v := range r.Header[name] {
			if utf8.ValidString(v) {
				h.Values = append(h.Values, v)
			}
		}
		if utf8.ValidString(name) && len(h.Values) > 0 {
			out.Headers = append(out.Headers, h)
		}
	}
	return out
}

// HTTPRequestFromProto converts.
func HTTPRequestFromProto(r *pb.HttpRequest) sdk.HTTPRequest {
	out := sdk.HTTPRequest{
		Method: r.GetMethod(), Path: r.GetPath(), RawQuery: r.GetRawQuery(), Body: r.GetBody(), ReceivedAt: timeFromProto(r.GetReceivedAt()),
		Header: make(map[string][]string, len(r.GetHeaders())),
	}
	for _, h := range r.GetHeaders() {
		out.Header[h.GetName()] = append(out.Header[h.GetName()], h.GetValues()...)
	}
	return out
}

// NotificationToProto converts.
func NotificationToProto(n sdk.Notification) *pb.Notification {
	out := &pb.Notification{Ack: &pb.HttpResponse{Status: int32(ackStatus(n.Ack.Status)), Headers: texts(n.Ack.Header), Body: n.Ack.Body}}
	for _, e := range n.Events {
		out.Events = append(out.Events, &pb.NotificationEvent{
			Kind: pb.EventKind(e.Kind), RawType: text(e.RawType),
			MerchantOrderId: text(e.MerchantOrderID), AcquirerOrderId: text(e.AcquirerOrderID),
			MerchantRefundId: text(e.MerchantRefundID), AcquirerRefundId: text(e.AcquirerRefundID),
		})
	}
	return out
}

// ackStatus keeps what can end an HTTP exchange: net/http panics on other
// numbers, and takes 1xx for a beginning.
func ackStatus(n int) int {
	if n < 200 || n > 599 {
		return 0
	}
	return n
}

// NotificationFromProto converts. An event of an unheard-of kind is EventOther.
func NotificationFromProto(n *pb.Notification) sdk.Notification {
	ack := n.GetAck()
	out := sdk.Notification{Ack: sdk.HTTPResponse{Status: ackStatus(int(ack.GetStatus())), Header: ack.GetHeaders(), Body: ack.GetBody()}}
	for _, e := range n.GetEvents() {
		event := sdk.NotificationEvent{
			RawType: e.GetRawType(), MerchantOrderID: e.GetMerchantOrderId(), AcquirerOrderID: e.GetAcquirerOrderId(),
			MerchantRefundID: e.GetMerchantRefundId(), AcquirerRefundID: e.GetAcquirerRefundId(),
		}
		if k := e.GetKind(); k == pb.EventKind_EVENT_KIND_PAYMENT || k == pb.EventKind_EVENT_KIND_REFUND {
			event.Kind = sdk.EventKind(k)
		}
		out.Events = append(out.Events, event)
	}
	return out
}
