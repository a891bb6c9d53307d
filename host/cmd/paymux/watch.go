package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

type watchCommand struct {
	ID       string        `arg:"" help:"The payment's id, pay_…"`
	Interval time.Duration `default:"1s" help:"How often the host is asked. Default: ${default}."`
	apiFlags
}

// Help says more than the one line of the command.
func (watchCommand) Help() string {
	return "Prints each timeline entry as it happens; with --json one object a line, {\"entry\":…}, and at last {\"payment\":…}. " +
		"Exit code 0: SUCCEEDED; 1: ended otherwise, or the host refuses; 130: stopped by Ctrl-C (the payment goes on)."
}

// shortestInterval keeps a slip of the pen from flooding the host.
const shortestInterval = 50 * time.Millisecond

// watcher is a running watch.
type watcher struct {
	*app
	asJSON  bool
	seen    int64 // the sequence of the last entry that was printed
	trouble bool  // the host can't be reached, which was said
}

// Run follows a payment. That the host can't be reached for a while, as during
// its restart, ends nothing.
func (c watchCommand) Run(a *app) error {
	api, err := c.client(a)
	if err != nil {
		return err
	}
	tick := time.NewTicker(max(c.Interval, shortestInterval))
	defer tick.Stop()
	w := &watcher{app: a, asJSON: c.JSON}
	for first := true; ; first = false {
		document, err := api.call(a.ctx, http.MethodGet, paymentPath(c.ID), nil, nil)
		switch {
		case a.ctx.Err() != nil:
			return w.interrupted()
		case err == nil:
			if ended, err := w.show(document); ended || err != nil {
				return err
			}
		case first || !passing(err):
			return c.fail(a, err)
		default:
			w.say(err)
		}
		select {
		case <-a.ctx.Done():
			return w.interrupted()
		case <-tick.C:
		}
	}
}

func (w *watcher) interrupted() error {
	return &exitError{exitInterrupted, errors.New("stopped watching; the payment goes on")}
}

// passing reports whether another try may work: every answer but a refusal.
func passing(err error) bool {
	p, ok := errors.AsType[*problem](err)
	return !ok || p.Status >= 500 || p.Status == http.StatusTooManyRequests
}

// say reports trouble once.
func (w *watcher) say(err error) {
	if !w.trouble {
		fmt.Fprintf(w.stderr, "paymux: %v\npaymux: trying on\n", err)
	}
	w.trouble = true
}

// show prints what is new and reports whether the payment has ended.
func (w *watcher) show(document []byte) (ended bool, err error) {
	var p host.Payment
	if err := json.Unmarshal(document, &p); err != nil {
		return false, unreadable(err)
	}
	if w.trouble {
		w.trouble = false
		fmt.Fprintln(w.stderr, "paymux: the host answers again")
	}
	for _, e := range p.Timeline {
		if e.Sequence <= w.seen {
			continue
		}
		w.seen = e.Sequence
		if err := w.entry(e); err != nil {
			return false, err
		}
	}
	status := sdk.ParseStatus(p.Status)
	if !status.Terminal() {
		return false, nil
	}
	if err := w.last(document, p); err != nil {
		return true, err
	}
	if status != sdk.StatusSucceeded {
		return true, failed
	}
	return true, nil
}

func (w *watcher) entry(e host.TimelineEntry) error {
	if w.asJSON {
		return w.line(map[string]host.TimelineEntry{"entry": e})
	}
	cells := timelineCells(e)
	line := fmt.Sprintf("%s  %-9s  %-12s  %s", cells[0], cells[1], cells[2], cells[3])
	w.printf("%s\n", plain(strings.TrimSpace(line)))
	return nil
}

func (w *watcher) last(document []byte, p host.Payment) error {
	if w.asJSON {
		return w.line(map[string]json.RawMessage{"payment": document})
	}
	w.printf("%s  %s  %s %s\n", p.ID, p.Status, p.Amount, p.Currency)
	return nil
}

// line prints a value as one line of JSON.
func (w *watcher) line(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = w.stdout.Write(append(bytes.TrimSpace(text), '\n'))
	return err
}
