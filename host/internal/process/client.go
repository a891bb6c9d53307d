package process

import (
	"context"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// clientConfig is a fresh config for each start: go-plugin's can't be used
// twice. Every field that matters is set, since its defaults are for tools on a
// developer's machine.
func (p *Process) clientConfig(tempDir string, s *session) *goplugin.ClientConfig {
	return &goplugin.ClientConfig{
		HandshakeConfig: wire.Handshake(),
		VersionedPlugins: map[int]goplugin.PluginSet{
			wire.Protocol: {wire.PluginName: &wire.GRPCPlugin{}},
		},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		Managed:          false,
		StartTimeout:     p.opts.times.start,
		Logger:           hclog.NewNullLogger(), // it knows nothing that we don't report
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: tempDir},
		RunnerFunc:       s.newRunner,
		SyncStdout:       s.printed,
		SyncStderr:       s.printed,
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MaxMessageBytes), grpc.MaxCallSendMsgSize(wire.MaxMessageBytes)),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: usual.health, Timeout: usual.answer}),
			grpc.WithStreamInterceptor(s.stream),
			// Repeating a call is the host's decision, never the transport's.
			grpc.WithDisableRetry(),
		},
	}
}

// Service returns the running plugin's service. While the process is (re)started
// it waits a little; after that the error is NOT_SENT, since no call was made.
func (p *Process) Service(ctx context.Context) (pb.ProviderServiceClient, error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.times.wait)
	defer cancel()
	for {
		p.mu.Lock()
		s, err, changed := p.session, p.startErr, p.changed
		p.mu.Unlock()
		if s != nil {
			return s.service, nil
		}
		select {
		case <-changed:
		case <-p.ended:
			return nil, sdk.NotSent(sdk.CodeShuttingDown, "plugin %s is stopped", p.opts.Name)
		case <-ctx.Done():
			e := sdk.NotSent(sdk.CodePluginUnavailable, "plugin %s is not running: %w", p.opts.Name, err)
			e.RetryAfter = 5 * time.Second
			return nil, e
		}
	}
}

// Status is what operators see of a process.
type Status struct {
	Running  bool      `json:"running"`
	PID      int       `json:"pid,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Restarts int       `json:"restarts"`
	SHA256   string    `json:"sha256,omitempty"`
	Pinned   bool      `json:"pinned"` // the lock file names the digest
	Error    string    `json:"error,omitempty"`
	LastExit *Exit     `json:"last_exit,omitempty"`
}

// Status returns the state of the process now.
func (p *Process) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := Status{Restarts: max(0, p.starts-1), SHA256: p.digest, Pinned: p.opts.SHA256 != "", LastExit: p.lastExit}
	if p.session != nil {
		st.Running, st.Since = true, p.session.started
		st.PID, _ = strconv.Atoi(p.session.child().ID())
	} else if p.startErr != nil {
		st.Error = p.startErr.Error()
	}
	return st
}
