// Package schema reads the JSON Schema by which a plugin declares its config:
// it validates a config, finds the secrets in it, and derives the account that
// it names. sdk/plugin and the host share it, so that both judge alike; plugin
// authors only write the schema, see sdk.Plugin.
//
// Errors name the value that is at fault by its JSON pointer and say what was
// expected. They never quote a value, since any may be a secret.
package schema

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
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is a plugin's config schema.
type Schema struct {
	compiled *jsonschema.Schema
	root     node
}

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

// Parse compiles a schema and checks the rules that sdk.Plugin states.
func Parse(text string) (*Schema, error) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("config schema: not JSON: %w", err)
	}
	s := &Schema{}
	if err := json.Unmarshal([]byte(text), &s.root); err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(noLoader{})
	const name = "https://paymux.invalid/config.schema.json" // a file's name would be made absolute, and printed
	if err := c.AddResource(name, document); err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	if s.compiled, err = c.Compile(name); err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	if err := s.root.check(); err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	if err := strayMarks(document, "", true); err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	return s, nil
}

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
			at := pointer + escape(name)
			var err error
			if properties, ok := member.(map[string]any); ok && onPath && name == "properties" {
				for name, property := range properties {
					err = cmp.Or(err, strayMarks(property, at+escape(name), true))
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

// noLoader keeps a schema from reading files or the network.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("a schema can't refer to another document (%s)", url)
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

// Violation is a rule of the schema that a config breaks.
type Violation struct {
	Pointer string // JSON pointer to the value; "" is the whole config
	Message string // what was expected; quotes no value
}

// Validate returns what is wrong with a config, sorted by pointer.
func (s *Schema) Validate(object []byte) []Violation {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(object))
	if err != nil {
		return []Violation{{"", "must be a JSON object"}}
	}
	// encoding/json, which reads the config later, takes the last of two keys and
	// changes what isn't UTF-8.
	if !jsontext.Value(object).IsValid() {
		return []Violation{{"", "must be in UTF-8 and have no key twice"}}
	}
	var invalid *jsonschema.ValidationError
	if err := s.compiled.Validate(value); err == nil {
		return nil
	} else if !errors.As(err, &invalid) {
		return []Violation{{"", "can't be validated"}}
	}
	all := violations(invalid, nil)
	for i, v := range all {
		all[i].Message = s.known(v)
	}
	slices.SortFunc(all, func(a, b Violation) int {
		return strings.Compare(a.Pointer+"\x00"+a.Message, b.Pointer+"\x00"+b.Message)
	})
	return slices.Compact(all)
}

// known adds to the message about an unknown key which there are.
func (s *Schema) known(v Violation) string {
	if v.Message != unknownKey || strings.Count(v.Pointer, "/") != 1 || len(s.root.Properties) == 0 {
		return v.Message
	}
	return v.Message + "; there are " + strings.Join(slices.Sorted(maps.Keys(s.root.Properties)), ", ")
}

// Secrets returns every secret value of a config, for redaction.
func (s *Schema) Secrets(object []byte) []string {
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	var all []string
	s.root.secrets(value, false, &all)
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
func (s *Schema) Account(object []byte) (string, error) {
	var value map[string]any
	if err := json.Unmarshal(object, &value); err != nil {
		return "", errors.New("the config must be a JSON object")
	}
	var names, parts []string
	for name, p := range s.root.Properties {
		if p.Account {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		text, _ := value[name].(string)
		if s.root.Properties[name].Format == "uri" {
			text = host(text)
			if text == "" {
				return "", fmt.Errorf("%s must be an absolute URL", escape(name))
			}
		}
		if text == "" {
			return "", fmt.Errorf("%s must not be empty", escape(name))
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

// escape writes one token of a JSON pointer.
func escape(token string) string {
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}

// pointer writes a JSON pointer (RFC 6901).
func pointer(location []string) string {
	var b strings.Builder
	for _, token := range location {
		b.WriteString(escape(token))
	}
	return b.String()
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strconv.Quote(n)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
