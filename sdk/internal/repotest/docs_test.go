package repotest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/versions.md promises, and names the test that holds each promise.
func TestVersionsNamesTests(t *testing.T) {
	// In a row of the table: `TestName` in `folder`.
	held := regexp.MustCompile("`(Test[A-Za-z]+)` in `([a-z/]+)`").FindAllSubmatch(read(t, "docs/versions.md"), -1)
	if len(held) == 0 {
		t.Fatal("it names no test")
	}
	for _, m := range held {
		name, folder := string(m[1]), string(m[2])
		entries, err := os.ReadDir(root + "/" + folder)
		if err != nil {
			t.Error(err)
			continue
		}
		if !slices.ContainsFunc(entries, func(e os.DirEntry) bool {
			return strings.HasSuffix(e.Name(), "_test.go") && strings.Contains(string(read(t, folder+"/"+e.Name())), "\nfunc "+name+"(t *testing.T)")
		}) {
			t.Errorf("docs/versions.md: there is no %s in %s", name, folder)
		}
	}
}
