package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/paymux/paymux/host/internal/process"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

var wireRules = []rule{
	{ID: "wire/describe", Says: "Describe answers the same each time: capabilities are static.", Check: func(t *rules.T, s *subject) {
		service := ready(t, s.process)
		var first *pb.DescribeResponse
		for range 3 {
			answer, err := service.Describe(t.Context(), &pb.DescribeRequest{})
			if err != nil {
				t.Fatalf("%v", err)
			}
			if first == nil {
				first = answer
			}
			if !proto.Equal(first, answer) {
				t.Errorf("it answers in another way")
			}
		}
	}},
	{ID: "wire/not_configured", Says: "A call for an instance that the process doesn't hold is NOT_CONFIGURED with NOT_SENT, whatever the call.", Check: func(t *rules.T, s *subject) {
		everyCall(t, ready(t, s.process), named("nobody-configured-it", nil), notConfigured)
	}},
	{ID: "wire/other_digest", Says: "A call with another config digest than the instance has is NOT_CONFIGURED: it never runs on a config other than the host's.", Check: func(t *rules.T, s *subject) {
		s.configured(t, "digests")
		other := named("digests", s.config)
		other.ConfigDigest = strings.Repeat("0", 64)
		everyCall(t, ready(t, s.process), other, notConfigured)
	}},
	{ID: "wire/empty", Says: "An empty message is answered with an error as data.", Check: func(t *rules.T, s *subject) {
		everyCall(t, ready(t, s.process), nil, func(t *rules.T, call string, failed *pb.Error, err error) {
			if err != nil || failed == nil {
				t.Errorf("%s: %v, error %v", call, err, failed)
			}
		})
		answer, err := ready(t, s.process).Configure(t.Context(), &pb.ConfigureRequest{})
		if err != nil || answer.GetError() == nil {
			t.Errorf("Configure: %v, error %v", err, answer.GetError())
		}
		s.alive(t)
	}},
	{ID: "wire/garbage", Says: "Bytes that are no message fail their own call only.", Check: func(t *rules.T, s *subject) {
		service := ready(t, s.process)
		for _, raw := range []string{"\x0a\xff", "\x0a\x02\x0a\xff", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x0b", "\x0a\x04\x0a\x02\xff\xfe", "\x08\x01"} {
			r := &pb.CreateRequest{}
			r.ProtoReflect().SetUnknown([]byte(raw)) // goes over the wire as it is
			if answer, err := service.Create(t.Context(), r); err == nil && answer.GetPayment() != nil {
				t.Errorf("%q makes a payment", raw)
			}
		}
		s.alive(t)
	}},
	{ID: "wire/oversized", Says: "A message that is far too large fails its own call only.", Check: func(t *rules.T, s *subject) {
		service := ready(t, s.process)
		huge := strings.Repeat("x", 8<<20)
		_, _ = service.Create(t.Context(), &pb.CreateRequest{Instance: named("huge", nil), Description: huge}, grpc.MaxCallSendMsgSize(64<<20))
		_, _ = service.ParseNotification(t.Context(), &pb.ParseNotificationRequest{
			Instance: named("huge", nil), Request: &pb.HttpRequest{Body: []byte(huge)},
		}, grpc.MaxCallSendMsgSize(64<<20))
		s.alive(t)
	}},
	{ID: "wire/gone", Says: "Calls whose caller has gone do no harm.", Check: func(t *rules.T, s *subject) {
		service := ready(t, s.process)
		for range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			_, _ = service.Query(ctx, &pb.QueryRequest{Instance: named("gone", nil), Order: someOrder()})
		}
		s.alive(t)
	}},
}

// ready is the running plugin's service.
func ready(t *rules.T, p *process.Process) pb.ProviderServiceClient {
	service, err := p.Ready(t.Context())
	if err != nil {
		t.Fatalf("%v", err)
	}
	return service
}

// alive checks that the same process still serves. If not it waits for the next
// one, which the cases that follow are about.
func (s *subject) alive(t *rules.T) {
	_, err := s.Describe(t.Context())
	if err == nil && s.process.Status().PID == s.pid {
		return
	}
	if err != nil {
		t.Errorf("it doesn't describe itself any more: %v", err)
	}
	for s.process.Status().PID == s.pid || !s.process.Status().Running {
		if t.Context().Err() != nil {
			t.Fatalf("it doesn't come up again")
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Errorf("the process ended: it %s", s.process.Status().LastExit)
	s.pid = s.process.Status().PID
}

func named(name string, config []byte) *pb.Instance {
	digest := sha256.Sum256(config)
	return &pb.Instance{Name: name, ConfigDigest: hex.EncodeToString(digest[:])}
}

func someMoney() sdk.Money {
	m, _ := sdk.FromMinor(1234, "HKD") // always an amount
	return m
}

func someOrder() *pb.Order {
	return wire.OrderToProto(sdk.Order{MerchantOrderID: "conformance-1", Money: someMoney()})
}

// everyCall makes each call that an instance takes. Without an instance the
// requests are empty.
func everyCall(t *rules.T, service pb.ProviderServiceClient, in *pb.Instance, look func(t *rules.T, call string, failed *pb.Error, err error)) {
	order, id := someOrder(), "conformance-r1"
	money := wire.MoneyToProto(someMoney())
	if in == nil {
		order, id, money = nil, "", nil
	}
	ctx := t.Context()
	calls := map[string]func() (interface{ GetError() *pb.Error }, error){
		"Authorize": func() (interface{ GetError() *pb.Error }, error) {
			return service.Authorize(ctx, &pb.AuthorizeRequest{Instance: in})
		},
		"Create": func() (interface{ GetError() *pb.Error }, error) {
			return service.Create(ctx, &pb.CreateRequest{Instance: in, Order: order, RequestId: id})
		},
		"Query": func() (interface{ GetError() *pb.Error }, error) {
			return service.Query(ctx, &pb.QueryRequest{Instance: in, Order: order})
		},
		"Cancel": func() (interface{ GetError() *pb.Error }, error) {
			return service.Cancel(ctx, &pb.CancelRequest{Instance: in, Order: order, RequestId: id})
		},
		"Refund": func() (interface{ GetError() *pb.Error }, error) {
			return service.Refund(ctx, &pb.RefundRequest{Instance: in, Order: order, MerchantRefundId: id, RequestId: id, Amount: money})
		},
		"QueryRefund": func() (interface{ GetError() *pb.Error }, error) {
			return service.QueryRefund(ctx, &pb.QueryRefundRequest{Instance: in, Order: order, MerchantRefundId: id, Amount: money})
		},
		"ParseNotification": func() (interface{ GetError() *pb.Error }, error) {
			return service.ParseNotification(ctx, &pb.ParseNotificationRequest{Instance: in})
		},
	}
	for _, name := range []string{"Authorize", "Create", "Query", "Cancel", "Refund", "QueryRefund", "ParseNotification"} {
		answer, err := calls[name]()
		if err != nil {
			look(t, name, nil, err)
			continue
		}
		look(t, name, answer.GetError(), nil)
	}
}

func notConfigured(t *rules.T, call string, failed *pb.Error, err error) {
	switch {
	case err != nil:
		t.Errorf("%s: the call fails instead of answering: %v", call, err)
	case failed.GetCode() != uint32(sdk.CodeNotConfigured) || failed.GetOutcome() != pb.Outcome_OUTCOME_NOT_SENT:
		t.Errorf("%s: it answers %v", call, failed)
	}
}
