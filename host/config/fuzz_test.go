package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// FuzzParse: no file makes the loader panic, no message shows what ${…} gave,
// every mistake has a place, and what is accepted is JSON.
func FuzzParse(f *testing.F) {
	f.Add(placed)
	f.Add(okProviders + "listen: ${env:A}\nstore: 'sqlite:${file:x}'\nevents: [{url: '${env:A}', secret: '${env:A}', merchant: '${env:A}'}]")
	f.Add("a: 1\nb: [1\n")
	f.Add("? [a]\n: &x b\n<<: *x\n--- !!map {}\n")
	f.Add(inConfig("$${a}${env:A}"))
	for _, name := range []string{"design.yaml", "full.yaml"} {
		f.Add(readFile(f, "testdata/"+name))
	}
	const marker = "rEs0lved-S3cret"
	// Values of different kinds get past different checks.
	env := func(name string) (string, bool) {
		if len(name)%2 == 0 {
			return "https://u:" + marker + "@h/" + marker, true
		}
		return marker, name != "ABSENT"
	}
	file := func(path string) ([]byte, error) {
		if strings.HasSuffix(path, "x") {
			return nil, errors.New("no such file")
		}
		return []byte(marker + "\n"), nil
	}
	f.Fuzz(func(t *testing.T, data string) {
		if strings.Contains(data, marker) {
			t.Skip()
		}
		cfg, err := parse("f.yaml", []byte(data), "/d", sources{env, file})
		if err != nil {
			checkErrors(t, err, marker)
			return
		}
		for _, w := range cfg.Warnings() {
			if strings.Contains(w.Error(), marker) {
				t.Errorf("warning shows a secret: %s", w)
			}
		}
		for _, p := range cfg.Providers {
			if !json.Valid([]byte(p.Config.Reveal())) {
				t.Errorf("%s: config is not JSON: %s", p.Name, p.Config.Reveal())
			}
			cfg.ConfigPosition(p.Name, "/"+data)
		}
		cfg.Position(data)
	})
}

func checkErrors(t *testing.T, err error, marker string) {
	var all Errors
	if !errors.As(err, &all) {
		t.Fatalf("got a %T: %v", err, err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v", err, all), marker) {
		t.Errorf("message shows a secret: %v", err)
	}
	for _, p := range all {
		if p.Line < 1 || p.Column < 1 || strings.ContainsAny(p.Error(), "\n\x1b") {
			t.Errorf("bad place or text: %q", p)
		}
	}
}
