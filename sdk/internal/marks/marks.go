// Package marks reads what paymux adds to a JSON Schema of a config: which values
// are secrets, and which name the account. A plugin needs no more of its schema
// than that, since the host validates the config before it hands it over; the
// validator would make each start of a plugin half as long again.
package marks

import (
	"bytes"
	"cmp"

	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Marks are those of one schema.
type Marks struct{ root node }

// node is the part of a schema that carries paymux's marks. They may stand in
// properties and items only, so that what is a secret never depends on a
// condition; Parse refuses them elsewhere, where they would be passed over.
type node struct {
	Type                 any             `json:"type"`
	Format               string          `json:"format"`
	WriteOnly            bool            `json:"writeOnly"`
	Account              bool            `json:"x-paymux-account"`
	AdditionalProperties json.RawMessage `json:"additionalProperties"`
	Properties           map[string]node `json:"properties"`
	Required             []string        `json:"required"`
	Items                *node           `json:"items"`
}

// Parse reads a schema's marks and checks the rules that sdk.Plugin states.
func Parse(text string) (*Marks, error) {
	m := &Marks{}
	if err := json.Unmarshal([]byte(text), &m.root); err != nil {
		return nil, err
	}
	if err := m.root.check(); err != nil {
		return nil, err
	}
	var document any
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return nil, err
	}
	if err := strayMarks(document, "", true); err != nil {
		return nil, err
	}
	return m, nil
}

// Properties are the names of the schema's root properties, sorted.
func (m *Marks) Properties() []string { return slices.Sorted(maps.Keys(m.root.Properties)) }

const (
	secretMark  = "writeOnly"
	accountMark = "x-paymux-account"
)

// strayMarks finds marks that node doesn't reach. onPath says that value is a
// schema which node does reach.
func strayMarks(value any, pointer string, onPath bool) error {
	switch v := value.(type) {
	case []any:
		for i, member := range v {
			if err := strayMarks(member, fmt.Sprintf("%s/%d", pointer, i), false); err != nil {
				return err
			}
		}
	case map[string]any:
		if !onPath && v[secretMark] == true {
			return fmt.Errorf("%q at %s: it is seen in properties and items only", secretMark, pointer)
		}
		// accounts are properties of the root
		if v[accountMark] == true && !(onPath && strings.Count(pointer, "/") == 2 && strings.HasPrefix(pointer, "/properties/")) {
			return fmt.Errorf("%q at %s: it is seen in the root's properties only", accountMark, pointer)
		}
		for name, member := range v {
			at := pointer + Escape(name)
			var err error
			if properties, ok := member.(map[string]any); ok && onPath && name == "properties" {
				for name, property := range properties {
					err = cmp.Or(err, strayMarks(property, at+Escape(name), true))
				}
			} else {
				err = strayMarks(member, at, onPath && name == "items")
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (n node) check() error {
	if n.Type != "object" || string(n.AdditionalProperties) != "false" {
		return errors.New(`the root must have "type": "object" and "additionalProperties": false`)
	}
	accounts := 0
	for name, p := range n.Properties {
		if !p.Account {
			continue
		}
		accounts++
		if p.WriteOnly || p.Type != "string" {
			return fmt.Errorf(`%s has "x-paymux-account": it must be a "type": "string" and no secret`, name)
		}
		if !slices.Contains(n.Required, name) {
			return fmt.Errorf(`%s has "x-paymux-account": it must be in "required", else accounts without it would be one`, name)
		}
	}
	if accounts == 0 {
		return errors.New(`no property has "x-paymux-account": true; mark what names the account at the acquirer`)
	}
	return nil
}

// Secrets returns every secret value of a config, for redaction.
func (m *Marks) Secrets(object []byte) []string {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	var all []string
	m.root.secrets(value, false, &all)
	return all
}

func (n node) secrets(value any, inside bool, into *[]string) {
	inside = inside || n.WriteOnly
	switch v := value.(type) {
	case string:
		if inside && v != "" {
			*into = append(*into, v)
		}
	case json.Number:
		if inside {
			*into = append(*into, v.String())
		}
	case map[string]any:
		for name, member := range v {
			n.Properties[name].secrets(member, inside, into)
		}
	case []any:
		items := node{}
		if n.Items != nil {
			items = *n.Items
		}
		for _, member := range v {
			items.secrets(member, inside, into)
		}
	}
}

// Account derives the account's name from a valid config: the marked values in
// order of their names, joined by "/". Of a URL only the host counts (and a port
// that isn't the scheme's own), so that a new path or a trailing slash is no new
// account.
func (m *Marks) Account(object []byte) (string, error) {
	var value map[string]any
	if err := json.Unmarshal(object, &value); err != nil {
		return "", errors.New("the config must be a JSON object")
	}
	var names, parts []string
	for name, p := range m.root.Properties {
		if p.Account {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		text, _ := value[name].(string)
		if m.root.Properties[name].Format == "uri" {
			text = host(text)
			if text == "" {
				return "", fmt.Errorf("%s must be an absolute URL", Escape(name))
			}
		}
		if text == "" {
			return "", fmt.Errorf("%s must not be empty", Escape(name))
		}
		parts = append(parts, url.PathEscape(text))
	}
	return strings.Join(parts, "/"), nil
}

// host returns the host of a URL in one form of the many that mean the same;
// empty if there is none.
func host(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	name, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	scheme := strings.ToLower(u.Scheme)
	if name == "" || port == "" || scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		return name
	}
	return net.JoinHostPort(name, port)
}

// Escape writes one token of a JSON pointer.
func Escape(token string) string {
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}
