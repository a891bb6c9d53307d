package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// refund is a row of payment pay_1, changed as the test needs it.
func refund(id string, change func(*sqlgen.Refund)) sqlgen.Refund {
	r := sqlgen.Refund{
		ID: "ref_" + id, Version: 1, PaymentID: "pay_1", Merchant: "shop", MerchantRefundID: "refund-" + id, Amount: "10.00", Currency: "HKD",
		Provider: "main", Account: "account-1", Status: "PENDING", SendState: "answered",
	}
	if change != nil {
		change(&r)
	}
	return r
}

func insertRefund(t *testing.T, s *Store, refunds ...sqlgen.Refund) {
	t.Helper()
	update(t, s, func(tx *Tx) error {
		for _, r := range refunds {
			if err := tx.InsertRefund(t.Context(), sqlgen.InsertRefundParams(r)); err != nil {
				return err
			}
		}
		return nil
	})
}

func refundIDs(rows []sqlgen.Refund) (ids []string) {
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestRefunds(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		insert(t, s, payment("1", nil), payment("2", nil))
		first := refund("1", func(r *sqlgen.Refund) { r.AcquirerRefundID, r.DueAt = "acq-1", 20 })
		insertRefund(t, s, first, refund("2", func(r *sqlgen.Refund) { r.DueAt = 10 }),
			refund("3", func(r *sqlgen.Refund) { r.Account, r.DueAt, r.Holder = "account-2", 5, "host_1" }),
			refund("4", func(r *sqlgen.Refund) { r.PaymentID = "pay_2" }))
		ctx, q := t.Context(), s.Read()
		byID, err1 := q.Refund(ctx, "ref_1")
		byMerchant, err2 := q.RefundByMerchantID(ctx, sqlgen.RefundByMerchantIDParams{Merchant: "shop", MerchantRefundID: "refund-1"})
		byAccount, err3 := q.RefundByAccount(ctx, sqlgen.RefundByAccountParams{Account: "account-1", MerchantRefundID: "refund-1"})
		byAcquirer, err4 := q.RefundByAcquirerID(ctx, sqlgen.RefundByAcquirerIDParams{Account: "account-1", AcquirerRefundID: "acq-1"})
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slices.Repeat([]sqlgen.Refund{first}, 4), append(byAcquirer, byID, byMerchant, byAccount)); diff != "" {
			t.Error(diff)
		}
		if unknown, err := q.RefundByAcquirerID(ctx, sqlgen.RefundByAcquirerIDParams{Account: "account-1"}); len(unknown) != 0 || err != nil {
			t.Errorf("not known is not a name: %v (%v)", unknown, err)
		}
		all, err := q.RefundsOfPayment(ctx, "pay_1")
		if got := refundIDs(all); !slices.Equal(got, []string{"ref_1", "ref_2", "ref_3"}) || err != nil {
			t.Errorf("of the payment: %v (%v)", got, err)
		}
		page, err := q.ListRefunds(ctx, sqlgen.ListRefundsParams{PaymentID: "pay_1", Page: 2})
		rest, errRest := q.ListRefunds(ctx, sqlgen.ListRefundsParams{PaymentID: "pay_1", Before: "ref_2", Page: 2})
		if got := refundIDs(append(page, rest...)); !slices.Equal(got, []string{"ref_3", "ref_2", "ref_1"}) || err != nil || errRest != nil {
			t.Errorf("listed: %v (%v, %v)", got, err, errRest)
		}
		overdue, err := q.OverdueRefunds(ctx, sqlgen.OverdueRefundsParams{Now: 20, Page: 9})
		if len(overdue) != 2 || overdue[0].ID != "ref_2" || overdue[1].ID != "ref_1" || err != nil {
			t.Errorf("overdue: %v (%v)", overdue, err)
		}
	})
}

func TestRefundTwice(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		insert(t, s, payment("1", nil))
		insertRefund(t, s, refund("1", nil))
		for what, change := range map[string]func(*sqlgen.Refund){
			"of a merchant":   func(r *sqlgen.Refund) { r.Account = "account-2" },
			"of an account":   func(r *sqlgen.Refund) { r.Merchant = "another shop" },
			"without payment": func(r *sqlgen.Refund) { r.MerchantRefundID, r.PaymentID = "refund-2", "pay_absent" },
		} {
			second := refund("2", func(r *sqlgen.Refund) { r.MerchantRefundID = "refund-1"; change(r) })
			if err := s.Update(t.Context(), func(tx *Tx) error { return tx.InsertRefund(t.Context(), sqlgen.InsertRefundParams(second)) }); err == nil {
				t.Errorf("a second one %s", what)
			}
		}
		for i, want := range []int64{1, 0} { // both have read version 1
			update(t, s, func(tx *Tx) error {
				n, err := tx.UpdateRefund(t.Context(), sqlgen.UpdateRefundParams{Status: "SUCCEEDED", SendState: "answered", RefundedAt: int64(i + 1), ID: "ref_1", Version: 1})
				if n != want {
					t.Errorf("update %d changed %d rows", i, n)
				}
				return err
			})
		}
		if r, err := s.Read().Refund(t.Context(), "ref_1"); r.Version != 2 || r.RefundedAt != 1 || r.Status != "SUCCEEDED" || err != nil {
			t.Errorf("%+v (%v)", r, err)
		}
	})
}

func TestOpenRefunds(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		insert(t, s, payment("0", nil))
		for i, status := range []string{"PENDING", "UNKNOWN", "SUCCEEDED", "FAILED", "PENDING"} {
			insertRefund(t, s, refund(fmt.Sprint(i), func(r *sqlgen.Refund) { r.PaymentID, r.Status, r.DueAt = "pay_0", status, int64(4-i) }))
		}
		insertRefund(t, s, refund("elsewhere", func(r *sqlgen.Refund) { r.PaymentID, r.Status, r.Provider, r.DueAt = "pay_0", "PENDING", "another", 1 }))
		rows, err := s.Read().OpenRefundsOf(t.Context(), "main") // of which ref_4 is not due
		if want := []sqlgen.OpenRefundsOfRow{{ID: "ref_0", Provider: "main", DueAt: 4}, {ID: "ref_1", Provider: "main", DueAt: 3}}; !slices.Equal(rows, want) || err != nil {
			t.Errorf("of one provider: %v (%v)", rows, err)
		}
	})
}
