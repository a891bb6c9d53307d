package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	data := "store: sqlite:data/x.db\nproviders: {p: {plugin: a, config: {k: '${env:K}', l: '${file:l}'}}}\n"
	for name, data := range map[string]string{"paymux.yaml": data, "l": "two\n"} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := Load("paymux.yaml", WithEnv(func(string) (string, bool) { return "one", true }))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cfg.Providers[0].Config.Reveal(), `{"k":"one","l":"two"}`; got != want {
		t.Errorf("config %s, want %s", got, want)
	}
	// Absolute, so that a later chdir of the process changes nothing.
	if !filepath.IsAbs(cfg.Dir) || cfg.Store.Path != filepath.Join(cfg.Dir, "data/x.db") {
		t.Errorf("dir %s, store %s", cfg.Dir, cfg.Store.Path)
	}
	t.Setenv("K", "from the process")
	if cfg, err = Load(filepath.Join(dir, "paymux.yaml")); err != nil || !strings.Contains(cfg.Providers[0].Config.Reveal(), "from the process") {
		t.Errorf("Load without options doesn't read the environment: %v", err)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "absent.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a directory was read")
	}
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, make([]byte, 2*maxConfigFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := readConfig(big); err != nil || len(data) > maxConfigFile+1 { // it could be endless
		t.Errorf("%d bytes were read, %v", len(data), err)
	}
	var all Errors
	if _, err := Load(big); !errors.As(err, &all) || !strings.Contains(err.Error(), "larger than 16 MiB") {
		t.Errorf("got %v, want a refusal of the size", err)
	}
}
