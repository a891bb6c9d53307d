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
	binary, err := conformance.Start(a.ctx, c.Path, c.AllowUnsealed)
	if err != nil {
		return err
	}
	defer binary.Close()
	d, err := binary.Describe(a.ctx)
	if err != nil {
		return err
	}
	var printed error
	tell := func(r rules.Result) {
		if !c.JSON && printed == nil {
			printed = rules.WriteText(a.stdout, r) // as it comes: the whole takes a while
		}
	}
	if !c.JSON {
		a.printf("%s %s\n", plain(d.Info.Name), plain(d.Info.Version))
	}
	results, err := check(a, binary, file, only.MatchString, tell)
	if err != nil {
		return err
	}
	if len(results) == 0 && a.ctx.Err() == nil {
		return usageError("--only %s: no case has such an id; docs/conformance.md lists them", c.Only)
	}
	if a.ctx.Err() != nil {
		return &exitError{exitInterrupted, errors.New("stopped before the end")}
	}
	if c.JUnit != "" {
		var b bytes.Buffer
		if err := rules.WriteJUnit(&b, filepath.Base(c.Path), results); err != nil {
			return err
		}
		if err := os.WriteFile(c.JUnit, b.Bytes(), 0o600); err != nil {
			return fmt.Errorf("write the JUnit file: %w", err)
		}
	}
	report := conformanceReport{c.Path, d.Info.Name, d.Info.Version, rules.Count(results), results}
	if c.JSON {
		err = a.printJSON(report)
	} else {
		a.printf("%s\n", report.Tally)
		err = printed
	}
	if err == nil && report.Tally.Failed > 0 {
		return failed
	}
	return err
}

func check(a *app, binary *conformance.Binary, file *conformance.HarnessFile, only func(id string) bool, tell func(rules.Result)) ([]rules.Result, error) {
	var config []byte
	if len(file.Config) > 0 {
		var err error
		if config, err = file.ConfigAt(cmp.Or(file.Sandbox, "http://127.0.0.1:1")); err != nil {
			return nil, err
		}
	}
	results, err := binary.Check(a.ctx, config, only, tell)
	if err != nil {
		return nil, err
	}
	harness, ok := file.Harness(binary)
	if !ok {
		return results, nil
	}
	known := map[string]bool{} // both look at the description
	for _, r := range results {
		known[r.ID] = true
	}
	harness.Only = func(id string) bool { return only(id) && !known[id] }
	more, err := providertest.Check(a.ctx, harness, tell)
	return append(results, more...), err
}
