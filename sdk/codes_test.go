package sdk_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

var update = flag.Bool("update", false, "write testdata/codes.golden and docs/errors.md anew")

func TestCodeTable(t *testing.T) {
	names := map[string]bool{}
	last := -1
	for _, c := range sdk.Codes() {
		if int(c.Code) <= last {
			t.Errorf("%d %s is not in order, or twice", c.Code, c.Name)
		}
		last = int(c.Code)
		if names[c.Name] || !regexp.MustCompile(`^[A-Z]+(_[A-Z]+)*$`).MatchString(c.Name) {
			t.Errorf("%d: the name %q is taken or ill-formed", c.Code, c.Name)
		}
		names[c.Name] = true
		switch c.Blame {
		case sdk.BlameMerchant, sdk.BlameAcquirer, sdk.BlamePlugin, sdk.BlameHost:
		default:
			t.Errorf("%s: nobody is to blame: %q", c.Name, c.Blame)
		}
		if c.HTTP < 400 || http.StatusText(c.HTTP) == "" || c.Title == "" || c.Remedy == "" {
			t.Errorf("%s lacks a part: %+v", c.Name, c)
		}
		if strings.ContainsAny(c.Title+c.Remedy, "|\n") {
			t.Errorf("%s: the docs are a table, so no | and no line break", c.Name)
		}
		if c.Code.Info() != c || c.Code.Name() != c.Name || !c.Code.Known() {
			t.Errorf("%s isn't found by its number", c.Name)
		}
	}
	if c := sdk.Code(9999); c.Known() || c.Name() != "UNSPECIFIED" {
		t.Errorf("a number unheard of is %s", c.Name())
	}
	sdk.Codes()[0].Name = "changed"
	if sdk.CodeUnspecified.Name() != "UNSPECIFIED" {
		t.Error("Codes gives out the table itself")
	}
}

// The numbers are in stores, metrics, other people's plugins and on the wire: a
// line of the golden file may never change or go, new ones may come.
func TestCodesAreAppendOnly(t *testing.T) {
	const golden = "testdata/codes.golden"
	var now strings.Builder
	for _, c := range sdk.Codes() {
		fmt.Fprintf(&now, "%d %s\n", c.Code, c.Name)
	}
	old, err := os.ReadFile(golden)
	if err != nil && !*update {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(old)) {
		if !strings.Contains("\n"+now.String(), "\n"+line) {
			t.Errorf("%q is gone or was renumbered: stored errors and plugins out there would change their meaning. Keep it and append.", strings.TrimSpace(line))
		}
	}
	if *update && !t.Failed() {
		write(t, golden, now.String())
	} else if now.String() != string(old) {
		t.Errorf("%s lacks the new codes: go test ./sdk -run TestCodesAreAppendOnly -update", golden)
	}
}

func TestErrorsDoc(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Error codes

<!-- Generated from sdk/codes.go: go test ./sdk -run TestErrorsDoc -update -->

Programs act on the code and the outcome of an error, never on its text. Numbers
and names never change; new ones are appended.

The HTTP status is that of a request which ends with this error. Whose fault says
who has to act: the merchant (the caller of the API), the acquirer, the plugin
(or the provider's config), or the host.

| number | name | whose fault | HTTP | meaning | what to do |
|---:|---|---|---:|---|---|
`)
	for _, c := range sdk.Codes() {
		fmt.Fprintf(&b, "| %d | `%s` | %s | %d | %s | %s |\n", c.Code, c.Name, c.Blame, c.HTTP, c.Title, c.Remedy)
	}
	doc := filepath.FromSlash("../docs/errors.md")
	if *update {
		write(t, doc, b.String())
		return
	}
	if old, err := os.ReadFile(doc); err != nil || string(old) != b.String() {
		t.Errorf("docs/errors.md is out of date (%v): go test ./sdk -run TestErrorsDoc -update", err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
