// Package scaffold writes a new provider as a Go module of its own: the example
// provider under another name, with a TODO at each place where its acquirer's
// facts stand.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"net/textproto"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The template is a copy of the example, to the byte: go:embed reaches nothing
// outside of this folder. A test holds it against the original.
//
//go:embed _template readme.md
var files embed.FS

// SDKModule is the module that a provider needs.
const SDKModule = "github.com/paymux/paymux"

const (
	example     = SDKModule + "/examples/provider-go"
	goVersion   = "1.26.0" // the sdk's
	noVersion   = "v0.0.0" // to be replaced by a checkout
	todo        = "TODO(acquirer):"
	templateDir = "_template"
)

// Options say what to write.
type Options struct {
	Name    string // of the plugin
	Dir     string // must be empty, or not exist
	Module  string // the path of the new module
	Version string // of the sdk; empty if this is no release
	Replace string // a checkout of paymux to build against; empty: the version
}

// Result is what was written.
type Result struct {
	Files []string // below Options.Dir, with slashes
	Todos int      // places where the acquirer's facts stand
}

var (
	namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	// The first element has a dot: without one Go looks in the standard library.
	modulePattern = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)
)

// Check finds what is wrong with the options. Nothing has been written then.
func (o Options) Check() error {
	if !namePattern.MatchString(o.Name) {
		return fmt.Errorf("the name %q must match %s, since the binary is paymux-provider-NAME", o.Name, namePattern)
	}
	if !modulePattern.MatchString(o.Module) || strings.HasSuffix(o.Module, ".") {
		return fmt.Errorf("the module path %q must be like example.com/you/paymux-provider-%s", o.Module, o.Name)
	}
	if o.Replace != "" {
		text, err := os.ReadFile(filepath.Join(o.Replace, "go.mod"))
		if err != nil || !strings.HasPrefix(string(text), "module "+SDKModule+"\n") {
			return fmt.Errorf("%s is no checkout of paymux: it has no go.mod of module %s", o.Replace, SDKModule)
		}
	}
	entries, err := os.ReadDir(o.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%s can't be used: %w", o.Dir, err)
	case len(entries) > 0:
		return fmt.Errorf("%s exists and is not empty; nothing is overwritten", o.Dir)
	}
	return nil
}

// New writes the module.
func New(o Options) (Result, error) {
	if err := o.Check(); err != nil {
		return Result{}, err
	}
	made, err := o.render()
	if err != nil {
		return Result{}, err
	}
	var r Result
	for _, f := range made {
		target := filepath.Join(o.Dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
			return r, err
		}
		if err := os.WriteFile(target, f.text, 0o666); err != nil {
			return r, err
		}
		r.Files = append(r.Files, f.name)
		if strings.HasSuffix(f.name, ".go") {
			r.Todos += bytes.Count(f.text, []byte(todo))
		}
	}
	return r, nil
}

type file struct {
	name string
	text []byte
}

// render makes all files before the first is written.
func (o Options) render() ([]file, error) {
	made := []file{{"go.mod", []byte(o.goMod())}, {".gitignore", []byte("/bin/\n*.test\n")}}
	words := o.words()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		text = []byte(words.Replace(string(text)))
		if path.Ext(name) == ".go" { // names of other lengths move what is aligned
			if text, err = format.Source(text); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		name = strings.TrimPrefix(name, templateDir+"/")
		if name == "readme.md" {
			name = "README.md"
		}
		made = append(made, file{name, text})
		return nil
	})
	return made, err
}

// words turn the example into the new provider, in one pass: a name may contain
// one of them.
func (o Options) words() *strings.Replacer {
	return strings.NewReplacer(
		example, o.Module,
		"paymux-provider-example", "paymux-provider-"+o.Name,
		`"example"`, strconv.Quote(o.Name),
		`"example: `, `"`+o.Name+`: `,
		// Header names hold it, and have to be canonical.
		"Acme", textproto.CanonicalMIMEHeaderKey(o.Name),
		"acme", o.Name,
		"Fact:", todo,
		// Promises that cost money where they are wrong are off in a copy: a TODO may
		// be forgotten.
		"NotFoundSettling: 2 * time.Minute,", "NotFoundSettling: 0 * time.Minute, // 0: \"not found\" never ends a payment",
		"CreateRetry: sdk.CreateRetry{Native: true, Window: 24 * time.Hour},", "CreateRetry: sdk.CreateRetry{}, // a lost answer is only asked about",
	)
}

func (o Options) goMod() string {
	version := o.Version
	if version == "" {
		version = noVersion
	}
	text := fmt.Sprintf("module %s\n\ngo %s\n\nrequire %s %s\n", o.Module, goVersion, SDKModule, version)
	if o.Replace != "" {
		dir := filepath.ToSlash(o.Replace)
		if quoted := strconv.Quote(dir); quoted != `"`+dir+`"` || strings.ContainsAny(dir, " \t'`()[]{},;") {
			dir = quoted
		}
		text += fmt.Sprintf("\nreplace %s => %s\n", SDKModule, dir)
	}
	return text
}
