package stripe

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

var update = flag.Bool("update", false, "write the generated parts of docs/providers/stripe.md anew")

// The tables of the page are made of what the code goes by.
func TestDocs(t *testing.T) {
	const path = "../../docs/providers/stripe.md"
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(old)
	for name, table := range map[string]string{
		"config": configDoc(t), "capabilities": capabilitiesDoc(), "statuses": statusesDoc(),
		"refunds": refundsDoc(), "errors": errorsDoc(), "events": eventsDoc(),
	} {
		begin := "<!-- begin " + name + ": generated, see the end of this page -->\n"
		head, rest, ok := strings.Cut(text, begin)
		_, tail, closed := strings.Cut(rest, "<!-- end "+name+" -->")
		if !ok || !closed {
			t.Fatalf("the page has no part %s", name)
		}
		text = head + begin + table + "<!-- end " + name + " -->" + tail
	}
	switch {
	case text == string(old):
	case *update:
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("docs/providers/stripe.md is old: go test ./providers/stripe -run TestDocs -update")
	}
}

func table(heads ...string) *strings.Builder {
	b := &strings.Builder{}
	row(b, heads...)
	row(b, slices.Repeat([]string{"---"}, len(heads))...)
	return b
}

func row(b *strings.Builder, cells ...string) {
	for _, cell := range cells {
		b.WriteString("| " + cell + " ")
	}
	b.WriteString("|\n")
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

func configDoc(t *testing.T) string {
	type property struct {
		Description string
		Default     any
		WriteOnly   bool
		Items       struct{ WriteOnly bool }
	}
	var s struct {
		Properties map[string]property
		Required   []string
	}
	if err := json.Unmarshal([]byte(configSchema), &s); err != nil {
		t.Fatal(err)
	}
	b := table("key", "meaning", "default")
	// In the schema's own order, which a map forgets.
	keys := []string{}
	for key := range s.Properties {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y string) int {
		return cmp.Compare(strings.Index(configSchema, `    "`+x+`": {`), strings.Index(configSchema, `    "`+y+`": {`))
	})
	for _, key := range keys {
		p := s.Properties[key]
		value := "none"
		switch {
		case slices.Contains(s.Required, key):
			value = "required"
		case p.Default != nil:
			value = code(fmt.Sprint(p.Default))
		}
		if p.WriteOnly || p.Items.WriteOnly {
			value += ", secret"
		}
		row(b, code(key), p.Description, value)
	}
	return b.String()
}

func capabilitiesDoc() string {
	b := table("method", "flow", "next actions, the best first", "currencies")
	for _, f := range flows {
		var actions, taken []string
		for _, a := range f.actions {
			actions = append(actions, code(string(a)))
		}
		for _, r := range capabilities().Rows {
			if r.Flow == f.flow {
				taken = append(taken, r.Currency)
			}
		}
		row(b, code(string(sdk.AlipayCN)), code(string(f.flow)), strings.Join(actions, ", "), strings.Join(taken, " "))
	}
	return b.String()
}

func statusesDoc() string {
	b := table("the acquirer says of a payment", "it is", "")
	for _, s := range statuses {
		raw := code(string(s.raw))
		if s.afterFail {
			raw += " with `last_payment_error`"
		}
		row(b, raw, s.status.String(), s.note)
	}
	row(b, "anything else, or nothing", sdk.StatusUnknown.String(), "with the word as raw status")
	return b.String()
}

func refundsDoc() string {
	b := table("the acquirer says of a refund", "it is", "")
	for _, s := range refundStatuses {
		row(b, code(string(s.raw)), s.status.String(), s.note)
	}
	row(b, "anything else, or nothing", sdk.RefundUnknown.String(), "")
	return b.String()
}

func errorsDoc() string {
	b := table("HTTP", "type", "code", "create", "refund", "cancel", "query", "why")
	word := func(s string) string {
		switch s {
		case "":
			return "any"
		case absent:
			return "none"
		}
		return code(s)
	}
	say := func(v verdict) string { return v.outcome.String() + " " + code(v.code.Name()) }
	for _, r := range errorRules {
		status := "any"
		if r.status != 0 {
			status = fmt.Sprint(r.status)
		}
		row(b, status, word(r.kind), word(r.code), say(r.create), say(r.refund), say(r.cancel), say(r.query), r.note)
	}
	row(b, "any", "any", "any", say(unsure), say(unsure), say(unsure), say(unsure), "")
	return b.String()
}

func eventsDoc() string {
	b := table("event to subscribe to", "what happens")
	for _, e := range eventRules {
		row(b, code(string(e.raw)), "the "+e.kind.String()+" is queried")
	}
	return b.String()
}
