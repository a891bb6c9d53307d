package lifecycle_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/sdk"
)

// Any walk through the table ends: it never stays, never comes back, and stops at
// an end and nowhere else.
func TestTableWalks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, seen := sdk.StatusCreated, map[sdk.Status]bool{}
		for !seen[at] {
			seen[at] = true
			var next []sdk.Status
			for _, s := range sdk.Statuses() {
				if lifecycle.Legal(at, s) {
					next = append(next, s)
				}
			}
			if (len(next) == 0) != at.Terminal() {
				t.Fatalf("%s is terminal: %t, and may become %v", at, at.Terminal(), next)
			}
			if at.Terminal() {
				return
			}
			at = rapid.SampledFrom(next).Draw(t, "next")
		}
		t.Fatalf("a payment was %s, and became it again", at)
	})
}
