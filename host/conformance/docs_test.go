package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/sdk/providertest"
)

var update = flag.Bool("update", false, "write the tables in docs/conformance.md anew")

const (
	doc     = "../../docs/conformance.md"
	example = "../../examples/sandbox/conformance.yaml"
)

// table writes cases by families.
func table(cases []providertest.Case) string {
	var b strings.Builder
	last := ""
	for _, c := range cases {
		family, _, _ := strings.Cut(c.ID, "/")
		if family != last {
			fmt.Fprintf(&b, "\n### %s\n\n| case | rule |\n|---|---|\n", family)
			last = family
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.ID, c.Says)
	}
	return b.String() + "\n"
}

func TestDocs(t *testing.T) {
	data, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for name, cases := range map[string][]providertest.Case{"binary": conformance.Cases(), "provider": providertest.Cases()} {
		begin := "<!-- cases of the " + name + ": go test ./host/conformance -run TestDocs -update -->\n"
		before, rest, found := strings.Cut(text, begin)
		old, after, ended := strings.Cut(rest, "<!-- end -->")
		if !found || !ended {
			t.Fatalf("%s has no place for the cases of the %s", doc, name)
		}
		if want := table(cases); old != want && !*update {
			t.Errorf("%s: the cases of the %s are old; run go test ./host/conformance -run TestDocs -update", doc, name)
		} else {
			text = before + begin + want + "<!-- end -->" + after
		}
	}
	if *update {
		if err := os.WriteFile(doc, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	yaml, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "```yaml\n"+strings.TrimSpace(string(yaml))+"\n```") {
		t.Errorf("%s doesn't show %s as it is", doc, example)
	}
}

func TestCasesAreNamed(t *testing.T) {
	for _, all := range [][]providertest.Case{conformance.Cases(), providertest.Cases()} {
		seen := map[string]bool{}
		for _, c := range all {
			if family, name, ok := strings.Cut(c.ID, "/"); !ok || family == "" || name == "" || seen[c.ID] {
				t.Errorf("the id %q is ill-formed or taken", c.ID)
			}
			if !strings.HasSuffix(c.Says, ".") || strings.ContainsAny(c.Says, "|\n") {
				t.Errorf("%s: %q is no sentence for a table", c.ID, c.Says)
			}
			seen[c.ID] = true
		}
	}
}
