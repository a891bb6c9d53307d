package process

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What runs are the bytes that were hashed: the file may be exchanged between
// the two, or written to while it runs.
func TestSealed(t *testing.T) {
	if !canSeal {
		t.Skip("this platform can't seal a file")
	}
	path := binary(t, "good")
	img, err := NewImages().load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if img.sealed == nil || img.command() == path {
		t.Fatalf("it isn't sealed: %q", img.unsealedWhy)
	}
	if _, err := img.sealed.WriteAt([]byte("x"), 0); err == nil {
		t.Error("its bytes can be changed")
	}
	if err := img.sealed.Truncate(0); err == nil {
		t.Error("it can be cut off")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho stranger\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	out, _ := (&exec.Cmd{Path: img.command(), Args: []string{path}}).CombinedOutput()
	if !strings.Contains(string(out), "This binary is a plugin") {
		t.Errorf("something else ran: %s", out)
	}
}

// A process reads its binary once: a restart costs no second reading, and
// processes of the same plugin share the memory.
func TestImagesAreShared(t *testing.T) {
	images, path := NewImages(), binary(t, "good")
	first, err := images.load(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := images.load(t.Context(), path)
	if err != nil || again != first {
		t.Errorf("it was read again: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(text, 0), 0o700); err != nil {
		t.Fatal(err)
	}
	other, err := images.load(t.Context(), path)
	if err != nil || other == first || other.sha256 == first.sha256 {
		t.Errorf("the new one wasn't read: %v", err)
	}
}

// A binary that a stranger could exchange doesn't run, and the error says why
// and what to do.
func TestUntrusted(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if err := os.Link(built, good); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(good, link); err != nil {
		t.Fatal(err)
	}
	// Not linked: the mode is that of the file, whatever its name.
	writable, open := filepath.Join(dir, "writable"), filepath.Join(dir, "open")
	nested := filepath.Join(open, "inner")
	for _, err := range []error{
		os.WriteFile(writable, []byte("x"), 0o700), os.Chmod(writable, 0o777),
		os.MkdirAll(nested, 0o700), os.Link(built, filepath.Join(open, "p")), os.Link(built, filepath.Join(nested, "p")), os.Chmod(open, 0o777),
		os.Symlink(open, filepath.Join(dir, "via")), os.Symlink(dir, filepath.Join(open, "back")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		link:                             "is a symbolic link",
		writable:                         "chmod o-w " + writable,
		filepath.Join(open, "p"):         "the directory " + open + " may be written by everybody",
		filepath.Join(nested, "p"):       "the directory " + open + " may be written by everybody",
		filepath.Join(open, "back/good"): "the directory " + open + " may be written by everybody",
		filepath.Join(dir, "via/p"):      "may be written by everybody",
		filepath.Join(dir, "via/q"):      "no such file",
		filepath.Join(dir, "absent"):     "no such file",
		filepath.Join(dir, "good", ""):   "",
	} {
		_, err := NewImages().load(t.Context(), path)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", path, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want it to say %q", path, err, want)
		}
	}
	// The sticky bit keeps others from exchanging what is there, but not from
	// adding a plugin.
	if err := os.Chmod(open, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if _, err := NewImages().load(t.Context(), filepath.Join(nested, "p")); err != nil {
		t.Errorf("below a sticky directory: %v", err)
	}
	if _, err := NewImages().load(t.Context(), filepath.Join(open, "p")); err == nil {
		t.Error("in a sticky directory: no error")
	}
}

// What needs bytes beside those that were hashed runs only where the operator
// has said so.
func TestUnsealed(t *testing.T) {
	script := filepath.Join(t.TempDir(), "good") // argv[0] of what it runs is another
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec "+binary(t, "good")+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	allowed := func(t *testing.T, yes bool) started {
		return start(t, "good", func(o *Options) { o.Path, o.AllowUnsealed, o.policy.firstBackoff = script, yes, 1e9 })
	}
	t.Run("refused", func(t *testing.T) {
		if why := allowed(t, false).failsToStart(t); !strings.Contains(why, `it is a script, run by "/bin/sh"`) || !strings.Contains(why, "plugins.allow_unsealed: true") {
			t.Error(why)
		}
	})
	t.Run("allowed", func(t *testing.T) {
		s := allowed(t, true)
		s.running(t)
		if st := s.Status(); st.Sealed || !strings.Contains(st.Unsealed, "script") || !strings.Contains(s.log.String(), "runs unsealed") {
			t.Errorf("nothing says that it runs unsealed: %+v", st)
		}
	})
}

func TestDynamicallyLinked(t *testing.T) {
	sh, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Skip("there is no /bin/sh")
	}
	if _, err := os.ReadFile(sh); err != nil {
		t.Skip(err)
	}
	img, err := NewImages().load(t.Context(), sh)
	if err != nil {
		t.Fatal(err)
	}
	if img.sealed == nil || !img.dynamic() {
		t.Errorf("sealed %t, dynamic %t", img.sealed != nil, img.dynamic())
	}
	log := &records{}
	p := &Process{opts: Options{Images: NewImages(), Logger: log.logger(), AllowUnsealed: true}}
	if _, err := p.load(t.Context(), img.path); err != nil || !strings.Contains(log.String(), "dynamically linked") {
		t.Errorf("%v, %s", err, log.String())
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewImages().load(over, img.path); !errors.Is(err, context.Canceled) { // a large one is slow to read
		t.Errorf("read after the end: %v", err)
	}
	static, err := NewImages().load(t.Context(), built)
	if err != nil || static.dynamic() {
		t.Errorf("a static binary: %v", err)
	}
}
