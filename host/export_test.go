package host

import (
	"context"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
)

// OpenWorld is a host with acquirers that take two seconds for each Create, for
// tests that need the HTTP API too. It returns how many orders they got.
func OpenWorld(t *testing.T) (h *Host, created func() int, stop func()) {
	w := newWorldOf(t, eventConfig)
	quick := w.one.create
	w.one.creating(func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
		time.Sleep(2 * time.Second)
		return quick(ctx, r)
	})
	return w.Host, w.one.created, w.close
}
