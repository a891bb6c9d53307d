package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain runs the tests, or, for a test that kills it, the demo itself.
func TestMain(m *testing.M) {
	if os.Getenv("DEMO_TEST_MAIN") != "" {
		main()
		os.Exit(0)
	}
	code := m.Run()
	if bin != "" {
		os.RemoveAll(bin)
	}
	os.Exit(code)
}

// bin holds the binaries that the demo starts, once a test has asked for them.
var bin string

var build = sync.OnceValue(func() (err error) {
	if bin, err = os.MkdirTemp("", "paymux-demo-"); err != nil {
		return err
	}
	for name, pkg := range map[string]string{
		"paymux": "host/cmd/paymux", "plugins/paymux-provider-alipayhk": "providers/alipayhk/cmd/paymux-provider-alipayhk",
		"sandbox": "examples/sandbox", "shop": "examples/shop",
	} {
		out, err := exec.Command("go", "build", "-o", filepath.Join(bin, name), "github.com/paymux/paymux/"+pkg).CombinedOutput()
		if err != nil {
			return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
})

// needBinaries builds them.
func needBinaries(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED, NOT PASSED: it builds and starts everything; run it without -short")
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
}

// TestOnce: the payment succeeds, also in a folder that has a store already, and
// whatever the folders are called; and whoever watched has seen each step and no
// secret.
func TestOnce(t *testing.T) {
	needBinaries(t)
	dir := filepath.Join(t.TempDir(), `my "demo"`)
	bin := linkTo(t, bin)
	for range 2 {
		var out, errs bytes.Buffer
		if err := run(t.Context(), []string{"-once", "-bin", bin, "-dir", dir}, &out, &errs); err != nil {
			t.Fatalf("%v\n%s%s", err, &out, &errs)
		}
		inOrder(t, out.String(), "opens the shop", "chooses AlipayHK", "CREATED", "PENDING", "presses Pay", "notified", "SUCCEEDED", "receipt: paid")
		noSecrets(t, dir, out.String())
	}
	secrets, err := os.Stat(filepath.Join(dir, apiKeyFile))
	if err != nil || secrets.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", secrets, err)
	}
}

// linkTo is another way to a folder, whose name asks for quotes.
func linkTo(t *testing.T, folder string) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), `my "bin"`)
	if err := os.Symlink(folder, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// inOrder looks for each step after the one before.
func inOrder(t *testing.T, text string, steps ...string) {
	t.Helper()
	rest := text
	for _, step := range steps {
		_, after, found := strings.Cut(rest, step)
		if !found {
			t.Errorf("%q is missing or too early in\n%s", step, text)
			continue
		}
		rest = after
	}
}

// noSecrets looks for secrets in what was printed and logged.
func noSecrets(t *testing.T, dir, printed string) {
	t.Helper()
	texts := []string{printed}
	for _, name := range []string{"sandbox.log", "paymux.log", "shop.log", "paymux.yaml", "paymux.db", "sandbox.json"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		texts = append(texts, string(text))
	}
	for _, file := range []string{clientSecretFile, webhookKeyFile, apiKeyFile} {
		secret, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if strings.Contains(text, strings.TrimSpace(string(secret))) {
				t.Errorf("%s shows in\n%s", file, text)
			}
		}
	}
}

// TestFails: what keeps a payment from succeeding is said, and is no success.
func TestFails(t *testing.T) {
	needBinaries(t)
	if err := run(t.Context(), []string{"-once", "-bin", t.TempDir(), "-dir", t.TempDir()}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "make build") {
		t.Errorf("without binaries: %v", err)
	}
	if err := run(t.Context(), []string{"-once", "-bin", bin, "-dir", t.TempDir(), "once"}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil || err.Error() != `unexpected argument "once"` {
		t.Errorf("with a flag that lost its dash: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "paymux.db"), []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"-once", "-bin", bin, "-dir", dir}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "paymux ended at its start") {
		t.Errorf("with a broken store: %v", err)
	}
}

// lockedBuffer is read while the demo writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// waitFor waits until the demo has printed something.
func (l *lockedBuffer) waitFor(t *testing.T, text string) string {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(l.String(), text) {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain for %q in\n%s", text, l)
		}
	}
	return l.String()
}

// TestServesOn: after the payment it keeps serving; a program that dies is
// reported with the way back; and in the end nothing is left running.
func TestServesOn(t *testing.T) {
	needBinaries(t)
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, ended := &lockedBuffer{}, make(chan error, 1)
	go func() { ended <- run(ctx, []string{"-bin", bin, "-dir", dir}, out, out) }()
	text := out.waitFor(t, "Ctrl-C ends everything")
	if err := run(t.Context(), []string{"-bin", bin, "-dir", dir}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "another demo runs") {
		t.Errorf("a second demo in the same folder: %v", err)
	}
	pids := regexp.MustCompile(`kill -9 (\d+)`).FindAllStringSubmatch(text, -1)
	if len(pids) != 4 {
		t.Fatalf("%d programs to kill in\n%s", len(pids), text)
	}
	if err := exec.Command("kill", "-9", pids[3][1]).Run(); err != nil { // the shop
		t.Fatal(err)
	}
	out.waitFor(t, "shop ended (signal: killed). It said last:")
	text = out.waitFor(t, "Start it again with:\n  PAYMUX_API_KEY=$(cat")
	command := strings.TrimSpace(text[strings.LastIndex(text, "PAYMUX_API_KEY="):])
	shop := exec.Command("sh", "-c", "exec env "+command)
	shop.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := shop.Start(); err != nil {
		t.Fatal(err)
	}
	out.waitFor(t, "shop is back")
	_ = shop.Process.Signal(syscall.SIGTERM)
	_ = shop.Wait()
	out.waitFor(t, "shop is gone again")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		if exec.Command("kill", "-0", pid[1]).Run() == nil {
			t.Errorf("process %s is still there", pid[1])
		}
	}
}

// TestKilled: who kills the demo itself leaves nothing running.
func TestKilled(t *testing.T) {
	needBinaries(t)
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED, NOT PASSED: only Linux ends a child with its parent")
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		out := &lockedBuffer{}
		demo := exec.Command(os.Args[0], "-bin", bin, "-dir", t.TempDir())
		demo.Env = append(os.Environ(), "DEMO_TEST_MAIN=1")
		demo.Stdout, demo.Stderr = out, out
		if err := demo.Start(); err != nil {
			t.Fatal(err)
		}
		text := out.waitFor(t, "Ctrl-C ends everything")
		if err := demo.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := demo.Wait(); (err == nil) != (signal == syscall.SIGTERM) {
			t.Errorf("after %v: %v", signal, err)
		}
		for _, pid := range regexp.MustCompile(`kill -9 (\d+)`).FindAllStringSubmatch(text, -1) {
			waitForEnd(t, pid[1])
		}
	}
}

// waitForEnd waits until a process is gone.
func waitForEnd(t *testing.T, pid string) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for ended := false; !ended; {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		ended = err != nil || strings.Contains(string(stat), ") Z ") // nobody may be there to reap it
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("process %s is still there", pid)
		}
	}
}
