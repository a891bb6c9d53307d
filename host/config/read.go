package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// object is a mapping whose keys are known.
type object struct {
	value
	fields map[string]value
}

// object reads a mapping that stands at place, and reports its unknown keys.
func (l *loader) object(v value, place string) (object, bool) {
	o := object{v, map[string]value{}}
	if !l.is(v, yaml.MappingNode, "a mapping") {
		return o, false
	}
	for _, f := range l.entries(v) {
		name := f.key.Value
		if slices.Contains(keys[place], name) {
			o.fields[name] = f
			continue
		}
		hint := didYouMean(name, keys[place])
		if hint == "" {
			hint = "; expected " + oneOf(keys[place])
			if place == inProvider {
				hint += "; the plugin's own keys belong under config"
			}
		}
		l.fail(value{node: f.key, path: f.path}, "unknown key%s", hint)
	}
	return o, true
}

// entries are the values of a mapping without those that strict refused.
func (l *loader) entries(v value) []value {
	var all []value
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if key := v.node.Content[i]; !l.bad[key] {
			all = append(all, value{key, v.node.Content[i+1], v.path.key(key.Value)})
		}
	}
	return all
}

// need returns the field, or reports its absence at the mapping.
func (l *loader) need(o object, name string) (value, bool) {
	f, ok := o.fields[name]
	if !ok {
		at := o.value
		at.path = at.path.key(name)
		l.fail(at, "required key is missing")
	}
	return f, ok
}

// is reports a value that isn't of the kind. It is silent about those that
// strict has refused.
func (l *loader) is(v value, want yaml.Kind, expected string) bool {
	if l.bad[v.node] {
		return false
	}
	if v.node.Kind != want {
		l.fail(v, "found %s; expected %s", kind(v.node), expected)
		return false
	}
	return true
}

// items reads a list.
func (l *loader) items(v value, expected string) ([]value, bool) {
	if !l.is(v, yaml.SequenceNode, expected) {
		return nil, false
	}
	all := make([]value, len(v.node.Content))
	for i, n := range v.node.Content {
		all[i] = value{node: n, path: v.path.index(i)}
	}
	return all, true
}

// text is a string value: as it was written, and with ${…} resolved.
type text struct {
	raw, val string
	resolved bool
}

// show is the value for a message: what was written, never what ${…} gave.
func (t text) show() string {
	const most = 80
	if r := []rune(t.raw); len(r) > most {
		return fmt.Sprintf("%q…", string(r[:most]))
	}
	return fmt.Sprintf("%q", t.raw)
}

// text reads a string.
func (l *loader) text(v value, expected string) (text, bool) {
	if l.bad[v.node] {
		return text{}, false
	}
	if v.node.Kind == yaml.ScalarNode && v.node.Tag == "!!str" {
		return l.resolve(v)
	}
	hint := ""
	if v.node.Kind == yaml.ScalarNode && v.node.Tag != "!!null" {
		hint = "; write it in quotes"
	}
	l.fail(v, "found %s; expected %s%s", kind(v.node), expected, hint)
	return text{}, false
}

// word reads a string that must be one of the options.
func (l *loader) word(v value, options []string) (text, bool) {
	t, ok := l.text(v, oneOf(options))
	if !ok || slices.Contains(options, t.val) {
		return t, ok
	}
	hint := didYouMean(t.raw, options)
	if t.resolved {
		hint = ""
	}
	l.fail(v, "found %s; expected %s%s", t.show(), oneOf(options), hint)
	return t, false
}

// boolean reads true or false, and explains YAML 1.1's other spellings.
func (l *loader) boolean(v value) bool {
	if l.bad[v.node] {
		return false
	}
	if v.node.Kind == yaml.ScalarNode && v.node.Tag == "!!bool" {
		return strings.EqualFold(v.node.Value, "true")
	}
	found := kind(v.node)
	old := []string{"yes", "no", "on", "off", "y", "n", "true", "false"}
	if v.node.Kind == yaml.ScalarNode && slices.Contains(old, strings.ToLower(v.node.Value)) {
		found = fmt.Sprintf("the string %q", v.node.Value)
	}
	l.fail(v, "found %s; expected true or false, without quotes", found)
	return false
}

// texts reads a list of different strings, at least one; read returns each.
func (l *loader) texts(v value, expected, whenEmpty string, read func(value) (text, bool)) []string {
	items, ok := l.items(v, expected)
	if ok && len(items) == 0 {
		l.fail(v, "found an empty list; %s", whenEmpty)
	}
	var all []string
	for _, item := range items {
		t, ok := read(item)
		if !ok {
			continue
		}
		if slices.Contains(all, t.val) {
			l.fail(item, "%s is listed twice", t.show())
		}
		all = append(all, t.val)
	}
	return all
}

func oneOf(options []string) string {
	last := len(options) - 1
	if last == 0 {
		return options[0]
	}
	return strings.Join(options[:last], ", ") + " or " + options[last]
}
