// The plugins of the tests, good and broken. A plugin gets no arguments, so the
// name of its binary says how it behaves.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	goplugin "github.com/hashicorp/go-plugin"

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
	case "crash":
		p.Capabilities.Rows = append(p.Capabilities.Rows, p.Capabilities.Rows[0])
	}
	server, err := plugin.NewServer(p)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: map[int]goplugin.PluginSet{wire.Protocol: {wire.PluginName: &wire.GRPCPlugin{Service: &broken{Server: server, how: how}}}},
		GRPCServer:       goplugin.DefaultGRPCServer,
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
	case b.how == "status" && answer.GetError().GetCode() == uint32(sdk.CodeNotConfigured) && r.GetInstance().GetName() == "nobody-configured-it":
		return nil, errors.New("there is no such instance")
	case b.how == "digest" && r.GetInstance().GetConfigDigest() == strings.Repeat("0", 64):
		return &pb.QueryResponse{Result: &pb.QueryResponse_Payment{Payment: &pb.Payment{}}}, nil
	case b.how == "fragile" && r.GetInstance() == nil:
		os.Exit(7)
	}
	return answer, err
}

func (b *broken) Cancel(ctx context.Context, r *pb.CancelRequest) (*pb.CancelResponse, error) {
	answer, err := b.Server.Cancel(ctx, r)
	if b.how == "pretends" && answer.GetError().GetCode() == uint32(sdk.CodeUnimplemented) {
		return &pb.CancelResponse{Result: &pb.CancelResponse_Payment{Payment: &pb.Payment{}}}, nil
	}
	return answer, err
}

func (b *broken) Configure(ctx context.Context, r *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	name := r.GetInstance().GetName()
	if b.how == "few" && strings.HasPrefix(name, "shop-") && b.calls.Add(1) > 500 {
		return &pb.ConfigureResponse{Result: &pb.ConfigureResponse_Error{Error: wire.ErrorToProto(sdk.ConfigError("", "too many"))}}, nil
	}
	if b.how == "wrong" && name == "wrong" && len(r.GetConfig()) < 3 {
		return nil, errors.New("what is this?")
	}
	if b.how == "leaks" {
		fmt.Fprintln(os.Stderr, "config:", string(r.GetConfig()))
	}
	answer, err := b.Server.Configure(ctx, r)
	if c := answer.GetConfigured(); c != nil && b.how == "account" && name == "account" {
		c.Account += fmt.Sprint(b.calls.Add(1))
	}
	return answer, err
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
