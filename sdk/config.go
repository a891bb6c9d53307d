package sdk

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a string that never prints: fmt, slog and encoding show
// "[redacted]". Only Reveal gives it out.
type Secret struct {
	_ [0]func() // no ==: it would compare pointers, and not in constant time
	// A pointer, because fmt can't call the methods of an unexported field: in
	// struct{ key Secret } it would print a string, but prints this as an address.
	value *string
}

// NewSecret returns value as a Secret.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Reveal returns the value, to be used at the last moment.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Format prints "[redacted]" for every verb, %#v included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// LogValue hides the value from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the value from JSON and every other encoding.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UnmarshalText reads the value.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}

// Config is one instance's configuration, already valid by the plugin's
// ConfigSchema. It holds secrets and never prints.
type Config struct {
	name   string
	object *string // a pointer for the reason that Secret has one; fmt would print a *[]byte
}

// NewConfig returns the config of the instance called name from a JSON object.
func NewConfig(name string, object []byte) Config {
	text := string(object)
	return Config{name, &text}
}

// Name returns the name that the operator gave the instance.
func (c Config) Name() string { return c.name }

// Decode fills a struct from the config by encoding/json's rules. Fields of
// type [Secret] take secrets.
func (c Config) Decode(into any) error {
	object := []byte("{}")
	if c.object != nil {
		object = []byte(*c.object)
	}
	if err := json.Unmarshal(object, into); err != nil {
		// The decoder's text can quote a value.
		return &Error{Code: CodeInvalidConfig, Outcome: OutcomeNotSent, Message: "does not fit the plugin's Go type, although the schema allows it", Err: err}
	}
	return nil
}

// Format prints the name only.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "sdk.Config{"+c.name+" "+redacted+"}")
}

// MarshalJSON hides the config, since it holds secrets.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// LogValue prints the name only.
func (c Config) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// ConfigError is a config that the schema allows but the plugin can't use.
// pointer is a JSON pointer to the value, such as "/base_url".
func ConfigError(pointer, format string, args ...any) *Error {
	e := newError(CodeInvalidConfig, OutcomeNotSent, format, args)
	e.Field = pointer
	return e
}
