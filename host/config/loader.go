package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sources are where ${…} looks.
type sources struct {
	env  func(string) (string, bool)
	file func(string) ([]byte, error)
}

// loader holds what is gathered while one file is checked.
type loader struct {
	name, dir string
	src       sources
	bad       map[*yaml.Node]bool
	problems  []Problem
	dropped   int
	warnings  []Problem
	secrets   map[string]bool
	merchants names
	providers names
}

// value is a value of the file and the way to it.
type value struct {
	key, node *yaml.Node
	path      *path
}

func (l *loader) fail(v value, format string, args ...any) {
	if len(l.problems) >= maxProblems {
		l.dropped++
		return
	}
	l.problems = append(l.problems, l.problem(v, format, args...))
}

func (l *loader) warn(v value, format string, args ...any) {
	l.warnings = append(l.warnings, l.problem(v, format, args...))
}

func (l *loader) problem(v value, format string, args ...any) Problem {
	line, column := place(v.key, v.node)
	return Problem{l.name, line, column, v.path.String(), fmt.Sprintf(format, args...)}
}

// failAt reports a problem of the file as a whole.
func (l *loader) failAt(line, column int, format string, args ...any) {
	l.problems = append(l.problems, Problem{l.name, line, column, "", fmt.Sprintf(format, args...)})
}

func (l *loader) errors() error {
	if len(l.problems) == 0 {
		return nil
	}
	sortProblems(l.problems)
	if l.dropped > 0 {
		last := l.problems[len(l.problems)-1]
		l.failAt(last.Line, last.Column, "too many problems; %d more are not shown", l.dropped)
	}
	return Errors(l.problems)
}

// hide keeps s from being logged.
func (l *loader) hide(s string) {
	if l.secrets == nil {
		l.secrets = map[string]bool{}
	}
	if s != "" {
		l.secrets[s] = true
	}
	if !strings.Contains(s, "\n") {
		return
	}
	for line := range strings.Lines(s) {
		// Short lines and PEM's frames are no secrets, but common words.
		if line = strings.TrimSpace(line); len(line) >= 16 && !strings.HasPrefix(line, "-----") {
			l.secrets[line] = true
		}
	}
}

func (l *loader) secretList() []Secret {
	longestFirst := func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	}
	var all []Secret
	for _, s := range slices.SortedFunc(maps.Keys(l.secrets), longestFirst) {
		all = append(all, NewSecret(s))
	}
	return all
}

// names are the merchants or providers that the file defines.
type names struct {
	known map[string]bool
	// public are those that a message may suggest: none that came through ${…}.
	public []string
	// incomplete is set when a name couldn't be read, so that a missing one
	// proves nothing.
	incomplete bool
}

func (n *names) add(t text) {
	if n.known == nil {
		n.known = map[string]bool{}
	}
	if !n.known[t.val] && !t.resolved {
		n.public = append(n.public, t.val)
	}
	n.known[t.val] = true
}

// check reports a name that the file doesn't define.
func (n *names) check(l *loader, v value, t text, where string) bool {
	if n.known[t.val] || n.incomplete {
		return true
	}
	hint := didYouMean(t.raw, n.public)
	if t.resolved {
		hint = ""
	}
	l.fail(v, "%s is not in %s%s", t.show(), where, hint)
	return false
}
