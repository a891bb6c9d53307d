package wire_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

var instance = &pb.Instance{Name: "main", ConfigDigest: "d1"}

// trip sends a value over the wire and reads it again.
func trip[T any, M proto.Message](to func(T) M, from func(M) (T, error)) func(T) (T, error) {
	return func(value T) (T, error) {
		var none T
		message := to(value)
		data, err := proto.Marshal(message)
		if err != nil {
			return none, err
		}
		again := message.ProtoReflect().New().Interface().(M)
		if err := proto.Unmarshal(data, again); err != nil {
			return none, err
		}
		return from(again)
	}
}

// sure is for conversions that can't fail.
func sure[T, M any](from func(M) T) func(M) (T, error) {
	return func(m M) (T, error) { return from(m), nil }
}

// to leaves the instance out.
func to[T, M any](convert func(T, *pb.Instance) M) func(T) M {
	return func(v T) M { return convert(v, instance) }
}

// Every conversion.
var (
	tripPayment       = trip(wire.PaymentToProto, wire.PaymentFromProto)
	tripRefund        = trip(wire.RefundToProto, wire.RefundFromProto)
	tripGrant         = trip(wire.GrantToProto, sure(wire.GrantFromProto))
	tripError         = trip(func(e *sdk.Error) *pb.Error { return wire.ErrorToProto(e) }, sure(wire.ErrorFromProto))
	tripDescription   = trip(wire.DescriptionToProto, wire.DescriptionFromProto)
	tripHTTPRequest   = trip(wire.HTTPRequestToProto, sure(wire.HTTPRequestFromProto))
	tripNotification  = trip(wire.NotificationToProto, sure(wire.NotificationFromProto))
	tripCreate        = trip(to(wire.CreateRequestToProto), wire.CreateRequestFromProto)
	tripQuery         = trip(to(wire.QueryRequestToProto), wire.QueryRequestFromProto)
	tripCancel        = trip(to(wire.CancelRequestToProto), wire.CancelRequestFromProto)
	tripRefundRequest = trip(to(wire.RefundRequestToProto), wire.RefundRequestFromProto)
	tripRefundQuery   = trip(to(wire.RefundQueryToProto), wire.RefundQueryFromProto)
)

// protobuf doesn't tell empty from absent.
var same = cmp.Options{cmpopts.EquateEmpty()}

func checkTrips[T any](t *testing.T, name string, generate *rapid.Generator[T], trip func(T) (T, error)) {
	t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
		value := generate.Draw(t, "value")
		got, err := trip(value)
		if diff := cmp.Diff(value, got, same); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	}))
}

func TestNothingIsLost(t *testing.T) {
	checkTrips(t, "Payment", genPayment, tripPayment)
	checkTrips(t, "Refund", genRefund, tripRefund)
	checkTrips(t, "Grant", rapid.Map(genTime, func(at time.Time) sdk.Grant { return sdk.Grant{ExpiresAt: at} }), tripGrant)
	checkTrips(t, "Error", genError, tripError)
	checkTrips(t, "Description", genDescription, tripDescription)
	checkTrips(t, "HTTPRequest", genHTTPRequest, tripHTTPRequest)
	checkTrips(t, "Notification", genNotification, tripNotification)
	checkTrips(t, "CreateRequest", genCreate, tripCreate)
	checkTrips(t, "QueryRequest", rapid.Map(genRequestOrder, func(o sdk.Order) sdk.QueryRequest { return sdk.QueryRequest{Order: o} }), tripQuery)
	checkTrips(t, "CancelRequest", rapid.Map(genCreate, func(c sdk.CreateRequest) sdk.CancelRequest {
		return sdk.CancelRequest{Order: c.Order, RequestID: c.RequestID}
	}), tripCancel)
	checkTrips(t, "RefundRequest", genRefundRequest, tripRefundRequest)
	checkTrips(t, "RefundQuery", genRefundQuery, tripRefundQuery)
}

// Fields that stay in the process by design.
var notSent = map[string]string{"Error.Err": "the cause may hold anything; its text is in Message as far as it may be seen"}

// A field that is added to the sdk has to be added to the proto and to both
// conversions: this fails for one that was forgotten.
func TestEveryFieldIsCarried(t *testing.T) {
	checkField(t, tripPayment)
	checkField(t, tripRefund)
	checkField(t, tripGrant)
	checkField(t, tripDescription)
	checkField(t, tripHTTPRequest)
	checkField(t, tripNotification)
	checkField(t, tripCreate)
	checkField(t, tripQuery)
	checkField(t, tripCancel)
	checkField(t, tripRefundRequest)
	checkField(t, tripRefundQuery)
	checkField(t, func(e sdk.Error) (sdk.Error, error) {
		out, err := tripError(&e)
		return *out, err
	})
}

func checkField[T any](t *testing.T, trip func(T) (T, error)) {
	t.Helper()
	var value T
	fill(t, reflect.ValueOf(&value).Elem())
	got, err := trip(value)
	if diff := cmp.Diff(value, got); err != nil || diff != "" {
		t.Errorf("%T: %v\n%s", value, err, diff)
	}
}

// fill gives every field a value that isn't its zero.
func fill(t *testing.T, v reflect.Value) {
	hkd, _ := sdk.ParseMoney("12.34", "HKD")
	for _, special := range []any{
		hkd, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), 7 * time.Second,
		sdk.StatusSucceeded, sdk.RefundSucceeded, sdk.OutcomeRefused, sdk.CodeMismatch,
		sdk.NotifyURLPerPayment, sdk.NotificationPublicKey, sdk.QueryByMerchantOrder, sdk.EventRefund,
	} {
		if v.Type() == reflect.TypeOf(special) {
			v.Set(reflect.ValueOf(special))
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			switch {
			case notSent[v.Type().Name()+"."+field.Name] != "":
			case field.Name == "Currency": // of a row, whose bounds are HKD
				v.Field(i).SetString("HKD")
			default:
				fill(t, v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0))
		fill(t, v.Index(1))
	case reflect.Map:
		key, element := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key)
		fill(t, element)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, element)
	case reflect.String:
		v.SetString("text")
	case reflect.Int:
		v.SetInt(234)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8: // of a body: the enums are above
		if v.Type() == reflect.TypeFor[uint8]() {
			v.SetUint(7)
			return
		}
		fallthrough
	default:
		t.Fatalf("fill doesn't know %s: add it", v.Type())
	}
}
