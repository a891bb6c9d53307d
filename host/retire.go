package host

import (
	"context"
	"slices"
)

// find returns the process that is what the files say: the one that serves, or
// one that was replaced not long ago and is still ready, so that a swap can be
// undone at once. Nil if there is none.
func (p *plugins) find(key, path, pin string, unsealed bool) *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	fits := func(c *child) bool {
		return c.path == path && c.pin == pin && c.unsealed == unsealed && (pin != "" || !c.Outdated())
	}
	if c := p.running[key]; c != nil && fits(c) {
		return c
	}
	for _, c := range p.retired {
		if c.key == key && fits(c) && c.Status().Running {
			return c
		}
	}
	return nil
}

// replace puts the processes of a reload in the place of those that served, and
// retires these: their calls may end, and for a while they stay ready.
func (p *plugins) replace(h *Host, r reload) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.running
	p.running = r.children
	p.retired = slices.DeleteFunc(p.retired, func(c *child) bool { return r.children[c.key] == c })
	served := map[*child][]*account{}
	for _, a := range r.old.accounts {
		if a.process == nil || r.next.accounts[a.cfg.Name] == nil || r.next.accounts[a.cfg.Name].api != a.api {
			served[a.process] = append(served[a.process], a)
		}
	}
	for key, c := range before {
		if r.children[key] == c {
			continue
		}
		h.log.Info("plugin is replaced; its calls may end, and it stays ready for a while", "plugin", key, "pid", c.Status().PID, "drains_at_most", drainTime, "ready_for", rollbackTime)
		p.supersede(key)
		p.retired = append(p.retired, c)
		c.superseded = make(chan struct{})
		c.retirements++
		time := c.retirements
		superseded := c.superseded
		p.waiting.Go(func() { p.retire(h, c, time, superseded, served[c]) })
	}
}

// supersede lets the processes that were replaced before end: there is one to go
// back to, the latest.
func (p *plugins) supersede(key string) {
	for _, c := range p.retired {
		if c.key == key && c.superseded != nil {
			close(c.superseded)
			c.superseded = nil
		}
	}
}

// retire ends a replaced process in due time, unless it served again since.
func (p *plugins) retire(h *Host, c *child, time int, superseded <-chan struct{}, accounts []*account) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	go func() {
		select {
		case <-p.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	left := 0
	for _, a := range accounts {
		left += a.api.Drain(ctx)
	}
	if left > 0 {
		h.log.Warn("a replaced plugin still has calls under way; they end with it at the latest", "plugin", c.key, "calls", left)
	}
	select {
	case <-p.ended:
		return // stop ends them all
	case <-superseded:
	case <-h.clock.After(rollbackTime):
	}
	p.mu.Lock()
	at := slices.Index(p.retired, c)
	if c.retirements != time {
		at = -1
	}
	if at >= 0 {
		p.retired = slices.Delete(p.retired, at, at+1)
	}
	p.mu.Unlock()
	if at >= 0 {
		c.Stop()
	}
}
