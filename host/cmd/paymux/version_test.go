package main

import (
	"bytes"
	"encoding/json"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

func TestBuildOf(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	if b := buildOf(info); b.Version != "v1.2.3" || b.Revision != "abc" || !b.Modified || b.Time != "2026-01-02T03:04:05Z" || b.Protocol != 1 {
		t.Errorf("%+v", b)
	}
	if b := buildOf(nil); b.Version != "(devel)" || b.Go == "" {
		t.Errorf("%+v", b)
	}
	var stdout, stderr bytes.Buffer
	var b build
	if code := run(t.Context(), []string{"version", "--json"}, &stdout, &stderr, noEnv); code != exitOK || json.Unmarshal(stdout.Bytes(), &b) != nil || b.Protocol == 0 {
		t.Errorf("%d: %s%s", code, &stdout, &stderr)
	}
}

// docs/cli.md has a section for each command, with an example, and names each
// flag; and it claims no command that doesn't exist.
func TestDocs(t *testing.T) {
	data, err := os.ReadFile("../../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	parser, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, section := range strings.Split(string(data), "\n## `paymux ")[1:] {
		name, text, _ := strings.Cut(section, "`\n")
		sections[name] = text
	}
	for _, leaf := range parser.Model.Leaves(true) {
		name := strings.TrimPrefix(leaf.FullPath(), parser.Model.Name+" ")
		for _, arg := range leaf.Positional {
			name += " " + strings.ToUpper(arg.Name)
		}
		text, ok := sections[name]
		delete(sections, name)
		if !ok || !strings.Contains(text, "```") {
			t.Errorf("docs/cli.md has no section with an example for paymux %s", name)
		}
		for _, group := range leaf.AllFlags(true) {
			for _, f := range group {
				if f.Name != "help" && f.Name != "config" && !strings.Contains(text, "`--"+f.Name) {
					t.Errorf("docs/cli.md: paymux %s: --%s is missing", name, f.Name)
				}
			}
		}
	}
	for name := range sections {
		t.Errorf("docs/cli.md describes paymux %s, which doesn't exist", name)
	}
}
