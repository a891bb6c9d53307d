package conformance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/sdk/providertest"
)

// The example file's harness, for a sandbox of the test's own.
func exampleHarness(t *testing.T, plugin providertest.Plugin) providertest.Harness {
	t.Helper()
	file, _ := exampleFile(t)
	harness, ok := file.Harness(plugin)
	if !ok {
		t.Fatal("it has no sandbox")
	}
	return harness
}

// What only a process can do wrong is caught by the case that is meant for it,
// and by no other of its family.
func TestBrokenProcesses(t *testing.T) {
	shown := map[string]bool{}
	for _, m := range []struct {
		how    string
		caught []string
	}{
		{"good", nil},
		{"logs", nil},
		{"journals", []string{"chaos/kill"}},
		{"wakes", []string{"chaos/freeze"}},
		{"prints", []string{"chaos/output"}},
	} {
		for _, id := range m.caught {
			shown[id] = true
		}
		t.Run(m.how, func(t *testing.T) {
			t.Parallel()
			binary, err := conformance.Start(t.Context(), payer.called(t, m.how), false)
			if err != nil {
				t.Fatal(err)
			}
			defer binary.Close()
			harness := exampleHarness(t, binary)
			harness.Only = func(id string) bool { return strings.HasPrefix(id, "chaos/") }
			results, err := providertest.Check(t.Context(), harness, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, why := failed(results); !slices.Equal(got, m.caught) {
				t.Errorf("caught by %q of %d cases, want %q%s", got, len(results), m.caught, why)
			}
		})
	}
	for _, c := range providertest.Cases() {
		if strings.HasPrefix(c.ID, "chaos/") && !shown[c.ID] {
			t.Errorf("no broken process is caught by %s", c.ID)
		}
	}
}
