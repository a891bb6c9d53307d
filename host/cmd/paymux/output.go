package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// jsonFlag is the --json of every command that has an answer.
type jsonFlag struct {
	JSON bool `name:"json" help:"Print JSON, for programs."`
}

// printJSON prints a value as one indented document. HTML characters stay as
// they are: URLs are to be copied.
func (a *app) printJSON(value any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := a.stdout.Write(b.Bytes())
	return err
}

// printRaw prints a document of the API as it came, so that nothing is lost
// that this program doesn't know.
func (a *app) printRaw(document []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, document, "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.stdout, strings.TrimSpace(b.String()))
	return err
}

func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.stdout, format, args...) }

// table prints aligned columns.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer, columns ...string) *table {
	t := &table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	if len(columns) > 0 {
		t.row(columns...)
	}
	return t
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		cells[i] = plain(c)
	}
	fmt.Fprintln(t.w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
}

func (t *table) flush() { t.w.Flush() }

// fields prints "name  value" lines, without those that have no value.
func (a *app) fields(pairs ...string) {
	t := newTable(a.stdout)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			t.row(pairs[i], pairs[i+1])
		}
	}
	t.flush()
}

// plain keeps words of acquirers and plugins from steering the terminal or the
// table.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
