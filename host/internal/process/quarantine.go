package process

import (
	"context"
	"fmt"
	"slices"
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
	now := time.Now().UTC()
	q := &Quarantine{Reason: reason, Since: now, Until: now.Add(p.opts.policy.quarantine)}
	p.opts.Logger.Error("plugin is quarantined: it is not started again until its binary changes, the config is reloaded, or the time is over",
		"plugin", p.opts.Name, "reason", reason, "until", q.Until.Format(time.RFC3339))
	p.setQuarantine(q, fmt.Errorf("it is quarantined until %s: %s", q.Until.Format(time.RFC3339), reason))
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

// lie is an answer that broke the contract.
type lie struct {
	at      time.Time
	subject string
}

// Lied records that an answer of the plugin about a subject broke the contract.
// A plugin that does so again and again is ended and put in quarantine: what it
// says of money can't be believed. A subject counts once.
func (p *Process) Lied(subject, how string) {
	p.mu.Lock()
	p.lies = slices.DeleteFunc(p.lies, func(l lie) bool {
		return l.subject == subject || time.Since(l.at) > p.opts.policy.lieWindow
	})
	p.lies = append(p.lies, lie{time.Now(), subject})
	p.lastLie = cut(p.opts.Redact(how), tailLength)
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
	if len(p.lies) < p.opts.policy.lies {
		return ""
	}
	return fmt.Sprintf("%d of its answers broke the contract, the last one so: %s", len(p.lies), p.lastLie)
}
