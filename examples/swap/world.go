package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/paymux/paymux/examples/internal/acquirers"
	"github.com/paymux/paymux/examples/internal/process"
)

// world is all that runs.
type world struct {
	options
	plugins   string
	publicURL string
	out       io.Writer
	acquirers acquirers.Set
	events    *inbox
	daemon    *daemon
	shoppers  shoppers
	tally     tally
}

// open starts everything with the config of the first phase.
func open(ctx context.Context, o options, out io.Writer) (*world, error) {
	w := &world{options: o, out: out}
	if err := w.start(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) start(ctx context.Context) (err error) {
	if err := w.find(); err != nil {
		return err
	}
	if w.acquirers, err = acquirers.Start(); err != nil {
		return err
	}
	key, hook := make([]byte, 24), make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	_, _ = rand.Read(hook)
	apiKey, secret := hex.EncodeToString(key), "whsec_"+base64.StdEncoding.EncodeToString(hook)
	if err := w.acquirers.WriteSecrets(w.dir); err != nil {
		return err
	}
	for name, text := range map[string]string{"api-key": apiKey, "events": secret} {
		if err := os.WriteFile(filepath.Join(w.dir, "secrets", name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if w.events, err = openInbox(secret); err != nil {
		return err
	}
	// Which port it gets is known once it listens: the first reload has the real one.
	w.publicURL = "http://127.0.0.1:1"
	if err := w.writeConfig(w.configText(phases[0])); err != nil {
		return err
	}
	d, err := startDaemon(ctx, filepath.Join(w.bin, "paymux"), w.dir)
	if err != nil {
		return err
	}
	w.daemon = d
	w.publicURL = w.daemon.URL
	w.acquirers.NotifyAt(w.publicURL)
	w.shoppers.tally = &w.tally
	w.shoppers.api = api{url: w.daemon.URL, key: apiKey, client: newClient(w.options.shoppers)}
	return nil
}

// find makes the folders absolute, since paymux runs in another one.
func (w *world) find() (err error) {
	for _, path := range []*string{&w.bin, &w.dir} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	w.plugins = filepath.Join(w.bin, "plugins")
	names := []string{"paymux"}
	for _, name := range acquirers.Plugins {
		names = append(names, filepath.Join("plugins", "paymux-provider-"+name))
	}
	return process.Find(w.bin, names...)
}

// close ends everything: first what asks, then what answers.
func (w *world) close() {
	if w.daemon != nil {
		w.daemon.Stop()
	}
	if w.shoppers.api.client != nil {
		w.shoppers.api.client.CloseIdleConnections()
	}
	if w.events != nil {
		_ = w.events.server.Close()
	}
	w.acquirers.Close()
}

// reload puts a config into place, and wants it taken.
func (w *world) reload(ctx context.Context, text string) error {
	if err := w.writeConfig(text); err != nil {
		return err
	}
	refusal, err := w.daemon.reload(ctx)
	if err == nil && refusal != "" {
		err = fmt.Errorf("paymux refused a config: %s", refusal)
	}
	return err
}

// play has the shoppers pay while it goes through the phases.
func (w *world) play(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := make(chan struct{})
	var busy sync.WaitGroup
	defer busy.Wait()
	defer cancel(nil)
	go func() { // nobody waits for a paymux that is gone
		select {
		case <-w.daemon.Exited:
			cancel(w.daemon.ended())
		case <-ctx.Done():
		}
	}()
	w.head()
	paid := func() {} // has the slow shoppers of the phase before pay
	for i, p := range phases {
		if err := w.reload(ctx, w.configText(p)); err != nil {
			return err
		}
		enough := w.tally.begin(i, w.payments)
		if len(p.refused) > 0 {
			if err := w.tryToDrop(ctx, p); err != nil {
				return err
			}
		}
		paid()
		paid = w.slow(ctx, &busy)
		if i == 0 {
			for n := range w.options.shoppers {
				busy.Go(func() { w.shoppers.shop(ctx, methods[n%len(methods)], stop) })
			}
		}
		if err := w.watch(ctx, i, enough); err != nil {
			return err
		}
	}
	paid()
	close(stop)
	busy.Wait()
	return w.drop(ctx)
}

// slow has one shopper for each method stay at the wallet's page over the next
// reload, and returns what lets them pay.
func (w *world) slow(ctx context.Context, busy *sync.WaitGroup) (pay func()) {
	released := make(chan struct{})
	var ordered sync.WaitGroup
	for _, method := range methods {
		ordered.Add(1)
		busy.Go(func() {
			p, a, err := w.shoppers.order(ctx, method)
			ordered.Done()
			if err == nil {
				select {
				case <-released:
				case <-ctx.Done():
				}
				err = w.shoppers.pay(ctx, p, a)
			}
			w.tally.end(p, err)
		})
	}
	ordered.Wait()
	return func() { close(released) }
}

// tryToDrop writes a config without providers that payments are still open at.
func (w *world) tryToDrop(ctx context.Context, p phase) error {
	if err := w.writeConfig(w.configText(p, p.refused...)); err != nil {
		return err
	}
	refusal, err := w.daemon.reload(ctx)
	if err != nil {
		return err
	}
	if refusal == "" {
		return fmt.Errorf("paymux dropped %s although payments were open there", strings.Join(p.refused, " and "))
	}
	w.printf("\n  Without %s the config is refused:\n", strings.Join(p.refused, " and "))
	for line := range strings.Lines(refusal) {
		w.printf("    %s\n", strings.TrimSpace(line))
	}
	w.printf("  So they stay, with accepting: false.\n\n")
	return w.writeConfig(w.configText(p))
}

// drop takes out of the config whatever the last phase doesn't use: by now
// nothing is open anywhere.
func (w *world) drop(ctx context.Context) error {
	last := phases[len(phases)-1]
	var retired []string
	for _, a := range w.acquirers {
		if !slices.Contains(last.accepting, a.Name) {
			retired = append(retired, a.Name)
		}
	}
	if err := w.reload(ctx, w.configText(last, retired...)); err != nil {
		return err
	}
	w.printf("\n  Nothing is open any more: %s are dropped from the config.\n", strings.Join(retired, ", "))
	return nil
}
