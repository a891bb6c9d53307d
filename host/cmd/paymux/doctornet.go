package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"syscall"
	"time"
)

const (
	probeTime = 5 * time.Second
	// clockSlack is how far two clocks may be apart before it matters: tokens
	// and signatures of acquirers expire within minutes.
	clockSlack = 30 * time.Second
)

// checkListeners finds out of each port whether it is free, ours, or another
// program's.
func (d *doctor) checkListeners() {
	d.checkListener("listen", d.cfg.Listen)
	if d.cfg.AdminListen != "" {
		d.checkListener("admin_listen", d.cfg.AdminListen)
	}
}

func (d *doctor) checkListener(key, address string) {
	if _, port, _ := net.SplitHostPort(address); port == "0" {
		d.ok(key, "%s: the system chooses a port", address)
		return
	}
	l, err := net.Listen("tcp", address)
	if err == nil {
		l.Close()
		d.ok(key, "%s: free, no host is running there", address)
		return
	}
	at := "http://" + reachable(address)
	if !errors.Is(err, syscall.EADDRINUSE) || !d.isHost(at) {
		d.fail(key, "see "+key+" in docs/config.md", "%s: %s", address, listenFault(err))
		return
	}
	if !d.served {
		d.fail(key, "stop that host, or choose another port", "%s: a paymux host serves there, but with another store", address)
		return
	}
	if key != "listen" {
		d.ok(key, "%s: a paymux host serves there", address)
		return
	}
	d.running = at
	if answer, err := d.get(at + "/readyz"); err != nil {
		d.fail(key, "look at the host's log", "%s: a paymux host serves there, but does not answer: %v", address, err)
	} else if answer.status != http.StatusOK {
		d.fail(key, "look at the host's log", "%s: a paymux host serves there, but can't take payments: %s", address, answer.detail())
	} else {
		d.ok(key, "%s: a paymux host serves there and is ready", address)
	}
}

// isHost recognizes a host, ready or not, by its API or its admin server.
func (d *doctor) isHost(at string) bool {
	answer, err := d.get(at + "/healthz")
	return err == nil && answer.healthy()
}

// healthy reports whether an answer is that of a host's /healthz. Many a site
// answers 200 to everything.
func (p probe) healthy() bool {
	var health struct {
		Status string `json:"status"`
	}
	return p.status == http.StatusOK && json.Unmarshal(p.body, &health) == nil && health.Status == "ok"
}

// checkPublicURL checks that acquirers could reach the host, and if it runs,
// that it is reached.
func (d *doctor) checkPublicURL() {
	const check = "public_url"
	u, err := url.Parse(d.cfg.PublicURL)
	if err != nil {
		d.fail(check, "write a URL", "%v", err)
		return
	}
	if local(u.Hostname()) {
		d.warn(check, "set public_url to the https address that your proxy forwards to listen",
			"%s: acquirers elsewhere can't reach this; without notifications a payment is settled later, by asking", d.cfg.PublicURL)
	}
	if d.running == "" {
		d.ok(check, "%s: not tried, as no host is running", d.cfg.PublicURL)
		return
	}
	asked := time.Now()
	answer, err := d.get(d.cfg.PublicURL + "/healthz")
	switch {
	case err != nil:
		d.warn(check, "check the DNS entry, the proxy and its certificate; some networks can't reach their own public address: then try from outside",
			"%s: can't be reached from here: %v", d.cfg.PublicURL, err)
	case !answer.healthy():
		d.fail(check, "forward the path /v1/notifications/ at least, best all, to "+d.running, "%s: its /healthz (HTTP %d) is not the host's", d.cfg.PublicURL, answer.status)
	default:
		d.ok(check, "%s: leads to the host", d.cfg.PublicURL)
		if apart := answer.date.Sub(asked).Abs(); !answer.date.IsZero() && apart > clockSlack {
			d.warn("clock", "run an NTP client", "%s and this machine are %s apart", u.Host, apart.Round(time.Second))
		}
	}
}

func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// probe is an answer to a GET.
type probe struct {
	status int
	date   time.Time
	body   []byte
}

// detail is what the answer says for people.
func (p probe) detail() string {
	var words problem
	if json.Unmarshal(p.body, &words) == nil && words.Detail != "" {
		return words.Detail
	}
	return http.StatusText(p.status)
}

func (d *doctor) get(address string) (probe, error) {
	ctx, cancel := context.WithTimeout(d.ctx, probeTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return probe{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return probe{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	date, _ := http.ParseTime(resp.Header.Get("Date"))
	return probe{resp.StatusCode, date, body}, err
}

// checkClock compares the clock with what can't be in the future. A clock that
// is wrong breaks tokens, certificates and the times in the store.
func (d *doctor) checkClock(b build) {
	const check, remedy = "clock", "set the clock, and run an NTP client"
	now := time.Now()
	if built, err := time.Parse(time.RFC3339, b.Time); err == nil && now.Before(built) {
		d.fail(check, remedy, "it says %s, which is before this program was written", when(now))
		return
	}
	for _, path := range []string{d.cfg.Store.Path, d.cfg.Store.Path + "-wal"} {
		if info, err := os.Stat(path); err == nil && info.ModTime().Sub(now) > clockSlack {
			d.fail(check, remedy, "it says %s, but the store was written at %s: one of the two was wrong", when(now), when(info.ModTime()))
			return
		}
	}
	d.ok(check, "%s", when(now))
}
