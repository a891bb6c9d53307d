package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// ids are the last parts of the payments' ids, in order.
func ids(t *testing.T, rows []sqlgen.Payment, err error) string {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
	var all []string
	for _, r := range rows {
		all = append(all, strings.TrimPrefix(r.ID, "pay_"))
	}
	return strings.Join(all, " ")
}

func TestLists(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for i := range 6 {
			insert(t, s, payment(fmt.Sprint(i), func(p *sqlgen.Payment) {
				p.OrderGroup = []string{"", "cart"}[i%2]                // 1 3 5
				p.Status = []string{"PENDING", "FAILED"}[i/3]           // 0-2, 3-5
				p.ReviewReason = []string{"", "stale", "mismatch"}[i%3] // 1 4 stale, 2 5 mismatch
			}), payment(fmt.Sprintf("%d-of-another-shop", i), func(p *sqlgen.Payment) {
				p.Merchant, p.OrderGroup, p.ReviewReason = "another shop", "cart", "stale"
			}))
		}
		ctx, q := t.Context(), s.Read()
		for _, tt := range []struct {
			before, status, review string
			page                   int64
			list, group            string
		}{
			{"", "", "", 50, "5 4 3 2 1 0", "5 3 1"},
			{"", "", "", 2, "5 4", "5 3"},
			{"pay_4", "", "", 2, "3 2", "3 1"},
			{"pay_0", "", "", 50, "", ""},
			{"pay_9", "", "", 1, "5", "5"},
			{"", "FAILED", "", 50, "5 4 3", "5 3"},
			{"pay_5", "FAILED", "", 1, "4", "3"},
			{"", "SUCCEEDED", "", 50, "", ""},
			{"", "", "any", 50, "5 4 2 1", "5 1"},
			{"pay_4", "", "any", 50, "2 1", "1"},
			{"", "", "stale", 50, "4 1", "1"},
			{"", "PENDING", "stale", 50, "1", "1"},
			{"", "", "late_success", 50, "", ""},
			{"", "", "", 0, "", ""},
		} {
			var list []sqlgen.Payment
			var err error
			switch {
			case tt.review != "":
				list, err = q.ListForReview(ctx, sqlgen.ListForReviewParams{Merchant: "shop", Before: tt.before, Status: tt.status, Review: tt.review, Page: tt.page})
			case tt.status != "":
				list, err = q.ListByStatus(ctx, sqlgen.ListByStatusParams{Merchant: "shop", Before: tt.before, Status: tt.status, Page: tt.page})
			default:
				list, err = q.ListPayments(ctx, sqlgen.ListPaymentsParams{Merchant: "shop", Before: tt.before, Page: tt.page})
			}
			if got := ids(t, list, err); got != tt.list {
				t.Errorf("%+v: listed %q", tt, got)
			}
			group, err := q.ListGroup(ctx, sqlgen.ListGroupParams{Merchant: "shop", OrderGroup: "cart", Before: tt.before, Status: tt.status, Review: tt.review, Page: tt.page})
			if got := ids(t, group, err); got != tt.group {
				t.Errorf("%+v: the group has %q", tt, got)
			}
		}
	})
}

func TestOneMerchantsPayment(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		insert(t, s, payment("1", nil))
		for merchant, found := range map[string]bool{"shop": true, "SHOP": false, "another shop": false, "": false} {
			_, byID := s.Read().PaymentOfMerchant(t.Context(), sqlgen.PaymentOfMerchantParams{ID: "pay_1", Merchant: merchant})
			_, byOrder := s.Read().PaymentByMerchantOrder(t.Context(), sqlgen.PaymentByMerchantOrderParams{Merchant: merchant, MerchantOrderID: "order-1"})
			if (byID == nil) != found || (byOrder == nil) != found {
				t.Errorf("merchant %q: %v, %v", merchant, byID, byOrder)
			}
		}
	})
}

func TestByAcquirerOrder(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		order := func(account, acquirer string) func(*sqlgen.Payment) {
			return func(p *sqlgen.Payment) { p.Account, p.AcquirerOrderID = account, acquirer }
		}
		insert(t, s, payment("1", order("account-1", "")), payment("2", order("account-1", "acq-1")), payment("3", order("account-2", "acq-1")),
			payment("4", order("account-1", "acq-2")), payment("5", order("account-1", "acq-2")), payment("6", order("account-1", "acq-2")))
		for _, tt := range []struct{ account, acquirer, want string }{
			{"account-1", "acq-1", "2"},
			{"account-2", "acq-1", "3"},
			{"account-1", "acq-2", "4 5"}, // two are enough to see that it isn't one
			{"account-1", "", ""},         // not known is not a name
			{"", "acq-1", ""},
		} {
			rows, err := s.Read().PaymentByAcquirerOrder(t.Context(), sqlgen.PaymentByAcquirerOrderParams{Account: tt.account, AcquirerOrderID: tt.acquirer})
			if got := ids(t, rows, err); got != tt.want {
				t.Errorf("%+v: %q", tt, got)
			}
		}
	})
}

func TestSentOrders(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		insert(t, s, payment("1", nil))
		err := s.Update(t.Context(), func(tx *Tx) error {
			_, err := tx.InsertSentOrder(t.Context(), sqlgen.InsertSentOrderParams{Account: "account-1", MerchantOrderID: "order-1", PaymentID: "pay_1"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for account, found := range map[string]bool{"account-1": true, "account-2": false} {
			p, err := s.Read().PaymentBySentOrder(t.Context(), sqlgen.PaymentBySentOrderParams{Account: account, MerchantOrderID: "order-1"})
			if (err == nil) != found || found && p.ID != "pay_1" {
				t.Errorf("%s: %q, %v", account, p.ID, err)
			}
		}
	})
}
