package process

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Nothing stays unread: a full pipe would block the plugin.
func TestHandshakeReadsAll(t *testing.T) {
	r := newChildRunner(&image{}, "", nil, &stderrLog{logger: (&records{}).logger(), redact: redactSecret})
	go func() { _, _ = io.Copy(io.Discard, r.stdout) }()
	stdout := strings.NewReader("1|1|unix|/s|grpc|cert\n" + strings.Repeat("ready\n", handshakeLimit))
	if r.handshake(stdout); stdout.Len() > 0 {
		t.Errorf("%d bytes are left", stdout.Len())
	}
}

// Only so much is searched for the line: what prints on and on is no plugin.
func TestHandshakeTooLate(t *testing.T) {
	const banner, line = "Welcome! Welcome! Welcome!\n", "1|1|unix|/s|grpc|cert\n"
	for text, found := range map[string]bool{
		strings.Repeat(banner, 2000) + line:                                                        true,
		strings.Repeat(banner, handshakeLimit/len(banner)+1) + line:                                false,
		strings.Repeat("x", handshakeLimit+1) + "\n" + line:                                        false,
		strings.Repeat(banner, handshakeLimit/len(banner)) + strings.Repeat("y", 99) + "\n" + line: false,
	} {
		r := newChildRunner(&image{}, "", nil, &stderrLog{logger: (&records{}).logger(), redact: redactSecret})
		read := make(chan string)
		go func() {
			text, _ := io.ReadAll(r.stdout)
			read <- string(text)
		}()
		r.handshake(strings.NewReader(text))
		if got := <-read; (got == line) != found || got != line && got != "" {
			t.Errorf("%d bytes before the line: read %q", len(text)-len(line), got)
		}
	}
}

// A secret among what is printed to stdout isn't logged, in whole or in part,
// wherever it stands and in however many pieces it comes.
func TestHandshakeRedacts(t *testing.T) {
	const line = "1|1|unix|/s|grpc|cert\n"
	for why, stdout := range map[string]string{
		"before the line":                     "key " + secret + "\n" + line,
		"after the line":                      line + "key " + secret + "\n",
		"after an empty line":                 line + "\n\nkey " + secret + "\n",
		"at the end of what is shown":         line + strings.Repeat("x", tailLength-5) + secret + "\n",
		"at the end of what is shown, before": strings.Repeat("x", tailLength-5) + secret + "\n" + line,
		"at the end of what is searched":      strings.Repeat("x", handshakeLimit-5) + secret + "\n" + line,
	} {
		for name, in := range map[string]io.Reader{"whole": strings.NewReader(stdout), "in bytes": iotest.OneByteReader(strings.NewReader(stdout))} {
			log := &records{}
			r := newChildRunner(&image{}, "", nil, &stderrLog{logger: log.logger(), redact: redactSecret})
			go func() { _, _ = io.Copy(io.Discard, r.stdout) }()
			r.handshake(in)
			got := log.String()
			if got == "" {
				t.Errorf("%s, %s: nothing is logged", why, name)
			}
			for i := range len(secret) - 3 {
				if part := secret[i : i+4]; strings.Contains(got, part) {
					t.Errorf("%s, %s: %q is in %q", why, name, part, got)
					break
				}
			}
		}
	}
}

// Whatever comes in one piece with the handshake line is told of, too.
func TestHandshakeInOnePiece(t *testing.T) {
	const line = "1|1|unix|/s|grpc|cert"
	for stdout, tell := range map[string]string{
		line + "\n":                      "",
		line + "\r\n\n":                  "",
		"hello\n" + line + "\n":          `line=hello`,
		line + "\nready to serve\nnow\n": "ready to serve",
		line:                             "",
	} {
		log := &records{}
		r := newChildRunner(&image{}, "", nil, &stderrLog{logger: log.logger(), redact: redactSecret})
		read := make(chan string)
		go func() {
			text, _ := io.ReadAll(r.stdout)
			read <- string(text)
		}()
		r.handshake(strings.NewReader(stdout))
		if got := <-read; got != line+"\n" {
			t.Errorf("%q: read %q", stdout, got)
		}
		if got := log.String(); !strings.Contains(got, tell) || tell == "" && got != "" {
			t.Errorf("%q: logged %q", stdout, got)
		}
	}
}
