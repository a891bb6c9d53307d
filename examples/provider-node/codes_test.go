package providernode_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/paymux/paymux/sdk"
)

// The codes in the document and in the plugin are those of the contract.
func TestCodes(t *testing.T) {
	for path, row := range map[string]*regexp.Regexp{
		filepath.Join("..", "..", "docs", "plugin-protocol.md"): regexp.MustCompile(`(?m)^\| (?P<code>\d+) \| (?P<name>[A-Z_]+) \|`),
		filepath.Join("plugin", "failure.js"):                   regexp.MustCompile(`(?m)^  (?P<name>[A-Z_]+): (?P<code>\d+),$`),
	} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := row.FindAllStringSubmatch(string(data), -1)
		if len(found) == 0 {
			t.Errorf("%s: no codes", path)
		}
		for _, m := range found {
			name := m[row.SubexpIndex("name")]
			code, err := strconv.ParseUint(m[row.SubexpIndex("code")], 10, 16)
			if err != nil || sdk.Code(code).Name() != name {
				t.Errorf("%s: %d is %s, not %s", path, code, sdk.Code(code).Name(), name)
			}
		}
	}
}
