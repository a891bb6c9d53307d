package repotest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the module's folder, seen from this package's.
const root = "../../.."

// files returns the paths, from root, of all files that are or would be in the
// repository: those that git doesn't ignore. In a source archive, without git,
// it is every file but those of the build. It walks in both cases, so that go
// test's cache notices a new file.
func files(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, gitError := cmd.Output()
	known := map[string]bool{}
	for path := range strings.SplitSeq(string(out), "\x00") {
		known[path] = true
	}
	var all []string
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", ".demo", "bin", "node_modules"}, d.Name()) {
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(root, path)
		if d.Type().IsRegular() && (gitError != nil || known[filepath.ToSlash(rel)]) {
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no files: the rules would hold of nothing")
	}
	return all
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var (
	generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
	// Put together from parts, or this file would break the rule.
	machinePath = regexp.MustCompile(`(^|[^A-Za-z0-9_.~-])/(` + `work|root` + `)/[A-Za-z0-9_.]`)
	sleep       = []byte("time." + "Sleep(")
)

func TestFiles(t *testing.T) {
	const most = 500
	for _, path := range files(t) {
		data := read(t, path)
		if i := machinePath.FindIndex(data); i != nil && !bytes.ContainsRune(data, 0) {
			t.Errorf("%s:%d: a path of one machine: it means nothing to who reads it elsewhere", path, 1+bytes.Count(data[:i[0]], []byte("\n")))
		}
		if !strings.HasSuffix(path, ".go") {
			continue
		}
		isGenerated := generated.Match(data)
		if strings.HasSuffix(path, ".pb.go") && !isGenerated {
			t.Errorf("%s: no \"// Code generated … DO NOT EDIT.\": tools and reviewers skip generated files by that line", path)
		}
		if lines := bytes.Count(data, []byte("\n")); lines > most && !isGenerated {
			t.Errorf("%s has %d lines, more than %d: nobody reads it in one go; split it by subject", path, lines, most)
		}
		// In a bubble of testing/synctest time is fake, and sleeping costs none.
		if strings.HasSuffix(path, "_test.go") && bytes.Contains(data, sleep) && !bytes.Contains(data, []byte(`"testing/synctest"`)) {
			t.Errorf("%s sleeps: it is slow when the machine is fast and fails when it is slow; wait for the event, or use testing/synctest", path)
		}
	}
}

func TestLicence(t *testing.T) {
	if info, err := os.Stat(filepath.Join(root, "LICENSE")); err != nil || info.Size() == 0 {
		t.Errorf("there is no LICENSE: without one nobody may use or copy this: %v", err)
	}
}

// Every package, and every exported name in a package that others can import,
// says what it is: go doc is the reference of the sdk.
func TestDocComments(t *testing.T) {
	for path, p := range list(t) {
		if p.DepOnly || len(p.GoFiles) == 0 {
			continue
		}
		if p.Doc == "" && !allGenerated(p) {
			t.Errorf("%s has no package comment: say in one sentence what it is for", path)
		}
		if p.Name == "main" {
			continue
		}
		for _, name := range p.GoFiles {
			undocumented(t, filepath.Join(p.Dir, name))
		}
	}
}

func allGenerated(p pkg) bool {
	return !slices.ContainsFunc(p.GoFiles, func(name string) bool {
		data, err := os.ReadFile(filepath.Join(p.Dir, name))
		return err != nil || !generated.Match(data)
	})
}

func undocumented(t *testing.T, path string) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if err != nil {
		t.Error(err)
		return
	}
	if ast.IsGenerated(file) {
		return
	}
	missing := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		if name.IsExported() && !slices.ContainsFunc(docs, func(d *ast.CommentGroup) bool { return d != nil }) {
			rel := path
			if abs, err := filepath.Abs(root); err == nil {
				rel, _ = filepath.Rel(abs, path)
			}
			t.Errorf("%s:%d: %s has no doc comment: it is exported, so it is somebody's reference", rel, fset.Position(name.Pos()).Line, name.Name)
		}
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil || ast.IsExported(receiver(d)) {
				missing(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					missing(s.Name, s.Doc, s.Comment, d.Doc)
				case *ast.ValueSpec:
					missing(s.Names[0], s.Doc, s.Comment, d.Doc) // a group's comment is enough
				}
			}
		}
	}
}

// receiver returns the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	expr := d.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}
