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
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
)

// Options say what to run and how.
type Options struct {
	Name   string // the plugin's name, for logs
	Path   string // the binary
	SHA256 string // what its digest must be, in hex; empty: any
	Logger hclog.Logger
	// Redact takes the host's secrets out of the plugin's log lines.
	Redact func(string) string

	times times // tests have shorter ones
}

// times are those of the supervisor.
type times struct {
	start                        time.Duration // for a start; it takes tens of milliseconds, but not under load
	wait                         time.Duration // of a call, for a process that is being started
	health                       time.Duration // between health checks
	answer                       time.Duration // for the answer to one
	grace                        time.Duration // for each step of a stop
	firstBackoff, longestBackoff time.Duration // before a start after a failure
	steady                       time.Duration // who ran so long is started again at once
}

var usual = times{
	start: 15 * time.Second, wait: 3 * time.Second, health: 10 * time.Second, answer: 5 * time.Second, grace: 3 * time.Second,
	firstBackoff: 100 * time.Millisecond, longestBackoff: 30 * time.Second, steady: 10 * time.Second,
}

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

// Start begins to supervise. It returns at once; Service waits for the process.
func Start(opts Options) *Process {
	if opts.Logger == nil {
		opts.Logger = hclog.NewNullLogger()
	}
	if opts.Redact == nil {
		opts.Redact = func(s string) string { return s }
	}
	if opts.times == (times{}) {
		opts.times = usual
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Process{opts: opts, cancel: cancel, ended: make(chan struct{}), changed: make(chan struct{})}
	p.startErr = errors.New("it is being started")
	go p.supervise(ctx)
	return p
}

// supervise starts the process, watches it, and starts it again, until stopped.
func (p *Process) supervise(ctx context.Context) {
	defer close(p.ended)
	backoff := time.Duration(0)
	for ctx.Err() == nil {
		s, err := p.start(ctx)
		p.set(s, err)
		if err == nil {
			p.opts.Logger.Info("plugin started", "plugin", p.opts.Name, "pid", s.child().ID(), "sha256", p.digest)
			p.watch(ctx, s)
			p.set(nil, errors.New("it is being started again"))
			p.end(ctx, s)
		} else if ctx.Err() == nil {
			p.opts.Logger.Error("plugin did not start", "plugin", p.opts.Name, "error", err)
		}
		if err == nil && time.Since(s.started) > p.opts.times.steady {
			backoff = 0
			continue
		}
		backoff = min(max(2*backoff, p.opts.times.firstBackoff), p.opts.times.longestBackoff)
		within(backoff, ctx.Done())
	}
	p.set(nil, errors.New("it is stopped"))
}

// end stops a session and reports how it ended.
func (p *Process) end(ctx context.Context, s *session) {
	ended := s.stop()
	p.recordExit(s)
	switch exit := s.exited(); {
	case !ended || exit == nil:
		p.opts.Logger.Error("plugin can't be killed; it is left to the operator", "plugin", p.opts.Name, "pid", s.child().ID())
	case ctx.Err() != nil:
		p.opts.Logger.Info("plugin stopped", "plugin", p.opts.Name)
	default:
		p.opts.Logger.Error("plugin ended; starting it again", "plugin", p.opts.Name, "exit", exit.String())
	}
}

func (p *Process) recordExit(s *session) {
	if exit := s.exited(); exit != nil {
		p.mu.Lock()
		p.lastExit = exit
		p.mu.Unlock()
	}
}

// watch returns when the process has ended, stopped answering, or is to stop.
func (p *Process) watch(ctx context.Context, s *session) {
	ctx, cancel := s.whileItRuns(ctx) // a health check must not outlive the process
	defer cancel()
	tick := time.NewTicker(p.opts.times.health)
	defer tick.Stop()
	for failures := 0; failures < 2; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := s.check(ctx, p.opts.times.answer)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failures = 0
		default:
			failures++
			p.opts.Logger.Warn("plugin does not answer its health check", "plugin", p.opts.Name, "error", err)
		}
	}
	p.opts.Logger.Error("plugin is frozen; killing it", "plugin", p.opts.Name)
	s.kill()
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
func (p *Process) start(ctx context.Context) (*session, error) {
	path, err := filepath.Abs(p.opts.Path) // the process runs in a directory of its own
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, p.opts.times.start)
	defer cancel()
	digest, err := fileDigest(limited, path)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.digest = digest
	p.mu.Unlock()
	if p.opts.SHA256 != "" && digest != p.opts.SHA256 {
		return nil, fmt.Errorf("%s has sha256 %s, but the lock file pins %s; rebuild it, or run paymux plugins lock if the change is meant", path, digest, p.opts.SHA256)
	}
	tempDir, err := filepath.Abs(os.TempDir())
	if err != nil {
		return nil, err
	}
	s := newSession(path, p.opts.times.grace, &stderrLog{logger: p.opts.Logger.Named(p.opts.Name), redact: p.opts.Redact})
	s.client = goplugin.NewClient(p.clientConfig(tempDir, s))
	// Whatever go-plugin waits for has no context, but ends with the process.
	unhook := context.AfterFunc(limited, s.kill)
	err = s.connect(limited, p.opts.times.start)
	if !unhook() { // it was killed
		err = limited.Err()
		if ctx.Err() != nil {
			err = errStopped
		}
	}
	if err == nil {
		return s, nil
	}
	s.stop()
	p.recordExit(s)
	return nil, s.failure(err, p.opts.times.start)
}

// Stop ends the process and the supervision, and waits for both, for some
// seconds at most.
func (p *Process) Stop() {
	p.cancel()
	<-p.ended
}
