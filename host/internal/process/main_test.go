package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// built is the plugin of the tests; plugins are links to it.
var built string

func TestMain(m *testing.M) {
	if os.Getenv("PROCESS_TEST_HOST") != "" {
		hostThatIsKilled(os.Getenv("PROCESS_TEST_HOST"))
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	built = filepath.Join(dir, "plugin")
	cmd := exec.Command("go", "build", "-o", built, "./testdata/plugin")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the plugin of the tests: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// binary returns a plugin that behaves as its name says; see testdata/plugin.
func binary(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.Link(built, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// records is a log that tests read.
type records struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(p)
}

func (r *records) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

func (r *records) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: r})
}

// quick are the times of the tests: patient with a slow machine, but not so long.
func quick() policy {
	q := usual
	q.start, q.wait, q.firstBackoff, q.longestBackoff = 30*time.Second, 30*time.Second, time.Millisecond, 20*time.Millisecond
	q.budget = 1000 // most tests are about something else
	return q
}

// started is a process under test, with its log.
type started struct {
	*Process
	log *records
	tmp string
}

// start starts a plugin in a TMPDIR of its own, and at the end of the test stops
// it and looks for what it left behind.
func start(t *testing.T, name string, change func(*Options)) started {
	t.Helper()
	s := started{log: &records{}, tmp: shortTemp(t)}
	opts := Options{Name: name, Path: binary(t, name), Logger: s.log.logger(), policy: quick()}
	t.Setenv("TMPDIR", s.tmp) // from here on only the plugin's own are in it
	if change != nil {
		change(&opts)
	}
	s.Process = Start(opts)
	t.Cleanup(func() {
		s.Stop()
		s.nothingLeft(t)
		if t.Failed() {
			t.Log(cut(s.log.String(), 10_000))
		}
	})
	return s
}

// shortTemp is a directory whose path leaves room for the name of a socket,
// whatever the test is called.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (s started) nothingLeft(t *testing.T) {
	t.Helper()
	if left, err := os.ReadDir(s.tmp); len(left) > 0 || err != nil {
		t.Errorf("left in TMPDIR: %v, %v", left, err)
	}
	eventually(t, "all goroutines to end", func() bool { return leaked() == "" })
	if t.Failed() {
		t.Log(leaked())
	}
}

// leaked returns the goroutines of this package and of what it uses.
func leaked() string {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	var left []string
	for stack := range strings.SplitSeq(string(all), "\n\n") {
		ours := strings.Contains(stack, "internal/process.") || strings.Contains(stack, "hashicorp/go-plugin") || strings.Contains(stack, "google.golang.org/grpc")
		if ours && !strings.Contains(stack, "testing.tRunner") && !strings.Contains(stack, "testing.(*M)") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}

// eventually waits for something that happens by itself.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); !happened(); <-tick.C {
		if time.Now().After(end) {
			t.Errorf("waited in vain for %s", what)
			return
		}
	}
}

// failsToStart waits until a start has failed and returns why.
func (s started) failsToStart(t *testing.T) string {
	t.Helper()
	eventually(t, "a start that fails", func() bool { return strings.Contains(s.log.String(), "did not start") })
	return s.Status().Error
}

// running waits for the process and returns its id.
func (s started) running(t *testing.T) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := s.Service(ctx); err != nil {
		t.Fatal(err)
	}
	return s.Status().PID
}

// gone reports whether a process has ended, reaped or not.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := strings.Cut(string(stat), ") ")
	return err != nil || strings.HasPrefix(state, "Z")
}
