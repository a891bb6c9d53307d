package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// call is a request to the sandbox: a text such as "POST /sandbox/orders/{id}/pay",
// or an object that has a body in JSON too. What stands in braces is filled in,
// in the path and in the body's strings.
type call struct {
	Request string         `yaml:"request"`
	Body    map[string]any `yaml:"body"`
}

// UnmarshalYAML takes either form.
func (c *call) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&c.Request)
	}
	type plain call // has no UnmarshalYAML
	return strict(node, (*plain)(c))
}

// look is a call whose answer, in JSON, has a number: that, or the length of a
// list, is found by a JSON pointer.
type look struct {
	Call call
	At   string
}

// UnmarshalYAML takes a call that may have a pointer.
func (l *look) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&l.Call)
	}
	var both struct {
		Request string         `yaml:"request"`
		Body    map[string]any `yaml:"body"`
		At      string         `yaml:"at"`
	}
	if err := strict(node, &both); err != nil {
		return err
	}
	*l = look{call{both.Request, both.Body}, both.At}
	return nil
}

// strict decodes a node and refuses keys that aren't known: yaml.v3 forgets that
// it was asked to once a type decodes itself.
func strict(node *yaml.Node, into any) error {
	text, err := yaml.Marshal(node)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	return nil
}

// check sees that a call is one, and has the places that must be filled in.
func (c call) check(places ...string) error {
	method, path, ok := strings.Cut(c.Request, " ")
	if !ok || method == "" || !strings.HasPrefix(path, "/") {
		return fmt.Errorf("%q isn't like POST /sandbox/orders/{id}/pay", c.Request)
	}
	body, err := json.Marshal(c.Body)
	if err != nil {
		return fmt.Errorf("its body: %w", err)
	}
	for _, place := range places {
		if !strings.Contains(path, place) && !bytes.Contains(body, []byte(place)) {
			return fmt.Errorf("%q has no %s in its path or body", c.Request, place)
		}
	}
	return nil
}

// to is the call with its places filled in.
func (c call) to(sandbox string, places map[string]string) (*http.Request, error) {
	method, path, _ := strings.Cut(c.Request, " ")
	for _, place := range slices.Sorted(maps.Keys(places)) {
		escaped := strings.ReplaceAll(url.QueryEscape(places[place]), "+", "%20") // good in a path and in a query
		path = strings.ReplaceAll(path, place, escaped)
	}
	body := []byte(nil)
	if c.Body != nil {
		var err error
		if body, err = json.Marshal(fill(c.Body, places)); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequest(method, strings.TrimRight(sandbox, "/")+path, bytes.NewReader(body))
	if err == nil && c.Body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, err
}

// fill puts texts into the strings of a value.
func fill(value any, places map[string]string) any {
	switch v := value.(type) {
	case string:
		for _, place := range slices.Sorted(maps.Keys(places)) {
			v = strings.ReplaceAll(v, place, places[place])
		}
		return v
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = fill(v[i], places)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = fill(v[k], places)
		}
		return out
	}
	return value
}

// refused is an answer of the sandbox that isn't 2xx or 3xx.
type refused struct {
	status int
	text   string
}

func (r refused) Error() string { return fmt.Sprintf("it answers %d: %s", r.status, r.text) }

const mostAnswered = 16 << 20

// control calls the sandbox and returns its answer.
func control(r *http.Request, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswered))
	if resp.StatusCode >= 400 {
		err = refused{resp.StatusCode, cut(string(text))}
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)
	}
	return text, nil
}

// at finds a value in JSON by a JSON pointer; nil if it isn't there.
func at(text []byte, pointer string) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errors.New("its answer is no JSON")
	}
	if pointer == "" {
		return value, nil
	}
	for _, name := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return nil, nil
			}
			value = v[i]
		default:
			return nil, nil
		}
	}
	return value, nil
}

// count is the number that a look finds; what isn't there is 0.
func count(text []byte, pointer string) (int, error) {
	value, err := at(text, pointer)
	switch v := value.(type) {
	case []any:
		return len(v), err
	case json.Number:
		return strconv.Atoi(v.String())
	case nil:
		return 0, err
	}
	return 0, fmt.Errorf("at %q is neither a list nor a number", pointer)
}
