package providertest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var configRules = []rule{
	{ID: "config/valid", Says: "The schema allows a config that works.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		for _, v := range w.mustSchema().Validate([]byte(w.config)) {
			t.Errorf("%s: %s", v.Pointer, v.Message)
		}
		if _, err := w.mustSchema().Account([]byte(w.config)); err != nil {
			t.Errorf("it names no account: %v", err)
		}
	}},
	{ID: "config/strict", Says: "The schema refuses a config that lacks a required key, has one key too many, or a value of another type.", Check: checkStrict},
	{ID: "config/offline", Says: "Opening an instance sends nothing: a host starts while an acquirer is down.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		if n := w.proxy.all(); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
		w.proxy.close()
		w.open("while the acquirer is down", w.config)
	}},
	{ID: "config/unusable", Says: "A config that the schema allows and the plugin can't use is INVALID_CONFIG with NOT_SENT.", Check: checkUnusable},
	{ID: "config/authorize", Says: "Authorize proves good credentials, and says nothing in the past of how long.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		grant, err := w.provider.Authorize(t.Context())
		if err != nil {
			t.Fatalf("it fails: %v", err)
		}
		if w.recorded == nil && !grant.ExpiresAt.IsZero() && grant.ExpiresAt.Before(now()) {
			t.Errorf("the credentials are good until %s, which is over", grant.ExpiresAt)
		}
	}},
}

func (w *world) object() map[string]any {
	w.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(w.config), &object); err != nil {
		w.Fatalf("the harness's config is no JSON object")
	}
	return object
}

// with returns the config with one member changed.
func (w *world) with(name string, value any) []byte {
	object := w.object()
	object[name] = value
	return encode(object)
}

func encode(object map[string]any) []byte {
	text, _ := json.Marshal(object) // it was decoded from JSON
	return text
}

func (w *world) required() []string {
	var root struct {
		Required []string `json:"required"`
	}
	_ = json.Unmarshal([]byte(w.ConfigSchema), &root)
	return root.Required
}

func checkStrict(t *rules.T, s *subject) {
	w := newWorld(t, s)
	refused := func(what string, config []byte) {
		if len(w.mustSchema().Validate(config)) == 0 {
			t.Errorf("a config with %s passes", what)
		}
	}
	for _, name := range w.required() {
		object := w.object()
		delete(object, name)
		refused("no "+name, encode(object))
	}
	refused("an unknown key", w.with("paymux_conformance", "x"))
	for _, name := range slices.Sorted(maps.Keys(w.object())) {
		// A key may allow several types, but hardly these.
		if _, isObject := w.object()[name].(map[string]any); isObject {
			refused("a list as "+name, w.with(name, []any{"x"}))
		} else {
			refused("an object as "+name, w.with(name, map[string]any{"paymux_conformance": []any{map[string]any{}}}))
		}
	}
	refused("a list around it", []byte("["+w.config+"]"))
}

// checkUnusable tries values that people get wrong: a file's last newline in a
// secret, an address without scheme. What the plugin takes is its own affair.
func checkUnusable(t *rules.T, s *subject) {
	w := newWorld(t, s)
	for name, value := range w.object() {
		text, ok := value.(string)
		if !ok {
			continue
		}
		values := []string{" ", text + "\n", " " + text, strings.Repeat("x", 100), "\u00e4\u4e2d"}
		if strings.Contains(text, "://") {
			values = append(values, "ftp://acquirer.example", "https://name:password@acquirer.example", "https://acquirer.example?a=b#c")
		}
		for _, bad := range values {
			config := w.with(name, bad)
			if len(w.mustSchema().Validate(config)) > 0 {
				continue
			}
			_, err := w.Plugin.Open(t.Context(), "unusable", config)
			if e := sdk.AsError(err); err != nil && (e.Code != sdk.CodeInvalidConfig || e.Outcome != sdk.OutcomeNotSent) {
				t.Errorf("a bad %s is %s %s: %v", name, e.Code.Name(), e.Outcome, err)
			}
		}
	}
}
