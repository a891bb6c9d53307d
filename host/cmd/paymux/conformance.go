package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

type conformanceCommand struct {
	Path          string `arg:"" help:"The plugin's binary, paymux-provider-NAME."`
	Harness       string `help:"A file with a config and, if there is one, a sandbox: docs/conformance.md." placeholder:"FILE"`
	Only          string `help:"Run the cases whose id matches this regular expression only, such as ^chaos/." placeholder:"PATTERN"`
	JUnit         string `name:"junit" help:"Write JUnit's XML too, for CI." placeholder:"FILE"`
	AllowUnsealed bool   `help:"Let a binary run that can't be sealed in memory, such as a script."`
	jsonFlag
}

// Help says more than the one line of the command.
func (conformanceCommand) Help() string {
	return "Runs the binary as a host does. Without --harness: how it starts, stops and speaks, and what it does with configs; " +
		"with a sandbox in the file also payments, faults, refunds and notifications. Exit code 1 if a case fails."
}

// conformanceReport is the --json of a check.
type conformanceReport struct {
	Path    string         `json:"path"`
	Plugin  string         `json:"plugin"`
	Version string         `json:"version"`
	Tally   rules.Tally    `json:"tally"`
	Cases   []rules.Result `json:"cases"`
}

// Run checks the plugin and reports.
func (c conformanceCommand) Run(a *app) error {
	file := &conformance.HarnessFile{}
	if c.Harness != "" {
		var err error
		if file, err = conformance.ReadHarness(c.Harness); err != nil {
			return usageError("%w", err)
		}
	}
	only, err := regexp.Compile(c.Only)
	if err != nil {
		return usageError("--only: %w", err)
	}
	var printed error
	tell := func(r rules.Result) {
		if !c.JSON && printed == nil {
			printed = rules.WriteText(a.stdout, r) // as it comes: the whole takes a while
		}
	}
	report, err := c.check(a, file, only.MatchString, tell)
	if err != nil {
		return err
	}
	if len(report.Cases) == 0 && a.ctx.Err() == nil {
		return usageError("--only %s: no case has such an id; docs/conformance.md lists them", c.Only)
	}
	if a.ctx.Err() != nil {
		return &exitError{exitInterrupted, errors.New("stopped before the end")}
	}
	if c.JUnit != "" {
		var b bytes.Buffer
		if err := rules.WriteJUnit(&b, filepath.Base(c.Path), report.Cases); err != nil {
			return err
		}
		if err := os.WriteFile(c.JUnit, b.Bytes(), 0o600); err != nil {
			return fmt.Errorf("write the JUnit file: %w", err)
		}
	}
	report.Tally = rules.Count(report.Cases)
	if c.JSON {
		err = a.printJSON(report)
	} else {
		a.printf("%s\n", report.Tally)
		if report.Plugin != "" && file.Sandbox == "" && file.Recording == "" {
			a.printf("no payment was made: that takes a sandbox, or a recording, in a file for --harness (docs/conformance.md)\n")
		}
		err = printed
	}
	if err == nil && report.Tally.Failed > 0 {
		return failed
	}
	return err
}

// check runs what the file allows, and tells of each case as it comes.
func (c conformanceCommand) check(a *app, file *conformance.HarnessFile, only func(id string) bool, tell func(rules.Result)) (conformanceReport, error) {
	report := conformanceReport{Path: c.Path}
	if _, err := os.Stat(c.Path); err != nil {
		return report, err
	}
	binary, err := conformance.Start(a.ctx, c.Path, c.AllowUnsealed)
	if err != nil {
		report.Cases = []rules.Result{conformance.NotStarted(err)}
		tell(report.Cases[0])
		return report, nil
	}
	defer binary.Close()
	d, err := binary.Describe(a.ctx)
	if err != nil {
		return report, err
	}
	report.Plugin, report.Version = d.Info.Name, d.Info.Version
	if !c.JSON {
		a.printf("%s %s\n", plain(report.Plugin), plain(report.Version))
	}
	var config []byte
	if len(file.Config) > 0 {
		if config, err = file.ConfigAt(cmp.Or(file.Sandbox, "http://127.0.0.1:1")); err != nil {
			return report, err
		}
	}
	if report.Cases, err = binary.Check(a.ctx, config, only, tell); err != nil {
		return report, err
	}
	harness, ok := file.Harness(binary)
	if !ok {
		return report, nil
	}
	known := map[string]bool{} // both look at the description
	for _, r := range report.Cases {
		known[r.ID] = true
	}
	harness.Only = func(id string) bool { return only(id) && !known[id] }
	more, err := providertest.Check(a.ctx, harness, tell)
	report.Cases = append(report.Cases, more...)
	return report, err
}
