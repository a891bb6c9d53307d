// Package process runs a provider plugin's binary as a supervised process: it
// checks the binary's digest, starts it over go-plugin with mutual TLS and a
// clean environment, asks after its health, starts it again when it ends, and
// stops it within a stated time. It never repeats a call.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// Options say what to run and how.
type Options struct {
	Name   string // the plugin's name, for logs
	Path   string // the binary
	SHA256 string // what its digest must be, in hex; empty: any
	Logger hclog.Logger
	// Redact takes the host's secrets out of the plugin's log lines.
	Redact func(string) string
}

// The times of the supervisor. A start takes tens of milliseconds; the limits
// are for a machine under load.
const (
	startTimeout   = 15 * time.Second
	waitForStart   = 3 * time.Second
	healthEvery    = 10 * time.Second
	healthTimeout  = 5 * time.Second
	stopGrace      = 3 * time.Second
	firstBackoff   = 100 * time.Millisecond
	longestBackoff = 30 * time.Second
	steadyAfter    = 10 * time.Second
)

// Process is a plugin's binary under supervision.
type Process struct {
	opts   Options
	cancel context.CancelFunc
	ended  chan struct{}

	mu       sync.Mutex
	session  *session
	changed  chan struct{} // closed and renewed whenever session or startErr changes
	startErr error
	starts   int
	lastExit *Exit
	digest   string
}

// session is one life of the process.
type session struct {
	client  *goplugin.Client
	runner  *childRunner
	service pb.ProviderServiceClient
	health  grpc_health_v1.HealthClient
	started time.Time
}

// Start begins to supervise. It returns at once; Service waits for the process.
func Start(opts Options) *Process {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Process{opts: opts, cancel: cancel, ended: make(chan struct{}), changed: make(chan struct{})}
	go p.supervise(ctx)
	return p
}

// supervise starts the process, watches it, and starts it again, until stopped.
func (p *Process) supervise(ctx context.Context) {
	defer close(p.ended)
	backoff := time.Duration(0)
	for ctx.Err() == nil {
		s, err := p.start()
		p.set(s, err)
		if err != nil {
			p.opts.Logger.Error("plugin did not start", "plugin", p.opts.Name, "error", err)
		} else {
			p.opts.Logger.Info("plugin started", "plugin", p.opts.Name, "pid", s.runner.ID(), "sha256", p.digest)
			p.watch(ctx, s)
			p.set(nil, sdk.NotSent(sdk.CodePluginUnavailable, "plugin %s is restarting", p.opts.Name))
			s.stop()
			p.report(ctx, s)
		}
		if err == nil && time.Since(s.started) > steadyAfter {
			backoff = 0
			continue
		}
		backoff = min(max(2*backoff, firstBackoff), longestBackoff)
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
	}
	p.set(nil, sdk.NotSent(sdk.CodeShuttingDown, "plugin %s is stopped", p.opts.Name))
}

func (p *Process) report(ctx context.Context, s *session) {
	p.mu.Lock()
	p.lastExit = &s.runner.exit
	p.mu.Unlock()
	if ctx.Err() != nil {
		p.opts.Logger.Info("plugin stopped", "plugin", p.opts.Name)
		return
	}
	p.opts.Logger.Error("plugin ended; starting it again", "plugin", p.opts.Name, "exit", s.runner.exit.String())
}

// watch returns when the process has ended, stopped answering, or is to stop.
func (p *Process) watch(ctx context.Context, s *session) {
	tick := time.NewTicker(healthEvery)
	defer tick.Stop()
	for failures := 0; failures < 2; {
		select {
		case <-ctx.Done():
			return
		case <-s.runner.done:
			return
		case <-tick.C:
			if err := s.check(ctx); err != nil {
				failures++
				p.opts.Logger.Warn("plugin does not answer its health check", "plugin", p.opts.Name, "error", err)
			} else {
				failures = 0
			}
		}
	}
	p.opts.Logger.Error("plugin is frozen; killing it", "plugin", p.opts.Name)
	_ = s.runner.Kill(ctx)
}

func (p *Process) set(s *session, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s != nil {
		p.starts++
	}
	p.session, p.startErr = s, err
	close(p.changed)
	p.changed = make(chan struct{})
}

// start starts the binary and waits until it answers.
func (p *Process) start() (*session, error) {
	digest, err := fileDigest(p.opts.Path)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.digest = digest
	p.mu.Unlock()
	if p.opts.SHA256 != "" && digest != p.opts.SHA256 {
		return nil, fmt.Errorf("%s has sha256 %s, but the lock file pins %s; rebuild it, or run paymux plugins lock if the change is meant", p.opts.Path, digest, p.opts.SHA256)
	}
	dir, err := os.MkdirTemp("", "paymux-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the plugin's socket: %w", err)
	}
	s := &session{started: time.Now()}
	s.client = goplugin.NewClient(p.clientConfig(dir, s))
	if err := s.connect(); err != nil {
		s.stop()
		os.RemoveAll(dir)
		return nil, err
	}
	go func() {
		<-s.runner.done
		os.RemoveAll(dir)
	}()
	return s, nil
}

func (s *session) connect() error {
	protocol, err := s.client.Client()
	if err != nil {
		return err
	}
	raw, err := protocol.Dispense(wire.PluginName)
	if err != nil {
		return err
	}
	conn, ok := protocol.(*goplugin.GRPCClient)
	if !ok {
		return errors.New("the plugin doesn't speak gRPC")
	}
	s.service = raw.(pb.ProviderServiceClient)
	s.health = grpc_health_v1.NewHealthClient(conn.Conn)
	ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
	defer cancel()
	return s.check(ctx)
}

func (s *session) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	answer, err := s.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName}, grpc.WaitForReady(true))
	if err != nil {
		return err
	}
	if answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("its health is %s", answer.GetStatus())
	}
	return nil
}

// stop ends the process in at most stopGrace: go-plugin's Kill has no deadline.
func (s *session) stop() {
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		s.client.Kill()
	}()
	select {
	case <-killed:
	case <-time.After(stopGrace):
		if s.runner != nil {
			_ = s.runner.Kill(context.Background())
		}
		<-killed
	}
	if s.runner != nil && s.runner.cmd.Process != nil {
		<-s.runner.done
	}
}

// Stop ends the process and the supervision, and waits for both.
func (p *Process) Stop() {
	p.cancel()
	<-p.ended
}
