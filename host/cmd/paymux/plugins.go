package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/lockfile"
	"github.com/paymux/paymux/host/internal/process"
	"github.com/paymux/paymux/host/internal/provider"
)

type plugins struct {
	New    newCommand    `cmd:"" help:"Start a provider for another acquirer, from a template that works."`
	Lock   lockCommand   `cmd:"" help:"Pin the version and the digest of each plugin's binary in the lock file."`
	Verify verifyCommand `cmd:"" help:"Compare the binaries with the lock file."`

	Conformance conformanceCommand `cmd:"" help:"Check a built plugin against the contract's rules."`
}

type pluginFlags struct {
	All bool `help:"All plugins in plugins.dir, not only those that the config names."`
	jsonFlag
}

type lockCommand struct{ pluginFlags }

// Help says more than the one line of the command.
func (lockCommand) Help() string {
	return "Pins for this operating system and architecture; pins for others stay as long as the version does. " +
		"Runs each binary once, to ask for its version: run it only over binaries that you trust. Commit the lock file."
}

type verifyCommand struct{ pluginFlags }

// Help says more than the one line of the command.
func (verifyCommand) Help() string {
	return "Runs nothing. Exit code 1 if a binary is missing, isn't pinned, or differs from its pin: the host refuses to run it."
}

// pluginReport is the --json of a plugin.
type pluginReport struct {
	Plugin  string `json:"plugin"`
	Result  string `json:"result"`
	Version string `json:"version,omitempty"`
	SHA256  string `json:"sha256,omitempty"` // of the binary
	Pinned  string `json:"pinned,omitempty"` // before lock, and now
	Detail  string `json:"detail,omitempty"`
}

// The results.
const (
	resultOK         = "ok"         // the binary is the pinned one
	resultPinned     = "pinned"     // by this run of lock, for the first time
	resultChanged    = "changed"    // by this run of lock
	resultUnpinned   = "unpinned"   // the lock file doesn't have it
	resultMismatch   = "mismatch"   // the binary isn't the pinned one
	resultUnreadable = "unreadable" // there is no binary, or not one that runs
)

// names are the plugins that a command is about, in order.
func (f pluginFlags) names(cfg *config.Config) ([]string, error) {
	var names []string
	for _, p := range cfg.Providers {
		names = append(names, p.Plugin)
	}
	if f.All {
		files, err := os.ReadDir(cfg.Plugins.Dir)
		if err != nil {
			return nil, fmt.Errorf("plugins.dir: %w", err)
		}
		for _, file := range files {
			if name, ok := strings.CutPrefix(file.Name(), filepath.Base(host.PluginPath(cfg, ""))); ok && !file.IsDir() {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Run pins the plugins: all of them, or none if one fails.
func (c lockCommand) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	names, err := c.names(cfg)
	if err != nil {
		return err
	}
	lock, err := a.readLock(cfg.Plugins.Lock)
	if err != nil {
		return err
	}
	var reports []pluginReport
	for _, name := range names {
		report, err := a.pin(cfg, lock, name)
		if err != nil {
			return fmt.Errorf("plugin %s: %w; nothing was pinned", name, err)
		}
		reports = append(reports, report)
	}
	if err := lock.Write(cfg.Plugins.Lock); err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	if c.JSON {
		return a.printJSON(reports)
	}
	a.printPlugins(reports)
	a.printf("wrote %s\n", cfg.Plugins.Lock)
	return nil
}

// readLock reads the lock file to be changed. One that is garbled is made anew,
// as every message about it says; one that can't be read, or that a newer paymux
// wrote, is left alone.
func (a *app) readLock(path string) (*lockfile.File, error) {
	lock, err := lockfile.Read(path)
	if err == nil && lock == nil {
		lock = &lockfile.File{}
	}
	if err == nil {
		return lock, nil
	}
	text, unread := os.ReadFile(path)
	var written lockfile.File
	if unread != nil || json.Unmarshal(text, &written) == nil && written.Version > 1 {
		return nil, err
	}
	fmt.Fprintf(a.stderr, "paymux: %v\npaymux: it is made anew, without pins for other platforms\n", err)
	return &lockfile.File{}, nil
}

// pin asks a binary for its version and records it. The process runs only the
// bytes whose digest was taken.
func (a *app) pin(cfg *config.Config, lock *lockfile.File, name string) (pluginReport, error) {
	path := host.PluginPath(cfg, name)
	digest, err := process.FileDigest(path)
	if err != nil {
		return pluginReport{}, err
	}
	proc := process.Start(process.Options{
		Name: name, Path: path, SHA256: digest, Logger: hclog.NewNullLogger(), Redact: func(s string) string { return s },
		AllowUnsealed: cfg.Plugins.AllowUnsealed,
	})
	defer proc.Stop()
	d, err := provider.Describe(a.ctx, proc)
	if err != nil {
		return pluginReport{}, err
	}
	if d.Info.Name != name {
		return pluginReport{}, fmt.Errorf("%s says that it is plugin %q", path, d.Info.Name)
	}
	before := lock.Plugins[name]
	r := pluginReport{Plugin: name, Result: resultChanged, Version: d.Info.Version, SHA256: digest, Pinned: before.SHA256[lockfile.Platform()]}
	lock.Pin(name, d.Info.Version, digest) // may write into before
	switch r.Pinned {
	case "":
		r.Result = resultPinned
	case digest:
		r.Result = resultOK
	}
	for platform := range before.SHA256 {
		if lock.Plugins[name].SHA256[platform] == "" {
			r.Detail = fmt.Sprintf("other platforms were pinned at version %s: run plugins lock there too", before.Version)
		}
	}
	return r, nil
}

// Run compares the binaries with the lock file.
func (c verifyCommand) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	names, err := c.names(cfg)
	if err != nil {
		return err
	}
	lock, err := lockfile.Read(cfg.Plugins.Lock)
	if err != nil {
		return err
	}
	if lock == nil {
		return fmt.Errorf("there is no lock file %s: any binary in plugins.dir is run; make one with paymux plugins lock", cfg.Plugins.Lock)
	}
	var reports []pluginReport
	for _, name := range names {
		report := verify(cfg, lock, name)
		reports = append(reports, report)
		if report.Result != resultOK {
			err = failed
		}
	}
	if c.JSON {
		return errors.Join(a.printJSON(reports), err)
	}
	a.printPlugins(reports)
	return err
}

func verify(cfg *config.Config, lock *lockfile.File, name string) pluginReport {
	r := pluginReport{Plugin: name, Version: lock.Plugins[name].Version}
	var missing, unpinned error
	r.SHA256, missing = process.FileDigest(host.PluginPath(cfg, name))
	r.Pinned, unpinned = lock.Digest(name)
	switch {
	case missing != nil:
		r.Result, r.Detail = resultUnreadable, missing.Error()
	case unpinned != nil:
		r.Result, r.Detail = resultUnpinned, unpinned.Error()
	case r.SHA256 != r.Pinned:
		r.Result = resultMismatch
		r.Detail = "the binary has sha256 " + r.SHA256 + "; rebuild it, or run paymux plugins lock if the change is meant"
	default:
		r.Result = resultOK
	}
	return r
}

func (a *app) printPlugins(reports []pluginReport) {
	t := newTable(a.stdout, "PLUGIN", "VERSION", "RESULT", "SHA256", "")
	for _, r := range reports {
		digest := r.Pinned
		if r.Result == resultChanged || r.Result == resultPinned {
			digest = r.SHA256
		}
		t.row(r.Plugin, r.Version, r.Result, digest, r.Detail)
	}
	t.flush()
}
