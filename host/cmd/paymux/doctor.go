package main

import (
	"fmt"
	"strings"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/lockfile"
	"github.com/paymux/paymux/host/internal/process"
)

type doctorCommand struct{ jsonFlag }

// Help says more than the one line of the command.
func (doctorCommand) Help() string {
	return "Changes nothing and may run beside a host. It asks no acquirer: that is paymux config check --online. " +
		"Exit code 1 if a check failed; 2 if the config file has mistakes, since then nothing else can be checked."
}

// finding is what one check found.
type finding struct {
	Check  string `json:"check"`
	Result result `json:"result"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

type result string

const (
	fine result = "ok"
	warn result = "warn" // it works, but not as it should
	fail result = "fail" // payments can't be taken
)

// doctor collects findings.
type doctor struct {
	*app
	cfg      *config.Config
	findings []finding
	served   bool   // a process holds the store
	running  string // the URL of the host that serves this config already, if one does
}

func (d *doctor) ok(check, format string, args ...any) {
	d.add(finding{check, fine, fmt.Sprintf(format, args...), ""})
}

func (d *doctor) warn(check, remedy, format string, args ...any) {
	d.add(finding{check, warn, fmt.Sprintf(format, args...), remedy})
}

func (d *doctor) fail(check, remedy, format string, args ...any) {
	d.add(finding{check, fail, fmt.Sprintf(format, args...), remedy})
}

func (d *doctor) add(f finding) { d.findings = append(d.findings, f) }

// Run checks everything.
func (c doctorCommand) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	d := &doctor{app: a, cfg: cfg}
	d.checkConfig()
	d.checkPlugins()
	d.checkProviders()
	d.checkStore()
	d.checkListeners()
	d.checkPublicURL()
	d.checkClock(thisBuild())
	if c.JSON {
		err = a.printJSON(d.findings)
	} else {
		d.print()
	}
	for _, f := range d.findings {
		if err == nil && f.Result == fail {
			err = failed
		}
	}
	return err
}

func (d *doctor) print() {
	for _, f := range d.findings {
		d.printf("%-4s  %-13s  %s\n", f.Result, f.Check, plain(f.Detail))
		if f.Remedy != "" {
			d.printf("      %-13s  > %s\n", "", f.Remedy)
		}
	}
}

func (d *doctor) checkConfig() {
	d.ok("config", "%s is valid: providers %d, routes %d, API keys %d", d.configPath, len(d.cfg.Providers), len(d.cfg.Routes), len(d.cfg.APIKeys))
	for _, w := range d.cfg.Warnings() {
		d.warn("config", "", "%s", w)
	}
	if len(d.cfg.APIKeys) == 0 {
		d.warn("config", "add a key for each merchant", "api_keys: there is none, so every call of the API is refused")
	}
}

// checkPlugins looks at the binaries without running them.
func (d *doctor) checkPlugins() {
	lock, err := lockfile.Read(d.cfg.Plugins.Lock)
	switch {
	case err != nil:
		d.fail("lock file", "mend it, or write it again with paymux plugins lock", "%v", err)
		return
	case lock == nil:
		d.warn("lock file", "run paymux plugins lock, and commit the file", "there is no %s: whatever is in plugins.dir is run", d.cfg.Plugins.Lock)
	}
	names, _ := pluginFlags{}.names(d.cfg) // fails for --all only
	for _, name := range names {
		check, path := "plugin", host.PluginPath(d.cfg, name)
		if lock == nil {
			if digest, err := process.FileDigest(path); err != nil {
				d.fail(check, "build it, or set plugins.dir", "%s: %v", name, err)
			} else {
				d.ok(check, "%s: unpinned, sha256 %s", name, digest)
			}
			continue
		}
		switch r := verify(d.cfg, lock, name); r.Result {
		case resultOK:
			d.ok(check, "%s %s: is as the lock file has it", name, r.Version)
		case resultUnreadable:
			d.fail(check, "build it, or set plugins.dir", "%s: %s", name, r.Detail)
		default:
			d.fail(check, "put the right binary there, or run paymux plugins lock if the change is meant", "%s: %s: %s", name, r.Result, r.Detail)
		}
	}
}

// checkProviders starts the plugins beside those of a running host, and has them
// judge their configs.
func (d *doctor) checkProviders() {
	checks, err := host.Check(d.ctx, d.cfg, false)
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			d.fail("provider", "mend the config file", "%s", line)
		}
		return
	}
	for _, c := range checks {
		switch {
		case c.Err != nil:
			d.fail("provider", "see the plugin's own checks above, and its log lines in paymux serve --log-level debug", "%s: %v", c.Name, c.Err)
		case !c.Info.Accepting:
			d.ok("provider", "%s: account %s, takes no new payments (accepting: false)", c.Name, c.Info.Account)
		default:
			d.ok("provider", "%s: account %s", c.Name, c.Info.Account)
		}
	}
	mistakes, doubts := host.CheckRoutes(d.cfg, checks)
	for _, p := range mistakes {
		d.fail("routes", "mend the route, or leave out what no provider takes", "%s", p)
	}
	for _, p := range doubts {
		d.warn("routes", "leave the provider out of the route", "%s", p)
	}
}
