package antom

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

var update = flag.Bool("update", false, "write the generated tables of docs/providers/antom.md anew")

// The tables of the documentation are those that the code acts on.
func TestDoc(t *testing.T) {
	doc := filepath.FromSlash("../../docs/providers/antom.md")
	old, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]func() string{
		"config": configTable, "capabilities": capabilityTable, "payment statuses": paymentStatusTable, "pay results": payResultTable,
		"refund statuses": refundStatusTable, "errors": errorTable, "notifications": notificationTable,
	}
	mark := regexp.MustCompile(`(?s)(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end -->)`)
	seen := map[string]bool{}
	fresh := mark.ReplaceAllStringFunc(string(old), func(section string) string {
		parts := mark.FindStringSubmatch(section)
		write, known := sections[parts[2]]
		if !known || seen[parts[2]] {
			t.Errorf("the section %q is unknown, or there twice", parts[2])
			return section
		}
		seen[parts[2]] = true
		return parts[1] + write() + parts[3]
	})
	if len(seen) != len(sections) {
		t.Errorf("sections %v, want %v", slices.Sorted(maps.Keys(seen)), slices.Sorted(maps.Keys(sections)))
	}
	switch {
	case *update:
		if err := os.WriteFile(doc, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	case fresh != string(old):
		t.Error("docs/providers/antom.md is out of date: go test ./providers/antom -run TestDoc -update")
	}
}

func table(head string, rows [][]string) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s\n|%s\n", head, strings.Repeat("---|", strings.Count(head, "|")-1))
	for _, row := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

func configTable() string {
	type property struct {
		Description string
		Default     any
		Enum        []string
		WriteOnly   bool
		Items       *struct{ WriteOnly bool }
		Properties  map[string]property
	}
	var s struct {
		Required   []string
		Properties map[string]property
	}
	if err := json.Unmarshal([]byte(configSchema), &s); err != nil {
		return err.Error()
	}
	var rows [][]string
	add := func(name string, p property) {
		kind := "–"
		switch {
		case slices.Contains(s.Required, name):
			kind = "required"
		case p.Default != nil:
			text, _ := json.Marshal(p.Default)
			kind = "`" + strings.Trim(string(text), `"`) + "`"
		}
		if p.WriteOnly || p.Items != nil && p.Items.WriteOnly {
			kind += ", secret"
		}
		description := p.Description
		if len(p.Enum) > 0 {
			description = "`" + strings.Join(p.Enum, "` or `") + "`. " + description
		}
		rows = append(rows, []string{"`" + name + "`", description, kind})
	}
	// In the schema's order, which is the reader's.
	for _, name := range topLevel(configSchema) {
		p := s.Properties[name]
		add(name, p)
		for _, inner := range slices.Sorted(maps.Keys(p.Properties)) {
			add(name+"."+inner, p.Properties[inner])
		}
	}
	return table("| key | meaning | default |", rows)
}

// topLevel returns the names of the schema's properties in their order.
func topLevel(schema string) []string {
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^    "([a-z_]+)": \{`).FindAllStringSubmatch(schema, -1) {
		names = append(names, m[1])
	}
	return names
}

func capabilityTable() string {
	var rows [][]string
	for _, row := range capabilities().Rows {
		flow := flowOf(row.Flow)
		least := "–"
		if !row.Min.IsZero() {
			least = row.Min.String()
		}
		terms := flow.product
		for _, more := range []string{flow.terminal, flow.scenario} {
			if more != "" {
				terms += " " + more
			}
		}
		rows = append(rows, []string{
			"`" + string(row.Method) + "` (" + wallets[row.Method] + ")", "`" + string(row.Flow) + "` (" + terms + ")", row.Currency, least,
			"`" + strings.Join(words(row.Actions), "`, then `") + "`",
		})
	}
	return table("| method | flow | currency | least | next actions |", rows)
}

func paymentStatusTable() string {
	var rows [][]string
	for _, row := range paymentStatuses {
		rows = append(rows, []string{"`" + string(row.word) + "`", row.means.String()})
	}
	rows = append(rows, []string{"anything else, or nothing", paymentStatus("?").String() + ", with the word as raw status"})
	return table("| the acquirer says | payment |", rows)
}

func payResultTable() string {
	var rows [][]string
	for _, row := range payResults {
		code := "any code"
		if row.code != "" {
			code = "`" + row.code + "`"
		}
		rows = append(rows, []string{"`" + row.status + "`, " + code, row.means.String()})
	}
	rows = append(rows, []string{"any other", "an error: see [Errors](#errors)"})
	return table("| the acquirer says | payment |", rows)
}

func refundStatusTable() string {
	var rows [][]string
	for _, row := range refundStatuses {
		rows = append(rows, []string{"`" + string(row.word) + "`", row.means.String()})
	}
	rows = append(rows, []string{"anything else, or nothing", refundStatus("?").String() + ", with the word as raw status"})
	return table("| the acquirer says | refund |", rows)
}

func errorTable() string {
	var rows [][]string
	for _, rule := range errorRules {
		from := "all"
		if len(rule.calls) > 0 {
			var names []string
			for _, c := range rule.calls {
				names = append(names, calls[c].name)
			}
			from = strings.Join(names, ", ")
		}
		outcome := rule.outcome.String()
		if rule.outcome != sdk.OutcomeUnknown {
			outcome = "**" + outcome + "**"
		}
		rows = append(rows, []string{rule.when, from, outcome, "`" + rule.code.Name() + "`"})
	}
	return table("| the acquirer answers | to | outcome | code |", rows)
}

func notificationTable() string {
	var rows [][]string
	for _, word := range notifyTypes {
		rows = append(rows, []string{"`" + string(word) + "`", "the payment is queried"})
	}
	rows = append(rows, []string{"any other, signed", "acknowledged and reported, nothing else"})
	return table("| `notifyType` | what happens |", rows)
}
