package scaffold

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "copy the example anew")

const (
	root     = "../../.."
	original = root + "/examples/provider-go"
)

// The template is the example: what authors get is what is read, compiled and
// tested there.
func TestTemplateIsTheExample(t *testing.T) {
	want := tree(t, original)
	delete(want, "README.md") // the new provider has its own
	if *update {
		if err := os.RemoveAll(templateDir); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			write(t, filepath.Join(templateDir, name), text)
		}
	}
	got := tree(t, templateDir)
	for name, text := range want {
		if !bytes.Equal(got[name], text) {
			t.Errorf("%s differs from the example; go test ./host/internal/scaffold -run Template -update", name)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s is not in the example", name)
	}
}

func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err == nil {
			all[name], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// A new provider builds, is clean, and keeps the contract, with what this machine
// has: no network.
func TestNewProviderWorks(t *testing.T) {
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "mega-pay2")
	r, err := New(Options{Name: "mega-pay2", Dir: dir, Module: "example.com/you/mega", Replace: checkout})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Files) < 10 || r.Todos < 10 {
		t.Errorf("%d files with %d TODOs", len(r.Files), r.Todos)
	}
	todos := 0
	for name, text := range tree(t, dir) {
		for _, word := range []string{"acme", "examples/provider-go", `"example"`, "provider-example", "fact:",
			"createretry{native", "notfoundsettling: 2"} { // a promise that nobody has looked up
			if strings.Contains(strings.ToLower(string(text)), word) {
				t.Errorf("%s still says %q", name, word)
			}
		}
		if filepath.Ext(name) == ".go" {
			todos += bytes.Count(text, []byte("TODO"))
		}
	}
	if todos != r.Todos {
		t.Errorf("%d TODOs, of which %d are counted", todos, r.Todos)
	}
	requireLikeUs(t, dir)
	for _, args := range [][]string{
		{"build", "-o", filepath.Join(t.TempDir(), "paymux-provider-mega-pay2"), "."},
		{"vet", "./..."},
		{"test", "./..."},
	} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		// -mod=mod adds the few that our tests don't name.
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off", "GOWORK=off", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// requireLikeUs stands in for go mod tidy, which may need the network: it has the
// module require what this one does, all of which is on this machine.
func requireLikeUs(t *testing.T, dir string) {
	t.Helper()
	ours, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?ms)^require \($.*?^\)$`).FindAll(ours, -1)
	if len(blocks) == 0 {
		t.Fatal("go.mod has no block of requirements")
	}
	path := filepath.Join(dir, "go.mod")
	theirs, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, append(append(theirs, '\n'), bytes.Join(blocks, []byte("\n"))...))
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "go.sum"), sums)
}

func TestRefusals(t *testing.T) {
	full := t.TempDir()
	write(t, filepath.Join(full, "x"), nil)
	for _, tt := range []struct {
		name   string
		change func(*Options)
		says   string
	}{
		{"no name", func(o *Options) { o.Name = "" }, "must match"},
		{"capitals", func(o *Options) { o.Name = "Mega" }, "must match"},
		{"a path", func(o *Options) { o.Name = "../mega" }, "must match"},
		{"a newline", func(o *Options) { o.Name = "mega\n" }, "must match"},
		{"33 characters", func(o *Options) { o.Name = strings.Repeat("m", 33) }, "must match"},
		{"a module of the standard library", func(o *Options) { o.Module = "fmt" }, "must be like"},
		{"a module with a blank", func(o *Options) { o.Module = "example.com/a b" }, "must be like"},
		{"a module that climbs", func(o *Options) { o.Module = "example.com/../x" }, "must be like"},
		{"a full directory", func(o *Options) { o.Dir = full }, "is not empty"},
		{"a file", func(o *Options) { o.Dir = filepath.Join(full, "x") }, "can't be used"},
		{"no checkout", func(o *Options) { o.Replace = full }, "no checkout of paymux"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Name: "mega", Dir: filepath.Join(t.TempDir(), "new"), Module: "example.com/mega"}
			tt.change(&o)
			if _, err := New(o); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %q", err, tt.says)
			}
			if entries, err := os.ReadDir(o.Dir); err == nil && o.Dir != full && len(entries) > 0 {
				t.Errorf("%d files were written", len(entries))
			}
		})
	}
}

// An empty directory that exists is taken; a name that is a word of the example
// is not replaced twice.
func TestEmptyDirectory(t *testing.T) {
	dir := t.TempDir()
	if _, err := New(Options{Name: "example-acme", Dir: dir, Module: "example.com/x", Version: "v1.2.3"}); err != nil {
		t.Fatal(err)
	}
	all := tree(t, dir)
	if !strings.Contains(string(all["go.mod"]), "require github.com/paymux/paymux v1.2.3\n") || strings.Contains(string(all["go.mod"]), "replace") {
		t.Errorf("%s", all["go.mod"])
	}
	if got := string(all["plugin.go"]); !strings.Contains(got, `name    = "example-acme"`) {
		t.Errorf("%s", got)
	}
}

// The new module asks for the Go version that the sdk asks for.
func TestGoVersion(t *testing.T) {
	text, err := os.ReadFile(root + "/go.mod")
	if err != nil || !strings.Contains(string(text), "\ngo "+goVersion+"\n") {
		t.Errorf("go.mod has another Go version than %s: %v", goVersion, err)
	}
}

func TestModFileQuotes(t *testing.T) {
	if got := (Options{Replace: "/a b"}).goMod(); !strings.Contains(got, `=> "/a b"`) {
		t.Error(got)
	}
}
