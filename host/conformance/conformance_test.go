package conformance_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// A test's program is built once.
type program struct {
	source string
	once   sync.Once
	dir    string
	err    error
}

var idle, payer = program{source: "./testdata/plugin"}, program{source: "./testdata/payer"}

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(idle.dir)
	_ = os.RemoveAll(payer.dir)
	os.Exit(code)
}

// called copies a program to a name, which says how it behaves.
func (p *program) called(t *testing.T, how string) string {
	t.Helper()
	p.once.Do(func() {
		if p.dir, p.err = os.MkdirTemp("", "paymux-conformance-"); p.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", filepath.Join(p.dir, "plugin"), p.source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			p.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if p.err != nil {
		t.Fatal(p.err)
	}
	data, err := os.ReadFile(filepath.Join(p.dir, "plugin"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "plugins")
	path := filepath.Join(dir, "paymux-provider-"+how)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func check(t *testing.T, how string) []rules.Result {
	t.Helper()
	b, err := conformance.Start(t.Context(), idle.called(t, how), false)
	if err != nil { // who doesn't shake hands can't be asked anything else
		return []rules.Result{conformance.NotStarted(err)}
	}
	defer b.Close()
	results, err := b.Check(t.Context(), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

func failed(results []rules.Result) (ids []string, why string) {
	for _, r := range results {
		if r.Verdict == rules.Fail {
			ids = append(ids, r.ID)
			why += fmt.Sprintf("\n%s: %s", r.ID, strings.Join(r.Details, "; "))
		}
	}
	return ids, why
}

func TestGoodPlugin(t *testing.T) {
	results := check(t, "good")
	if _, why := failed(results); why != "" {
		t.Error(why)
	}
	if tally := rules.Count(results); tally.Skipped > 0 || tally.Passed < 20 {
		t.Error(tally)
	}
}

// mutants are the broken plugins of testdata, each with the case that is meant for it.
var mutants = []struct{ how, caught string }{
	{"version", "describe/info"},
	{"unhealthy", "process/handshake"},
	{"misnamed", "process/name"},
	{"stdout", "process/stdout"},
	{"chatty", "process/quiet"},
	{"keeps", "process/restart"},
	{"stubborn", "process/stop"},
	{"fickle", "wire/describe"},
	{"status", "wire/not_configured"},
	{"digest", "wire/other_digest"},
	{"invalid", "wire/empty"},
	{"fragile", "wire/empty"},
	{"unreading", "wire/garbage"},
	{"swollen", "wire/oversized"},
	{"clinging", "wire/gone"},
	{"untyped", "configure/schema"},
	{"few", "configure/many"},
	{"wrong", "configure/wrong"},
	{"account", "configure/account"},
	{"pretends", "configure/abilities"},
	{"leaks", "configure/secrets"},
}

// Each broken plugin is caught by the case that is meant for it, and by no other.
func TestBrokenPlugins(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.how, func(t *testing.T) {
			t.Parallel()
			if got, why := failed(check(t, m.how)); !slices.Equal(got, []string{m.caught}) {
				t.Errorf("caught by %q, want %s%s", got, m.caught, why)
			}
		})
	}
}

// Every case can fail. Those of what a plugin says of itself are the provider's,
// too, and its broken providers show it.
func TestEveryCaseCanFail(t *testing.T) {
	caught := map[string]bool{}
	for _, r := range providertest.DescriptionRules() {
		caught[r.ID] = true
	}
	for _, m := range mutants {
		caught[m.caught] = true
	}
	for _, c := range conformance.Cases() {
		if !caught[c.ID] {
			t.Errorf("no broken plugin is caught by %s", c.ID)
		}
		delete(caught, c.ID)
	}
	for id := range caught {
		t.Errorf("there is no case %s", id)
	}
}

func TestWhatIsNoPlugin(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), idle.called(t, "crash")} {
		if b, err := conformance.Start(t.Context(), path, false); err == nil {
			b.Close()
			t.Errorf("%s starts", path)
		}
	}
}
