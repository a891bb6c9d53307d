// Package rules runs tables of rules: each has an id, one sentence that says
// what has to hold, and a check that ends in time. It knows nothing of payments
// and doesn't need package testing, so that a test, the paymux command and a
// report all show the same thing.
package rules

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// DefaultLimit is how long a check may take unless its rule says otherwise. Most
// need milliseconds; the rest is for machines that are busy.
const DefaultLimit = 30 * time.Second

// Rule is one rule, checked against something of type E.
type Rule[E any] struct {
	ID    string // family/name, never changed once published
	Says  string // the rule in one sentence
	Limit time.Duration
	Check func(*T, E)
}

// Verdict is what a check came to.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "pass"
	Fail Verdict = "fail"
	Skip Verdict = "skip" // it can't be checked here; Details say why
)

// Result is how one rule fared.
type Result struct {
	ID      string   `json:"id"`
	Says    string   `json:"rule"`
	Verdict Verdict  `json:"verdict"`
	Details []string `json:"details,omitempty"` // what is wrong, or why it was skipped
	Seconds float64  `json:"seconds"`
}

// T is the check's way to say what it found. It has the methods of testing.T
// that sandboxes and helpers ask for.
type T struct {
	ctx context.Context

	mu       sync.Mutex
	failed   bool
	skipped  bool
	unsure   bool
	details  []string
	cleanups []func()
}

// Run checks one rule. It returns within the rule's limit and a little: what
// hangs is left behind and reported.
func Run[E any](ctx context.Context, rule Rule[E], subject E) Result {
	limit := rule.Limit
	if limit == 0 {
		limit = DefaultLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	t := &T{ctx: ctx}
	begun := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.protect(func() { rule.Check(t, subject) })
		t.cleanUp()
	}()
	// A check that honours its context ends by itself, and says more than we could.
	patience := time.NewTimer(limit + limit/4)
	defer patience.Stop()
	select {
	case <-done:
	case <-patience.C:
		t.Errorf("it did not end within %s", limit)
	}
	r := t.result()
	r.ID, r.Says, r.Seconds = rule.ID, rule.Says, time.Since(begun).Seconds()
	return r
}

// Check runs a whole table in its order. tell, if not nil, hears of each result
// as it comes.
func Check[E any](ctx context.Context, table []Rule[E], subject E, tell func(Result)) []Result {
	var all []Result
	for _, rule := range table {
		if ctx.Err() != nil {
			break
		}
		r := Run(ctx, rule, subject)
		if tell != nil {
			tell(r)
		}
		all = append(all, r)
	}
	return all
}

// protect runs f to its end, to its Fatalf, or to its panic.
func (t *T) protect(f func()) {
	done := make(chan struct{})
	go func() { // Goexit must end this goroutine only
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				t.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		f()
	}()
	<-done
}

func (t *T) cleanUp() {
	for {
		t.mu.Lock()
		n := len(t.cleanups)
		if n == 0 {
			t.mu.Unlock()
			return
		}
		last := t.cleanups[n-1]
		t.cleanups = t.cleanups[:n-1]
		t.mu.Unlock()
		t.protect(last)
	}
}

func (t *T) result() Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := Result{Verdict: Pass, Details: slices.Clone(t.details)}
	switch {
	case t.unsure:
		r.Verdict = Skip
	case t.failed:
		r.Verdict = Fail
	case t.skipped:
		r.Verdict = Skip
	}
	return r
}

func (t *T) say(format string, args []any) {
	const most = 50 // a check in a loop must not fill the report, nor say the same again
	if said := fmt.Sprintf(format, args...); len(t.details) < most && !slices.Contains(t.details, said) {
		t.details = append(t.details, said)
	}
}

// Context ends when the rule's time is over.
func (t *T) Context() context.Context { return t.ctx }

// Helper is there because helpers call it.
func (t *T) Helper() {}

// Cleanup has f run when the check is over, the last first.
func (t *T) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

// Errorf records what is wrong and goes on.
func (t *T) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = true
	t.say(format, args)
}

// Fatalf records what is wrong and ends the check.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// Logf adds a remark to the result, whatever its verdict.
func (t *T) Logf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.say(format, args)
}

// Skipf ends the check: what the rule is about isn't there.
func (t *T) Skipf(format string, args ...any) {
	t.mu.Lock()
	t.skipped = true
	t.say(format, args)
	t.mu.Unlock()
	runtime.Goexit()
}

// Inconclusive says that whatever the check finds means nothing, since what it
// needs isn't there. It may be called from any goroutine, and the check goes on.
func (t *T) Inconclusive(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unsure = true
	t.say(format, args)
}

// Failed reports whether something was found.
func (t *T) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}
