package config

import (
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// path leads from the root to a value. It is linked, so that walking a big file
// builds strings only for its mistakes.
type path struct {
	up  *path
	seg string
}

func (p *path) key(name string) *path { return &path{p, "." + keySegment(name)} }

func (p *path) index(i int) *path { return &path{p, indexSegment(i)} }

func (p *path) String() string {
	var segs []string
	for ; p != nil; p = p.up {
		segs = append(segs, p.seg)
	}
	var b strings.Builder
	for i := len(segs) - 1; i >= 0; i-- {
		b.WriteString(segs[i])
	}
	return strings.TrimPrefix(b.String(), ".")
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// keySegment quotes a key whose dots or brackets would read as path syntax.
func keySegment(name string) string {
	if plainKey.MatchString(name) {
		return name
	}
	return strconv.Quote(name)
}

func indexSegment(i int) string { return "[" + strconv.Itoa(i) + "]" }

// place returns where to point for a value: at itself, or at its key when the
// value starts on a later line, as blocks do.
func place(key, node *yaml.Node) (line, column int) {
	if key != nil && node.Line != key.Line {
		return key.Line, key.Column
	}
	return node.Line, node.Column
}

// child finds the value in a mapping or list whose segment starts rest, and
// returns what is left of rest.
func child(node *yaml.Node, rest string) (key, val *yaml.Node, left string) {
	switch node.Kind {
	case yaml.MappingNode:
		rest = strings.TrimPrefix(rest, ".")
		for i := 0; i+1 < len(node.Content); i += 2 {
			left, ok := strings.CutPrefix(rest, keySegment(node.Content[i].Value))
			if ok && (left == "" || left[0] == '.' || left[0] == '[') {
				return node.Content[i], node.Content[i+1], left
			}
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			if left, ok := strings.CutPrefix(rest, indexSegment(i)); ok {
				return nil, item, left
			}
		}
	}
	return nil, nil, rest
}

// Position returns where the value at path stands in the file, such as
// routes[0].providers. For what the file leaves out it is the place of the
// nearest value around it.
func (c *Config) Position(path string) (line, column int) {
	if c.root == nil {
		return 0, 0
	}
	var key *yaml.Node
	node := c.root
	for path != "" {
		k, v, left := child(node, path)
		if v == nil {
			break
		}
		key, node, path = k, v, left
	}
	return place(key, node)
}

// ConfigPosition is Position for the value that the JSON pointer (RFC 6901)
// names inside the provider's own config.
func (c *Config) ConfigPosition(provider, pointer string) (line, column int) {
	return c.Position(c.configPath(provider, pointer))
}

// At returns a problem of the value at path: the way for the host to report
// what only it can find out.
func (c *Config) At(path, message string) Problem {
	line, column := c.Position(path)
	return Problem{File: c.name, Line: line, Column: column, Path: path, Message: message}
}

// AtConfig is At for the value that the JSON pointer names inside the
// provider's own config. The message must not hold that value: it may be a
// secret.
func (c *Config) AtConfig(provider, pointer, message string) Problem {
	return c.At(c.configPath(provider, pointer), message)
}

var pointerEscapes = strings.NewReplacer("~1", "/", "~0", "~")

// configPath asks the file whether a number is an index or a key, because a
// JSON pointer writes both alike.
func (c *Config) configPath(provider, pointer string) string {
	at := (&path{}).key("providers").key(provider).key("config")
	node := c.find(at.String())
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		token = pointerEscapes.Replace(token)
		if i, err := strconv.Atoi(token); err == nil && node != nil && node.Kind == yaml.SequenceNode {
			at = at.index(i)
		} else {
			at = at.key(token)
		}
		node = c.find(at.String())
	}
	return at.String()
}

// find returns the node at exactly path, or nil.
func (c *Config) find(path string) *yaml.Node {
	node := c.root
	for path != "" && node != nil {
		_, node, path = child(node, path)
	}
	return node
}
