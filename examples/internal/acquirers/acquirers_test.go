package acquirers

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if bin != "" {
		os.RemoveAll(bin)
	}
	os.Exit(code)
}

// bin holds the binaries, once a test has asked for them.
var bin string

var build = sync.OnceValue(func() (err error) {
	if bin, err = os.MkdirTemp("", "paymux-acquirers-"); err != nil {
		return err
	}
	return Build(bin)
})

// site is a folder with a config of all four acquirers.
type site struct {
	Set
	dir string
}

func newSite(t *testing.T) *site {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED, NOT PASSED: it builds paymux and its plugins; run it without -short")
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	set, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	s := &site{Set: set, dir: t.TempDir()}
	if err := set.WriteSecrets(s.dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// text is a config with all providers; rest is what comes after them.
func (s *site) text(head, rest string) string {
	var b strings.Builder
	b.WriteString(head + "plugins: {dir: \"" + filepath.Join(bin, "plugins") + "\"}\nproviders:\n")
	for _, a := range s.Set {
		b.WriteString(a.Config(true))
	}
	return b.String() + rest
}

// paymux runs the command on a config and returns its output and exit code.
func (s *site) paymux(t *testing.T, config string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, "paymux.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	c := exec.Command(filepath.Join(bin, "paymux"), args...)
	c.Dir, c.Stdout, c.Stderr = s.dir, &out, &errs
	if err := c.Run(); c.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}
