package process

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	pb "github.com/paymux/paymux/sdk/wire/providerv1"
)

const secret = "s3cr3t-of-the-host"

func redactSecret(s string) string { return strings.ReplaceAll(s, secret, "[redacted]") }

// logged returns what the host's log has of a plugin's stderr, and the tail.
func logged(stderr string) (string, []string) {
	r := &records{}
	l := &stderrLog{logger: r.logger(), redact: redactSecret}
	l.read(strings.NewReader(stderr))
	return r.String(), l.last()
}

func TestLogLines(t *testing.T) {
	for _, tt := range []struct {
		why, stderr string
		want        []string
	}{
		{"text", "hello\n", []string{"[DEBUG] hello\n"}},
		{"no last newline", "hello", []string{"[DEBUG] hello\n"}},
		{"empty lines", "\n \n\t\n", nil},
		{"JSON", `{"@level":"warn","@message":"slow","@module":"x","took":1.5,"order":"o 1"}`, []string{"[WARN]  slow", "took=1.5", `order="o 1"`}},
		{"ill-typed", `{"@level":5,"@message":{"a":1},"@timestamp":true,"n":null}`, []string{"[DEBUG] ", "n=null"}},
		{"no message", `{"@message":123,"@level":"error"}`, []string{"[ERROR] "}},
		{"a level unheard of", `{"@level":"panic","@message":"m"}`, []string{"[DEBUG] m"}},
		{"a level that would hide it", `{"@level":"trace","@message":"m"}`, []string{"[DEBUG] m"}},
		{"a level that would switch the log off", `{"@level":"off","@message":"m"}`, []string{"[DEBUG] m"}},
		{"broken JSON", `{"@message":"m"`, []string{`[DEBUG] {"@message":"m"`}},
		{"other JSON", `[1]` + "\nnull", []string{"[DEBUG] [1]\n", "[DEBUG] null\n"}},
		{"invalid UTF-8", "a\xff\xfeb", []string{"a\uFFFDb: not_utf8=true\n"}},
		{"what was invalid UTF-8", "a\uFFFDb\n", []string{"[DEBUG] a\uFFFDb\n"}},
		{"the same in JSON", `{"@level":"warn","@message":"a\ufffdb"}`, []string{"[WARN]  a\uFFFDb\n"}},
	} {
		got, _ := logged(tt.stderr)
		if strings.Count(got, "\n") != max(1, strings.Count(strings.TrimSpace(tt.stderr), "\n")+1) && tt.want != nil || tt.want == nil && got != "" {
			t.Errorf("%s: %q", tt.why, got)
		}
		for _, want := range tt.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q lacks %q", tt.why, got, want)
			}
		}
	}
}

// Wherever a secret is and however it is written, it isn't logged.
func TestLogRedacts(t *testing.T) {
	escaped := ""
	for _, c := range secret {
		escaped += fmt.Sprintf("\\u%04x", c)
	}
	for why, stderr := range map[string]string{
		"text":                        "the key is " + secret,
		"a message":                   `{"@message":"` + secret + `"}`,
		"an escaped message":          `{"@message":"` + escaped + `"}`,
		"a value":                     `{"@message":"m","key":"` + secret + `"}`,
		"an escaped value":            `{"@message":"m","key":"` + escaped + `"}`,
		"a nested value":              `{"@message":"m","config":{"keys":["` + escaped + `"]}}`,
		"a name":                      `{"@message":"m","` + escaped + `":1}`,
		"the end of what is shown":    strings.Repeat("x", longestLine-5) + secret,
		"the end of what is read":     strings.Repeat("x", 2*longestLine-5) + secret,
		"the end of what is kept":     strings.Repeat("x", tailLength-5) + secret,
		"far into a line that is cut": strings.Repeat("x", 5*longestLine-5) + secret,
	} {
		got, tail := logged(stderr + "\n")
		for i := range len(secret) - 6 {
			if part := secret[i : i+6]; strings.Contains(got, part) || strings.Contains(strings.Join(tail, ""), part) {
				t.Errorf("%s: %q is in the log or in the tail", why, part)
				break
			}
		}
	}
}

// A secret may have to be escaped in JSON, as a PEM key is.
func TestLogRedactsWhatJSONEscapes(t *testing.T) {
	const key = "-----BEGIN-----\nk\"<&>y-s3cr3t\n-----END-----"
	inJSON, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, stderr := range []string{
		`{"@message":` + string(inJSON) + `}`,
		`{"@message":"m","config":{"keys":[1,` + string(inJSON) + `],` + string(inJSON) + `:true}}`,
	} {
		r := &records{}
		l := &stderrLog{logger: r.logger(), redact: func(s string) string { return strings.ReplaceAll(s, key, "[redacted]") }}
		l.read(strings.NewReader(stderr))
		if got := r.String(); strings.Contains(got, "s3cr3t") || !strings.Contains(got, "[redacted]") {
			t.Errorf("%s became %s", stderr, got)
		}
	}
}

// A plugin can't write lines of the host, nor steer a terminal.
func TestLogForgery(t *testing.T) {
	for _, stderr := range []string{
		`{"@message":"m\n2026-01-02T03:04:05 [INFO] payment SUCCEEDED"}`,
		`{"@message":"m","k":"v\r\n2026-01-02T03:04:05 [INFO] payment SUCCEEDED"}`,
		`{"@message":"m","k\nn":"v"}`,
		"m \u202eDEDEECCUS tnemyap",
		"\x1b[2Jm\r2026-01-02T03:04:05 [INFO] payment SUCCEEDED\u2028",
		"m\u20292026-01-02T03:04:05 [INFO] payment SUCCEEDED",
	} {
		got, _ := logged(stderr)
		if strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\x1b\r\u2028\u2029\u202e") {
			t.Errorf("%q became %q", stderr, got)
		}
	}
}

func TestLongLines(t *testing.T) {
	got, tail := logged(strings.Repeat("é", 100_000) + "\nnext\n" + strings.Repeat("y", 2*longestLine-1) + "\nlast")
	lines := strings.Split(strings.TrimSpace(got), "\n")
	if len(lines) != 4 || !strings.HasSuffix(lines[1], "next") || !strings.HasSuffix(lines[3], "last") {
		t.Fatalf("%d lines", len(lines))
	}
	for _, i := range []int{0, 2} {
		if len(lines[i]) > longestLine+100 || !strings.HasSuffix(lines[i], "…") {
			t.Errorf("line %d has %d bytes and ends in %q", i, len(lines[i]), lines[i][len(lines[i])-10:])
		}
	}
	if len(tail) != 4 || len(tail[0]) > tailLength+3 || strings.ContainsRune(tail[0], '\uFFFD') {
		t.Errorf("tail %q", tail)
	}
}

func TestTail(t *testing.T) {
	var all []string
	for i := range 1000 {
		all = append(all, fmt.Sprint("line ", i))
	}
	got, tail := logged(strings.Join(all, "\n"))
	if !slices.Equal(tail, all[1000-tailLines:]) {
		t.Errorf("tail %q", tail)
	}
	// Most of them came in one second, or on a slow machine in some.
	if n := strings.Count(got, "line "); n < linesPerSecond || n > 5*linesPerSecond || !strings.Contains(got, "lines were dropped") {
		t.Errorf("%d lines were logged", n)
	}
}

// What was dropped is said once the next second has begun, not only at the end.
func TestDroppedLines(t *testing.T) {
	r := &records{}
	l := &stderrLog{logger: r.logger(), redact: redactSecret}
	now := time.Now()
	for i := range linesPerSecond + 3 {
		if l.mayLog(now) != (i < linesPerSecond) {
			t.Errorf("line %d", i)
		}
	}
	if got := r.String(); got != "" {
		t.Error(got)
	}
	if !l.mayLog(now.Add(time.Second)) || !strings.Contains(r.String(), "lines were dropped: lines=3") {
		t.Errorf("a second later: %s", r.String())
	}
}

// A flood harms neither the host's log nor the plugin's service.
func TestFlood(t *testing.T) {
	s := start(t, "flood", nil)
	s.running(t)
	eventually(t, "lines to be dropped", func() bool { return strings.Contains(s.log.String(), "lines were dropped") })
	service, err := s.Service(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := service.Describe(t.Context(), &pb.DescribeRequest{}); err != nil {
		t.Error(err)
	}
	s.Stop()
	if st := s.Status(); len(st.LastExit.LastLog) != tailLines || time.Since(began) > 20*time.Second {
		t.Errorf("last log %q, after %s", st.LastExit.LastLog, time.Since(began))
	}
}

// go-plugin itself panics on such lines; see hashicorp/go-plugin, log_entry.go.
func TestIllTypedLines(t *testing.T) {
	s := start(t, "ill-typed", nil)
	s.running(t)
	eventually(t, "its lines", func() bool { return strings.Contains(s.log.String(), "well typed: count=7") })
}

// What a plugin prints once it serves goes to the log too: go-plugin takes its
// stdout and stderr over by then.
func TestPrintedWhileItServes(t *testing.T) {
	s := start(t, "good", func(o *Options) {
		o.Redact = func(s string) string { return strings.ReplaceAll(s, "Open", "[redacted]") }
	})
	service, err := s.Service(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = service.Configure(t.Context(), &pb.ConfigureRequest{Instance: &pb.Instance{Name: "a", ConfigDigest: "d"}, Config: []byte(`{"uid":"1"}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"printed to stdout by [redacted]", "printed to stderr by [redacted]", "for the handshake only: line=\"printed to the descriptor by [redacted]\""} {
		eventually(t, want, func() bool { return strings.Contains(s.log.String(), want) })
	}
}
