package config

import (
	"strings"
	"testing"
)

const check = "; check indentation, quotes and brackets from here on"

func TestSyntaxErrors(t *testing.T) {
	runBad(t, []badFile{
		{"empty", "", "paymux.yaml:1:1: file is empty; expected at least providers"},
		{"only a comment", "# paymux\n", "paymux.yaml:1:1: file is empty; expected at least providers"},
		{"too large", strings.Repeat("#", maxConfigFile+1), "paymux.yaml:1:1: file is larger than 16 MiB; expected a smaller one"},
		{"list", "- a\n", "paymux.yaml:1:1: found a list; expected a mapping of keys such as providers"},
		{"scalar", "\n hello\n", "paymux.yaml:2:2: found a string; expected a mapping of keys such as providers"},
		{"alias as root", "*x\n", "paymux.yaml:1:1: " + noAliases},
		{"two documents", "a: 1\n---\nb: 2\n", "paymux.yaml:3:1: found a second document; expected one, without --- between"},
		{"empty second document", "a: 1\n---\n", "paymux.yaml:3:1: found a second document; expected one, without --- between"},
		{"broken second document", "a: 1\n---\nb: [\n", "paymux.yaml:3:1: not valid YAML: did not find expected node content" + check},
		{"UTF-16", "\xff\xfea\x00", "paymux.yaml:1:1: found a byte that is not UTF-8; expected UTF-8 text"},
		{"Latin-1", "a: 1\nb: é\xe9\n", "paymux.yaml:2:5: found a byte that is not UTF-8; expected UTF-8 text"},
		{"NUL", "a: \x00\n", "paymux.yaml:1:4: found a control character; expected UTF-8 text"},
		{"C1 control", "a: é\u009b\n", "paymux.yaml:1:5: found a control character; expected UTF-8 text"},
		{"NUL after a byte order mark", "\uFEFFa: \x00\n", "paymux.yaml:1:4: found a control character; expected UTF-8 text"},
		{"DEL", "a: \x7f\n", "paymux.yaml:1:4: found a control character; expected UTF-8 text"},
		{"tab", "plugins:\n\tdir: x\n", "paymux.yaml:2:1: found a tab in the indentation; expected spaces"},
		{"tab after spaces", "plugins:\n  \tdir: x\n  lock: y\n", "paymux.yaml:2:3: found a tab in the indentation; expected spaces"},
		{"two colons", "listen: a: b\n", "paymux.yaml:1:1: not valid YAML: mapping values are not allowed in this context" + check},
		{"open bracket", "a: 1\nb:\n  c: [d, e\n  f: 1\ng: 2\n", "paymux.yaml:3:3: not valid YAML: did not find expected ',' or ']'" + check},
		{"open quote", "a: 1\nb:\n  c: \"d\n  f: 1\n", "paymux.yaml:3:3: not valid YAML: found unexpected end of stream" + check},
		{"open quote after BOM and CRLF", "\uFEFFa: 1\r\nb: \"x\r\n", "paymux.yaml:2:1: not valid YAML: found unexpected end of stream" + check},
		{"dedent", "a: 1\nb:\n  c: 1\n d: 2\ne: 3\n", "paymux.yaml:4:2: not valid YAML: did not find expected key" + check},
		{"indent", "a: 1\nb:\n  c: 1\n    d: 2\n", "paymux.yaml:4:5: not valid YAML: mapping values are not allowed in this context" + check},
		{"no colon", "a: 1\nb\nc: 3\n", "paymux.yaml:2:1: not valid YAML: could not find expected ':'" + check},
		{"text after a list", "a: 1\nb: [1] 2\nc: 3\n", "paymux.yaml:2:1: not valid YAML: did not find expected key" + check},
		{"bare @", "a: 1\nb: @x\n", "paymux.yaml:2:1: not valid YAML: found character that cannot start any token" + check},
		{"password with *", "a: 1\nb:\n  c: *hunter2\n", "paymux.yaml:3:3: " + noAliases},
		{"ten thousand brackets", strings.Repeat("[", 20000), "paymux.yaml:1:1: not valid YAML: exceeded max depth of 10000" + check},
	})
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("in a state of its own") }

// A panic of the YAML library is a mistake of the file, not the end of the host.
func TestParserPanics(t *testing.T) {
	if _, err := decode(panicking{}); err == nil || !strings.Contains(err.Error(), "in a state of its own") {
		t.Errorf("got %v", err)
	}
}

// A file with thousands of broken lines must not take the time to try each.
func TestSyntaxErrorFarFromItsLine(t *testing.T) {
	data := "a: 1\nb: \"x\n" + strings.Repeat("line\n", 10_000)
	_, err := parseTest(data, nil, nil)
	if want := "paymux.yaml:2:1: not valid YAML: found unexpected end of stream" + check; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestStrictYAML(t *testing.T) {
	runBad(t, []badFile{
		{"anchor and alias", "providers: {p: &x {plugin: a}, q: *x}\n", `
paymux.yaml:1:16: providers.p: found an anchor (&); expected the value itself, as anchors are not supported; quote a value that begins with &
paymux.yaml:1:35: providers.q: ` + noAliases},
		{"merge key", "providers: {p: {plugin: a, <<: {process: own}}}\n", `
paymux.yaml:1:28: providers.p: found a merge key (<<); expected the keys themselves, as merging is not supported`},
		{"tag", "providers: {p: {plugin: !!str a, config: !x {}}}\n", `
paymux.yaml:1:25: providers.p.plugin: found a tag (!); expected the value itself, as tags are not supported; quote a value that begins with !
paymux.yaml:1:42: providers.p.config: found a tag (!); expected the value itself, as tags are not supported; quote a value that begins with !`},
		{"tagged number", "providers: {p: {plugin: a, config: {k: !!int 007}}}\n", `
paymux.yaml:1:40: providers.p.config.k: found a tag (!); expected the value itself, as tags are not supported; quote a value that begins with !`},
		{"anchored key", "providers: {&k p: {plugin: a}, !!str q: {plugin: a}}\n", `
paymux.yaml:1:13: providers: found an anchor or a tag before a key; expected the key itself
paymux.yaml:1:32: providers: found an anchor or a tag before a key; expected the key itself`},
		{"alias as key", "providers: {p: {plugin: a, config: {x: &k v, *k : 1}}}\n", `
paymux.yaml:1:40: providers.p.config.x: found an anchor (&); expected the value itself, as anchors are not supported; quote a value that begins with &
paymux.yaml:1:46: providers.p.config: ` + noAliases},
		{"duplicate keys", "listen: 127.0.0.1:80\nproviders:\n  p: {plugin: a, config: {k: 1, \"k\": 2}}\n  p: {plugin: b}\nlisten: 127.0.0.1:81\n", `
paymux.yaml:3:33: providers.p.config.k: duplicate key; it already stands in line 3
paymux.yaml:4:3: providers.p: duplicate key; it already stands in line 3
paymux.yaml:5:1: listen: duplicate key; it already stands in line 1`},
		{"keys that are no strings", "providers: {p: {plugin: a, config: {1: a, true: b, ~: c, [x]: d, 2020-01-01: e}}}\n", `
paymux.yaml:1:37: providers.p.config: found a number as a key; expected a string: write it in quotes
paymux.yaml:1:43: providers.p.config: found a boolean as a key; expected a string: write it in quotes
paymux.yaml:1:52: providers.p.config: found nothing as a key; expected a string: write it in quotes
paymux.yaml:1:58: providers.p.config: found a list as a key; expected a string
paymux.yaml:1:66: providers.p.config: found a date as a key; expected a string: write it in quotes`},
		{"long key", "providers: {p: {plugin: a, config: {" + strings.Repeat("k", maxKey+1) + ": 1}}}\n", `
paymux.yaml:1:37: providers.p.config: found a key of more than 256 bytes; expected a shorter one`},
		{"deep", "providers: {p: {plugin: a, config: {k: " + strings.Repeat("[", 30) + strings.Repeat("]", 30) + "}}}\n", `
paymux.yaml:1:69: providers.p.config.k` + strings.Repeat("[0]", 29) + `: nested too deep; expected at most 32 levels`},
	})
}

func TestTooManyProblems(t *testing.T) {
	_, err := parseTest("providers: {p: {plugin: a}}\n"+strings.Repeat("? 1\n", 150), nil, nil)
	all, ok := err.(Errors)
	if !ok || len(all) != maxProblems+1 {
		t.Fatalf("got %d problems, want %d and a last one", len(all), maxProblems)
	}
	if got, want := all[maxProblems].Message, "too many problems; 50 more are not shown"; got != want {
		t.Errorf("last is %q, want %q", got, want)
	}
}
