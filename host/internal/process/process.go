// Package process runs a provider plugin's binary as a supervised process: it
// checks the binary's digest, starts it over go-plugin with mutual TLS and a
// clean environment, asks after its health, starts it again when it ends, and
// stops it within a stated time. It never repeats a call.
package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/paymux/paymux/sdk/wire"
)

// Options say what to run and how.
type Options struct {
	Name   string // the plugin's name, for logs
	Path   string // the binary
	SHA256 string // what its digest must be, in hex; empty: any
	// AllowUnsealed lets a binary run that can't be sealed in memory, such as a
	// script: the bytes that run may then be others than those that were hashed.
	AllowUnsealed bool
	// Attach is a file to which the environment is written for a plugin that
	// somebody starts by hand, under a debugger; empty: the host starts Path.
	Attach string
	Images *Images // nil: of this process only
	Logger hclog.Logger
	// Redact takes the host's secrets out of the plugin's log lines.
	Redact func(string) string

	policy policy // tests have another
}

// policy is what the supervisor goes by.
type policy struct {
	start                        time.Duration // for a start; it takes milliseconds, but not under load
	wait                         time.Duration // of a call, for a process that is being started
	health                       time.Duration // between health checks
	answer                       time.Duration // for the answer to one
	grace                        time.Duration // for each step of a stop
	firstBackoff, longestBackoff time.Duration // before a start after a failure
	steady                       time.Duration // who ran so long is started again at once

	budget     int           // failures in a row, until it is put in quarantine
	lies       int           // answers against the contract within lieWindow, likewise
	lieWindow  time.Duration //
	quarantine time.Duration // until it may try once more
	look       time.Duration // how often it is looked whether the binary was exchanged

	protocol int // the newest that is spoken
}

var usual = policy{
	start: 15 * time.Second, wait: 3 * time.Second, health: 10 * time.Second, answer: 5 * time.Second, grace: 3 * time.Second,
	firstBackoff: 100 * time.Millisecond, longestBackoff: 30 * time.Second, steady: 2 * time.Second,
	budget: 10, lies: 5, lieWindow: 10 * time.Minute, quarantine: 5 * time.Minute, look: time.Second, protocol: wire.Protocol,
}

// answerTime is for the first answer of a plugin that shook hands.
const answerTime = 30 * time.Second

// Process is a plugin's binary under supervision.
type Process struct {
	opts   Options
	cancel context.CancelFunc
	ended  chan struct{}
	retry  chan struct{} // holds a token when a quarantine is to end

	mu         sync.Mutex
	session    *session
	changed    chan struct{} // closed and renewed whenever session or startErr changes
	startErr   error
	starts     int
	image      *image // of the last start
	seen       fileID // the file as it was then
	lastExit   *Exit
	quarantine *Quarantine
	lies       []lie // lately
	lastLie    string
	health     Health
}

// Start begins to supervise. It returns at once; Service waits for the process.
func Start(opts Options) *Process {
	if opts.Logger == nil {
		opts.Logger = hclog.NewNullLogger()
	}
	if opts.Redact == nil {
		opts.Redact = func(s string) string { return s }
	}
	if opts.Images == nil {
		opts.Images = NewImages()
	}
	if opts.policy == (policy{}) {
		opts.policy = usual
	}
	if opts.Attach != "" {
		opts.policy.start = attachWait
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Process{opts: opts, cancel: cancel, ended: make(chan struct{}), changed: make(chan struct{}), retry: make(chan struct{}, 1)}
	p.startErr = errStarting
	go p.supervise(ctx)
	return p
}

var (
	errStarting   = errors.New("it is being started")
	errRestarting = errors.New("it is being started again")
	errNotRunning = errors.New("it is stopped")
)

// supervise starts the process, watches it, and starts it again, until stopped.
// It never repeats a call.
func (p *Process) supervise(ctx context.Context) {
	defer close(p.ended)
	failures := 0
	for ctx.Err() == nil {
		err := p.live(ctx)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			failures = 0
			continue
		}
		failures++
		lie := p.tooManyLies()
		switch {
		case lie != "":
			p.beQuarantined(ctx, lie)
		case failures >= p.opts.policy.budget:
			p.beQuarantined(ctx, fmt.Sprintf("it failed %d times in a row, the last time so: %v", failures, err))
			failures = p.opts.policy.budget - 1 // it is on probation
		default:
			within(p.backoff(failures), ctx.Done())
		}
	}
	p.set(nil, errNotRunning)
}

// live is one life of the process, from its start to its end. An error means
// that it was short.
func (p *Process) live(ctx context.Context) error {
	s, err := p.start(ctx)
	p.set(s, err)
	if err != nil {
		if ctx.Err() == nil {
			p.opts.Logger.Error("plugin did not start", "plugin", p.opts.Name, "error", err)
		}
		return err
	}
	p.opts.Logger.Info("plugin started", "plugin", p.opts.Name, "pid", s.child().ID(), "sha256", s.image.sha256,
		"sealed", s.image.sealed != nil, "protocol", s.client.NegotiatedVersion())
	p.watch(ctx, s)
	p.set(nil, errRestarting)
	p.end(ctx, s)
	if time.Since(s.started) > p.opts.policy.steady && p.tooManyLies() == "" {
		return nil
	}
	if exit := s.exited(); exit != nil {
		return errors.New("it " + exit.String())
	}
	return errors.New("it can't be killed")
}

// backoff is how long to wait after so many failures in a row. It is spread, so
// that plugins that fell together don't rise together.
func (p *Process) backoff(failures int) time.Duration {
	longest := p.opts.policy.longestBackoff
	wait := p.opts.policy.firstBackoff << min(failures-1, 20)
	return time.Duration(float64(min(wait, longest)) * (0.5 + 0.5*rand.Float64()))
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
	case exit.Attached:
		p.opts.Logger.Error("attached plugin is gone; its calls are lost. The host starts none: start it again by hand", "plugin", p.opts.Name)
	default:
		p.opts.Logger.Error("plugin ended; starting it again", "plugin", p.opts.Name, "exit", exit.String())
	}
}

// recordExit keeps how a session ended, for operators.
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
	tick := time.NewTicker(p.opts.policy.health)
	defer tick.Stop()
	if s.attach != "" { // it may be at a breakpoint
		<-ctx.Done()
		return
	}
	check := func() error { return s.check(ctx, p.opts.policy.answer) }
	if p.frozen(ctx, tick.C, check) {
		p.opts.Logger.Error("plugin is frozen; killing it", "plugin", p.opts.Name)
		s.kill()
	}
}

// frozen asks at each tick until two answers in a row fail: one that is late is
// forgiven. It returns false when the context ends.
func (p *Process) frozen(ctx context.Context, tick <-chan time.Time, check func() error) bool {
	for failures := 0; failures < 2; {
		select {
		case <-ctx.Done():
			return false
		case <-tick:
		}
		err := check()
		if ctx.Err() != nil {
			return false
		}
		p.setHealth(err)
		failures++
		if err == nil {
			failures = 0
			continue
		}
		p.opts.Logger.Warn("plugin does not answer its health check", "plugin", p.opts.Name, "error", err)
	}
	return true
}

func (p *Process) set(s *session, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s != nil {
		p.starts++
		p.health = Health{OK: true, At: time.Now().UTC()} // it answered, or it wouldn't be started
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
	limited, cancel := context.WithTimeout(ctx, p.opts.policy.start)
	defer cancel()
	var img *image
	if p.opts.Attach != "" {
		img = p.attached(path)
	} else if img, err = p.load(limited, path); err != nil {
		return nil, err
	}
	tempDir, err := filepath.Abs(os.TempDir())
	if err != nil {
		return nil, err
	}
	own, err := wire.NewCertificate()
	if err != nil {
		return nil, err
	}
	s := newSession(img, own, p.opts.policy.grace, &stderrLog{logger: p.opts.Logger.Named(p.opts.Name), redact: p.opts.Redact})
	s.attach = p.opts.Attach
	s.client = goplugin.NewClient(p.clientConfig(tempDir, s))
	// Whatever go-plugin waits for has no context, but ends with the process.
	unhook := context.AfterFunc(limited, s.kill)
	err = s.connect(limited, min(p.opts.policy.start, answerTime)) // once it shook hands, nobody is waited for
	if !unhook() {                                                 // it was killed
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
	return nil, s.failure(err, p.opts.policy.start)
}

// load reads the binary and sees that it may run.
func (p *Process) load(ctx context.Context, path string) (*image, error) {
	seen := lookAt(path)
	p.mu.Lock()
	p.seen = seen
	p.mu.Unlock()
	img, err := p.opts.Images.load(ctx, path)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.image = img
	p.mu.Unlock()
	if p.opts.SHA256 != "" && img.sha256 != p.opts.SHA256 {
		return nil, fmt.Errorf("%s has sha256 %s, but the lock file pins %s; rebuild it, or run paymux plugins lock if the change is meant", path, img.sha256, p.opts.SHA256)
	}
	if why := img.unsealedWhy; why != "" {
		if canSeal && !p.opts.AllowUnsealed {
			return nil, fmt.Errorf("%s can't run from a sealed copy of its bytes: %s; or set plugins.allow_unsealed: true, and then whoever can write what it runs can change it", path, why)
		}
		p.opts.Logger.Warn("plugin runs unsealed: what runs may be other than what was hashed", "plugin", p.opts.Name, "why", why)
	}
	if img.dynamic() {
		p.opts.Logger.Warn("plugin is dynamically linked: its digest doesn't cover the system's libraries; build it with CGO_ENABLED=0", "plugin", p.opts.Name)
	}
	return img, nil
}

// Stop ends the process and the supervision, and waits for both, for some
// seconds at most.
func (p *Process) Stop() {
	p.cancel()
	<-p.ended
}
