package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// configKey is a key of a provider's config, as its plugin's schema has it.
type configKey struct {
	Key         string          `json:"key"` // dotted where nested
	Type        string          `json:"type,omitempty"`
	Required    bool            `json:"required"`
	Secret      bool            `json:"secret"`
	Default     json.RawMessage `json:"default,omitempty"`
	Values      []any           `json:"values,omitempty"`
	Description string          `json:"description,omitempty"`
}

// schemaNode is the part of a JSON Schema that people need to fill in a config.
type schemaNode struct {
	Type        any                   `json:"type"`
	Description string                `json:"description"`
	Default     json.RawMessage       `json:"default"`
	Enum        []any                 `json:"enum"`
	WriteOnly   bool                  `json:"writeOnly"`
	Required    []string              `json:"required"`
	Properties  map[string]schemaNode `json:"properties"`
	Items       *schemaNode           `json:"items"`
}

// configKeys lists the keys of a schema: the required ones first, then by name.
// Without a schema (the plugin didn't answer) there are none.
func configKeys(schema []byte) ([]configKey, error) {
	if len(schema) == 0 {
		return nil, nil
	}
	var root schemaNode
	if err := json.Unmarshal(schema, &root); err != nil {
		return nil, fmt.Errorf("the plugin's config schema can't be read: %w", err)
	}
	return root.keys(""), nil
}

func (n schemaNode) keys(prefix string) []configKey {
	var all []configKey
	for name, p := range n.Properties {
		all = append(all, configKey{
			Key: prefix + name, Type: p.kind(), Required: slices.Contains(n.Required, name), Secret: p.secret(),
			Default: p.Default, Values: p.Enum, Description: p.Description,
		})
	}
	slices.SortFunc(all, func(a, b configKey) int {
		if a.Required != b.Required {
			return cmp.Compare(rank(a), rank(b))
		}
		return cmp.Compare(a.Key, b.Key)
	})
	// What is nested follows its key.
	for i := len(all) - 1; i >= 0; i-- {
		p := n.Properties[strings.TrimPrefix(all[i].Key, prefix)]
		all = slices.Insert(all, i+1, p.keys(all[i].Key+".")...)
	}
	return all
}

func rank(k configKey) int {
	if k.Required {
		return 0
	}
	return 1
}

func (n schemaNode) kind() string {
	kind, _ := n.Type.(string)
	if kind == "array" && n.Items != nil {
		return strings.TrimSpace("list of " + n.Items.kind())
	}
	return kind
}

func (n schemaNode) secret() bool { return n.WriteOnly || n.Items != nil && n.Items.secret() }

// title is the key with its marks on one line.
func (k configKey) title() string {
	words := []string{k.Key, k.Type}
	if k.Required {
		words[0] += "*"
	}
	if k.Secret {
		words = append(words, "secret")
	}
	if len(k.Values) > 0 {
		words = append(words, fmt.Sprint("one of ", k.Values))
	}
	if len(k.Default) > 0 {
		words = append(words, "default "+string(k.Default))
	}
	return plain(strings.Join(words, "  "))
}
