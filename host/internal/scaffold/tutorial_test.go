package scaffold

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const tutorial = root + "/docs/write-a-provider.md"

// block is a piece of code in the tutorial and where it is from: a file of the
// example, and which of its declarations (none: the whole file).
var block = regexp.MustCompile("(?s)<!-- ([a-z_/.]+)(?:: ([A-Za-z. ]+))? -->\n```([a-z]+)\n(.*?)```\n")

// What the tutorial shows is what is compiled and tested.
func TestTutorialShowsTheExample(t *testing.T) {
	text, err := os.ReadFile(tutorial)
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	got := block.ReplaceAllStringFunc(string(text), func(old string) string {
		shown++
		m := block.FindStringSubmatch(old)
		code, err := excerpt(filepath.Join(original, m[1]), strings.Fields(m[2]))
		if err != nil {
			t.Errorf("%v", err)
			return old
		}
		head, _, _ := strings.Cut(old, "```")
		return head + "```" + m[3] + "\n" + code + "```\n"
	})
	if fences := strings.Count(got, "```go\n") + strings.Count(got, "```json\n"); fences != shown || shown == 0 {
		t.Errorf("%d blocks of code, of which %d say where they are from", fences, shown)
	}
	if got == string(text) {
		return
	}
	if !*update {
		t.Fatal("the tutorial differs from the example; go test ./host/internal/scaffold -run Tutorial -update")
	}
	write(t, tutorial, []byte(got))
}

// excerpt returns declarations of a file as they stand there.
func excerpt(path string, names []string) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil || len(names) == 0 {
		return string(text), err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, text, parser.ParseComments)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, name := range names {
		i := slices.IndexFunc(file.Decls, func(d ast.Decl) bool { return slices.Contains(declared(d), name) })
		if i < 0 {
			return "", fmt.Errorf("%s declares no %s", path, name)
		}
		from := file.Decls[i].Pos()
		if doc := docOf(file.Decls[i]); doc != nil {
			from = doc.Pos()
		}
		parts = append(parts, string(text[fset.Position(from).Offset:fset.Position(file.Decls[i].End()).Offset])+"\n")
	}
	return strings.Join(parts, "\n"), nil
}

// declared returns the names of a declaration: T.M for a method.
func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return []string{d.Name.Name}
		}
		of := d.Recv.List[0].Type
		if star, ok := of.(*ast.StarExpr); ok {
			of = star.X
		}
		return []string{fmt.Sprint(of, ".", d.Name)}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return names
}

func docOf(d ast.Decl) *ast.CommentGroup {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Doc
	case *ast.GenDecl:
		return d.Doc
	}
	return nil
}
