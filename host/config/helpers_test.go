package config

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

const (
	apiKey    = "test-api-key-0123456789"
	eventKey  = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
	dirOfTest = "/etc/paymux"
)

// testSources resolves from maps, so that a test needs neither the environment
// nor files.
func testSources(env, files map[string]string) sources {
	return sources{
		env: func(name string) (string, bool) { s, ok := env[name]; return s, ok },
		file: func(path string) ([]byte, error) {
			s, ok := files[path]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("no such file")}
			}
			return []byte(s), nil
		},
	}
}

func parseTest(data string, env, files map[string]string) (*Config, error) {
	return parse("paymux.yaml", []byte(data), dirOfTest, testSources(env, files))
}

func mustParse(t *testing.T, data string, env, files map[string]string) *Config {
	t.Helper()
	cfg, err := parseTest(data, env, files)
	if err != nil {
		t.Fatalf("unexpected mistakes:\n%v", err)
	}
	return cfg
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// badFile is a file and the exact lines that it must give.
type badFile struct {
	name string
	data string
	want string
}

func runBad(t *testing.T, tests []badFile) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := parseTest(tt.data, badEnv, nil)
			if err == nil {
				t.Fatalf("accepted as %+v", cfg)
			}
			if want := strings.TrimSpace(tt.want); err.Error() != want {
				t.Errorf("got:\n%s\nwant:\n%s", err, want)
			}
			var all Errors
			if !errors.As(err, &all) {
				t.Errorf("error is a %T, want Errors", err)
			}
			for name, secret := range badEnv {
				if secret != "" && strings.Contains(err.Error(), secret) {
					t.Errorf("message holds what ${env:%s} gave", name)
				}
			}
		})
	}
}

// badEnv holds wrong values for every kind of key.
var badEnv = map[string]string{
	"EMPTY":    "",
	"SHORT":    "shrt-sEcr3t",
	"ADDRESS":  "sEcr3t-address",
	"MERCHANT": "sEcr3t-shop",
	"LATIN1":   "sEcr3t-\xe9",
}
