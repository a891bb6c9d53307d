package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "harness.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// exampleFile is the documentation's, for a sandbox of the test's own.
func exampleFile(t *testing.T) (*conformance.HarnessFile, *cbtistest.Server) {
	t.Helper()
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	sandbox := cbtistest.Start(t, cbtistest.Options{})
	file, err := conformance.ReadHarness(write(t, strings.ReplaceAll(string(text), "http://127.0.0.1:8090", sandbox.URL)))
	if err != nil {
		t.Fatal(err)
	}
	return file, sandbox
}

// The example in the documentation works.
func TestHarnessFile(t *testing.T) {
	file, sandbox := exampleFile(t)
	binary := conformance.Build(t, "github.com/paymux/paymux/providers/alipayhk/cmd/paymux-provider-alipayhk")
	harness, ok := file.Harness(binary)
	if !ok {
		t.Fatal("it has no sandbox")
	}
	results, err := providertest.Check(t.Context(), harness, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, why := failed(results); why != "" {
		t.Error(why)
	}
	if tally := rules.Count(results); tally.Passed < 55 {
		t.Error(tally)
	}
	paid := 0
	for _, o := range sandbox.Orders() {
		if o.Status == cbtistest.Succeeded {
			paid++
		}
	}
	if paid < 20 {
		t.Errorf("%d orders were paid", paid)
	}
}

func TestHarnessFileMistakes(t *testing.T) {
	const good = "sandbox: http://127.0.0.1:1\nconfig: {a: [\"${sandbox}\"], b: {c: 1}}\nrequests: {create: POST /c, query: \"GET /q/{id}\"}\npay: POST /p/{id}\n"
	if _, err := conformance.ReadHarness(write(t, good)); err != nil {
		t.Fatal(err)
	}
	if f, err := conformance.ReadHarness(write(t, "config: {a: b}")); err != nil {
		t.Error(err)
	} else if _, ok := f.Harness(nil); ok {
		t.Error("there is no sandbox")
	}
	for change, says := range map[string]string{
		"\t|":        "found character",
		"pay:|play:": "field play not found",
		"config: {a: [\"${sandbox}\"], b: {c: 1}}|": "config is missing",
		"${sandbox}|x":                    "no value says ${sandbox}",
		"sandbox: http://127.0.0.1:1|":    "sandbox is missing",
		"http://127.0.0.1:1|127.0.0.1:1":  "is no URL",
		"create: POST /c, |":              "create and query are needed",
		"query: \"GET /q/{id}\"|":         "create and query are needed",
		"create:|order: POST /o, create:": `there is no "order"`,
		"POST /c|POST c d":                "requests: ",
		"pay: POST /p/{id}|":              "pay is missing",
		"POST /p/{id}|POST /p":            "isn't like POST",
		"POST /p/{id}|/p/{id}":            "isn't like POST",
	} {
		from, to, _ := strings.Cut(change, "|")
		text := strings.ReplaceAll(good, from, to)
		if from == "\t" {
			text = "\t" + good
		}
		if _, err := conformance.ReadHarness(write(t, text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", fmt.Sprintf("%q instead of %q", to, from), err, says)
		}
	}
	if _, err := conformance.ReadHarness(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that isn't there is read")
	}
}
