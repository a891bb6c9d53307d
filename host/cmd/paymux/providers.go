package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/sdk"
)

type providers struct {
	List     listCommand     `cmd:"" help:"List the providers, with what their plugins say."`
	Describe describeCommand `cmd:"" help:"Describe one provider: what it takes, and the keys of its config."`
	Status   statusCommand   `cmd:"" help:"Show how the providers of a running host are: process, health, breaker."`
}

type listCommand struct{ jsonFlag }

type describeCommand struct {
	Name string `arg:"" help:"The provider's name in the config file."`
	jsonFlag
}

// providerDetail is the --json of a provider.
type providerDetail struct {
	Name         string          `json:"name"`
	Plugin       string          `json:"plugin"`
	Version      string          `json:"version,omitempty"`
	SHA256       string          `json:"sha256,omitempty"`
	Pinned       bool            `json:"pinned"`
	Acquirer     string          `json:"acquirer,omitempty"`
	Account      string          `json:"account,omitempty"`
	Merchants    []string        `json:"merchants"` // null: all
	Accepting    bool            `json:"accepting"`
	NotifyURL    string          `json:"notify_url"`
	Capabilities *host.Abilities `json:"capabilities,omitempty"`
	ConfigKeys   []configKey     `json:"config_keys,omitempty"` // of describe only
	Code         string          `json:"code,omitempty"`
	Error        string          `json:"error,omitempty"`
}

func detail(cfg *config.Config, c host.ProviderCheck) providerDetail {
	d := providerDetail{
		Name: c.Name, Plugin: c.Info.Plugin, Version: c.Info.Version, SHA256: c.Info.Process.SHA256, Pinned: c.Info.Process.Pinned,
		Acquirer: c.Info.Acquirer, Account: c.Info.Account, Accepting: c.Info.Accepting,
		NotifyURL: cfg.PublicURL + "/v1/notifications/" + c.Name, Capabilities: c.Info.Capabilities,
	}
	for _, p := range cfg.Providers {
		if p.Name == c.Name {
			d.Merchants = p.Merchants
		}
	}
	if c.Err != nil {
		d.Code, d.Error = sdk.AsError(c.Err).Code.Name(), c.Err.Error()
	}
	return d
}

// Run lists the providers.
func (c listCommand) Run(a *app) error {
	cfg, checks, err := a.check(false)
	if err != nil {
		return err
	}
	all := []providerDetail{}
	for _, check := range checks {
		all = append(all, detail(cfg, check))
		if check.Err != nil {
			err = failed
		}
	}
	if c.JSON {
		return errors.Join(a.printJSON(all), err)
	}
	t := newTable(a.stdout, "PROVIDER", "PLUGIN", "ACQUIRER", "ACCOUNT", "METHODS", "ACCEPTING", "ERROR")
	for _, d := range all {
		t.row(d.Name, d.Plugin+" "+d.Version, d.Acquirer, d.Account, d.methods(), yesNo(d.Accepting), d.Error)
	}
	t.flush()
	return err
}

func (d providerDetail) methods() string {
	var names []string
	if d.Capabilities != nil {
		for _, row := range d.Capabilities.Payments {
			if !slices.Contains(names, string(row.Method)) {
				names = append(names, string(row.Method))
			}
		}
	}
	return strings.Join(names, " ")
}

// Run describes a provider.
func (c describeCommand) Run(a *app) error {
	cfg, checks, err := a.check(false)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(checks, func(check host.ProviderCheck) bool { return check.Name == c.Name })
	if i < 0 {
		var names []string
		for _, check := range checks {
			names = append(names, check.Name)
		}
		return usageError("there is no provider %q in %s; it has %s", c.Name, a.configPath, strings.Join(names, ", "))
	}
	d := detail(cfg, checks[i])
	if d.ConfigKeys, err = configKeys(checks[i].Schema); err != nil {
		return err
	}
	if d.Error != "" {
		err = failed
	}
	if c.JSON {
		return errors.Join(a.printJSON(d), err)
	}
	a.printDetail(d)
	return err
}

func (a *app) printDetail(d providerDetail) {
	merchants := "all"
	if d.Merchants != nil {
		merchants = strings.Join(d.Merchants, " ")
	}
	fields := []string{"provider", d.Name, "error", d.Error, "plugin", d.Plugin + " " + d.Version, "sha256", d.SHA256, "pinned", yesNo(d.Pinned),
		"acquirer", d.Acquirer, "account", d.Account, "merchants", merchants, "accepting", yesNo(d.Accepting)}
	if c := d.Capabilities; c != nil {
		how := " (enter it at the acquirer's dashboard)"
		if c.NotifyURL == "per_payment" {
			how = " (sent with each payment)"
		}
		fields = append(fields, "refunds", yesNo(c.Refunds), "cancels", yesNo(c.Cancels), "notify_url", d.NotifyURL+how)
	}
	a.fields(fields...)
	if d.Capabilities != nil {
		a.printRows(d.Capabilities.Payments)
	}
	if len(d.ConfigKeys) == 0 {
		return
	}
	a.printf("\nconfig keys (* required)\n")
	for _, k := range d.ConfigKeys {
		a.printf("  %s\n", k.title())
		for _, line := range wrap(plain(k.Description), 74) {
			a.printf("      %s\n", line)
		}
	}
}

func (a *app) printRows(rows []host.Ability) {
	a.printf("\n")
	t := newTable(a.stdout, "METHOD", "FLOW", "CURRENCY", "MIN", "MAX", "NEXT ACTIONS")
	for _, row := range rows {
		var actions []string
		for _, action := range row.Actions {
			actions = append(actions, string(action))
		}
		t.row(string(row.Method), string(row.Flow), row.Currency, dash(row.Min), dash(row.Max), strings.Join(actions, " "))
	}
	t.flush()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// wrap breaks a text into lines.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
