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

// newRefundHosts are two hosts on one PostgreSQL, with one acquirer that refunds.
// SQLite has one writer, so that only PostgreSQL can show what they do to each
// other.
func newRefundHosts(t *testing.T) (hosts [2]*world, r *refunds) {
	t.Helper()
	database := pgtest.Start(t, "fsync=off").New(t)
	shared := strings.Replace(worldConfig, "store: sqlite:paymux.db", fmt.Sprintf("store: %q", database), 1)
	hosts[0] = newWorldWith(t, shared, func(w *world) { w.refunds = &refunds{acquirer: w.one} })
	t.Cleanup(hosts[0].close)
	hosts[1] = newWorldWith(t, shared, func(w *world) { w.one, w.refunds = hosts[0].one, hosts[0].refunds })
	t.Cleanup(hosts[1].close)
	r = hosts[0].refunds
	r.sends(sdk.RefundSucceeded, nil)
	hosts[0].one.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
		return paymentOf(r.Order, sdk.StatusSucceeded), nil
	})
	return hosts, r
}

// refundAtOnce asks n times at once, the hosts in turn, and returns how many were
// taken. The others must be refused because too little is left.
func refundAtOnce(t *testing.T, hosts [2]*world, payment, id, amount string, n int) (taken int) {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	for i := range n {
		all.Go(func() {
			_, err := hosts[i%2].Refund(context.Background(), "shop-a", payment, RefundRequest{MerchantRefundID: fmt.Sprint(id, "-", i), Amount: amount})
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
	return taken
}

// TestRefundsOnSeveralHosts: hosts that share a database give back no more than
// was paid, and none of them loses another's part of the sum.
func TestRefundsOnSeveralHosts(t *testing.T) {
	hosts, r := newRefundHosts(t)
	p := hosts[0].pay("many").Payment
	taken := refundAtOnce(t, hosts, p.ID, "many", "7.00", 100)
	if sent, _ := r.counts(); taken != 14 || sent != 14 {
		t.Errorf("%d refunds of 7.00 were taken and %d sent of 100.00", taken, sent)
	}
	if got := hosts[1].get(p.ID); got.AmountRefunded != "98.00" {
		t.Errorf("refunded %s", got.AmountRefunded)
	}
}

// TestRefundsHeadOn: each time two hosts reserve, and settle, at the same moment.
// Among hundreds at once they would meet in few transactions only.
func TestRefundsHeadOn(t *testing.T) {
	hosts, _ := newRefundHosts(t)
	for round := range 40 {
		id := fmt.Sprint("r", round)
		p := hosts[0].pay(id).Payment
		if taken := refundAtOnce(t, hosts, p.ID, id+"a", "60.00", 2); taken != 1 {
			t.Fatalf("round %d: %d refunds of 60.00 were taken of 100.00", round, taken)
		}
		if taken := refundAtOnce(t, hosts, p.ID, id+"b", "20.00", 2); taken != 2 {
			t.Fatalf("round %d: %d refunds of 20.00 were taken of 40.00", round, taken)
		}
		if got := hosts[1].get(p.ID); got.AmountRefunded != "100.00" {
			t.Fatalf("round %d: refunded %s", round, got.AmountRefunded)
		}
	}
}
