package process

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

// Lines are whole however the program's writes are cut.
func TestLines(t *testing.T) {
	const text = "starting\nshop: listening on http://127.0.0.1:1234 (admin none)\nlater\nand"
	for size := 1; size <= len(text); size++ {
		var log bytes.Buffer
		var got []string
		l := &lines{log: &log, read: func(line string) {
			got = append(got, line)
			if !strings.Contains(log.String(), line+"\n") {
				t.Errorf("who hears %q doesn't find it in the log yet", line)
			}
		}}
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if _, err := l.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if want := strings.Split(text, "\n")[:3]; !reflect.DeepEqual(got, want) || log.String() != text {
			t.Errorf("in pieces of %d: %q, logged %q", size, got, &log)
		}
	}
}

func TestStart(t *testing.T) {
	sh := func(ctx context.Context, script string, read func(string)) (*Process, error) {
		return Start(ctx, "tea", exec.Command("sh", "-c", script), filepath.Join(t.TempDir(), "log"), read)
	}
	const serve = "echo said >&2; echo tea: listening on http://here, really; exec cat /dev/zero >/dev/null"
	said := make(chan string, 1)
	p, err := sh(t.Context(), serve, func(line string) { said <- line })
	if err != nil {
		t.Fatal(err)
	}
	if line := <-said; line != "said" || p.URL != "http://here," || !strings.Contains(p.LastLines(), "    said") {
		t.Errorf("it said %q, is at %q, its log is %q", line, p.URL, p.LastLines())
	}
	p.Stop()
	if p.Err == nil || syscall.Kill(p.PID(), 0) == nil {
		t.Errorf("it ended by %v", p.Err)
	}
	if p, err := sh(t.Context(), "echo no tea; exit 3", nil); p == nil || err == nil || !strings.Contains(err.Error(), "tea ended at its start (exit status 3):\n    no tea") {
		t.Errorf("one that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if p, err := sh(ctx, "echo slowly >&2; exec cat /dev/zero >/dev/null", func(string) { cancel() }); err != context.Canceled || p.Err == nil {
		t.Errorf("one that doesn't come to serve: %v", err)
	}
	if p, err := Start(t.Context(), "tea", exec.Command(t.TempDir()+"/tea"), filepath.Join(t.TempDir(), "log"), nil); p != nil || err == nil {
		t.Errorf("one that isn't there: %v", err)
	}
}
