// Package schema reads the JSON Schema by which a plugin declares its config:
// it validates a config, finds the secrets in it, and derives the account that
// it names. The host validates by it before a plugin sees the config; plugin
// authors only write the schema, see sdk.Plugin.
//
// Errors name the value that is at fault by its JSON pointer and say what was
// expected. They never quote a value, since any may be a secret.
package schema

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/paymux/paymux/sdk/internal/marks"
)

// Schema is a plugin's config schema.
type Schema struct {
	*marks.Marks
	compiled *jsonschema.Schema
}

// Parse compiles a schema and checks the rules that sdk.Plugin states.
func Parse(text string) (*Schema, error) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("config schema: not JSON: %w", err)
	}
	s := &Schema{}
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
	if s.Marks, err = marks.Parse(text); err != nil {
		return nil, fmt.Errorf("config schema: %w", err)
	}
	return s, nil
}

// noLoader keeps a schema from reading files or the network.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("a schema can't refer to another document (%s)", url)
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
	if v.Message != unknownKey || strings.Count(v.Pointer, "/") != 1 || len(s.Properties()) == 0 {
		return v.Message
	}
	return v.Message + "; there are " + strings.Join(s.Properties(), ", ")
}

// pointer writes a JSON pointer (RFC 6901).
func pointer(location []string) string {
	var b strings.Builder
	for _, token := range location {
		b.WriteString(marks.Escape(token))
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
