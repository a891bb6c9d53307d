package provider

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/wire"
)

// Authors in other languages have nothing but the document: its numbers are ours.
func TestNumbersInProtocolDoc(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "plugin-protocol.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.Join(strings.Fields(string(data)), " ")
	var codes []string
	for _, c := range slices.Sorted(slices.Values(failing)) {
		if c != sdk.CodePluginTimeout { // nobody says that of oneself: it is the overrun
			codes = append(codes, fmt.Sprint(uint16(c)))
		}
	}
	for _, want := range []string{
		fmt.Sprintf("| Describe, Configure | %.0f s | %d MiB |", localTimeout.Seconds(), wire.MaxMessageBytes>>20),
		fmt.Sprintf("Refund, QueryRefund | %.0f s | %d KiB |", callTimeout.Seconds(), maxAnswer>>10),
		fmt.Sprintf("| ParseNotification | %.0f s | %d KiB |", parseTimeout.Seconds(), maxAnswer>>10),
		fmt.Sprintf("up to %d calls and, beside them, %d ParseNotification", concurrency, concurrency),
		map[int]string{10: "Ten failures in a row of "}[breakerFailures] + strings.Join(codes, ", ") + " or overruns stop the calls",
		fmt.Sprintf("for %.0f s; then three are let through", breakerPause.Seconds()),
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("docs/plugin-protocol.md doesn't say %q", want)
		}
	}
}
