package wire

import (
	"context"
	"errors"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// GRPCPlugin joins the service with go-plugin. A plugin sets Service; the host
// leaves it nil. The broker isn't used: all calls go from host to plugin.
type GRPCPlugin struct {
	goplugin.NetRPCUnsupportedPlugin
	Service pb.ProviderServiceServer
}

var _ goplugin.GRPCPlugin = (*GRPCPlugin)(nil)

// GRPCServer registers the service in the plugin's process.
func (p *GRPCPlugin) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	if p.Service == nil {
		return errors.New("wire: no server to register")
	}
	pb.RegisterProviderServiceServer(s, p.Service)
	return nil
}

// GRPCClient returns a pb.ProviderServiceClient in the host's process.
func (p *GRPCPlugin) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return pb.NewProviderServiceClient(conn), nil
}
