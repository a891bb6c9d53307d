package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/paymux/paymux/host"
)

type statusCommand struct{ apiFlags }

// Help says more than the one line of the command.
func (statusCommand) Help() string {
	return "Asks a running host, unlike list and describe, which start the plugins themselves."
}

// Run shows the providers of a running host with their processes.
func (c statusCommand) Run(a *app) error {
	api, err := c.client(a)
	if err != nil {
		return err
	}
	document, err := api.call(a.ctx, http.MethodGet, "v1/providers", nil, nil)
	if err != nil {
		return c.fail(a, err)
	}
	if c.JSON {
		return a.printRaw(document)
	}
	var page struct {
		Data []host.ProviderInfo `json:"data"`
	}
	if err := json.Unmarshal(document, &page); err != nil {
		return unreadable(err)
	}
	t := newTable(a.stdout, "PROVIDER", "PLUGIN", "SHA256", "PROTOCOL", "STATE", "PID", "UPTIME", "RESTARTS", "HEALTH", "BREAKER", "INSTANCES", "ERROR")
	for _, p := range page.Data {
		t.row(statusCells(p)...)
	}
	t.flush()
	for _, p := range page.Data {
		a.printTrouble(p)
	}
	return nil
}

func statusCells(p host.ProviderInfo) []string {
	pid, protocol, uptime, health := "-", "-", "-", "-"
	if p.Process.Running {
		protocol = fmt.Sprint(p.Process.Protocol)
		if p.Process.PID > 0 { // one that is attached has none that is known
			pid = fmt.Sprint(p.Process.PID)
		}
		uptime = time.Duration(p.Process.Uptime * float64(time.Second)).Round(time.Second).String()
	}
	if h := p.Process.Health; h != nil {
		if health = "ok"; !h.OK {
			health = "failing: " + h.Error
		}
	}
	return []string{
		p.Name, p.Plugin + " " + p.Version, dash(fmt.Sprintf("%.12s", p.Process.SHA256)), protocol, p.Process.State, pid, uptime,
		fmt.Sprint(p.Process.Restarts), health, p.Breaker.State, fmt.Sprint(p.Instances), p.Error,
	}
}

// printTrouble says of a provider what an operator has to know, and no more.
func (a *app) printTrouble(p host.ProviderInfo) {
	if q := p.Process.Quarantine; q != nil {
		a.printf("%s: quarantined until %s: %s\n", plain(p.Name), when(q.Until), plain(q.Reason))
	}
	if why := p.Process.Unsealed; why != "" {
		a.printf("%s: runs unsealed: %s\n", plain(p.Name), plain(why))
	}
	if p.Breaker.Error != "" {
		a.printf("%s: breaker is %s since %s: %s\n", plain(p.Name), p.Breaker.State, when(p.Breaker.Since), plain(p.Breaker.Error))
	}
	if e := p.Process.LastExit; e != nil {
		a.printf("%s: last exit at %s: it %s\n", plain(p.Name), when(e.At), plain(e.String()))
	}
}
