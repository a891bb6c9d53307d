package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
)

// stderrLog takes a plugin's log lines over into the host's log: capped, with
// secrets taken out, and with levels that a plugin can't abuse.
type stderrLog struct {
	logger hclog.Logger
	redact func(string) string

	mu   sync.Mutex
	tail []string // the last lines, for the exit report
}

const (
	longestLine = 8 << 10
	tailLines   = 10
	tailLength  = 300
)

func (l *stderrLog) read(stderr io.Reader) {
	r := bufio.NewReaderSize(stderr, longestLine)
	for {
		line, err := r.ReadSlice('\n')
		if text := strings.TrimSpace(string(line)); text != "" {
			l.line(text)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue // a longer line goes on as the next one
		}
		if err != nil {
			return
		}
	}
}

func (l *stderrLog) line(raw string) {
	message, level, args := parseLine(l.redact(strings.ToValidUTF8(raw, "\uFFFD")))
	l.mu.Lock()
	if len(l.tail) == tailLines {
		l.tail = l.tail[1:]
	}
	l.tail = append(l.tail, message[:min(len(message), tailLength)])
	l.mu.Unlock()
	l.logger.Log(level, message, args...)
}

// stray reports what a plugin printed to stdout, where only the handshake belongs.
func (l *stderrLog) stray(line string) {
	l.logger.Warn("the plugin printed to stdout, which is for the handshake only", "line", l.redact(line[:min(len(line), tailLength)]))
}

func (l *stderrLog) last() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.tail...)
}

// parseLine reads a line as hclog's JSON if it is, else as text at debug level.
// Every value is taken as what it is: nothing is assumed of its type.
func parseLine(line string) (message string, level hclog.Level, args []any) {
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
		if !strings.HasPrefix(k, "@") {
			args = append(args, k, v)
		}
	}
	return message, level, args
}
