// The plugins of the tests, good and broken. A plugin gets no arguments, so the
// name of its binary says how it behaves.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/plugin"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

func main() {
	how := strings.TrimPrefix(filepath.Base(os.Args[0]), "paymux-provider-")
	p := definition(how)
	switch how {
	case "stdout":
		fmt.Println("Welcome!")
	case "chatty":
		for i := range 80 {
			fmt.Fprintln(os.Stderr, "thinking", i)
		}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	case "misnamed":
		p.Info.Name = "another"
	case "untyped": // any value passes as the key
		p.ConfigSchema = strings.Replace(p.ConfigSchema, `"key":{"type":"string",`, `"key":{"examples":["paymux-example-key"],`, 1)
	case "crash":
		p.Capabilities.Rows = append(p.Capabilities.Rows, p.Capabilities.Rows[0])
	}
	server, err := plugin.NewServer(p)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	b := &broken{Server: server, how: how, held: map[string]bool{}}
	if how == "keeps" {
		b.restore()
	}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: map[int]goplugin.PluginSet{wire.Protocol: {wire.PluginName: &wire.GRPCPlugin{Service: b}}},
		GRPCServer:       b.serve,
	})
	if how == "stubborn" {
		select {}
	}
}

// broken serves as the sdk does, with one thing wrong.
type broken struct {
	*plugin.Server
	how   string
	calls atomic.Int64

	mu   sync.Mutex
	held map[string]bool // the instances that were configured
}

// serve makes the gRPC server, for what goes wrong below the calls.
func (b *broken) serve(opts []grpc.ServerOption) *grpc.Server {
	switch b.how {
	case "unhealthy":
		opts = append(opts, grpc.UnaryInterceptor(func(ctx context.Context, r any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if _, ok := r.(*healthpb.HealthCheckRequest); ok { // the acquirer isn't there
				return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_NOT_SERVING}, nil
			}
			return handle(ctx, r)
		}))
	case "unreading", "swollen":
		opts = append(opts, grpc.MaxRecvMsgSize(1<<30), grpc.ForceServerCodecV2(codec{encoding.GetCodecV2("proto"), b.how}))
	}
	return grpc.NewServer(opts...)
}

// codec ends the process where one without Go's care would.
type codec struct {
	encoding.CodecV2
	how string
}

func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	err := c.CodecV2.Unmarshal(data, v)
	if c.how == "unreading" && err != nil || c.how == "swollen" && data.Len() > 4<<20 {
		os.Exit(7)
	}
	return err
}

func (b *broken) hold(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.how == "few" && len(b.held) >= 500 { // room for new ones
		clear(b.held)
	}
	b.held[name] = true
}

// holds reports whether an instance was configured, with whatever config.
func (b *broken) holds(r interface{ GetInstance() *pb.Instance }) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held[r.GetInstance().GetName()]
}

// kept is where the newest config outlives the process.
func kept() string { return os.Args[0] + ".kept" }

func (b *broken) keep(r *pb.ConfigureRequest) {
	text, err := proto.Marshal(r)
	if err == nil {
		err = os.WriteFile(kept(), text, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func (b *broken) restore() {
	r := &pb.ConfigureRequest{}
	if text, err := os.ReadFile(kept()); err == nil && proto.Unmarshal(text, r) == nil {
		_, _ = b.Server.Configure(context.Background(), r)
	}
}

func (b *broken) Describe(ctx context.Context, r *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	answer, err := b.Server.Describe(ctx, r)
	if b.how == "fickle" && b.calls.Add(1)%2 == 0 {
		answer.Acquirer += " "
	}
	if b.how == "version" {
		answer.Version = "latest"
	}
	return answer, err
}

func (b *broken) Query(ctx context.Context, r *pb.QueryRequest) (*pb.QueryResponse, error) {
	answer, err := b.Server.Query(ctx, r)
	switch {
	case b.how == "digest" && answer.GetError().GetCode() == uint32(sdk.CodeNotConfigured) && b.holds(r):
		return &pb.QueryResponse{Result: &pb.QueryResponse_Payment{Payment: &pb.Payment{}}}, nil
	case b.how == "fragile" && r.GetInstance() == nil:
		os.Exit(7)
	case b.how == "invalid" && r.GetInstance() == nil:
		return nil, status.Error(codes.InvalidArgument, "there is no instance")
	case b.how == "clinging": // it has something to tell to whom has gone
		select {
		case <-ctx.Done():
			os.Exit(7)
		case <-time.After(500 * time.Millisecond):
		}
	}
	return answer, err
}

func (b *broken) Cancel(ctx context.Context, r *pb.CancelRequest) (*pb.CancelResponse, error) {
	answer, err := b.Server.Cancel(ctx, r)
	if b.how == "status" && r.GetInstance() != nil && !b.holds(r) {
		return nil, status.Error(codes.NotFound, "there is no such instance")
	}
	if b.how == "pretends" && answer.GetError().GetCode() == uint32(sdk.CodeUnimplemented) {
		return &pb.CancelResponse{Result: &pb.CancelResponse_Payment{Payment: &pb.Payment{}}}, nil
	}
	return answer, err
}

func (b *broken) Configure(ctx context.Context, r *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	var object map[string]any
	if b.how == "wrong" && len(r.GetConfig()) > 0 && json.Unmarshal(r.GetConfig(), &object) != nil {
		return nil, status.Error(codes.InvalidArgument, "what is this?")
	}
	if b.how == "keeps" {
		b.keep(r)
	}
	if b.how == "leaks" {
		fmt.Fprintln(os.Stderr, "config:", string(r.GetConfig()))
	}
	answer, err := b.Server.Configure(ctx, r)
	if answer.GetConfigured() != nil {
		b.hold(r.GetInstance().GetName())
	}
	if c := answer.GetConfigured(); c != nil && b.how == "account" {
		c.Account += fmt.Sprint(b.calls.Add(1))
	}
	return answer, err
}

func (b *broken) ParseNotification(ctx context.Context, r *pb.ParseNotificationRequest) (*pb.ParseNotificationResponse, error) {
	if b.how == "few" && !b.holds(r) {
		gone := wire.ErrorToProto(sdk.NotSent(sdk.CodeNotConfigured, "this process doesn't hold the instance any more"))
		return &pb.ParseNotificationResponse{Result: &pb.ParseNotificationResponse_Error{Error: gone}}, nil
	}
	return b.Server.ParseNotification(ctx, r)
}

func definition(name string) sdk.Plugin {
	return sdk.Plugin{
		Info: sdk.Info{Name: name, Version: "1.0.0", Acquirer: "Nobody"},
		ConfigSchema: `{"type":"object","additionalProperties":false,"required":["uid","key"],"properties":{
			"uid":{"type":"string","x-paymux-account":true},"key":{"type":"string","writeOnly":true}}}`,
		Capabilities: sdk.Capabilities{
			Rows:      []sdk.Capability{{Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Currency: "HKD", Actions: []sdk.ActionType{sdk.ActionRedirect}}},
			QueryKeys: []sdk.QueryKey{sdk.QueryByMerchantOrder},
		},
		Open: func(_ context.Context, c sdk.Config) (sdk.Provider, error) {
			var config struct {
				Key sdk.Secret `json:"key"`
			}
			return none{}, c.Decode(&config)
		},
	}
}

type none struct{}

var errNobody = sdk.NotSent(sdk.CodeAcquirerUnavailable, "there is no acquirer")

func (none) Authorize(context.Context) (sdk.Grant, error) { return sdk.Grant{}, errNobody }
func (none) Create(context.Context, sdk.CreateRequest) (sdk.Payment, error) {
	return sdk.Payment{}, errNobody
}
func (none) Query(context.Context, sdk.QueryRequest) (sdk.Payment, error) {
	return sdk.Payment{}, errNobody
}
func (none) ParseNotification(context.Context, sdk.HTTPRequest) (sdk.Notification, error) {
	return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "nobody signs")
}
