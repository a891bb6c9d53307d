package process

import (
	"io"
	"strings"
	"testing"
)

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
