package host

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/paymux/paymux/host/internal/pgtest"
	"github.com/paymux/paymux/sdk"
)

// TestRefundsOnSeveralHosts: hosts that share a database give back no more than
// was paid, and none of them loses another's part of the sum. SQLite has one
// writer, so that only PostgreSQL can show it.
func TestRefundsOnSeveralHosts(t *testing.T) {
	database := pgtest.Start(t, "fsync=off").New(t)
	shared := strings.Replace(worldConfig, "store: sqlite:paymux.db", fmt.Sprintf("store: %q", database), 1)
	first := newWorldWith(t, shared, func(w *world) { w.refunds = &refunds{acquirer: w.one} })
	defer first.close()
	second := newWorldWith(t, shared, func(w *world) { w.one, w.refunds = first.one, first.refunds })
	defer second.close()
	r := first.refunds
	r.sends(sdk.RefundSucceeded, nil)
	first.one.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
		return paymentOf(r.Order, sdk.StatusSucceeded), nil
	})
	p := first.pay("o1").Payment
	var all sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for i := range 100 {
		h := []*world{first, second}[i%2]
		all.Go(func() {
			_, err := h.Refund(context.Background(), "shop-a", p.ID, RefundRequest{MerchantRefundID: fmt.Sprint("r", i), Amount: "7.00"})
			mu.Lock()
			defer mu.Unlock()
			switch codeOf(err) {
			case sdk.CodeUnspecified:
				taken++
			case sdk.CodeRefundTooLarge:
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if sent, _ := r.counts(); taken != 14 || sent != 14 {
		t.Errorf("%d refunds of 7.00 were taken and %d sent of 100.00", taken, sent)
	}
	if got := second.get(p.ID); got.AmountRefunded != "98.00" {
		t.Errorf("refunded %s", got.AmountRefunded)
	}
}
