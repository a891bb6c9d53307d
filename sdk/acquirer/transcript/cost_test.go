package transcript

import (
	"fmt"
	"strings"
	"testing"
)

// An acquirer's answer is a stranger's: none may cost more than it is worth.
func TestCostOfBodies(t *testing.T) {
	const size = 1 << 20
	var tokens strings.Builder
	for i := range size / 24 {
		_, _ = fmt.Fprintf(&tokens, `{"token":"abcd-%d"},`, i+100000)
	}
	link := strings.Repeat(`a:?x=`, size/5)
	for name, body := range map[string]string{
		"tokens":  "[" + tokens.String() + "1]",
		"nested":  strings.Repeat("[", size),
		"links":   `{"a":"` + link + `"}`,
		"strings": `{"a":"[` + strings.Repeat(`\"x\",`, size/6) + `1]"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newScrubber(Options{Secrets: []string{secret}}).message(Message{}, "", nil, []byte(body), true)
		})
	}
}
