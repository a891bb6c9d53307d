package config

import (
	"bytes"
	"encoding/json"
	"regexp"

	"go.yaml.in/yaml/v3"
)

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// rawConfig turns a provider's own config into a JSON object. What the keys mean
// is for the plugin to judge.
func (l *loader) rawConfig(v value) Secret {
	var b bytes.Buffer
	if l.is(v, yaml.MappingNode, "a mapping of the plugin's own keys") {
		l.json(&b, v)
	}
	return NewSecret(b.String())
}

func (l *loader) json(b *bytes.Buffer, v value) {
	switch {
	case l.bad[v.node]:
	case v.node.Kind == yaml.MappingNode:
		sep := byte('{')
		for _, f := range l.entries(v) {
			b.WriteByte(sep)
			sep = ','
			jsonString(b, f.key.Value)
			b.WriteByte(':')
			l.json(b, f)
		}
		if sep == '{' {
			b.WriteByte('{')
		}
		b.WriteByte('}')
	case v.node.Kind == yaml.SequenceNode:
		b.WriteByte('[')
		for i, n := range v.node.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			l.json(b, value{node: n, path: v.path.index(i)})
		}
		b.WriteByte(']')
	default:
		l.jsonScalar(b, v)
	}
}

func (l *loader) jsonScalar(b *bytes.Buffer, v value) {
	switch n := v.node; n.Tag {
	case "!!null":
		b.WriteString("null")
	case "!!bool":
		if n.Value[0] == 't' || n.Value[0] == 'T' {
			b.WriteString("true")
		} else {
			b.WriteString("false")
		}
	case "!!int", "!!float":
		if !jsonNumber.MatchString(n.Value) {
			// YAML reads 010 as eight; an account number must not change like that.
			l.fail(v, "found a number that is not plain decimal (such as 007, 0x1f, 1_000 or .5); write a string in quotes, or a decimal number")
			return
		}
		b.WriteString(n.Value)
	case "!!timestamp":
		jsonString(b, n.Value)
	default:
		t, _ := l.resolve(v)
		jsonString(b, t.val)
	}
}

func jsonString(b *bytes.Buffer, s string) {
	// Marshal would write <, > and & as escapes: valid, but no longer what the
	// operator sees in the file. It cannot fail for a string.
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	b.Truncate(b.Len() - 1)
}
