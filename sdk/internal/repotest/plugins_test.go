package repotest

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	// Of go-plugin: what docs/go-plugin-pitfalls.md says isn't used.
	unsafeAPI  = regexp.MustCompile(`goplugin\.(CleanupClients|ReattachConfig|SecureConfig|MuxBroker|RPCClient|RPCServer)\b|broker\.(AcceptAndServe|Accept|Dial)\(|Managed:\s+true`)
	testName   = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	grpcWanted = regexp.MustCompile(`(?m)^\tgoogle\.golang\.org/grpc v1\.([0-9]+)\.`)
)

func TestNoUnsafePluginAPI(t *testing.T) {
	for _, path := range files(t) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			continue
		}
		if found := unsafeAPI.Find(read(t, path)); found != nil {
			t.Errorf("%s uses %s of go-plugin: docs/go-plugin-pitfalls.md says why that is unsafe", path, found)
		}
	}
}

// A page that says by which test each promise is kept is worth as much as those
// tests are there.
func TestPitfallsAreTested(t *testing.T) {
	tests := map[string]bool{}
	for _, path := range files(t) {
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(read(t, path), -1) {
				tests[string(m[1])] = true
			}
		}
	}
	page := string(read(t, "docs/go-plugin-pitfalls.md"))
	for n := 1; n <= 20; n++ {
		_, row, found := strings.Cut(page, "\n| "+strconv.Itoa(n)+" | ")
		row, _, _ = strings.Cut(row, "\n")
		names := testName.FindAllStringSubmatch(row, -1)
		if !found || len(names) == 0 {
			t.Errorf("row %d names no test", n)
		}
		for _, name := range names {
			if !tests[name[1]] {
				t.Errorf("row %d names %s, which isn't there", n, name[1])
			}
		}
	}
}

// go-plugin asks for a grpc of 2024; security fixes are in current ones only.
func TestGRPCIsCurrent(t *testing.T) {
	const oldest = 80
	m := grpcWanted.FindSubmatch(read(t, "go.mod"))
	if m == nil {
		t.Fatal("go.mod doesn't require grpc")
	}
	if minor, _ := strconv.Atoi(string(m[1])); minor < oldest {
		t.Errorf("go.mod requires grpc v1.%d; at least v1.%d", minor, oldest)
	}
}
