// Package plugin turns an sdk.Plugin into a process that a paymux host can
// start. It is all of the machinery that a plugin's main needs:
//
//	func main() { plugin.Serve(mywallet.Plugin()) }
package plugin

import (
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
)

// Serve serves the plugin to the host that started this process, until the host
// stops it. Started by hand it says so and exits with 1. A plugin whose
// definition is wrong is told on stderr and exits with 2.
func Serve(p sdk.Plugin) {
	server, err := NewServer(p)
	if err != nil {
		fmt.Fprintln(os.Stderr, "paymux plugin:", err)
		os.Exit(2)
	}
	tlsProvider, err := mutualTLS()
	if err != nil {
		fmt.Fprintln(os.Stderr, "paymux plugin:", err)
		os.Exit(2)
	}
	go endWithHost(os.Getppid())
	logger := hclog.New(&hclog.LoggerOptions{Name: p.Info.Name, Level: hclog.Info, JSONFormat: true, Output: os.Stderr})
	hclog.SetDefault(logger) // for panics: one line of JSON, which the host can read
	if server.recorder, err = record(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "paymux plugin:", err)
		os.Exit(2)
	}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: wire.Served(wire.Protocol, &wire.GRPCPlugin{Service: server}),
		TLSProvider:      tlsProvider,
		GRPCServer:       server.newGRPCServer,
		Logger:           logger,
	})
}

func (s *Server) newGRPCServer(opts []grpc.ServerOption) *grpc.Server {
	if s.recorder != nil {
		opts = append(opts, grpc.ChainUnaryInterceptor(s.recording))
	}
	return grpc.NewServer(append(opts,
		grpc.MaxRecvMsgSize(wire.MaxMessageBytes),
		grpc.MaxSendMsgSize(wire.MaxMessageBytes),
		// The host pings to notice a frozen process; without this the server
		// would take that for abuse.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	)...)
}
