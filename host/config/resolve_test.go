package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// inConfig puts s as a single-quoted value into a provider's own config.
func inConfig(s string) string {
	return "providers: {p: {plugin: a, config: {k: '" + s + "'}}}\n"
}

func TestResolve(t *testing.T) {
	env := map[string]string{"A": "one", "B": "${env:A}", "_C1": "x: [y] # \"z\"\n- w"}
	files := map[string]string{
		dirOfTest + "/s/f": "file\n", "/run/abs": "abs\r\n", "/run/two": "two\n\n", "/run/cr": "cr\r", "/run/big": strings.Repeat("x", maxSecretFile),
	}
	tests := []struct{ in, want string }{
		{"plain $ { } text", "plain $ { } text"},
		{"${env:A}", "one"},
		{"a${env:A}b${env:A}${file:s/f}c", "aonebonefilec"},
		{"${env:B}", "${env:A}"},
		{"${env:_C1}", "x: [y] # \"z\"\n- w"},
		{"${file:s/f}", "file"},
		{"${file:./s/../s/f}", "file"},
		{"${file:/run/abs}", "abs"},
		{"${file:/run/two}", "two\n"},
		{"${file:/run/cr}", "cr\r"},
		{"${file:/run/big}", strings.Repeat("x", maxSecretFile)},
		{"$${env:A}", "${env:A}"},
		{"$$ $${ $${${env:A}", "$$ ${ ${one"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			cfg := mustParse(t, inConfig(tt.in), env, files)
			want := `{"k":` + jsonOf(tt.want) + `}`
			if got := cfg.Providers[0].Config.Reveal(); got != want {
				t.Errorf("got %.200s, want %.200s", got, want)
			}
		})
	}
}

func TestResolveErrors(t *testing.T) {
	const at = "paymux.yaml:1:40: providers.p.config.k: "
	runBad(t, []badFile{
		{"unset", inConfig("${env:ABSENT}"), at + "environment variable ABSENT is not set"},
		{"empty", inConfig("${env:EMPTY}"), at + "environment variable EMPTY is empty; expected a value"},
		{"not text", inConfig("${env:LATIN1}"), at + "environment variable LATIN1 is not UTF-8 text"},
		{"bad name", inConfig("${env:A-B}"), at + `found ${env:…} with "A-B"; expected the name of an environment variable`},
		{"no file", inConfig("${file:s/x}"), at + `file "s/x": no such file`},
		{"no path", inConfig("${file:}"), at + "found ${file:} without a path; " + allowedRefs},
		{"unknown", inConfig("${vault:x}"), at + "found ${ before something unknown; " + allowedRefs},
		{"shell style", inConfig("${HOME}"), at + "found ${ before something unknown; " + allowedRefs},
		{"nested", inConfig("${file:${env:A}}"), at + "found a ${…} inside another; " + allowedRefs},
		{"not closed", inConfig("pa${ss"), at + "found ${ without }; " + allowedRefs},
		{"two in one", inConfig("${env:ABSENT}${file:x}"), at + "environment variable ABSENT is not set\n" + at + `file "x": no such file`},
	})
}

func TestResolveRealFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, data string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("good", "s3cr3t-good\n")
	write("big", strings.Repeat("x", maxSecretFile+1))
	write("none", "\n")
	write("latin1", "s3cr3t-\xe9")
	if err := os.Symlink("good", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	const at = "c.yaml:1:40: providers.p.config.k: "
	tests := []struct{ file, want string }{
		{"good", ""}, {"link", ""},
		{"big", at + `file "big" is larger than 64 KiB`},
		{"none", at + `file "none" is empty; expected a value`},
		{"latin1", at + `file "latin1" is not UTF-8 text`},
		{".", at + `file ".": not a regular file`},
		{os.DevNull, at + `file "` + os.DevNull + `": not a regular file`},
		{"absent", at + `file "absent": no such file`},
		{"good/x", at + `file "good/x": not a directory`},
	}
	for _, tt := range tests {
		cfg, err := Parse("c.yaml", []byte(inConfig("${file:"+tt.file+"}")), dir, nil)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.file, err)
		case tt.want == "" && cfg.Providers[0].Config.Reveal() != `{"k":"s3cr3t-good"}`:
			t.Errorf("%s: got %s", tt.file, cfg.Providers[0].Config.Reveal())
		case tt.want != "" && (err == nil || err.Error() != tt.want):
			t.Errorf("%s: got %v, want %s", tt.file, err, tt.want)
		}
	}
	if _, err := Parse("c.yaml", []byte(inConfig("${env:PATH}")), dir, nil); err == nil {
		t.Error("Parse without lookupEnv found PATH")
	}
}

func TestSecretsOfSeveralLines(t *testing.T) {
	pem := "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nAAECAwQ=\n-----END PRIVATE KEY-----\n"
	cfg := mustParse(t, inConfig("${env:KEY}"), map[string]string{"KEY": pem}, nil)
	want := []string{pem, "MIIEvQIBADANBgkqhkiG9w0BAQ"}
	if got := cfg.Secrets(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
