package main

import (
	"errors"
	"time"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/sdk"
)

type configCommands struct {
	Check checkCommand `cmd:"" help:"Check the config file, also by the plugins' own rules."`
}

type checkCommand struct {
	Online bool `help:"Also prove each provider's credentials to its acquirer. Moves no money."`
	jsonFlag
}

// Help says more than the one line of the command.
func (checkCommand) Help() string {
	return "Starts each plugin, but neither the store nor the API: a running host is not disturbed. " +
		"Exit code 0: all is well; 1: a provider can't be used; 2: the file has mistakes, printed as file:line:column: message."
}

// checkReport is the --json of config check.
type checkReport struct {
	Config    string           `json:"config"`
	OK        bool             `json:"ok"`
	Mistakes  []problemReport  `json:"mistakes"`
	Warnings  []problemReport  `json:"warnings"`
	Providers []providerReport `json:"providers"`
}

type problemReport struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

type providerReport struct {
	Name      string    `json:"name"`
	Plugin    string    `json:"plugin"`
	Version   string    `json:"version,omitempty"`
	Account   string    `json:"account,omitempty"`
	OK        bool      `json:"ok"`
	Online    bool      `json:"online"` // the acquirer was asked
	GoodUntil time.Time `json:"good_until,omitzero"`
	Code      string    `json:"code,omitempty"`
	Error     string    `json:"error,omitempty"`
}

// Run checks the config.
func (c checkCommand) Run(a *app) error {
	report := checkReport{Config: a.configPath, Mistakes: []problemReport{}, Warnings: []problemReport{}, Providers: []providerReport{}}
	cfg, checks, err := a.check(c.Online)
	if err != nil {
		if mistakes := mistakesOf(err); c.JSON && len(mistakes) > 0 {
			report.Mistakes = problemReports(mistakes)
			return errors.Join(a.printJSON(report), &exitError{exitUsage, nil})
		}
		return err
	}
	report.OK = true
	for _, check := range checks {
		p := c.provider(check)
		report.OK = report.OK && p.OK
		report.Providers = append(report.Providers, p)
	}
	mistakes, doubts := host.CheckRoutes(cfg, checks)
	report.Mistakes = problemReports(mistakes)
	report.Warnings = problemReports(append(cfg.Warnings(), doubts...))
	if len(mistakes) > 0 {
		report.OK = false
		if c.JSON {
			return errors.Join(a.printJSON(report), &exitError{exitUsage, nil})
		}
		return mistakes
	}
	if c.JSON {
		err = a.printJSON(report)
	} else {
		a.printCheck(report)
	}
	if err == nil && !report.OK {
		err = failed
	}
	return err
}

// check loads the config and has the plugins check their parts.
func (a *app) check(online bool) (*config.Config, []host.ProviderCheck, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, nil, err
	}
	checks, err := host.Check(a.ctx, cfg, online)
	return cfg, checks, err
}

func (c checkCommand) provider(check host.ProviderCheck) providerReport {
	p := providerReport{
		Name: check.Name, Plugin: check.Info.Plugin, Version: check.Info.Version, Account: check.Info.Account,
		OK: check.Err == nil, Online: c.Online && check.Info.Capabilities != nil, GoodUntil: check.GoodUntil,
	}
	if check.Err != nil {
		p.Code, p.Error = sdk.AsError(check.Err).Code.Name(), check.Err.Error()
	}
	return p
}

func (a *app) printCheck(r checkReport) {
	for _, w := range r.Warnings {
		a.printf("%s: warning\n", config.Problem(w).Error())
	}
	t := newTable(a.stdout, "PROVIDER", "PLUGIN", "ACCOUNT", "RESULT")
	for _, p := range r.Providers {
		t.row(p.Name, p.Plugin+" "+p.Version, p.Account, p.result())
	}
	t.flush()
	if r.OK {
		a.printf("%s is valid\n", r.Config)
	}
}

func (p providerReport) result() string {
	switch {
	case !p.OK:
		return p.Error
	case !p.Online:
		return "ok"
	case p.GoodUntil.IsZero():
		return "ok; the acquirer takes the credentials"
	}
	return "ok; the credentials are good until " + when(p.GoodUntil)
}

// mistakesOf returns every mistake of a file that is in an error.
func mistakesOf(err error) []config.Problem {
	switch e := err.(type) {
	case config.Problem:
		return []config.Problem{e}
	case interface{ Unwrap() []error }:
		var all []config.Problem
		for _, part := range e.Unwrap() {
			all = append(all, mistakesOf(part)...)
		}
		return all
	case interface{ Unwrap() error }:
		return mistakesOf(e.Unwrap())
	}
	return nil
}

func problemReports(all []config.Problem) []problemReport {
	out := []problemReport{}
	for _, p := range all {
		out = append(out, problemReport(p))
	}
	return out
}
