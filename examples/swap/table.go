package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// printf prints for whoever watches. Only one goroutine does.
func (w *world) printf(format string, args ...any) { fmt.Fprintf(w.out, format, args...) }

const lineFormat = "  %-20s %-10s %-10s %8s %9s %6s %5s %11s\n"

func (w *world) head() {
	w.printf("\n%d shoppers pay without pause. Before each phase the config is edited and SIGHUP sent.\n", w.options.shoppers)
	w.printf("Two of each phase stay at their wallet's page until the next one (open).\n\n")
	w.printf(lineFormat, "phase", "method", "provider", "payments", "succeeded", "failed", "open", "create p50")
}

// watch prints a phase until enough payments of it have ended: on a terminal as it
// grows, else once.
func (w *world) watch(ctx context.Context, phase int, enough <-chan struct{}) error {
	var grows <-chan time.Time
	if f, ok := w.out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			tick := time.NewTicker(200 * time.Millisecond)
			defer tick.Stop()
			grows = tick.C
		}
	}
	drawn := 0
	for {
		select {
		case <-grows:
			drawn = w.show(phase, drawn)
		case <-enough:
			w.show(phase, drawn)
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// show prints a phase over the lines that were drawn of it, and returns how many
// there are now.
func (w *world) show(phase, drawn int) (lines int) {
	if drawn > 0 {
		w.printf("\x1b[%dA\x1b[J", drawn)
	}
	title := phases[phase].title
	for _, s := range w.tally.sums(phase) {
		if s.provider == "" && s.failed == 0 {
			continue // on their way
		}
		w.printf(lineFormat, title, s.method, s.provider, fmt.Sprint(s.payments), fmt.Sprint(s.succeeded), fmt.Sprint(s.failed), fmt.Sprint(s.open), s.p50.Round(100*time.Microsecond))
		title = ""
		lines++
	}
	return lines
}
