package process

import (
	"context"
	"strconv"
	"time"

	"github.com/paymux/paymux/sdk"
	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

// Service returns the running plugin's service. While the process is (re)started
// it waits a little; after that the error is NOT_SENT, since no call was made.
func (p *Process) Service(ctx context.Context) (pb.ProviderServiceClient, error) {
	ctx, cancel := context.WithTimeout(ctx, p.opts.policy.wait)
	defer cancel()
	return p.Ready(ctx)
}

// Ready is Service for who can wait as long as its context.
func (p *Process) Ready(ctx context.Context) (pb.ProviderServiceClient, error) {
	for {
		p.mu.Lock()
		s, err, changed, q := p.session, p.startErr, p.changed, p.quarantine
		p.mu.Unlock()
		if s != nil {
			return s.service, nil
		}
		if q != nil {
			return nil, p.unavailable(err, max(time.Second, time.Until(q.Until)))
		}
		select {
		case <-changed:
		case <-p.ended:
			return nil, sdk.NotSent(sdk.CodeShuttingDown, "plugin %s is stopped", p.opts.Name)
		case <-ctx.Done():
			return nil, p.unavailable(err, 5*time.Second)
		}
	}
}

func (p *Process) unavailable(why error, retryAfter time.Duration) error {
	e := sdk.NotSent(sdk.CodePluginUnavailable, "plugin %s is not running: %w", p.opts.Name, why)
	e.RetryAfter = retryAfter
	return e
}

// Status is what operators see of a process. The API answers it as it is, so all
// times are in UTC.
type Status struct {
	State    string    `json:"state"`
	Running  bool      `json:"running"`
	PID      int       `json:"pid,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Uptime   float64   `json:"uptime_seconds,omitempty"`
	Restarts int       `json:"restarts"`
	Protocol int       `json:"protocol,omitempty"` // that was agreed on
	SHA256   string    `json:"sha256,omitempty"`
	Pinned   bool      `json:"pinned"` // the lock file names the digest
	Sealed   bool      `json:"sealed"` // the bytes that were hashed are those that run
	Unsealed string    `json:"unsealed_why,omitempty"`
	Health   *Health   `json:"health,omitempty"`
	// Quarantine is why it isn't started any more for now.
	Quarantine *Quarantine `json:"quarantine,omitempty"`
	Error      string      `json:"error,omitempty"`
	LastExit   *Exit       `json:"last_exit,omitempty"`
}

// The states of a process.
const (
	StateStarting    = "starting"
	StateRunning     = "running"
	StateFailing     = "failing" // it ended or didn't start, and is started again soon
	StateQuarantined = "quarantined"
	StateStopped     = "stopped"
)

// Health is what the last health check of a running process said.
type Health struct {
	OK    bool      `json:"ok"`
	At    time.Time `json:"at"`
	Error string    `json:"error,omitempty"`
}

func (p *Process) setHealth(err error) {
	h := Health{OK: err == nil, At: time.Now().UTC()}
	if err != nil {
		h.Error = cut(p.opts.Redact(err.Error()), tailLength)
	}
	p.mu.Lock()
	p.health = h
	p.mu.Unlock()
}

// Status returns the state of the process now.
func (p *Process) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := Status{State: p.state(), Restarts: max(0, p.starts-1), Pinned: p.opts.SHA256 != "", LastExit: p.lastExit, Quarantine: p.quarantine}
	img := p.image
	if p.session != nil {
		img = p.session.image
		health := p.health
		st.Running, st.Since, st.Uptime, st.Health = true, p.session.started, time.Since(p.session.started).Seconds(), &health
		st.PID, _ = strconv.Atoi(p.session.child().ID())
		st.Protocol = p.session.client.NegotiatedVersion()
	} else if p.startErr != nil {
		st.Error = p.startErr.Error()
	}
	if img != nil {
		st.SHA256, st.Sealed, st.Unsealed = img.sha256, img.sealed != nil, img.unsealedWhy
	}
	return st
}

func (p *Process) state() string {
	switch {
	case p.session != nil:
		return StateRunning
	case p.quarantine != nil:
		return StateQuarantined
	case p.startErr == errNotRunning:
		return StateStopped
	case p.startErr == errStarting:
		return StateStarting
	default:
		return StateFailing
	}
}

// Started waits until the first start has succeeded or failed.
func (p *Process) Started(ctx context.Context) error {
	for {
		p.mu.Lock()
		s, err, changed := p.session, p.startErr, p.changed
		p.mu.Unlock()
		if s != nil {
			return nil
		}
		if err != errStarting {
			return p.unavailable(err, 0)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return p.unavailable(ctx.Err(), 0)
		}
	}
}

// Outdated reports whether the binary is another file than the one that runs.
func (p *Process) Outdated() bool {
	if p.opts.Attach != "" {
		return false
	}
	p.mu.Lock()
	seen := p.seen
	p.mu.Unlock()
	return lookAt(p.opts.Path) != seen
}

// SHA256 is the digest of the binary that was started last; empty before.
func (p *Process) SHA256() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.image == nil {
		return ""
	}
	return p.image.sha256
}
