package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paymux/paymux/host/internal/pgtest"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

const (
	testKey    = "test-api-key-0123456789"
	testSecret = "s3cret-of-the-sandbox"
	patience   = 60 * time.Second // for what takes milliseconds on an idle machine
)

func TestMain(m *testing.M) {
	code := pgtest.Main(m)
	if builtDir != "" {
		os.RemoveAll(filepath.Dir(builtDir))
	}
	os.Exit(code)
}

var builtDir string

// builtPlugins builds the real plugin once.
var builtPlugins = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "paymux-cli-test-")
	if err != nil {
		return "", err
	}
	builtDir = filepath.Join(dir, "plugins")
	const source = "github.com/paymux/paymux/providers/alipayhk/cmd/paymux-provider-alipayhk"
	cmd := exec.Command("go", "build", "-o", filepath.Join(builtDir, "paymux-provider-alipayhk"), source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return builtDir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return builtDir, nil
})

func pluginsDir(t *testing.T) string {
	t.Helper()
	dir, err := builtPlugins()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// site is a directory with a config file, and the sandbox that it names.
type site struct {
	t       *testing.T
	dir     string
	config  string // the file
	sandbox *cbtistest.Server
	env     map[string]string
}

// newSite writes a config that works. Pairs of replacements make it another one.
func newSite(t *testing.T, replace ...string) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), sandbox: cbtistest.Start(t, cbtistest.Options{ClientSecret: testSecret})}
	s.config = filepath.Join(s.dir, "paymux.yaml")
	s.env = map[string]string{"CLIENT_SECRET": testSecret}
	s.write(replace...)
	return s
}

func (s *site) write(replace ...string) {
	s.t.Helper()
	text := `listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
public_url: http://127.0.0.1:9
store: sqlite:paymux.db
plugins: {dir: ` + pluginsDir(s.t) + `, lock: paymux.lock}
api_keys: [{merchant: shop-a, key: ` + testKey + `}]
providers:
  cbtis:
    plugin: alipayhk
    config:
      base_url: ` + s.sandbox.URL + `
      uid: "` + cbtistest.DefaultUID + `"
      client_secret: "${env:CLIENT_SECRET}"
      webhook_keys: [` + cbtistest.DefaultWebhookKey + `]
routes: [{methods: [alipay_hk, alipay_cn], providers: [cbtis]}]
`
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			s.t.Fatalf("the config has no %q", replace[i])
		}
		text = strings.ReplaceAll(text, replace[i], replace[i+1])
	}
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) lookup(name string) (string, bool) {
	value, ok := s.env[name]
	return value, ok
}

// answer is how a command ended.
type answer struct {
	code           int
	stdout, stderr string
}

// run runs a command with the site's config. No secret may show.
func (s *site) run(args ...string) answer {
	s.t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"--config", s.config}, args...)
	code := run(s.t.Context(), args, &stdout, &stderr, s.lookup)
	a := answer{code, stdout.String(), stderr.String()}
	noSecret(s.t, a.stdout+a.stderr)
	return a
}

func noSecret(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{testKey, testSecret, cbtistest.DefaultWebhookKey} {
		if strings.Contains(text, secret) {
			t.Errorf("a secret is printed:\n%s", text)
		}
	}
}

// want checks the exit code and what was printed; in names parts of either
// stream.
func (a answer) want(t *testing.T, code int, in ...string) {
	t.Helper()
	if a.code != code {
		t.Errorf("exit code %d, want %d", a.code, code)
	}
	for _, part := range in {
		if !strings.Contains(a.stdout+a.stderr, part) {
			t.Errorf("nothing says %q", part)
		}
	}
	if t.Failed() {
		t.Fatalf("stdout:\n%s\nstderr:\n%s", a.stdout, a.stderr)
	}
}

func noEnv(string) (string, bool) { return "", false }

func TestCommandLine(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "paymux.yaml")
	tests := []struct {
		name string
		args string
		code int
		want string
	}{
		{"no command", "", exitUsage, `expected one of "serve", "config"`},
		{"unknown command", "server", exitUsage, `unknown command server, did you mean "serve"?`},
		{"unknown subcommand", "payments destroy", exitUsage, "unknown command destroy"},
		{"unknown flag", "payments get --jsno pay_1", exitUsage, "unknown flag --jsno"},
		{"too many arguments", "payments get pay_1 pay_2", exitUsage, "unexpected argument pay_2"},
		{"missing flag", "payments create --method alipay_hk", exitUsage, "missing flags: --amount"},
		{"bad level", "serve --log-level loud", exitUsage, "--log-level must be one of"},
		{"help", "--help", exitOK, "payments watch"},
		{"help of a command", "payments watch --help", exitOK, "130: stopped by Ctrl-C"},
		{"version", "version", exitOK, "paymux "},
		{"no config", "serve --config " + missing, exitUsage, "there is no config file " + missing},
		{"a directory", "doctor --config " + filepath.Dir(missing), exitUsage, "is a directory"},
		{"no config, no url", "payments get pay_1 --config " + missing, exitUsage, "give --url and set PAYMUX_API_KEY"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), strings.Fields(tt.args), &stdout, &stderr, noEnv)
			answer{code, stdout.String(), stderr.String()}.want(t, tt.code, tt.want)
			if (code == exitOK) != (stderr.Len() == 0) {
				t.Errorf("exit code %d with stderr %q", code, stderr.String())
			}
		})
	}
}

func TestConfigPathFromEnvironment(t *testing.T) {
	s := newSite(t)
	lookup := func(name string) (string, bool) {
		if name == "PAYMUX_CONFIG" {
			return s.config, true
		}
		return s.lookup(name)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"config", "check"}, &stdout, &stderr, lookup)
	answer{code, stdout.String(), stderr.String()}.want(t, exitOK, s.config+" is valid")
}

// Every command that reads the config prints its mistakes alike: bare, one a
// line, with their places.
func TestConfigMistakes(t *testing.T) {
	s := newSite(t, "store: sqlite:paymux.db", "stroe: sqlite:paymux.db", "127.0.0.1:0\nadmin", "8080\nadmin")
	for _, args := range []string{
		"serve", "config check", "providers list", "providers describe cbtis", "plugins lock", "plugins verify", "doctor", "payments get pay_1",
	} {
		t.Run(args, func(t *testing.T) {
			a := s.run(strings.Fields(args)...)
			a.want(t, exitUsage)
			lines := strings.Split(a.stderr, "\n")
			if !strings.HasPrefix(lines[0], s.config+":1:9: listen: ") || !strings.HasPrefix(lines[1], s.config+`:4:1: stroe: unknown key; did you mean "store"?`) {
				t.Errorf("stderr:\n%s", a.stderr)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(s.dir, "paymux.db")); err == nil {
		t.Error("a broken config made a store")
	}
}

// lines is a writer that tests wait on.
type lines struct {
	mu      sync.Mutex
	text    string
	changed chan struct{}
}

func newLines() *lines { return &lines{changed: make(chan struct{})} }

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(p)
	close(l.changed)
	l.changed = make(chan struct{})
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

// wait returns the text once it has all parts.
func (l *lines) wait(t *testing.T, parts ...string) string {
	t.Helper()
	return l.waitFrom(t, 0, parts...)
}

// waitFrom is wait without what came before.
func (l *lines) waitFrom(t *testing.T, from int, parts ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		l.mu.Lock()
		text, changed := l.text[from:], l.changed
		l.mu.Unlock()
		missing := 0
		for _, part := range parts {
			if !strings.Contains(text, part) {
				missing++
			}
		}
		if missing == 0 {
			return text
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("no %q in:\n%s", parts, text)
		}
	}
}
