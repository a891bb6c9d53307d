package providernode_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// started is the plugin as a process, until the test ends. It is a script, so
// that it can't run from a sealed copy.
func started(t *testing.T) *conformance.Binary {
	t.Helper()
	needNode(t)
	file, err := filepath.Abs("paymux-provider-node")
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := conformance.Start(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plugin.Close)
	return plugin
}

// harnessFile is the one for the command line, with the sandbox of a test.
func harnessFile(t *testing.T) *conformance.HarnessFile {
	t.Helper()
	text, err := os.ReadFile("conformance.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sandbox := cbtistest.Start(t, cbtistest.Options{})
	path := filepath.Join(t.TempDir(), "conformance.yaml")
	if err := os.WriteFile(path, bytes.ReplaceAll(text, []byte("http://127.0.0.1:8090"), []byte(sandbox.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := conformance.ReadHarness(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// What any binary has to do, without an acquirer.
func TestConformanceOfBinary(t *testing.T) {
	config, err := harnessFile(t).ConfigAt("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	results, err := started(t).Check(t.Context(), config, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		switch r.Verdict {
		case rules.Fail:
			t.Errorf("%s: %s %q", r.ID, r.Says, r.Details)
		case rules.Skip:
			t.Logf("%s is skipped: %q", r.ID, r.Details)
		}
	}
	t.Log(rules.Count(results))
}

func TestConformance(t *testing.T) {
	harness, ok := harnessFile(t).Harness(started(t))
	if !ok {
		t.Fatal("the file has no sandbox")
	}
	providertest.Run(t, harness)
}
