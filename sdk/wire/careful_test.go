package wire_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// Other people build against these: their plugins refuse to start, or are
// refused, when one of them changes.
func TestHandshakeIsFixed(t *testing.T) {
	h := wire.Handshake()
	if h.MagicCookieKey != "PAYMUX_PROVIDER" || h.MagicCookieValue != "v1" {
		t.Errorf("the cookie is %s=%s; every plugin out there expects PAYMUX_PROVIDER=v1 for ever", h.MagicCookieKey, h.MagicCookieValue)
	}
	if wire.Protocol != 1 || h.ProtocolVersion != 1 || wire.PluginName != "provider" {
		t.Error("a new protocol version is served beside the old one: read docs/plugin-protocol.md, then change this test")
	}
	if name := pb.ProviderService_ServiceDesc.ServiceName; name != "paymux.provider.v1.ProviderService" {
		t.Errorf("the service is %s: plugins in other languages serve it by its old name", name)
	}
}

// The numbers of the sdk's words are those of the proto.
func TestEnumsAgree(t *testing.T) {
	for _, s := range sdk.Statuses() {
		if want := "STATUS_" + strings.Replace(s.String(), "UNKNOWN", "UNSPECIFIED", 1); pb.Status(s).String() != want {
			t.Errorf("%s is %s in the proto", s, pb.Status(s))
		}
	}
	if len(pb.Status_name) != len(sdk.Statuses()) {
		t.Error("the proto has another number of states")
	}
	for s := sdk.RefundUnknown; s <= sdk.RefundFailed; s++ {
		if want := "REFUND_STATUS_" + strings.Replace(s.String(), "UNKNOWN", "UNSPECIFIED", 1); pb.RefundStatus(s).String() != want {
			t.Errorf("%s is %s in the proto", s, pb.RefundStatus(s))
		}
	}
	for o := sdk.OutcomeUnknown; o <= sdk.OutcomeRefused; o++ {
		if want := "OUTCOME_" + strings.Replace(o.String(), "UNKNOWN", "UNSPECIFIED", 1); pb.Outcome(o).String() != want {
			t.Errorf("%s is %s in the proto", o, pb.Outcome(o))
		}
	}
}

func TestUnheardOfIsCareful(t *testing.T) {
	for _, n := range []int32{-1, 1, 8, 99, 255, 256 + 4, math.MaxInt32, math.MinInt32} { // 1: CREATED is the host's alone
		if p, err := wire.PaymentFromProto(&pb.Payment{Status: pb.Status(n)}); err != nil || p.Status != sdk.StatusUnknown {
			t.Errorf("status %d is %s, %v", n, p.Status, err)
		}
	}
	for _, n := range []int32{-1, 4, 99, 256 + 1, 256 + 2, math.MaxInt32} {
		if r, _ := wire.RefundFromProto(&pb.Refund{Status: pb.RefundStatus(n)}); r.Status != sdk.RefundUnknown {
			t.Errorf("refund status %d is %s", n, r.Status)
		}
		if e := wire.ErrorFromProto(&pb.Error{Outcome: pb.Outcome(n)}); e.Outcome != sdk.OutcomeUnknown {
			t.Errorf("outcome %d is %s", n, e.Outcome)
		}
		out := wire.NotificationFromProto(&pb.Notification{Events: []*pb.NotificationEvent{{Kind: pb.EventKind(n)}}})
		if out.Events[0].Kind != sdk.EventOther {
			t.Errorf("event kind %d is %s", n, out.Events[0].Kind)
		}
		d, err := wire.DescriptionFromProto(&pb.DescribeResponse{Capabilities: &pb.Capabilities{
			NotifyUrl: pb.NotifyUrlMode(n), NotificationAuth: pb.NotificationAuth(n), QueryKeys: []pb.QueryKey{pb.QueryKey(n)},
			Polling: []*durationpb.Duration{nil, {Seconds: -5}, {Seconds: math.MaxInt64}}, NotFoundSettling: &durationpb.Duration{Seconds: -1},
			CreateRetry: &pb.CreateRetry{Window: &durationpb.Duration{Seconds: -1}},
		}})
		c := d.Capabilities
		if err != nil || c.NotifyURL != 0 || c.NotificationAuth != 0 || len(c.QueryKeys) != 0 || c.NotFoundSettling != 0 || c.CreateRetry.Window != 0 ||
			c.Polling[0] != time.Second || c.Polling[1] != time.Second || c.Polling[2] <= 0 {
			t.Errorf("%d: %+v, %v", n, c, err)
		}
	}
	for _, n := range []int{-1, 99, 101, 600, 1<<32 + 200} {
		if out := wire.NotificationToProto(sdk.Notification{Ack: sdk.HTTPResponse{Status: n}}); out.GetAck().GetStatus() != 0 {
			t.Errorf("status %d of an acknowledgement is %d", n, out.GetAck().GetStatus())
		}
	}
	twice := wire.HTTPRequestFromProto(&pb.HttpRequest{Headers: []*pb.HttpHeader{{Name: "Signature", Values: []string{"a"}}, {Name: "Signature", Values: []string{"b"}}}})
	if got := twice.Header["Signature"]; !slices.Equal(got, []string{"a", "b"}) { // none may hide another
		t.Errorf("a header that came twice is %v", got)
	}
	e := wire.ErrorFromProto(&pb.Error{Code: 1<<16 + 305, RetryAfter: &durationpb.Duration{Seconds: -1}})
	if e.Code != sdk.CodeUnspecified || e.RetryAfter != 0 {
		t.Errorf("%+v", e)
	}
	if e := wire.ErrorFromProto(&pb.Error{Code: 299}); e.Code != 299 {
		t.Errorf("a code from a newer plugin is lost: %+v", e)
	}
	if e := wire.ErrorFromProto(nil); e.Code != sdk.CodeUnspecified || e.Outcome != sdk.OutcomeUnknown {
		t.Errorf("no error at all: %+v", e)
	}
	if wire.ErrorToProto(nil) != nil || wire.ErrorToProto((*sdk.Error)(nil)).GetMessage() == "" {
		t.Error("nil errors")
	}
	if p := wire.ErrorToProto(errors.New("boom")); p.GetOutcome() != 0 || p.GetCode() != 0 || p.GetMessage() != "boom" {
		t.Errorf("%v", p)
	}
	if g := wire.GrantFromProto(&pb.Grant{ExpiresAt: &timestamppb.Timestamp{Seconds: math.MaxInt64}}); !g.ExpiresAt.IsZero() {
		t.Errorf("an impossible time is %s", g.ExpiresAt)
	}
	for _, n := range []int32{-1, 0, 1, 100, 199, 600, 1000} { // net/http would panic, or not end the exchange
		if out := wire.NotificationFromProto(&pb.Notification{Ack: &pb.HttpResponse{Status: n}}); out.Ack.Status != 0 {
			t.Errorf("ack status %d is kept", n)
		}
	}
}

var badMoney = []*pb.Money{
	{}, {Amount: "1"}, {Currency: "HKD"}, {Amount: "1e3", Currency: "HKD"}, {Amount: "-1", Currency: "HKD"}, {Amount: "0", Currency: "HKD"},
	{Amount: "1.005", Currency: "HKD"}, {Amount: "1", Currency: "hkd"}, {Amount: "1", Currency: "XXX"}, {Amount: " 1", Currency: "HKD"},
}

// The same garbage means opposite things: a request with it was never sent, an
// answer with it may hide an order that exists.
func TestBadAmounts(t *testing.T) {
	good := &pb.Money{Amount: "1", Currency: "HKD"}
	request := func(m *pb.Money) *pb.Order { return &pb.Order{MerchantOrderId: "m1", Money: m} }
	for _, bad := range append(badMoney, nil) {
		_, e1 := wire.CreateRequestFromProto(&pb.CreateRequest{Order: request(bad)})
		_, e2 := wire.QueryRequestFromProto(&pb.QueryRequest{Order: request(bad)})
		_, e3 := wire.CancelRequestFromProto(&pb.CancelRequest{Order: request(bad)})
		_, e4 := wire.RefundRequestFromProto(&pb.RefundRequest{Order: request(bad), MerchantRefundId: "r1", Amount: good})
		_, e5 := wire.RefundRequestFromProto(&pb.RefundRequest{Order: request(good), MerchantRefundId: "r1", Amount: bad})
		_, e6 := wire.RefundQueryFromProto(&pb.QueryRefundRequest{Order: request(good), MerchantRefundId: "r1", Amount: bad})
		for i, err := range []error{e1, e2, e3, e4, e5, e6} {
			if e := sdk.AsError(err); e == nil || e.Code != sdk.CodeInvalidRequest || e.Outcome != sdk.OutcomeNotSent {
				t.Errorf("request %d with %v: %v", i+1, bad, err)
			}
		}
	}
	for _, bad := range badMoney {
		_, e1 := wire.PaymentFromProto(&pb.Payment{Order: &pb.Order{Money: bad}})
		_, e2 := wire.RefundFromProto(&pb.Refund{Amount: bad})
		_, e3 := wire.DescriptionFromProto(&pb.DescribeResponse{Capabilities: &pb.Capabilities{Rows: []*pb.Capability{{Currency: "HKD", Min: bad}}}})
		_, e4 := wire.DescriptionFromProto(&pb.DescribeResponse{Capabilities: &pb.Capabilities{Rows: []*pb.Capability{{Currency: "CNY", Max: good}}}})
		for i, err := range []error{e1, e2, e3, e4} {
			if e := sdk.AsError(err); e == nil || e.Code != sdk.CodePluginAnswerInvalid || e.Outcome != sdk.OutcomeUnknown {
				t.Errorf("answer %d with %v: %v", i+1, bad, err)
			} else if i < 3 && e.Field != "amount" && e.Field != "currency" {
				t.Errorf("answer %d with %v names the field %q", i+1, bad, e.Field)
			}
		}
	}
}

func TestRequestsNeedIDs(t *testing.T) {
	good := &pb.Money{Amount: "1", Currency: "HKD"}
	for _, id := range []string{"", "a b", strings.Repeat("x", 33)} {
		_, e1 := wire.CreateRequestFromProto(&pb.CreateRequest{Order: &pb.Order{MerchantOrderId: id, Money: good}})
		order := &pb.Order{MerchantOrderId: "m1", Money: good}
		_, e2 := wire.RefundRequestFromProto(&pb.RefundRequest{Order: order, MerchantRefundId: id, Amount: good})
		_, e3 := wire.RefundQueryFromProto(&pb.QueryRefundRequest{Order: order, MerchantRefundId: id, Amount: good})
		for i, err := range []error{e1, e2, e3} {
			if e := sdk.AsError(err); e == nil || e.Outcome != sdk.OutcomeNotSent {
				t.Errorf("%d with id %q: %v", i+1, id, err)
			}
		}
	}
	cny := &pb.RefundRequest{Order: &pb.Order{MerchantOrderId: "m1", Money: good}, MerchantRefundId: "r", Amount: &pb.Money{Amount: "1", Currency: "CNY"}}
	if _, err := wire.RefundRequestFromProto(cny); err == nil {
		t.Error("a refund in another currency than the payment's")
	}
}

// An answer without a result must not pass for an empty result: an empty Grant
// is "authorized", an empty Notification is "verified".
func TestAnswers(t *testing.T) {
	failed := &pb.Error{Code: uint32(sdk.CodeRefused), Outcome: pb.Outcome_OUTCOME_REFUSED}
	for name, read := range map[string]struct{ empty, failed, good func() error }{
		"payment": {
			func() error { _, err := wire.PaymentAnswer(&pb.CreateResponse{}); return err },
			func() error {
				_, err := wire.PaymentAnswer(&pb.QueryResponse{Result: &pb.QueryResponse_Error{Error: failed}})
				return err
			},
			func() error {
				_, err := wire.PaymentAnswer(&pb.CancelResponse{Result: &pb.CancelResponse_Payment{Payment: &pb.Payment{}}})
				return err
			},
		},
		"refund": {
			func() error { _, err := wire.RefundAnswer(&pb.RefundResponse{}); return err },
			func() error {
				_, err := wire.RefundAnswer(&pb.QueryRefundResponse{Result: &pb.QueryRefundResponse_Error{Error: failed}})
				return err
			},
			func() error {
				_, err := wire.RefundAnswer(&pb.RefundResponse{Result: &pb.RefundResponse_Refund{Refund: &pb.Refund{}}})
				return err
			},
		},
		"grant": {
			func() error { _, err := wire.GrantAnswer(nil); return err },
			func() error {
				_, err := wire.GrantAnswer(&pb.AuthorizeResponse{Result: &pb.AuthorizeResponse_Error{Error: failed}})
				return err
			},
			func() error {
				_, err := wire.GrantAnswer(&pb.AuthorizeResponse{Result: &pb.AuthorizeResponse_Grant{Grant: &pb.Grant{}}})
				return err
			},
		},
		"notification": {
			func() error { _, err := wire.NotificationAnswer(&pb.ParseNotificationResponse{}); return err },
			func() error {
				_, err := wire.NotificationAnswer(&pb.ParseNotificationResponse{Result: &pb.ParseNotificationResponse_Error{Error: failed}})
				return err
			},
			func() error {
				_, err := wire.NotificationAnswer(&pb.ParseNotificationResponse{Result: &pb.ParseNotificationResponse_Notification{Notification: &pb.Notification{}}})
				return err
			},
		},
		"configured": {
			func() error {
				_, err := wire.ConfiguredAnswer(&pb.ConfigureResponse{Result: &pb.ConfigureResponse_Configured{Configured: &pb.Configured{}}})
				return err
			},
			func() error {
				_, err := wire.ConfiguredAnswer(&pb.ConfigureResponse{Result: &pb.ConfigureResponse_Error{Error: failed}})
				return err
			},
			func() error {
				_, err := wire.ConfiguredAnswer(&pb.ConfigureResponse{Result: &pb.ConfigureResponse_Configured{Configured: &pb.Configured{Account: "a"}}})
				return err
			},
		},
	} {
		if e := sdk.AsError(read.empty()); e == nil || e.Code != sdk.CodePluginAnswerInvalid || e.Outcome != sdk.OutcomeUnknown {
			t.Errorf("%s: no result: %v", name, e)
		}
		if e := sdk.AsError(read.failed()); e == nil || e.Code != sdk.CodeRefused || e.Outcome != sdk.OutcomeRefused {
			t.Errorf("%s: the plugin's error: %v", name, e)
		}
		if err := read.good(); err != nil {
			t.Errorf("%s: a result: %v", name, err)
		}
	}
}

// gRPC refuses to send what is no UTF-8, and an answer to Create would be lost
// for a stray byte in a description.
func TestInvalidUTF8IsSendable(t *testing.T) {
	const bad = "a\xff\xfeb"
	order := sdk.Order{MerchantOrderID: bad, AcquirerOrderID: bad}
	strs := map[string]string{bad: bad}
	for _, m := range []proto.Message{
		wire.PaymentToProto(sdk.Payment{Order: order, StatusReason: bad, RawStatus: bad, RequestID: bad,
			NextActions: []sdk.NextAction{{Type: bad, URL: bad, QRCode: bad, FallbackURL: bad, Params: strs}}}),
		wire.RefundToProto(sdk.Refund{MerchantRefundID: bad, AcquirerRefundID: bad, StatusReason: bad, RawStatus: bad, RequestID: bad}),
		wire.ErrorToProto(&sdk.Error{Message: bad, Field: bad, AcquirerCode: bad, AcquirerRequestID: bad}),
		wire.CreateRequestToProto(sdk.CreateRequest{Order: order, RequestID: bad, Method: bad, Flow: bad, Description: bad, ReturnURL: bad, NotifyURL: bad}, nil),
		wire.CancelRequestToProto(sdk.CancelRequest{Order: order, RequestID: bad}, nil),
		wire.RefundRequestToProto(sdk.RefundRequest{Order: order, MerchantRefundID: bad, RequestID: bad, Reason: bad}, nil),
		wire.RefundQueryToProto(sdk.RefundQuery{Order: order, MerchantRefundID: bad, AcquirerRefundID: bad}, nil),
		wire.HTTPRequestToProto(sdk.HTTPRequest{Method: bad, Path: bad, RawQuery: bad, Header: map[string][]string{"A": {"x", bad}, bad: {"x"}}}),
		wire.NotificationToProto(sdk.Notification{Ack: sdk.HTTPResponse{Header: strs, Body: []byte(bad)},
			Events: []sdk.NotificationEvent{{RawType: bad, MerchantOrderID: bad, AcquirerOrderID: bad, MerchantRefundID: bad, AcquirerRefundID: bad}}}),
		wire.DescriptionToProto(wire.Description{Info: sdk.Info{Name: bad, Version: bad, Acquirer: bad, DocsURL: bad}, ConfigSchema: bad,
			Capabilities: sdk.Capabilities{Rows: []sdk.Capability{{Method: bad, Flow: bad, Currency: bad, Actions: []sdk.ActionType{bad}}}}}),
	} {
		if _, err := proto.Marshal(m); err != nil {
			t.Errorf("%T: %v", m, err)
		}
	}
	// A header is what signatures are in: better none than a changed one.
	r := wire.HTTPRequestToProto(sdk.HTTPRequest{Header: map[string][]string{"A": {"x", bad}, bad: {"x"}, "B": {bad}}})
	if len(r.GetHeaders()) != 1 || len(r.GetHeaders()[0].GetValues()) != 1 || !utf8.ValidString(r.String()) {
		t.Errorf("%v", r)
	}
}
