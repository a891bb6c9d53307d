package cbtistest

import (
	"os"
	"strings"
	"testing"
)

func TestEveryFaultIsInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/providers/alipayhk.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| `kind` |")
	for kind := range kindOps {
		if !strings.Contains(table, "`"+string(kind)+"`") {
			t.Errorf("docs/providers/alipayhk.md doesn't explain the fault %s", kind)
		}
	}
	for _, op := range allOps {
		if !strings.Contains(table, "`"+string(op)+"`") {
			t.Errorf("docs/providers/alipayhk.md doesn't name the op %s", op)
		}
	}
}
