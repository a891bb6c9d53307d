package host

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestRedaction: a secret is found in whatever way a log shows it.
func TestRedaction(t *testing.T) {
	const key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nsecond-line-of-the-key\n-----END KEY-----"
	const odd = `pa"ss<&>\word`
	var r redaction
	r.add(key, odd, "abc") // the last is too short to be told from words
	asJSON := func(v any) string { b, _ := json.Marshal(v); return string(b) }
	for _, text := range []string{
		key, odd, fmt.Sprintf("%q %q", key, odd), asJSON(map[string]string{"a": key, "b": odd}),
		"one line: MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "the next: second-line-of-the-key!",
	} {
		got := r.text(text)
		for _, part := range []string{"MIIEvQ", "second-line", "word", "<&>"} {
			if strings.Contains(got, part) {
				t.Errorf("%s shows %s", got, part)
			}
		}
	}
	if got := r.text("abc stays"); got != "abc stays" {
		t.Error(got)
	}
}
