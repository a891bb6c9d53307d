package providertest

import (
	"testing"
	"time"
)

// SetDeadline shortens what a call waits for an answer that doesn't come, and
// what it gets to notice.
func SetDeadline(t *testing.T, d time.Duration) {
	beforeShort, beforePatience := short, patience
	short, patience = d, 20*d
	t.Cleanup(func() { short, patience = beforeShort, beforePatience })
}
