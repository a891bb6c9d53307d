package store

import (
	"fmt"
	"slices"
	"testing"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

func TestOverduePayments(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for i, due := range []int64{30, 10, 20, 40, 0, 20} {
			insert(t, s, payment(fmt.Sprint(i), func(p *sqlgen.Payment) { p.DueAt = due }))
		}
		insert(t, s, payment("held", func(p *sqlgen.Payment) { p.DueAt, p.Holder = 5, "host_1" })) // that host looks after it
		for _, tt := range []struct {
			now, page int64
			want      []string
		}{
			{9, 10, nil},
			{10, 10, []string{"pay_1 10"}},
			{50, 10, []string{"pay_1 10", "pay_2 20", "pay_5 20", "pay_0 30", "pay_3 40"}},
			{50, 2, []string{"pay_1 10", "pay_2 20"}},
		} {
			rows, err := s.Read().OverduePayments(t.Context(), sqlgen.OverduePaymentsParams{Now: tt.now, Page: tt.page})
			var got []string
			for _, r := range rows {
				got = append(got, fmt.Sprint(r.ID, " ", r.DueAt))
			}
			if !slices.Equal(got, tt.want) || err != nil {
				t.Errorf("at %d, at most %d: %v (%v)", tt.now, tt.page, got, err)
			}
		}
	})
}

func TestHeld(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for i, holder := range []string{"host_b", "", "host_a", "host_b"} {
			insert(t, s, payment(fmt.Sprint(i), func(p *sqlgen.Payment) { p.Holder = holder }))
			insertRefund(t, s, refund(fmt.Sprint(i), func(r *sqlgen.Refund) { r.PaymentID, r.Holder = "pay_0", holder }))
		}
		payments, err := s.Read().HeldPayments(t.Context())
		if want := []sqlgen.HeldPaymentsRow{{ID: "pay_2", Holder: "host_a"}, {ID: "pay_0", Holder: "host_b"}, {ID: "pay_3", Holder: "host_b"}}; !slices.Equal(payments, want) || err != nil {
			t.Errorf("payments: %v (%v)", payments, err)
		}
		refunds, err := s.Read().HeldRefunds(t.Context())
		if want := []sqlgen.HeldRefundsRow{{ID: "ref_2", Holder: "host_a"}, {ID: "ref_0", Holder: "host_b"}, {ID: "ref_3", Holder: "host_b"}}; !slices.Equal(refunds, want) || err != nil {
			t.Errorf("refunds: %v (%v)", refunds, err)
		}
	})
}

func TestUnsettled(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		states := []string{"CREATED", "PENDING", "AUTHORIZED", "SUCCEEDED", "CANCELLED", "EXPIRED", "FAILED", "UNKNOWN"}
		for i, status := range states {
			insert(t, s, payment(fmt.Sprint(i), func(p *sqlgen.Payment) {
				p.Status, p.Account, p.DueAt = status, []string{"account-1", "account-2"}[i/7], int64(i)
			}))
		}
		insert(t, s, payment("elsewhere", func(p *sqlgen.Payment) { p.Provider, p.DueAt = "another", 1 }))
		counts, err := s.Read().UnsettledByProvider(t.Context())
		want := []sqlgen.UnsettledByProviderRow{
			{Provider: "another", Account: "account-1", Payments: 1}, {Provider: "main", Account: "account-1", Payments: 3}, {Provider: "main", Account: "account-2", Payments: 1},
		}
		if !slices.Equal(counts, want) || err != nil {
			t.Errorf("counts: %v (%v)", counts, err)
		}
		rows, err := s.Read().UnsettledOf(t.Context(), "main") // of which pay_0 is not due
		var got []string
		for _, r := range rows {
			got = append(got, fmt.Sprint(r.ID, r.Provider, r.DueAt))
		}
		if want := []string{"pay_1main1", "pay_2main2", "pay_7main7"}; !slices.Equal(got, want) || err != nil {
			t.Errorf("of one provider: %v (%v)", got, err)
		}
	})
}
