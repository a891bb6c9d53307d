package wire_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// add gives a fuzzer a message to start from.
func add(f *testing.F, m proto.Message) {
	data, err := proto.Marshal(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
}

// read makes of arbitrary bytes what gRPC would hand on; false if it wouldn't.
func read(data []byte, into proto.Message) bool { return proto.Unmarshal(data, into) == nil }

// stable requires that a value which was read is carried without change from
// then on.
func stable[T any](t *testing.T, value T, trip func(T) (T, error)) {
	t.Helper()
	again, err := trip(value)
	if diff := cmp.Diff(value, again, same); err != nil || diff != "" {
		t.Fatalf("%v\n%s", err, diff)
	}
}

func unknown(t *testing.T, err error) {
	t.Helper()
	if e := sdk.AsError(err); e.Outcome != sdk.OutcomeUnknown || e.Code != sdk.CodePluginAnswerInvalid {
		t.Fatalf("an answer that can't be read has the outcome %s: %v", e.Outcome, err)
	}
}

func notSentError(t *testing.T, err error) {
	t.Helper()
	if e := sdk.AsError(err); e.Outcome != sdk.OutcomeNotSent || e.Code != sdk.CodeInvalidRequest {
		t.Fatalf("a request that can't be read has the outcome %s: %v", e.Outcome, err)
	}
}

var fuzzOrder = &pb.Order{MerchantOrderId: "m1", AcquirerOrderId: "a1", Money: &pb.Money{Amount: "1.50", Currency: "HKD"}}

func FuzzPaymentFromProto(f *testing.F) {
	add(f, &pb.Payment{Order: fuzzOrder, Status: 4, NextActions: []*pb.NextAction{{Type: "qr_code", Params: map[string]string{"a": "b"}}}})
	add(f, &pb.Payment{Status: 99, Order: &pb.Order{Money: badMoney[3]}})
	f.Fuzz(func(t *testing.T, data []byte) {
		var m pb.Payment
		if !read(data, &m) {
			return
		}
		p, err := wire.PaymentFromProto(&m)
		if err != nil {
			unknown(t, err)
			return
		}
		if m.Status < 2 || m.Status > 7 {
			if p.Status != sdk.StatusUnknown {
				t.Fatalf("status %d became %s", m.Status, p.Status)
			}
		}
		stable(t, p, tripPayment)
	})
}

func FuzzRefundFromProto(f *testing.F) {
	add(f, &pb.Refund{MerchantRefundId: "r1", Status: 2, Amount: fuzzOrder.Money})
	f.Fuzz(func(t *testing.T, data []byte) {
		var m pb.Refund
		if !read(data, &m) {
			return
		}
		r, err := wire.RefundFromProto(&m)
		if err != nil {
			unknown(t, err)
			return
		}
		stable(t, r, tripRefund)
	})
}

func FuzzRequestFromProto(f *testing.F) {
	add(f, &pb.CreateRequest{Instance: instance, Order: fuzzOrder, Method: "alipay_hk"})
	add(f, &pb.RefundRequest{Instance: instance, Order: fuzzOrder, MerchantRefundId: "r1", Amount: fuzzOrder.Money})
	f.Fuzz(func(t *testing.T, data []byte) {
		if m := (&pb.CreateRequest{}); read(data, m) {
			r, err := wire.CreateRequestFromProto(m)
			if err != nil {
				notSentError(t, err)
			} else {
				stable(t, r, tripCreate)
			}
		}
		if m := (&pb.RefundRequest{}); read(data, m) {
			r, err := wire.RefundRequestFromProto(m)
			if err != nil {
				notSentError(t, err)
			} else {
				stable(t, r, tripRefundRequest)
			}
		}
		if m := (&pb.QueryRefundRequest{}); read(data, m) {
			r, err := wire.RefundQueryFromProto(m)
			if err != nil {
				notSentError(t, err)
			} else {
				stable(t, r, tripRefundQuery)
			}
		}
	})
}

func FuzzDescriptionFromProto(f *testing.F) {
	add(f, &pb.DescribeResponse{Name: "a", Capabilities: &pb.Capabilities{
		Rows:      []*pb.Capability{{Method: "alipay_hk", Flow: "app", Currency: "HKD", Min: fuzzOrder.Money, Actions: []string{"sdk"}}},
		QueryKeys: []pb.QueryKey{1, 2, 3}, NotifyUrl: 1, NotificationAuth: 2,
	}})
	f.Fuzz(func(t *testing.T, data []byte) {
		var m pb.DescribeResponse
		if !read(data, &m) {
			return
		}
		d, err := wire.DescriptionFromProto(&m)
		if err != nil {
			unknown(t, err)
			return
		}
		stable(t, d, tripDescription)
	})
}

func FuzzNotificationFromProto(f *testing.F) {
	add(f, &pb.Notification{Events: []*pb.NotificationEvent{{Kind: 1, MerchantOrderId: "m1"}}, Ack: &pb.HttpResponse{Status: 200, Body: []byte("ok")}})
	add(f, &pb.HttpRequest{Method: "POST", Headers: []*pb.HttpHeader{{Name: "A", Values: []string{"b"}}}})
	f.Fuzz(func(t *testing.T, data []byte) {
		if m := (&pb.Notification{}); read(data, m) {
			stable(t, wire.NotificationFromProto(m), tripNotification)
		}
		if m := (&pb.HttpRequest{}); read(data, m) {
			r := wire.HTTPRequestFromProto(m)
			for name, values := range r.Header {
				if len(values) == 0 {
					delete(r.Header, name) // a name without a value isn't sent on
				}
			}
			stable(t, r, tripHTTPRequest)
		}
	})
}

func FuzzErrorFromProto(f *testing.F) {
	add(f, &pb.Error{Code: 305, Outcome: 1, Message: "m"})
	add(f, &pb.Error{Code: 1 << 20, Outcome: 77})
	f.Fuzz(func(t *testing.T, data []byte) {
		var m pb.Error
		if !read(data, &m) {
			return
		}
		e := wire.ErrorFromProto(&m)
		if m.Outcome != 1 && m.Outcome != 2 && e.Outcome != sdk.OutcomeUnknown {
			t.Fatalf("outcome %d became %s", m.Outcome, e.Outcome)
		}
		stable(t, e, tripError)
	})
}

// The other way: whatever an adapter makes of an acquirer's bytes can be sent.
func FuzzPaymentRoundTrip(f *testing.F) {
	f.Add("m1", "a1", int64(150), uint8(4), "reason", "PAID", "qr_code", "https://example.com", int64(1_700_000_000))
	f.Add("", "", int64(0), uint8(200), "\xff", "\xfe\xff", "\x00", "", int64(-1<<62))
	f.Fuzz(func(t *testing.T, merchant, acquirer string, units int64, status uint8, reason, raw, action, url string, at int64) {
		money, _ := sdk.FromMinor(units, "HKD")
		p := sdk.Payment{
			Order:  sdk.Order{MerchantOrderID: merchant, AcquirerOrderID: acquirer, Money: money},
			Status: sdk.Status(status), StatusReason: reason, RawStatus: raw, PaidAt: time.Unix(at, 0).UTC(),
			NextActions: []sdk.NextAction{{Type: sdk.ActionType(action), URL: url, Params: map[string]string{reason: raw}}},
		}
		got, err := tripPayment(p)
		if err != nil {
			t.Fatal(err)
		}
		valid := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
		if got.MerchantOrderID != valid(merchant) || got.AcquirerOrderID != valid(acquirer) || !got.Money.Equal(money) || got.RawStatus != valid(raw) {
			t.Fatalf("%+v became %+v", p, got)
		}
		known := p.Status > sdk.StatusCreated && p.Status <= sdk.StatusFailed
		if known && got.Status != p.Status || !known && got.Status != sdk.StatusUnknown {
			t.Fatalf("status %d became %s", status, got.Status)
		}
		if !got.PaidAt.Equal(p.PaidAt) && !got.PaidAt.IsZero() {
			t.Fatalf("%s became %s", p.PaidAt, got.PaidAt)
		}
		stable(t, got, tripPayment)
	})
}
