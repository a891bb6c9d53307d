package airwallex

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

var update = flag.Bool("update", false, "write the tables in docs/providers/airwallex.md anew")

// The tables of the documentation are the tables of the code.
func TestDoc(t *testing.T) {
	path := filepath.FromSlash("../../docs/providers/airwallex.md")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(old)
	for name, table := range map[string]string{
		"config": configTable(t), "capabilities": capabilityTable(),
		"payment statuses": paymentTable(), "refund statuses": refundTable(), "errors": errorTable(),
	} {
		begin := "<!-- " + name + ": generated, go test ./providers/airwallex -run TestDoc -update -->\n"
		before, rest, found := strings.Cut(text, begin)
		_, after, ended := strings.Cut(rest, "<!-- end -->\n")
		if !found || !ended {
			t.Fatalf("%s has no place for the table of %s", path, name)
		}
		text = before + begin + "\n" + table + "\n<!-- end -->\n" + after
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if text != string(old) {
		t.Errorf("%s is out of date: go test ./providers/airwallex -run TestDoc -update", path)
	}
}

func configTable(t *testing.T) string {
	type property struct {
		Description string
		Default     json.RawMessage
		WriteOnly   bool `json:"writeOnly"`
		Items       *struct {
			WriteOnly bool `json:"writeOnly"`
		}
		Properties map[string]property
	}
	var schema struct {
		Required   []string
		Properties map[string]property
	}
	if err := json.Unmarshal([]byte(configSchema), &schema); err != nil {
		t.Fatal(err)
	}
	var rows []string
	add := func(key string, p property) {
		note := "not sent"
		switch {
		case slices.Contains(schema.Required, key):
			note = "required"
		case p.Default != nil:
			note = "`" + strings.Trim(string(p.Default), `"`) + "`"
		}
		if p.WriteOnly || p.Items != nil && p.Items.WriteOnly {
			note += ", secret"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", key, p.Description, note))
	}
	for key, p := range schema.Properties {
		if len(p.Properties) == 0 {
			add(key, p)
		}
		for inner, q := range p.Properties {
			add(key+"."+inner, q)
		}
	}
	slices.Sort(rows)
	return "| key | meaning | default |\n|---|---|---|\n" + strings.Join(rows, "")
}

func capabilityTable() string {
	var b strings.Builder
	b.WriteString("| method | flow | currency | the acquirer's words | next action |\n|---|---|---|---|---|\n")
	for _, w := range wallets {
		for _, f := range flows {
			words := fmt.Sprintf("`%s`, `%s`", w.word, f.word)
			if f.osType {
				words += ", `os_type` if set"
			}
			var actions []string
			for _, a := range f.actions {
				actions = append(actions, "`"+string(a)+"`")
			}
			fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", w.method, f.flow, w.currency, words, strings.Join(actions, " or "))
		}
	}
	return b.String()
}

func paymentTable() string {
	var b strings.Builder
	b.WriteString("| the acquirer says | payment | meaning |\n|---|---|---|\n")
	for _, s := range paymentStatuses {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.word, s.status, s.note)
	}
	fmt.Fprintf(&b, "| anything else, or nothing | %s | with the word as raw status |\n", statusOf(""))
	return b.String()
}

func refundTable() string {
	var b strings.Builder
	b.WriteString("| the acquirer says | refund | meaning |\n|---|---|---|\n")
	for _, s := range refundStates {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.word, s.status, s.note)
	}
	fmt.Fprintf(&b, "| anything else, or nothing | %s | with the word as raw status |\n", refundStatusOf(""))
	return b.String()
}

func errorTable() string {
	var b strings.Builder
	b.WriteString("| the answer | create, confirm, cancel, refund | query of a payment | query of a refund |\n|---|---|---|---|\n")
	for _, r := range errorRules {
		fmt.Fprintf(&b, "| %s |", r.when)
		for _, v := range r.means {
			outcome := v.outcome.String()
			if v.outcome == sdk.OutcomeRefused {
				outcome = "**" + outcome + "**"
			}
			fmt.Fprintf(&b, " %s `%s` |", outcome, v.code.Name())
		}
		b.WriteString("\n")
	}
	return b.String()
}
