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
	if err != nil {
		t.Fatal(err)
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

// Each broken plugin is caught by the case that is meant for it, and by no other.
func TestBrokenPlugins(t *testing.T) {
	for _, m := range []struct{ how, caught string }{
		{"version", "describe/info"},
		{"misnamed", "process/name"},
		{"stdout", "process/stdout"},
		{"chatty", "process/quiet"},
		{"stubborn", "process/stop"},
		{"fickle", "wire/describe"},
		{"status", "wire/not_configured"},
		{"digest", "wire/other_digest"},
		{"few", "configure/many"},
		{"wrong", "configure/wrong"},
		{"account", "configure/account"},
		{"pretends", "configure/abilities"},
		{"leaks", "configure/secrets"},
	} {
		t.Run(m.how, func(t *testing.T) {
			t.Parallel()
			if got, why := failed(check(t, m.how)); !slices.Equal(got, []string{m.caught}) {
				t.Errorf("caught by %q, want %s%s", got, m.caught, why)
			}
		})
	}
}

// A plugin that ends when it is asked nonsense takes down what comes after, too.
func TestFragilePlugin(t *testing.T) {
	if got, why := failed(check(t, "fragile")); !slices.Contains(got, "wire/empty") {
		t.Errorf("caught by %q%s", got, why)
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
