package plugin_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/plugin"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

const secret = "s3cret/with+signs \"quoted\""

// config is one instance's; uid makes it another account.
func config(uid string) []byte {
	return []byte(`{"uid":"` + uid + `","key":"` + strings.ReplaceAll(secret, `"`, `\"`) + `"}`)
}

// fake is a provider with the four methods. seen and fail, if there, run first
// in each.
type fake struct {
	calls *atomic.Int64
	uid   string
	seen  func(ctx context.Context, method string)
	fail  func(method string) error
}

func (f *fake) begin(ctx context.Context, method string) error {
	f.calls.Add(1)
	if f.seen != nil {
		f.seen(ctx, method)
	}
	if f.fail != nil {
		return f.fail(method)
	}
	return nil
}

func (f *fake) payment(o sdk.Order, err error) (sdk.Payment, error) {
	return sdk.Payment{Order: o, Status: sdk.StatusPending, RawStatus: f.uid}, err
}

func (f *fake) Authorize(ctx context.Context) (sdk.Grant, error) {
	return sdk.Grant{}, f.begin(ctx, "Authorize")
}

func (f *fake) Create(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
	return f.payment(r.Order, f.begin(ctx, "Create"))
}

func (f *fake) Query(ctx context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
	return f.payment(r.Order, f.begin(ctx, "Query"))
}

func (f *fake) ParseNotification(ctx context.Context, _ sdk.HTTPRequest) (sdk.Notification, error) {
	return sdk.Notification{Ack: sdk.HTTPResponse{Status: 200}}, f.begin(ctx, "ParseNotification")
}

// able has the optional methods too.
type able struct{ *fake }

func (a able) Cancel(ctx context.Context, r sdk.CancelRequest) (sdk.Payment, error) {
	return a.payment(r.Order, a.begin(ctx, "Cancel"))
}

func (a able) Refund(ctx context.Context, r sdk.RefundRequest) (sdk.Refund, error) {
	return sdk.Refund{MerchantRefundID: r.MerchantRefundID, Amount: r.Amount}, a.begin(ctx, "Refund")
}

func (a able) QueryRefund(ctx context.Context, r sdk.RefundQuery) (sdk.Refund, error) {
	return sdk.Refund{MerchantRefundID: r.MerchantRefundID, Amount: r.Amount}, a.begin(ctx, "QueryRefund")
}

func definition(open func(context.Context, sdk.Config) (sdk.Provider, error)) sdk.Plugin {
	return sdk.Plugin{
		Info: sdk.Info{Name: "fake", Version: "1.0.0", Acquirer: "Fake"},
		ConfigSchema: `{"type":"object","additionalProperties":false,"required":["uid"],"properties":{
			"uid":{"type":"string","maxLength":20,"x-paymux-account":true},
			"key":{"type":"string","writeOnly":true},"short":{"type":"string","writeOnly":true}}}`,
		Capabilities: sdk.Capabilities{
			Rows:      []sdk.Capability{{Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Currency: "HKD", Actions: []sdk.ActionType{sdk.ActionRedirect}}},
			QueryKeys: []sdk.QueryKey{sdk.QueryByMerchantOrder},
		},
		Open: open,
	}
}

// opener opens the provider for every config.
func opener(f *fake, optional bool) func(context.Context, sdk.Config) (sdk.Provider, error) {
	f.calls = new(atomic.Int64)
	return func(_ context.Context, c sdk.Config) (sdk.Provider, error) {
		var decoded struct{ UID string }
		if err := c.Decode(&decoded); err != nil {
			return nil, err
		}
		mine := *f
		mine.uid = decoded.UID
		if optional {
			return able{&mine}, nil
		}
		return &mine, nil
	}
}

// dial serves the plugin in memory, over real gRPC.
func dial(t *testing.T, p sdk.Plugin) pb.ProviderServiceClient {
	t.Helper()
	server, err := plugin.NewServer(p)
	if err != nil {
		t.Fatal(err)
	}
	listener := bufconn.Listen(1 << 20)
	g := grpc.NewServer()
	if err := (&wire.GRPCPlugin{Service: server}).GRPCServer(nil, g); err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = g.Serve(listener) }()
	t.Cleanup(func() { g.Stop(); <-served })
	conn, err := grpc.NewClient("passthrough:///plugin", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client, err := (&wire.GRPCPlugin{}).GRPCClient(t.Context(), nil, conn)
	if err != nil {
		t.Fatal(err)
	}
	return client.(pb.ProviderServiceClient)
}

var main = &pb.Instance{Name: "main", ConfigDigest: "d1"}

// configured serves the plugin and configures the instance main.
func configured(t *testing.T, p sdk.Plugin) pb.ProviderServiceClient {
	t.Helper()
	client := dial(t, p)
	answer, err := client.Configure(t.Context(), &pb.ConfigureRequest{Instance: main, Config: config("u1")})
	if err == nil {
		_, err = wire.ConfiguredAnswer(answer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// money is 1 HKD unless a test spoils it.
func calls(client pb.ProviderServiceClient, in *pb.Instance, amount string) map[string]func(context.Context) error {
	m := &pb.Money{Amount: amount, Currency: "HKD"}
	o := &pb.Order{MerchantOrderId: "m1", Money: m}
	return map[string]func(context.Context) error{
		"Authorize": func(ctx context.Context) error {
			r, err := client.Authorize(ctx, &pb.AuthorizeRequest{Instance: in})
			return result(err, func() error { _, err := wire.GrantAnswer(r); return err })
		},
		"Create": func(ctx context.Context) error {
			r, err := client.Create(ctx, &pb.CreateRequest{Instance: in, Order: o})
			return result(err, func() error { _, err := wire.PaymentAnswer(r); return err })
		},
		"Query": func(ctx context.Context) error {
			r, err := client.Query(ctx, &pb.QueryRequest{Instance: in, Order: o})
			return result(err, func() error { _, err := wire.PaymentAnswer(r); return err })
		},
		"ParseNotification": func(ctx context.Context) error {
			r, err := client.ParseNotification(ctx, &pb.ParseNotificationRequest{Instance: in, Request: &pb.HttpRequest{}})
			return result(err, func() error { _, err := wire.NotificationAnswer(r); return err })
		},
		"Cancel": func(ctx context.Context) error {
			r, err := client.Cancel(ctx, &pb.CancelRequest{Instance: in, Order: o})
			return result(err, func() error { _, err := wire.PaymentAnswer(r); return err })
		},
		"Refund": func(ctx context.Context) error {
			r, err := client.Refund(ctx, &pb.RefundRequest{Instance: in, Order: o, MerchantRefundId: "r1", Amount: m})
			return result(err, func() error { _, err := wire.RefundAnswer(r); return err })
		},
		"QueryRefund": func(ctx context.Context) error {
			r, err := client.QueryRefund(ctx, &pb.QueryRefundRequest{Instance: in, Order: o, MerchantRefundId: "r1", Amount: m})
			return result(err, func() error { _, err := wire.RefundAnswer(r); return err })
		},
	}
}

// result tells an error of gRPC, of which there must be none, from an answer.
func result(grpcError error, read func() error) error {
	if grpcError != nil {
		return grpcError
	}
	return read()
}
