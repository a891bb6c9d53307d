package conformance

import (
	"path/filepath"
	"testing"

	"github.com/paymux/paymux/host/internal/process"
)

// A process that isn't there has no id to kill: 0 would be everybody's of the
// caller's group.
func TestKilledWithoutProcess(t *testing.T) {
	p := process.Start(process.Options{Name: "none", Path: filepath.Join(t.TempDir(), "none")})
	p.Stop()
	if err := killed(t.Context(), p); err == nil {
		t.Error("what was killed?")
	}
}
