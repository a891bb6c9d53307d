package config

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// docPaths are the keys as docs/config.md names them.
func docPaths() []string {
	var all []string
	for place, names := range keys {
		for _, name := range names {
			all = append(all, strings.TrimPrefix(place+"."+name, "."))
		}
	}
	return all
}

// docs/config.md describes every key that the loader accepts, each with its
// default, an example and what is refused.
func TestDocsNameEveryKey(t *testing.T) {
	data := readFile(t, "../../docs/config.md")
	sections := strings.Split(data, "\n### ")
	for _, path := range docPaths() {
		found := false
		for _, s := range sections {
			if !strings.HasPrefix(s, "`"+path+"`\n") {
				continue
			}
			found = true
			for _, part := range []string{"**Default**", "**Refused**", "```yaml\n"} {
				if !strings.Contains(s, part) {
					t.Errorf("docs/config.md: the section of %s has no %s", path, part)
				}
			}
		}
		if !found {
			t.Errorf("docs/config.md has no section ### `%s`", path)
		}
	}
}

// The examples of docs/config.md are YAML that parses.
func TestDocsExamples(t *testing.T) {
	data := readFile(t, "../../docs/config.md")
	for i, part := range strings.Split(data, "```yaml\n")[1:] {
		example, _, _ := strings.Cut(part, "```")
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(example), &n); err != nil {
			t.Errorf("example %d: %v\n%s", i+1, err, example)
		}
		l := &loader{name: "docs/config.md"}
		l.strict(&n)
		if err := l.errors(); err != nil {
			t.Error(err)
		}
	}
}

// testdata/full.yaml holds every key.
func TestFullHoldsEveryKey(t *testing.T) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(readFile(t, "testdata/full.yaml")), &root); err != nil {
		t.Fatal(err)
	}
	cfg := &Config{root: root.Content[0]}
	for _, path := range docPaths() {
		at := strings.NewReplacer("[]", "[0]", "NAME", "cbtis-main").Replace(path)
		if cfg.find(at) == nil {
			t.Errorf("testdata/full.yaml lacks %s", path)
		}
	}
}
