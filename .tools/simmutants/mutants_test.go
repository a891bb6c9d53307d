package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMutantsApply: the text that a mutant replaces occurs once in the code as
// it is now.
func TestMutantsApply(t *testing.T) {
	for _, m := range mutants {
		for _, e := range m.edits {
			text, err := os.ReadFile(filepath.Join("..", "..", e.file))
			if err != nil {
				t.Error(err)
			} else if n := strings.Count(string(text), e.old); n != 1 {
				t.Errorf("%s: %s has %q %d times", m.name, e.file, e.old, n)
			}
		}
	}
}
