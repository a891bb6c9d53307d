package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newPlugin runs plugins new, which needs no config file.
func newPlugin(t *testing.T, args ...string) answer {
	t.Helper()
	var stdout, stderr bytes.Buffer
	noEnv := func(string) (string, bool) { return "", false }
	code := run(t.Context(), append([]string{"plugins", "new"}, args...), &stdout, &stderr, noEnv)
	return answer{code, stdout.String(), stderr.String()}
}

// That what it writes works is the scaffold package's test.
func TestPluginsNew(t *testing.T) {
	t.Chdir(t.TempDir())
	newPlugin(t, "megapay").want(t, exitOK, "wrote paymux-provider-megapay: ", "example.com/paymux-provider-megapay", "go test ./...", "facts to put in")
	if _, err := os.Stat("paymux-provider-megapay/sandbox/sandbox.go"); err != nil {
		t.Error(err)
	}
	newPlugin(t, "megapay").want(t, exitUsage, "paymux-provider-megapay exists and is not empty")
	newPlugin(t, "Mega").want(t, exitUsage, `the name "Mega" must match`)
	newPlugin(t).want(t, exitUsage, "<name>")
	newPlugin(t, "mega", "--module", "fmt").want(t, exitUsage, "the module path")
	newPlugin(t, "mega", "--replace", ".").want(t, exitUsage, "no checkout of paymux")
	if _, err := os.Stat("paymux-provider-mega"); err == nil {
		t.Error("a refused command has written")
	}
}

func TestPluginsNewJSON(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sub", "dir")
	a := newPlugin(t, "mega", "--dir", dir, "--module", "example.com/you/mega", "--replace", "../../..", "--json")
	var r newReport
	if err := json.Unmarshal([]byte(a.stdout), &r); err != nil || a.code != exitOK {
		t.Fatalf("%d: %v\n%s%s", a.code, err, a.stdout, a.stderr)
	}
	if r.Plugin != "mega" || r.Dir != dir || r.Module != "example.com/you/mega" || len(r.Files) == 0 || r.Todos == 0 {
		t.Errorf("%+v", r)
	}
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || !strings.Contains(string(text), "\nreplace github.com/paymux/paymux => ") {
		t.Errorf("%v\n%s", err, text)
	}
}
