package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"
)

// stderrLog takes a plugin's log lines over into the host's log: capped, at a
// bounded rate, with secrets taken out, and with nothing in them by which a
// plugin could abuse levels or forge lines of the host.
type stderrLog struct {
	logger hclog.Logger
	redact func(string) string

	mu      sync.Mutex
	tail    []string // the last lines, for the exit report
	second  time.Time
	lines   int // in this second
	dropped int // since it was last said
}

const (
	longestLine    = 8 << 10
	tailLines      = 10
	tailLength     = 300
	linesPerSecond = 100
)

// read logs what comes until its end.
func (l *stderrLog) read(stderr io.Reader) {
	// Twice as much as is shown is read: a secret that begins in what is shown
	// must be there to its end to be found.
	r := bufio.NewReaderSize(stderr, 2*longestLine)
	for skip := false; ; {
		line, err := r.ReadSlice('\n')
		if text := strings.TrimSpace(string(line)); text != "" && !skip {
			l.line(text)
		}
		skip = errors.Is(err, bufio.ErrBufferFull) // the rest of a longer line is dropped
		if err != nil && !skip {
			l.sayDropped()
			return
		}
	}
}

func (l *stderrLog) line(raw string) {
	message, level, args := parseLine(l.clean(raw), l.clean)
	message = cut(message, longestLine)
	if len(raw) < longestLine && !utf8.ValidString(raw) { // a longer one may be cut within a rune
		args = append(args, "not_utf8", true)
	}
	l.mu.Lock()
	if len(l.tail) == tailLines {
		l.tail = l.tail[1:]
	}
	l.tail = append(l.tail, cut(message, tailLength))
	l.mu.Unlock()
	if l.mayLog(time.Now()) {
		l.logger.Log(level, message, args...)
	}
}

// clean takes secrets out, and what would end a line or steer a terminal.
func (l *stderrLog) clean(s string) string {
	s = l.redact(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

// mayLog counts a line and reports whether there is room for it.
func (l *stderrLog) mayLog(now time.Time) bool {
	l.mu.Lock()
	fresh := now.Sub(l.second) >= time.Second
	if fresh {
		l.second, l.lines = now, 0
	}
	l.lines++
	ok := l.lines <= linesPerSecond
	if !ok {
		l.dropped++
	}
	l.mu.Unlock()
	if fresh {
		l.sayDropped()
	}
	return ok
}

func (l *stderrLog) sayDropped() {
	l.mu.Lock()
	n := l.dropped
	l.dropped = 0
	l.mu.Unlock()
	if n > 0 {
		l.logger.Warn("the plugin logs too much; lines were dropped", "lines", n)
	}
}

// stray reports what a plugin printed to stdout, where only the handshake belongs.
func (l *stderrLog) stray(line string) {
	if l.mayLog(time.Now()) {
		l.logger.Warn("the plugin printed to stdout, which is for the handshake only", "line", cut(l.clean(line), tailLength))
	}
}

// strays reports the first line of what comes, and throws the rest away.
func (l *stderrLog) strays(in *bufio.Reader) {
	for {
		line, err := in.ReadSlice('\n')
		text := strings.TrimSpace(string(line))
		if text != "" {
			l.stray(text)
		}
		if text != "" || err != nil {
			break
		}
	}
	_, _ = io.Copy(io.Discard, in)
}

func (l *stderrLog) last() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.tail)
}

// parseLine reads a line as hclog's JSON if it is, else as text at debug level.
// Nothing is assumed of the type of a value, and all that JSON had escaped is
// cleaned.
func parseLine(line string, clean func(string) string) (message string, level hclog.Level, args []any) {
	var fields map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &fields) != nil {
		return line, hclog.Debug, nil
	}
	message, _ = fields["@message"].(string)
	name, _ := fields["@level"].(string)
	level = hclog.LevelFromString(name)
	if level < hclog.Debug || level > hclog.Error {
		level = hclog.Debug
	}
	for k, v := range fields {
		if strings.HasPrefix(k, "@") {
			continue
		}
		text, ok := v.(string)
		if !ok {
			inJSON, _ := json.Marshal(cleanIn(v, clean)) // it was read from JSON: can't fail
			text = string(inJSON)
		}
		args = append(args, cut(clean(k), tailLength), cut(clean(text), longestLine))
	}
	return clean(message), level, args
}

// cleanIn cleans the strings in a JSON value, which hide a secret once they are
// escaped again.
func cleanIn(v any, clean func(string) string) any {
	switch v := v.(type) {
	case string:
		return clean(v)
	case []any:
		for i := range v {
			v[i] = cleanIn(v[i], clean)
		}
	case map[string]any:
		cleaned := make(map[string]any, len(v))
		for k := range v {
			cleaned[clean(k)] = cleanIn(v[k], clean)
		}
		return cleaned
	}
	return v
}

// cut shortens a text to n bytes and says so.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
