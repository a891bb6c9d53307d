package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// document parses data into the one mapping that a config file is; it reports
// why it is none.
func (l *loader) document(data []byte) *yaml.Node {
	if len(data) > maxConfigFile {
		l.failAt(1, 1, "file is larger than 16 MiB; expected a smaller one")
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if i, what := badByte(data); i >= 0 {
		line, column := lineColumn(data, i)
		l.failAt(line, column, "%s; expected UTF-8 text", what)
		return nil
	}
	docs, err := decode(bytes.NewReader(data))
	switch {
	case err != nil:
		line, column, message := explain(data, err)
		l.failAt(line, column, "%s", message)
	case len(docs) == 0:
		l.failAt(1, 1, "file is empty; expected at least providers")
	case len(docs) > 1:
		l.failAt(docs[1].Line, docs[1].Column, "found a second document; expected one, without --- between")
	case docs[0].Kind != yaml.MappingNode:
		l.failAt(docs[0].Line, docs[0].Column, "found %s; expected a mapping of keys such as providers", kind(docs[0]))
	default:
		return docs[0]
	}
	return nil
}

// badByte returns the place of the first byte that no config file may hold, or
// -1.
func badByte(data []byte) (int, string) {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			return i, "found a byte that is not UTF-8"
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85:
			return i, "found a control character"
		}
		i += n
	}
	return -1, ""
}

func lineColumn(data []byte, offset int) (line, column int) {
	before := data[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}

// decode returns the roots of up to two documents.
func decode(r io.Reader) (docs []*yaml.Node, err error) {
	defer func() {
		// The YAML library panics where it trusts its own states.
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot be parsed (%v)", p)
		}
	}()
	d := yaml.NewDecoder(r)
	for len(docs) < 2 {
		var n yaml.Node
		if err := d.Decode(&n); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return docs, err
		}
		docs = append(docs, n.Content[0])
	}
	return docs, nil
}

// explain makes a place and a message of the YAML library's error.
func explain(data []byte, err error) (line, column int, message string) {
	message = strings.TrimPrefix(err.Error(), "yaml: ")
	reported := 0
	if rest, ok := strings.CutPrefix(message, "line "); ok {
		number, text, _ := strings.Cut(rest, ": ")
		reported, _ = strconv.Atoi(number)
		message = text
	}
	line = brokenLine(data, reported)
	text := lineText(data, line)
	indent := len(text) - len(strings.TrimLeft(text, " \t"))
	switch tab := strings.IndexByte(text[:indent], '\t'); {
	case tab >= 0:
		return line, tab + 1, "found a tab in the indentation; expected spaces"
	case strings.HasPrefix(message, "unknown anchor"):
		// The library's text repeats the name, which may be a password that
		// happens to begin with an asterisk.
		message = noAliases
	default:
		message = "not valid YAML: " + message + "; check indentation, quotes and brackets from here on"
	}
	return line, indent + 1, message
}

// brokenLine finds the line of a syntax error: the one after the longest run of
// whole lines that parses. The library's own line often is that of the block
// around the mistake, or missing.
func brokenLine(data []byte, reported int) int {
	r := &byteReader{data: data}
	_, _ = decode(r)
	line, _ := lineColumn(data, max(0, r.read-1))
	end := bytes.LastIndexByte(data[:max(0, r.read-1)], '\n') + 1
	for last, budget := line, 2<<20; budget > 0; last-- {
		if _, err := decode(bytes.NewReader(data[:end])); err == nil {
			return last
		}
		budget -= end + 1024
		end = bytes.LastIndexByte(data[:max(0, end-1)], '\n') + 1
	}
	// The library names no line when it is the first.
	return max(1, reported)
}

func lineText(data []byte, line int) string {
	for range line - 1 {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	text, _, _ := bytes.Cut(data, []byte("\n"))
	return string(text)
}

// byteReader gives out one byte at a time, so that read tells how far the
// library had come when it gave up.
type byteReader struct {
	data []byte
	read int
}

func (r *byteReader) Read(p []byte) (int, error) {
	if r.read == len(r.data) {
		return 0, io.EOF
	}
	p[0] = r.data[r.read]
	r.read++
	return 1, nil
}
