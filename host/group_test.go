package host

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

func (w *world) payGroup(merchant, order, group string) string {
	w.t.Helper()
	r := request(order)
	r.OrderGroup = group
	c, err := w.Create(context.Background(), merchant, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return c.Payment.ID
}

// TestDuplicatePayment: of twenty attempts that are paid at the same time one is
// the payment, and each other one is flagged with its id.
func TestDuplicatePayment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		var ids []string
		for i := range 20 {
			ids = append(ids, w.payGroup("shop-a", fmt.Sprint("o", i), "g1"))
		}
		apart := []string{w.payGroup("shop-a", "x1", "g2"), w.payGroup("shop-b", "x2", "g1"), w.payGroup("shop-a", "x3", ""), w.payGroup("shop-a", "x4", "")}
		w.one.says(sdk.StatusSucceeded)
		var all sync.WaitGroup
		for _, id := range ids {
			all.Go(func() { _, _ = w.Refresh(context.Background(), "shop-a", id) })
		}
		all.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		first, flagged := "", ""
		for _, id := range ids {
			p := w.is(id, sdk.StatusSucceeded)
			w.told(id)
			if p.Review == nil {
				if first != "" {
					t.Errorf("%s and %s are both the first", first, id)
				}
				first = id
			} else if flagged += string(p.Review.Observed); p.Review.Reason != "duplicate_payment" || reviews(p, "host") != 1 {
				t.Errorf("%+v", p.Review)
			}
		}
		if n := strings.Count(flagged, `{"payment_id":"`+first+`"}`); n != 19 {
			t.Errorf("%d name the first: %s", n, flagged)
		}
		for _, id := range apart {
			if row, err := w.store.Read().Payment(t.Context(), id); err != nil || row.Status != "SUCCEEDED" || row.ReviewReason != "" {
				t.Errorf("%+v, %v", row, err)
			}
		}
	})
}

// TestDuplicateDecided: there is nothing to accept; dismissed is dismissed.
func TestDuplicateDecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		first, second := w.payGroup("shop-a", "o1", "g"), w.payGroup("shop-a", "o2", "g")
		w.one.says(sdk.StatusSucceeded)
		for _, id := range []string{first, second, first, second} {
			if _, err := w.Refresh(t.Context(), "shop-a", id); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.review(second, "accept", "x"); codeOf(err) != sdk.CodeInvalidState || !strings.Contains(err.Error(), "refund") {
			t.Errorf("%v", err)
		}
		if p, err := w.review(second, "dismiss", "refunded at the counter"); err != nil || p.Review != nil || p.Status != "SUCCEEDED" {
			t.Errorf("%+v, %v", p, err)
		}
		if p := w.get(first); p.Review != nil {
			t.Errorf("%+v", p.Review)
		}
		asked := w.one.queried()
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if w.one.queried() != asked {
			t.Error("a paid payment is asked about")
		}
	})
}

// TestDuplicateByAccept: a payment that is SUCCEEDED by a person's word counts.
func TestDuplicateByAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		first, second := w.payGroup("shop-a", "o1", "g"), w.payGroup("shop-a", "o2", "g")
		w.one.lies(sdk.StatusSucceeded, "99.00")
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, id := range []string{first, second} {
			if _, err := w.review(id, "accept", "x"); err != nil {
				t.Fatal(err)
			}
			w.told(id)
		}
		if p := w.is(first, sdk.StatusSucceeded); p.Review != nil {
			t.Errorf("%+v", p.Review)
		}
		if p := w.is(second, sdk.StatusSucceeded); p.Review == nil || p.Review.Reason != "duplicate_payment" || reviews(p, "merchant") != 1 {
			t.Errorf("%+v", p)
		}
	})
}
