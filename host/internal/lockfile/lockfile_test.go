package lockfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paymux/paymux/host/internal/lockfile"
)

var (
	digestA = strings.Repeat("a1", 32)
	digestB = strings.Repeat("b2", 32)
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "paymux.lock")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	path := write(t, `{"version":1,"plugins":{"alipayhk":{"version":"0.1.0","sha256":{"plan9/mips":"`+digestB+`","`+lockfile.Platform()+`":"`+digestA+`"}}}}`)
	f, err := lockfile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	want := &lockfile.File{Version: 1, Plugins: map[string]lockfile.Plugin{
		"alipayhk": {Version: "0.1.0", SHA256: map[string]string{"plan9/mips": digestB, lockfile.Platform(): digestA}},
	}}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Error(diff)
	}
	if got, err := f.Digest("alipayhk"); got != digestA || err != nil {
		t.Errorf("Digest: %q, %v", got, err)
	}
}

// Every text that is not surely a lock file is refused: reading it as one would
// run a plugin unpinned.
func TestReadRefuses(t *testing.T) {
	pinned := func(name, digest string) string {
		return `{"version":1,"plugins":{"a":{"version":"1","` + name + `":{"linux/amd64":"` + digest + `"}}}}`
	}
	for _, tt := range []struct{ why, text, want string }{
		{"empty", ``, "not a lock file"},
		{"cut off", `{"version":1,"plugins":{`, "not a lock file"},
		{"no JSON", `alipayhk: 1`, "not a lock file"},
		{"another type", `[]`, "not a lock file"},
		{"a second document", `{"version":1,"plugins":{}} {}`, "not a lock file"},
		{"a misspelt name", pinned("sha265", digestA), "not a lock file"},
		{"a name in another case", pinned("SHA256", digestA), "not a lock file"},
		{"a repeated name", `{"version":1,"plugins":{},"plugins":{}}`, "not a lock file"},
		{"no version", `{"plugins":{}}`, "version 0"},
		{"a later version", `{"version":2,"plugins":{}}`, "version 2"},
		{"a short digest", pinned("sha256", "abc"), "plugins.a.sha256.linux/amd64"},
		{"an empty digest", pinned("sha256", ""), "plugins.a.sha256.linux/amd64"},
		{"a digest in upper case", pinned("sha256", strings.ToUpper(digestA)), "plugins.a.sha256.linux/amd64"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			path := write(t, tt.text)
			f, err := lockfile.Read(path)
			if err == nil || f != nil {
				t.Fatalf("read as %+v", f)
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("the error must name the file and say %q: %v", tt.want, err)
			}
		})
	}
}

func TestReadOfNothing(t *testing.T) {
	f, err := lockfile.Read(filepath.Join(t.TempDir(), "paymux.lock"))
	if f != nil || err != nil {
		t.Fatalf("without a lock file: %v, %v", f, err)
	}
	if digest, err := f.Digest("alipayhk"); digest != "" || err != nil {
		t.Errorf("without a lock file nothing is pinned: %q, %v", digest, err)
	}
	// A lock file that is there but can't be read is not the same as none.
	if _, err := lockfile.Read(t.TempDir()); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder was read as a lock file: %v", err)
	}
}

func TestDigestOfWhatIsNotPinned(t *testing.T) {
	f := &lockfile.File{Plugins: map[string]lockfile.Plugin{"other": {SHA256: map[string]string{"plan9/mips": digestA}}}}
	for _, plugin := range []string{"other", "absent"} {
		digest, err := f.Digest(plugin)
		if digest != "" || err == nil {
			t.Fatalf("%s would run unpinned: %q, %v", plugin, digest, err)
		}
		for _, want := range []string{plugin, lockfile.Platform(), "paymux plugins lock"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error lacks %q: %v", want, err)
			}
		}
	}
}

func TestPin(t *testing.T) {
	f := &lockfile.File{}
	f.Pin("a", "1.0.0", digestA)
	f.Plugins["a"].SHA256["plan9/mips"] = digestB
	f.Pin("a", "1.0.0", digestB) // built again: the other platform's binary is of the same version
	want := map[string]string{lockfile.Platform(): digestB, "plan9/mips": digestB}
	if diff := cmp.Diff(want, f.Plugins["a"].SHA256); diff != "" {
		t.Error(diff)
	}
	f.Pin("a", "1.1.0", digestA) // of this version no other platform's binary is known
	if diff := cmp.Diff(lockfile.Plugin{Version: "1.1.0", SHA256: map[string]string{lockfile.Platform(): digestA}}, f.Plugins["a"]); diff != "" {
		t.Error(diff)
	}
}

func TestWriteAndReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paymux.lock")
	f := &lockfile.File{}
	f.Pin("a", "1.0.0", digestA)
	if err := f.Write(path); err != nil {
		t.Fatal(err)
	}
	again, err := lockfile.Read(path)
	if diff := cmp.Diff(f, again); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v: a lock file holds no secret, and others have to read it (%v)", info.Mode(), err)
	}
	onlyFile(t, path)
}

// Whoever reads while it is written sees a whole file, the old one or the new.
func TestWriteIsAtomic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "paymux.lock")
	long := &lockfile.File{}
	for i := range 100 {
		long.Pin(strings.Repeat("p", i+1), "1.0.0", digestA)
	}
	short := &lockfile.File{}
	short.Pin("a", "1.0.0", digestB)
	if err := short.Write(path); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		defer close(done)
		for range 10 {
			if err := errors.Join(long.Write(path), short.Write(path)); err != nil {
				t.Error(err)
			}
		}
	})
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		f, err := lockfile.Read(path)
		if err != nil || f == nil || len(f.Plugins) != 1 && len(f.Plugins) != 100 {
			t.Errorf("read half of it: %v", err)
			running = false
		}
	}
	writer.Wait()
	onlyFile(t, path)
}

func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "paymux.lock")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := (&lockfile.File{}).Write(taken); err == nil {
		t.Error("wrote over a folder")
	}
	onlyFile(t, taken)
	if err := (&lockfile.File{}).Write(filepath.Join(dir, "absent", "paymux.lock")); err == nil {
		t.Error("wrote into a folder that isn't there")
	}
}

// onlyFile fails if something was left beside the lock file.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
