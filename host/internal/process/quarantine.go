package process

import (
	"context"
	"fmt"
	"time"
)

// Quarantine keeps a plugin from being started: it failed or lied too often. It
// ends when the binary is exchanged, when Retry is called, or at Until; then the
// plugin is on probation, and one more failure puts it back.
type Quarantine struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
}

// beQuarantined waits for the end of a quarantine.
func (p *Process) beQuarantined(ctx context.Context, reason string) {
	select {
	case <-p.retry: // it was for the one before
	default:
	}
	now := time.Now()
	q := &Quarantine{Reason: reason, Since: now, Until: now.Add(p.opts.policy.quarantine)}
	p.opts.Logger.Error("plugin is quarantined: it is not started again until its binary changes, the config is reloaded, or the time is over",
		"plugin", p.opts.Name, "reason", reason, "until", q.Until.UTC().Format(time.RFC3339))
	p.setQuarantine(q, fmt.Errorf("it is quarantined until %s: %s", q.Until.UTC().Format(time.RFC3339), reason))
	why := p.awaitRelease(ctx, q)
	p.setQuarantine(nil, errRestarting)
	if ctx.Err() == nil {
		p.opts.Logger.Info("plugin's quarantine has ended; it is tried again", "plugin", p.opts.Name, "why", why)
	}
}

func (p *Process) awaitRelease(ctx context.Context, q *Quarantine) (why string) {
	over := time.NewTimer(time.Until(q.Until))
	defer over.Stop()
	look := time.NewTicker(p.opts.policy.look)
	defer look.Stop()
	p.mu.Lock()
	seen := p.seen
	p.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return ""
		case <-p.retry:
			return "it was asked for"
		case <-over.C:
			return "its time is over"
		case <-look.C:
			if lookAt(p.opts.Path) != seen {
				return "the binary was exchanged"
			}
		}
	}
}

func (p *Process) setQuarantine(q *Quarantine, err error) {
	p.mu.Lock()
	p.quarantine, p.lies = q, nil
	p.mu.Unlock()
	p.set(nil, err)
}

// Retry ends a quarantine, if there is one.
func (p *Process) Retry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quarantine == nil {
		return
	}
	select {
	case p.retry <- struct{}{}:
	default: // somebody asked already
	}
}

// Lied records that an answer of the plugin broke the contract. A plugin that
// does so again and again is ended and put in quarantine: what it says of money
// can't be believed.
func (p *Process) Lied(how string) {
	p.mu.Lock()
	p.lies = append(p.lies, time.Now())
	p.lastLie = cut(p.opts.Redact(how), tailLength)
	if n := len(p.lies); n > p.opts.policy.lies {
		p.lies = p.lies[n-p.opts.policy.lies:]
	}
	s := p.session
	p.mu.Unlock()
	p.opts.Logger.Error("plugin's answer breaks the contract", "plugin", p.opts.Name, "how", cut(p.opts.Redact(how), tailLength))
	if s != nil && p.tooManyLies() != "" {
		s.kill()
	}
}

// tooManyLies is why the plugin is to be quarantined for its answers; empty if
// it isn't.
func (p *Process) tooManyLies() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.opts.policy.lies
	if len(p.lies) < n || time.Since(p.lies[0]) > p.opts.policy.lieWindow {
		return ""
	}
	return fmt.Sprintf("%d of its answers broke the contract, the last one so: %s", n, p.lastLie)
}
