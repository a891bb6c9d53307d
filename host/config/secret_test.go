package config

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestSecretPrintsNothing(t *testing.T) {
	const hidden = "hunter2-hunter2"
	s := NewSecret(hidden)
	// fmt reads unexported fields by reflection, without asking their methods.
	holder := struct {
		s Secret
		P *Secret
		M map[string]Secret
	}{s, &s, map[string]Secret{"k": s}}
	var out bytes.Buffer
	for _, verb := range strings.Split("%v %+v %#v %s %q %x %X %d %t %p %T %20s %-20v", " ") {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", holder)
		fmt.Fprintf(&out, verb+"\n", []Secret{s})
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("x", "s", s, "holder", holder, "list", []Secret{s})
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		data, err := marshal(map[string]any{"s": s, "p": &s, "h": holder})
		if err != nil {
			t.Error(err)
		}
		out.Write(data)
	}
	data, err := xml.Marshal(s)
	if err != nil {
		t.Error(err)
	}
	out.Write(data)
	for _, shape := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), fmt.Sprint([]byte(hidden))} {
		if strings.Contains(out.String(), shape) {
			t.Errorf("prints %q in:\n%s", shape, out.String())
		}
	}
	if got := fmt.Sprintf("%v %s", s, s.String()); got != "[redacted] [redacted]" {
		t.Errorf("got %s", got)
	}
}

func TestSecretEqual(t *testing.T) {
	if !NewSecret("a").Equal(NewSecret("a")) || NewSecret("a").Equal(NewSecret("b")) || !NewSecret("").Equal(Secret{}) {
		t.Error("Equal doesn't compare what is hidden")
	}
}

// A Config that someone logs whole shows no secret, literal or resolved.
func TestConfigPrintsNothing(t *testing.T) {
	data := `
api_keys: [{merchant: shop-a, key: literal-hunter2-key}]
store: "postgres://u:hunter2-pw@h/d"
providers: {p: {plugin: a, config: {k: literal-hunter2, l: "${env:S}"}}}
routes: [{providers: [p]}]
events: [{url: "https://h/", secret: "` + eventKey + `", merchant: shop-a}]
`
	cfg := mustParse(t, data, map[string]string{"S": "env-hunter2"}, nil)
	js, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg), fmt.Sprintf("%v", *cfg), string(js)} {
		if strings.Contains(out, "hunter2") || strings.Contains(out, eventKey[6:]) {
			t.Errorf("prints a secret: %s", out)
		}
	}
}

func jsonOf(s string) string {
	var b bytes.Buffer
	jsonString(&b, s)
	return b.String()
}
