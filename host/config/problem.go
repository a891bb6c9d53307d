package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds what one broken file can print.
const maxProblems = 100

// Problem is a mistake, or a doubt, at one place of a config file.
type Problem struct {
	// File is the name that was given to Load or Parse.
	File string
	// Line and Column count from 1, the column in characters.
	Line, Column int
	// Path leads to the value, such as providers.awx.config.keys[0]; it is empty
	// for a problem of the whole file.
	Path string
	// Message says what was found and what was expected.
	Message string
}

// Error returns file:line:column: path: message.
func (p Problem) Error() string {
	where := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Path == "" {
		return where + p.Message
	}
	return where + p.Path + ": " + p.Message
}

// Errors are all mistakes of a file in the order of their places. It is what
// Load and Parse return for a file that could be read but not accepted.
type Errors []Problem

// Error returns one line for each problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a single [Problem].
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, p := range e {
		all[i] = p
	}
	return all
}

func sortProblems(all []Problem) {
	slices.SortStableFunc(all, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
