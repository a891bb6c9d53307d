package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

// document is what the tests need of openapi.json.
type document struct {
	Components struct {
		Headers map[string]struct{ Required bool }
		Schemas map[string]node
	}
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct{ Schema json.RawMessage }
			Headers map[string]struct {
				Ref string `json:"$ref"`
			}
		}
	}
}

// node is a schema as far as TestDocumentHasMembers reads it.
type node struct {
	Ref        string `json:"$ref"`
	Properties map[string]node
	Items      *node
}

var spec = sync.OnceValues(func() (document, error) {
	var d document
	return d, json.Unmarshal(openAPI, &d)
})

// schemaAt compiles a part of openapi.json.
func schemaAt(t *testing.T, pointer string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("openapi.json#" + pointer)
	if err != nil {
		t.Fatalf("%s: %v", pointer, err)
	}
	return s
}

func escape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1"), "{", "%7B")
}

// checkAnswer holds an answer against what openapi.json says of its route.
func checkAnswer(t *testing.T, method, pattern string, got reply) {
	t.Helper()
	d, err := spec()
	if err != nil {
		t.Fatal(err)
	}
	_, path, found := strings.Cut(pattern, " ")
	if !found {
		path = pattern // the fallback for other methods
	}
	pointer := "/components/schemas/Problem"
	if item, ok := d.Paths[path]; ok {
		name := strings.ToLower(method)
		if method == "HEAD" {
			return // no body
		}
		if _, ok := item[name]; !ok {
			for name = range item { // any: 405 stands at each
			}
		}
		status := strconv.Itoa(got.status)
		answer, ok := item[name].Responses[status]
		if !ok {
			t.Fatalf("openapi.json has no answer %s of %s %s: %s", status, name, path, got.body)
		}
		for _, header := range []string{"Location", "Retry-After", "Allow", "Www-Authenticate", "X-Request-Id", "Idempotent-Replayed"} {
			documented, required := false, false
			for told, h := range answer.Headers {
				if strings.EqualFold(told, header) {
					documented, required = true, d.Components.Headers[strings.TrimPrefix(h.Ref, "#/components/headers/")].Required
				}
			}
			if sent := got.header.Get(header) != ""; sent && !documented || required && !sent {
				t.Errorf("answer %s of %s %s: header %s sent: %v, documented: %v", status, name, path, header, sent, documented)
			}
		}
		if len(answer.Content) == 0 {
			return
		}
		kind := got.header.Get("Content-Type")
		if _, ok := answer.Content[kind]; !ok {
			t.Fatalf("openapi.json has no %s in answer %s of %s %s", kind, status, name, path)
		}
		pointer = fmt.Sprintf("/paths/%s/%s/responses/%s/content/%s/schema", escape(path), name, status, escape(kind))
		pointer = strings.ReplaceAll(pointer, "}", "%7D")
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
	if err != nil {
		t.Fatalf("%s: %v", got.body, err)
	}
	if err := schemaAt(t, pointer).Validate(value); err != nil {
		t.Errorf("the answer is not as openapi.json says: %v\n%s", err, got.body)
	}
}

func TestDocument(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %s", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestDocumentHasRoutes: what is served is documented, and the other way round.
func TestDocumentHasRoutes(t *testing.T) {
	d, err := spec()
	if err != nil {
		t.Fatal(err)
	}
	var served, documented []string
	for _, r := range (&api{}).routes() {
		served = append(served, r.method+" "+r.path)
	}
	for path, item := range d.Paths {
		for method := range item {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(served)
	slices.Sort(documented)
	if !slices.Equal(served, documented) {
		t.Errorf("served:\n%s\ndocumented:\n%s", strings.Join(served, "\n"), strings.Join(documented, "\n"))
	}
}

// TestDocumentHasWords: every word that programs act on is in the document.
func TestDocumentHasWords(t *testing.T) {
	check := func(pointer, word string) {
		t.Helper()
		if err := schemaAt(t, pointer).Validate(word); err != nil {
			t.Errorf("%s lacks %s: %v", pointer, word, err)
		}
	}
	for _, c := range sdk.Codes() {
		check("/components/schemas/Problem/properties/code", c.Name)
	}
	for _, s := range sdk.Statuses() {
		check("/components/schemas/Payment/properties/status", s.String())
	}
	for _, m := range sdk.Methods() {
		check("/components/schemas/CreatePayment/properties/method", string(m))
	}
	for _, f := range sdk.Flows() {
		check("/components/schemas/CreatePayment/properties/flow", string(f))
	}
	for _, a := range sdk.ActionTypes() {
		check("/components/schemas/NextAction/properties/type", string(a))
	}
	for _, r := range reviewReasons[1:] {
		check("/components/schemas/Review/properties/reason", r)
	}
}

// TestDocumentHasMembers: an answer has the members that the document tells of, at
// every depth, also those that are seldom there.
func TestDocumentHasMembers(t *testing.T) {
	d, err := spec()
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]any{
		"Payment": host.Payment{}, "PaymentPage": page[host.Payment]{}, "Refund": host.Refund{}, "RefundPage": page[host.Refund]{},
		"Event": host.Event{}, "EventPage": page[host.Event]{}, "Provider": host.ProviderInfo{},
		"Problem": problem{}, "Health": health{},
	} {
		if _, ok := d.Components.Schemas[name]; !ok {
			t.Errorf("the document has no %s", name)
			continue
		}
		compareMembers(t, d, name, d.Components.Schemas[name], reflect.TypeOf(answer))
	}
}

func compareMembers(t *testing.T, d document, at string, n node, typ reflect.Type) {
	t.Helper()
	if n.Ref != "" {
		n = d.Components.Schemas[strings.TrimPrefix(n.Ref, "#/components/schemas/")]
	}
	switch typ.Kind() {
	case reflect.Pointer:
		compareMembers(t, d, at, n, typ.Elem())
	case reflect.Slice:
		if n.Items != nil {
			compareMembers(t, d, at+"[]", *n.Items, typ.Elem())
		}
	case reflect.Struct:
		if typ == reflect.TypeFor[time.Time]() {
			return
		}
		members := map[string]reflect.Type{}
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			members[name] = typ.Field(i).Type
		}
		has, told := slices.Sorted(maps.Keys(members)), slices.Sorted(maps.Keys(n.Properties))
		if !slices.Equal(has, told) {
			t.Errorf("%s has %v, the document tells of %v", at, has, told)
			return
		}
		for name, member := range members {
			compareMembers(t, d, at+"."+name, n.Properties[name], member)
		}
	}
}

// TestDocumentedRequest: document and decoder agree on what is a request, as far
// as a schema can say it.
func TestDocumentedRequest(t *testing.T) {
	schema := schemaAt(t, "/components/schemas/CreatePayment")
	for body, decodes := range requestBodies {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			continue // not JSON at all
		}
		if valid := schema.Validate(value) == nil; valid != decodes && !slices.Contains(looser, body) {
			t.Errorf("by the document %s is valid: %v; by the decoder: %v", body, valid, decodes)
		}
	}
}
