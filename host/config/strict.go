package config

import (
	"go.yaml.in/yaml/v3"
)

const (
	maxDepth  = 32
	maxKey    = 256
	noAliases = "found an alias (*); expected the value itself, as aliases are not supported; quote a value that begins with *"
)

// strict refuses, in the whole tree, what YAML permits and a config file
// shouldn't say: anchors, aliases, merges, tags, keys that are no strings, the
// same key twice. Refused nodes are noted in l.bad, so that the typed checks
// don't complain about them again.
func (l *loader) strict(root *yaml.Node) {
	l.bad = map[*yaml.Node]bool{}
	l.strictNode(value{node: root}, 0)
}

func (l *loader) refuse(v value, message string) {
	l.bad[v.node] = true
	l.fail(v, "%s", message)
}

func (l *loader) strictNode(v value, depth int) {
	switch n := v.node; {
	case depth > maxDepth:
		l.refuse(v, "nested too deep; expected at most 32 levels")
	case n.Kind == yaml.AliasNode:
		l.refuse(v, noAliases)
	case n.Anchor != "":
		l.refuse(v, "found an anchor (&); expected the value itself, as anchors are not supported; quote a value that begins with &")
	case n.Style&yaml.TaggedStyle != 0:
		l.refuse(v, "found a tag (!); expected the value itself, as tags are not supported; quote a value that begins with !")
	case n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			l.strictNode(value{node: item, path: v.path.index(i)}, depth+1)
		}
	case n.Kind == yaml.MappingNode:
		l.strictMapping(v, depth)
	}
}

func (l *loader) strictMapping(v value, depth int) {
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key, val := v.node.Content[i], v.node.Content[i+1]
		if why := badKey(key); why != "" {
			l.refuse(value{node: key, path: v.path}, why)
			continue
		}
		at := v.path.key(key.Value)
		if old := first[key.Value]; old != nil {
			l.bad[key] = true
			l.fail(value{node: key, path: at}, "duplicate key; it already stands in line %d", old.Line)
			continue
		}
		first[key.Value] = key
		l.strictNode(value{node: val, key: key, path: at}, depth+1)
	}
}

func badKey(key *yaml.Node) string {
	switch {
	case key.Kind == yaml.AliasNode:
		return noAliases
	case key.Kind != yaml.ScalarNode:
		return "found " + kind(key) + " as a key; expected a string"
	case key.Tag == "!!merge":
		return "found a merge key (<<); expected the keys themselves, as merging is not supported"
	case key.Anchor != "" || key.Style&yaml.TaggedStyle != 0:
		return "found an anchor or a tag before a key; expected the key itself"
	case key.Tag != "!!str":
		return "found " + kind(key) + " as a key; expected a string: write it in quotes"
	case len(key.Value) > maxKey:
		return "found a key of more than 256 bytes; expected a shorter one"
	}
	return ""
}

// kind names what a node is, never what it holds: that may be a secret.
func kind(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Kind == yaml.AliasNode:
		return "an alias"
	case n.Tag == "!!int" || n.Tag == "!!float":
		return "a number"
	case n.Tag == "!!bool":
		return "a boolean"
	case n.Tag == "!!null":
		return "nothing"
	case n.Tag == "!!timestamp":
		return "a date"
	}
	return "a string"
}
