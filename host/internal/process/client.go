package process

import (
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/paymux/paymux/sdk/wire"
)

// clientConfig is a fresh config for each start: go-plugin's can't be used
// twice. Every field that matters is set, since its defaults are for tools on a
// developer's machine.
//
// AutoMTLS is off because its certificates are slow; the mutual TLS is ours.
func (p *Process) clientConfig(tempDir string, s *session) *goplugin.ClientConfig {
	alive := keepalive.ClientParameters{Time: usual.health, Timeout: usual.answer}
	if p.opts.Attach != "" { // it may be at a breakpoint
		alive = keepalive.ClientParameters{}
	}
	return &goplugin.ClientConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: wire.Served(p.opts.policy.protocol, &wire.GRPCPlugin{}),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		TLSConfig:        wire.ClientTLS(s.certificate),
		SkipHostEnv:      true,
		Managed:          false,
		StartTimeout:     p.opts.policy.start,
		Logger:           hclog.NewNullLogger(), // it knows nothing that we don't report
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: tempDir},
		RunnerFunc:       s.newRunner,
		SyncStdout:       s.printed,
		SyncStderr:       s.printed,
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MaxMessageBytes), grpc.MaxCallSendMsgSize(wire.MaxMessageBytes)),
			grpc.WithKeepaliveParams(alive),
			grpc.WithStreamInterceptor(s.stream),
			// Repeating a call is the host's decision, never the transport's.
			grpc.WithDisableRetry(),
		},
	}
}
