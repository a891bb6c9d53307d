package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"unicode/utf8"
)

const (
	maxSecretFile = 64 << 10
	allowedRefs   = "expected ${env:NAME} or ${file:PATH}; write $${ for a literal ${"
)

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// resolve replaces every ${env:NAME} and ${file:PATH} in a string. It works on
// the parsed value and runs once, so whatever the source holds stays a plain
// part of the value.
func (l *loader) resolve(v value) (text, bool) {
	t := text{raw: v.node.Value}
	ok := true
	var out strings.Builder
	for rest := t.raw; rest != ""; {
		i := strings.Index(rest, "${")
		if i < 0 {
			out.WriteString(rest)
			break
		}
		if i > 0 && rest[i-1] == '$' {
			out.WriteString(rest[:i-1] + "${")
			rest = rest[i+2:]
			continue
		}
		out.WriteString(rest[:i])
		ref, after, closed := strings.Cut(rest[i+2:], "}")
		if !closed {
			l.fail(v, "found ${ without }; %s", allowedRefs)
			return t, false
		}
		got, err := l.lookup(ref)
		if err != nil {
			l.fail(v, "%s", err)
			ok = false
		}
		l.hide(got)
		out.WriteString(got)
		t.resolved = true
		rest = after
	}
	t.val = out.String()
	return t, ok
}

// lookup returns what one reference stands for.
func (l *loader) lookup(ref string) (string, error) {
	source, name, _ := strings.Cut(ref, ":")
	switch {
	case strings.Contains(ref, "${"):
		return "", errors.New("found a ${…} inside another; " + allowedRefs)
	case source == "env" && envName.MatchString(name):
		return l.lookupEnv(name)
	case source == "env":
		return "", fmt.Errorf("found ${env:…} with %q; expected the name of an environment variable", name)
	case source == "file" && name != "":
		return l.lookupFile(name)
	case source == "file":
		return "", errors.New("found ${file:} without a path; " + allowedRefs)
	}
	// The text between the braces may be part of a password that is no reference.
	return "", errors.New("found ${ before something unknown; " + allowedRefs)
}

func (l *loader) lookupEnv(name string) (string, error) {
	if l.src.env == nil {
		return "", fmt.Errorf("environment variable %s is not set", name)
	}
	val, ok := l.src.env(name)
	switch {
	case !ok:
		return "", fmt.Errorf("environment variable %s is not set", name)
	case val == "":
		return "", fmt.Errorf("environment variable %s is empty; expected a value", name)
	case !utf8.ValidString(val):
		return "", fmt.Errorf("environment variable %s is not UTF-8 text", name)
	}
	return val, nil
}

func (l *loader) lookupFile(name string) (string, error) {
	data, err := l.src.file(l.abs(name))
	switch {
	case errors.Is(err, errTooLarge):
		return "", fmt.Errorf("file %q is larger than 64 KiB", name)
	case err != nil:
		return "", fmt.Errorf("file %q: %s", name, reason(err))
	case !utf8.Valid(data):
		return "", fmt.Errorf("file %q is not UTF-8 text", name)
	}
	// Editors and echo end a file with a newline that isn't part of the secret.
	val, cut := strings.CutSuffix(string(data), "\n")
	if cut {
		val = strings.TrimSuffix(val, "\r")
	}
	if val == "" {
		return "", fmt.Errorf("file %q is empty; expected a value", name)
	}
	return val, nil
}

// reason drops the operation and the path, which the message already has.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	if errors.Is(err, syscall.ENOENT) {
		return "no such file"
	}
	return err.Error()
}

// abs resolves a path of the file from the file's own directory.
func (l *loader) abs(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(l.dir, name)
}
