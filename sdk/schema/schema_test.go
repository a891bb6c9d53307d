package schema_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk/schema"
)

// object is a schema that Parse takes; properties are added to it.
func object(properties string) string {
	return `{"type":"object","additionalProperties":false,"required":["uid"],
		"properties":{"uid":{"type":"string","x-paymux-account":true}` + properties + `}}`
}

func parse(t *testing.T, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"empty":               {``, "not JSON"},
		"not JSON":            {`{`, "not JSON"},
		"two documents":       {`{} {}`, "not JSON"},
		"an array":            {`[]`, "config schema"},
		"true":                {`true`, "config schema"},
		"no type":             {`{"additionalProperties":false}`, "root must"},
		"open":                {`{"type":"object"}`, "root must"},
		"open by schema":      {`{"type":"object","additionalProperties":{"type":"string"}}`, "root must"},
		"wrong keyword":       {object(`,"a":{"minLength":-1}`), "config schema"},
		"wrong type":          {object(`,"a":{"type":"text"}`), "config schema"},
		"bad pattern":         {object(`,"a":{"pattern":"("}`), "config schema"},
		"no account":          {`{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}}}`, "no property"},
		"secret account":      {object(`,"a":{"type":"string","writeOnly":true,"x-paymux-account":true}`), "no secret"},
		"account is a number": {object(`,"a":{"type":"integer","x-paymux-account":true}`), `"type": "string"`},
		"account is optional": {object(`,"a":{"type":"string","x-paymux-account":true}`), "required"},
		"nested account":      {object(`,"a":{"type":"object","properties":{"b":{"type":"string","x-paymux-account":true}}}`), "/properties/a/properties/b"},
		"secret in $defs":     {object(`,"a":{"$ref":"#/$defs/s"}},"$defs":{"s":{"type":"string","writeOnly":true}`), "/$defs/s"},
		"secret in allOf":     {object(`,"a":{"allOf":[{"writeOnly":true}]}`), "/properties/a/allOf/0"},
		"secret in pattern":   {object(`,"a":{"patternProperties":{"^k":{"writeOnly":true}}}`), "patternProperties"},
		"secret in additional": {object(`,"a":{"additionalProperties":{"type":"string","writeOnly":true}}`),
			"/properties/a/additionalProperties"},
		"secret in prefixItems": {object(`,"a":{"prefixItems":[{"writeOnly":true}]}`), "prefixItems/0"},
		"reads a file":          {object(`,"a":{"$ref":"file:///etc/passwd"}`), "another document"},
		"reads a near file":     {object(`,"a":{"$ref":"schema_test.go"}`), "another document"},
		"reads the network":     {object(`,"a":{"$ref":"https://example.com/schema.json"}`), "another document"},
	} {
		_, err := schema.Parse(c.text)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.says)
		} else if dir, _ := os.Getwd(); strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the error tells of this machine: %v", name, err)
		}
	}
}

func TestParseTakes(t *testing.T) {
	for _, properties := range []string{
		``,
		`,"writeOnly":{"type":"string"},"x-paymux-account":{"type":"string"},"properties":{"type":"string"}`, // as names
		`,"a":{"$ref":"#/$defs/s"}},"$defs":{"s":{"type":"string"}`,
		`,"a":{"$ref":"https://json-schema.org/draft/2020-12/schema"}`, // known without the network
		`,"a":{"items":{"items":{"properties":{"b":{"writeOnly":true}}}}}`,
	} {
		parse(t, object(properties))
	}
}

const secret = "hunter2-hidden-987654"

// Every rule that a schema can have, broken by a value that must not be quoted.
func TestValidateNamesThePlaceAndNeverTheValue(t *testing.T) {
	for _, c := range []struct{ rule, value, pointer, says string }{
		{`"type":"integer"`, `"S"`, "/a", "must be an integer, not a string"},
		{`"type":["integer","boolean"]`, `"S"`, "/a", "a boolean or an integer"},
		{`"enum":["x","y"]`, `"S"`, "/a", "must be one of [x y]"},
		{`"const":"x"`, `"S"`, "/a", "must be x"},
		{`"pattern":"^x$"`, `"S"`, "/a", "must match ^x$"},
		{`"format":"uri"`, `"S S"`, "/a", "must be a valid uri"},
		{`"format":"date-time"`, `"S"`, "/a", "must be a valid date-time"},
		{`"minLength":99`, `"S"`, "/a", "at least 99 characters"},
		{`"maxLength":3`, `"S"`, "/a", "at most 3 characters"},
		{`"minItems":2`, `["S"]`, "/a", "at least 2 entries"},
		{`"maxItems":1`, `["S","S2"]`, "/a", "at most 1 entries"},
		{`"uniqueItems":true`, `["S","S"]`, "/a", "twice"},
		{`"minimum":9876543210`, `987654`, "/a", "at least 9876543210"},
		{`"maximum":1`, `987654`, "/a", "at most 1"},
		{`"exclusiveMinimum":987654`, `987654`, "/a", "exclusiveMinimum"},
		{`"exclusiveMaximum":7`, `987654`, "/a", "exclusiveMaximum"},
		{`"multipleOf":5`, `987654`, "/a", "multipleOf"},
		{`"not":{"type":"string"}`, `"S"`, "/a", "rules out"},
		{`"anyOf":[{"type":"integer"},{"const":1}]`, `"S"`, "/a", "must be"},
		{`"oneOf":[{"type":"string"},{"minLength":1}]`, `"S"`, "/a", "oneOf"},
		{`"allOf":[{"maxLength":1}]`, `"S"`, "/a", "at most 1 characters"},
		{`"if":{"type":"string"},"then":{"maxLength":1}`, `"S"`, "/a", "at most 1 characters"},
		{`"contains":{"const":1}`, `["S"]`, "/a/0", "must be 1"},
		{`"contains":{"type":"string"},"maxContains":1`, `["S","S2"]`, "/a", ""},
		{`"items":{"type":"integer"}`, `[1,"S"]`, "/a/1", "must be an integer"},
		{`"prefixItems":[{"type":"integer"}]`, `["S"]`, "/a/0", "must be an integer"},
		{`"required":["b","c"]`, `{"d":"S"}`, "/a", `lacks "b", "c"`},
		{`"dependentRequired":{"d":["e"]}`, `{"d":"S"}`, "/a", "dependentRequired"},
		{`"minProperties":2`, `{"d":"S"}`, "/a", "minProperties"},
		{`"maxProperties":0`, `{"d":"S"}`, "/a", "maxProperties"},
		{`"propertyNames":{"maxLength":1}`, `{"dd":"S"}`, "", "at most 1 characters"},
		{`"additionalProperties":false`, `{"d":"S"}`, "/a/d", "unknown key"},
		{`"properties":{"d/e~f":{"type":"integer"}}`, `{"d/e~f":"S"}`, "/a/d~1e~0f", "must be an integer"},
		{`"properties":{"d":{"not":{}}}`, `{"d":"S"}`, "/a/d", "rules out"},
		{`"writeOnly":true,"pattern":"^sk_"`, `"S"`, "/a", "must match ^sk_"},
		{`"$ref":"#/properties/uid"`, `["S"]`, "/a", "must be a string"},
	} {
		s := parse(t, object(`,"a":{`+c.rule+`}`))
		value := strings.ReplaceAll(c.value, "S", secret)
		broken := s.Validate([]byte(`{"uid":"1","a":` + value + `}`))
		if len(broken) == 0 {
			t.Errorf("%s: %s is valid", c.rule, value)
			continue
		}
		if broken[0].Pointer != c.pointer || !strings.Contains(broken[0].Message, c.says) {
			t.Errorf("%s: %+v, want %s: %s", c.rule, broken, c.pointer, c.says)
		}
		for _, v := range broken {
			text := v.Pointer + v.Message
			if strings.Contains(text, secret) || strings.Contains(text, "987654") && !strings.Contains(c.rule, "987654") || v.Message == "" || strings.Contains(text, "%!") {
				t.Errorf("%s: quotes a value or says nothing: %+v", c.rule, v)
			}
		}
	}
}

func TestValidateWhole(t *testing.T) {
	s := parse(t, object(`,"b":{"type":"integer"},"a":{"type":"integer"}`))
	for config, want := range map[string]string{
		`{"uid":"1"}`:                       "",
		`{"uid":"1","a":1,"b":2}`:           "",
		`{`:                                 "=must be a JSON object",
		``:                                  "=must be a JSON object",
		`{"uid":"1"} {}`:                    "=must be a JSON object",
		`[]`:                                "=must be an object, not an array",
		`null`:                              "=must be an object, not null",
		`{}`:                                `=lacks "uid"`,
		`{"uid":"1","b":"x","a":"x","c":1}`: "/a=must be an integer, not a string; /b=must be an integer, not a string; /c=unknown key; there are a, b, uid",
		`{"uid":"1","z":1,"y":1}`:           "/y=unknown key; there are a, b, uid; /z=unknown key; there are a, b, uid",
	} {
		var got []string
		for _, v := range s.Validate([]byte(config)) {
			got = append(got, v.Pointer+"="+v.Message)
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s: %q, want %q", config, got, want)
		}
	}
}

// What encoding/json would read otherwise than a person who looks at it.
func TestValidateRefusesAmbiguousJSON(t *testing.T) {
	s := parse(t, object(`,"a":{"type":"object"}`))
	for _, config := range []string{
		`{"uid":"u","uid":"u"}`, `{"uid":"u","a":{"b":1,"b":1}}`, "{\"uid\":\"\xff\"}", `{"uid":"\ud800"}`,
	} {
		if v := s.Validate([]byte(config)); len(v) != 1 || v[0].Pointer != "" || !strings.Contains(v[0].Message, "no key twice") {
			t.Errorf("%s: %v", config, v)
		}
	}
}

func TestSecrets(t *testing.T) {
	s := parse(t, object(`,
		"key":{"type":"string","writeOnly":true},
		"pin":{"type":"integer","writeOnly":true},
		"keys":{"type":"array","items":{"type":"string","writeOnly":true}},
		"list":{"type":"array","writeOnly":true},
		"deep":{"type":"object","properties":{"key":{"writeOnly":true},"open":{},"more":{"items":{"properties":{"key":{"writeOnly":true}}}}}},
		"whole":{"type":"object","writeOnly":true}`))
	for config, want := range map[string][]string{
		`{"uid":"open"}`:               nil,
		`{`:                            nil,
		`"x"`:                          nil,
		`{"key":"s1","uid":"open"}`:    {"s1"},
		`{"key":""}`:                   nil,
		`{"key":["s1",{"x":"s2"}]}`:    {"s1", "s2"}, // wrong by the schema, still secret
		`{"pin":12345678901234567890}`: {"12345678901234567890"},
		`{"keys":["s1","s2"],"list":["s3",["s4"]]}`:           {"s1", "s2", "s3", "s4"},
		`{"deep":{"key":"s1","open":"x"}}`:                    {"s1"},
		`{"deep":{"more":[{"key":"s1"},{"key":"s2","x":1}]}}`: {"s1", "s2"},
		`{"whole":{"a":"s1","b":{"c":["s2"]}},"unknown":"x"}`: {"s1", "s2"},
	} {
		got := s.Secrets([]byte(config))
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", config, got, want)
		}
	}
	root := parse(t, strings.Replace(object(`,"a":{}`), `{"type"`, `{"writeOnly":true,"type"`, 1))
	if got := root.Secrets([]byte(`{"a":"s1"}`)); !slices.Equal(got, []string{"s1"}) {
		t.Errorf("the whole config is secret, but got %v", got)
	}
}

func TestAccount(t *testing.T) {
	s := parse(t, `{"type":"object","additionalProperties":false,"required":["uid","base_url"],"properties":{
		"uid":{"type":"string","x-paymux-account":true},
		"base_url":{"type":"string","format":"uri","x-paymux-account":true},
		"other":{"type":"string"}}}`)
	const same = "api.example.com/U1"
	for _, c := range []struct{ url, uid, want string }{
		{"https://api.example.com", "U1", same},
		{"https://api.example.com/", "U1", same},
		{"https://api.example.com/v2?x=1#y", "U1", same},
		{"https://API.Example.COM", "U1", same},
		{"HTTPS://api.example.com:443/", "U1", same},
		{"https://api.example.com.", "U1", same},
		{"https://api.example.com:", "U1", same},
		{"https://user:password@api.example.com", "U1", same},
		{"http://api.example.com:80", "U1", same},
		{"http://api.example.com:443", "U1", "api.example.com:443/U1"},
		{"https://api.example.com:8443", "U1", "api.example.com:8443/U1"},
		{"https://[2001:DB8::1]:8443", "U1", "%5B2001:db8::1%5D:8443/U1"},
		{"https://api.example.com", "u1", "api.example.com/u1"}, // an acquirer's ids may have case
		{"https://api.example.com", "a/b c", "api.example.com/a%2Fb%20c"},
		{"https://api.example.com", "", ""},
		{"", "U1", ""},
		{"api.example.com", "U1", ""},
		{"https://", "U1", ""},
		{"https://:443", "U1", ""},
		{"https://a b", "U1", ""},
		{":", "U1", ""},
	} {
		got, err := s.Account(fmt.Appendf(nil, `{"base_url":%q,"uid":%q,"other":"x"}`, c.url, c.uid))
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s, %s: %q, %v", c.url, c.uid, got, err)
		}
		if err != nil && c.url != "" && strings.Contains(err.Error(), c.url+" ") {
			t.Errorf("quotes a value: %v", err)
		}
	}
	for _, config := range []string{``, `[]`, `null`, `{}`, `{"base_url":1,"uid":"U1"}`} {
		if got, err := s.Account([]byte(config)); err == nil {
			t.Errorf("%s: %q", config, got)
		}
	}
}

// A config comes from a person's file, a schema from a plugin: neither may end
// the host's process.
func FuzzSchema(f *testing.F) {
	f.Add(object(`,"k":{"type":"array","items":{"writeOnly":true}}`), `{"uid":"1","k":["s",1,{"a":null}]}`)
	f.Add(object(`,"k":{"$ref":"#"}`), `{"uid":"1","k":{"uid":2}}`)
	f.Add(`{}`, `{}`)
	f.Fuzz(func(t *testing.T, text, config string) {
		s, err := schema.Parse(text)
		if err != nil {
			return
		}
		s.Secrets([]byte(config))
		if broken := s.Validate([]byte(config)); len(broken) == 0 {
			if account, err := s.Account([]byte(config)); err == nil && account == "" {
				t.Fatalf("%s of %s names no account", config, text)
			}
		}
	})
}
