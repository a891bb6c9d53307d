package repotest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/paymux/paymux"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath, Dir, Name, Doc string
	Standard                   bool
	GoFiles, Deps              []string
	DepOnly                    bool
}

// list returns the packages of the whole module, their dependencies included.
func list(t *testing.T) map[string]pkg {
	t.Helper()
	all, err := goList()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var goList = sync.OnceValues(func() (map[string]pkg, error) {
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Dir,Name,Doc,Standard,GoFiles,Deps,DepOnly", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	all := map[string]pkg{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
	return all, nil
})

// under reports whether path is the folder of the module or in it.
func under(path, folder string) bool {
	folder = module + "/" + folder
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// direction is a rule: what is in from never needs what forbidden names, however
// far away.
var directions = []struct {
	from      string
	forbidden func(path string) bool
	reason    string
}{
	{"sdk", in("host", "providers", "examples"), "the contract is below everything: who writes a plugin must not get the host or somebody's adapter"},
	{"sdk/wire", in("host", "providers", "sdk/plugin"), "host and plugins share the wire; with either of them in it, each would carry the other"},
	{"sdk/plugin", in("host", "providers"), "a plugin's process holds no part of the host"},
	{"providers", in("host", "examples"), "an adapter is a process of its own that other hosts can start; what it needs of the host has to be in the contract"},
	{"host", in("providers", "examples", "sdk/plugin"), "an acquirer is changed by a config file, so the host knows none; and it never serves as a plugin"},
}

func in(folders ...string) func(string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(folders, func(f string) bool { return under(path, f) })
	}
}

func TestDirectionOfImports(t *testing.T) {
	all := list(t)
	seen := map[string]bool{}
	for path, p := range all {
		for _, rule := range directions {
			if !under(path, rule.from) {
				continue
			}
			seen[rule.from] = true
			for _, dep := range p.Deps {
				if rule.forbidden(dep) {
					t.Errorf("%s needs %s (go list -deps): %s", path, dep, rule.reason)
				}
			}
		}
	}
	for _, rule := range directions[:3] {
		if !seen[rule.from] {
			t.Errorf("no package in %s: does the rule look at the right place?", rule.from)
		}
	}
}

// A sandbox that shared code with its adapter would share its mistakes, and every
// test of one against the other would pass.
func TestSandboxesKnowNoAdapter(t *testing.T) {
	sandboxes := 0
	for name, p := range list(t) {
		adapter := path.Dir(name)
		if !under(name, "providers") || path.Dir(adapter) != module+"/providers" || !strings.HasSuffix(name, "test") {
			continue
		}
		sandboxes++
		if slices.Contains(p.Deps, adapter) {
			t.Errorf("%s needs %s: a sandbox is written from what the acquirer publishes", name, adapter)
		}
	}
	if sandboxes < 4 {
		t.Errorf("found %d sandboxes only", sandboxes)
	}
}

// The package that every adapter imports stays small enough to be read and
// vendored: the standard library and exact decimals.
func TestSDKImportsOnlyDecimal(t *testing.T) {
	const decimal = "github.com/shopspring/decimal"
	all := list(t)
	for _, dep := range all[module+"/sdk"].Deps {
		if p := all[dep]; !p.Standard && dep != decimal {
			t.Errorf("sdk needs %s: only the standard library and %s, so that the contract costs an adapter nothing", dep, decimal)
		}
	}
}
