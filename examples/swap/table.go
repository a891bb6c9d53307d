package main

import (
	"fmt"
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

// show prints the lines of a phase that has just ended.
func (w *world) show(phase int) {
	title := phases[phase].title
	for _, s := range w.tally.sums(phase) {
		if s.provider == "" && s.failed == 0 {
			continue // on their way
		}
		w.printf(lineFormat, title, s.method, s.provider, fmt.Sprint(s.payments), fmt.Sprint(s.succeeded), fmt.Sprint(s.failed), fmt.Sprint(s.open), s.p50.Round(100*time.Microsecond))
		title = ""
	}
}
