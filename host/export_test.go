package host

import (
	"context"
	"testing"

	"github.com/paymux/paymux/sdk"
)

// OpenWorld is a host for tests that need the HTTP API too. Its acquirer does
// something before each order; created counts them.
func OpenWorld(t *testing.T, before func()) (h *Host, created func() int, stop func()) {
	w := newWorldOf(t, eventConfig)
	quick := w.one.create
	w.one.creating(func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
		before()
		return quick(ctx, r)
	})
	return w.Host, w.one.created, w.close
}
