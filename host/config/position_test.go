package config

import (
	"errors"
	"fmt"
	"testing"
)

const placed = `listen: 127.0.0.1:80
providers:
  awx:
    plugin: a
    config:
      uid: 1
      keys: [a, b]
      "0": zero
      "a.b/c~d": {x: y}
  q: {plugin: a}
`

func TestPosition(t *testing.T) {
	cfg := mustParse(t, placed, nil, nil)
	tests := []struct{ path, want string }{
		{"", "1:1"},
		{"listen", "1:9"},
		{"providers", "2:1"},
		{"providers.awx", "3:3"},
		{"providers.awx.config", "5:5"},
		{"providers.awx.config.keys[1]", "7:17"},
		{`providers.awx.config."a.b/c~d".x`, "9:22"},
		{"providers.q", "10:6"},
		{"providers.q.config.uid", "10:6"},
		{"providers.awx.config.keys[9]", "7:13"},
		{"public_url", "1:1"},
		{"list", "1:1"},
	}
	for _, tt := range tests {
		line, column := cfg.Position(tt.path)
		if got := fmt.Sprintf("%d:%d", line, column); got != tt.want {
			t.Errorf("Position(%q) = %s, want %s", tt.path, got, tt.want)
		}
	}
	if line, column := (&Config{}).Position("listen"); line != 0 || column != 0 {
		t.Errorf("a Config that no file gave has position %d:%d", line, column)
	}
}

func TestAtConfig(t *testing.T) {
	cfg := mustParse(t, placed, nil, nil)
	tests := []struct{ provider, pointer, want string }{
		{"awx", "", "paymux.yaml:5:5: providers.awx.config: m"},
		{"awx", "/uid", "paymux.yaml:6:12: providers.awx.config.uid: m"},
		{"awx", "/keys/1", "paymux.yaml:7:17: providers.awx.config.keys[1]: m"},
		{"awx", "/0", "paymux.yaml:8:12: providers.awx.config.0: m"},
		{"awx", "/a.b~1c~0d/x", `paymux.yaml:9:22: providers.awx.config."a.b/c~d".x: m`},
		{"awx", "/secret/3", "paymux.yaml:5:5: providers.awx.config.secret.3: m"},
		{"awx", "/", `paymux.yaml:5:5: providers.awx.config."": m`},
		{"q", "/uid", "paymux.yaml:10:6: providers.q.config.uid: m"},
		{"absent", "/uid", "paymux.yaml:2:1: providers.absent.config.uid: m"},
	}
	for _, tt := range tests {
		p := cfg.AtConfig(tt.provider, tt.pointer, "m")
		if p.Error() != tt.want {
			t.Errorf("AtConfig(%q, %q) = %s, want %s", tt.provider, tt.pointer, p, tt.want)
		}
		if line, column := cfg.ConfigPosition(tt.provider, tt.pointer); line != p.Line || column != p.Column {
			t.Errorf("ConfigPosition(%q, %q) = %d:%d, want %d:%d", tt.provider, tt.pointer, line, column, p.Line, p.Column)
		}
	}
}

func TestErrorsUnwrap(t *testing.T) {
	_, err := parseTest("providers: {}\nlisten: 1\n", nil, nil)
	var first Problem
	if !errors.As(err, &first) || first.Path != "providers" || first.Line != 1 {
		t.Errorf("errors.As gives %+v of %v", first, err)
	}
}
