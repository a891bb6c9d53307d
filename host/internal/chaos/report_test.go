//go:build linux

package chaos

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// verdict is what is wrong after a point. All four must stay empty.
type verdict struct {
	doubles    []string // more than one order, or one charge, at the acquirer for a payment
	lostAcks   []string // an answer or an acknowledged notification that the store doesn't know
	lostEvents []string // a transition that the shop wasn't told of
	orphans    []string // orders without payment, payments that nobody asks about, processes left behind
}

func (v *verdict) add(o verdict) {
	v.doubles = append(v.doubles, o.doubles...)
	v.lostAcks = append(v.lostAcks, o.lostAcks...)
	v.lostEvents = append(v.lostEvents, o.lostEvents...)
	v.orphans = append(v.orphans, o.orphans...)
}

func (v verdict) findings() []string {
	var all []string
	for _, kind := range []struct {
		name string
		list []string
	}{{"double", v.doubles}, {"lost ack", v.lostAcks}, {"lost event", v.lostEvents}, {"orphan", v.orphans}} {
		for _, what := range kind.list {
			all = append(all, kind.name+": "+what)
		}
	}
	return all
}

// row is a line of the report.
type row struct {
	family   string
	points   int
	missed   int // points that the run didn't come to
	payments int
	verdict  verdict
	busy     time.Duration
}

var results struct {
	mu      sync.Mutex
	rows    []*row
	skipped []string
	notes   []string
	began   time.Time
}

// note puts a line below the table: figures that no test fails for.
func note(format string, args ...any) {
	results.mu.Lock()
	defer results.mu.Unlock()
	results.notes = append(results.notes, fmt.Sprintf(format, args...))
}

func init() { results.began = time.Now() }

func familyLocked(name string) *row {
	i := slices.IndexFunc(results.rows, func(r *row) bool { return r.family == name })
	if i < 0 {
		results.rows = append(results.rows, &row{family: name})
		i = len(results.rows) - 1
	}
	return results.rows[i]
}

// missed notes a point that was planned and not met: the order in which a host
// does things isn't the same in every run.
func missed(family string) {
	results.mu.Lock()
	defer results.mu.Unlock()
	familyLocked(family).missed++
}

// judge puts the verdict on a point into the report, and fails the test with the
// way to run that point again.
func judge(t testing.TB, family string, points, payments int, v verdict, took time.Duration) {
	t.Helper()
	results.mu.Lock()
	r := familyLocked(family)
	r.points += points
	r.payments += payments
	r.busy += took
	r.verdict.add(v)
	results.mu.Unlock()
	for _, what := range v.findings() {
		t.Error(what)
	}
	if len(v.findings()) > 0 {
		t.Log("replay: " + replay(t))
	}
}

func replay(t testing.TB) string {
	parts := strings.Split(t.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + p + "$"
	}
	return fmt.Sprintf("CHAOS=full go test -count=1 ./host/internal/chaos -run '%s'", strings.Join(parts, "/"))
}

// lacks skips what could be installed. With NO_SKIP=1 that is a failure.
func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("NO_SKIP") == "1" {
		t.Fatal(what)
	}
	forbidden(t, what)
}

// forbidden skips what this machine doesn't let a test do, and says so loudly.
func forbidden(t *testing.T, what string) {
	t.Helper()
	results.mu.Lock()
	results.skipped = append(results.skipped, t.Name()+": "+what)
	results.mu.Unlock()
	t.Skip(what)
}

// report prints the table; false if anything is wrong.
func report(w io.Writer) bool {
	results.mu.Lock()
	defer results.mu.Unlock()
	if len(results.rows) == 0 {
		return true
	}
	slices.SortFunc(results.rows, func(a, b *row) int { return strings.Compare(a.family, b.family) })
	good := true
	fmt.Fprintf(w, "\n%-40s %7s %7s %8s %8s %9s %11s %8s %8s\n", "chaos", "points", "missed", "payments", "doubles", "lost acks", "lost events", "orphans", "seconds")
	total := row{family: "all"}
	line := func(r *row) {
		v := r.verdict
		fmt.Fprintf(w, "%-40s %7d %7d %8d %8d %9d %11d %8d %8.0f\n", r.family, r.points, r.missed, r.payments,
			len(v.doubles), len(v.lostAcks), len(v.lostEvents), len(v.orphans), r.busy.Seconds())
	}
	for _, r := range results.rows {
		line(r)
		good = good && len(r.verdict.findings()) == 0
		total.points, total.missed, total.payments = total.points+r.points, total.missed+r.missed, total.payments+r.payments
		total.verdict.add(r.verdict)
		total.busy += r.busy
	}
	line(&total)
	for _, n := range results.notes {
		fmt.Fprintln(w, n)
	}
	fmt.Fprintf(w, "took %s\n", time.Since(results.began).Round(time.Second))
	for _, s := range results.skipped {
		fmt.Fprintf(w, "*** SKIPPED, NOT PASSED: %s\n", s)
	}
	return good
}
