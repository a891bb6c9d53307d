package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk/wire"
)

// Authors in other languages have nothing but the document: its numbers are ours.
func TestNumbersInProtocolDoc(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "plugin-protocol.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.Join(strings.Fields(string(data)), " ")
	handshake := wire.Handshake()
	for _, want := range []string{
		fmt.Sprintf("| `%s` | `%s`, in all versions", handshake.MagicCookieKey, handshake.MagicCookieValue),
		fmt.Sprintf("Today there is version %d.", wire.Protocol),
		fmt.Sprintf("`%s`", wire.ClientCertificateEnv),
		fmt.Sprintf("at most %d bytes long", longestDir),
		fmt.Sprintf("within the first %d KiB of stdout", handshakeLimit>>10),
		fmt.Sprintf("to the first good health answer, within %.0f s", usual.start.Seconds()),
		fmt.Sprintf("then every %.0f s, each time for %.0f s at most", usual.health.Seconds(), usual.answer.Seconds()),
		fmt.Sprintf("at most %d GiB", largestBinary>>30),
		fmt.Sprintf("Lines are cut at %d KiB, and beyond %d in a second", longestLine>>10, linesPerSecond),
		fmt.Sprintf("The last %d lines", tailLines),
		fmt.Sprintf("Requests have at most %d MiB", wire.MaxMessageBytes>>20),
		fmt.Sprintf("Calls wait for it for %.0f s", usual.wait.Seconds()),
		fmt.Sprintf("after %d ms, then after twice as long each time up to %.0f s", usual.firstBackoff.Milliseconds(), usual.longestBackoff.Seconds()),
		fmt.Sprintf("within %.0f minutes, each about another payment or refund, end the process and put the plugin into quarantine for %.0f minutes",
			usual.lieWindow.Minutes(), usual.quarantine.Minutes()),
		map[int]string{5: "Five within"}[usual.lies],
		map[int]string{10: "So do ten starts or short lives"}[usual.budget] + fmt.Sprintf(" (%.0f s)", usual.steady.Seconds()),
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("docs/plugin-protocol.md doesn't say %q", want)
		}
	}
}
