package store

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

func notification(digest, state string, change func(*sqlgen.PutNotificationParams)) sqlgen.PutNotificationParams {
	n := sqlgen.PutNotificationParams{Provider: "main", Digest: digest, State: state, ReceivedAt: 100, Request: "raw"}
	if change != nil {
		change(&n)
	}
	return n
}

func put(t *testing.T, s *Store, all ...sqlgen.PutNotificationParams) {
	t.Helper()
	update(t, s, func(tx *Tx) error {
		for _, n := range all {
			if err := tx.PutNotification(t.Context(), n); err != nil {
				return err
			}
		}
		return nil
	})
}

// The acquirer sends the same bytes again and again: one row, with the latest
// verdict.
func TestNotificationTwice(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		put(t, s, notification("d1", "unparsed", func(n *sqlgen.PutNotificationParams) { n.DueAt = 7 }),
			notification("d1", "matched", func(n *sqlgen.PutNotificationParams) { n.PaymentID, n.ReceivedAt, n.Request = "pay_1", 200, "" }),
			notification("d1", "other", func(n *sqlgen.PutNotificationParams) { n.Provider = "another" }))
		got, err := s.Read().Notification(t.Context(), sqlgen.NotificationParams{Provider: "main", Digest: "d1"})
		want := sqlgen.Notification{Provider: "main", Digest: "d1", State: "matched", ReceivedAt: 100, Request: "raw", PaymentID: "pay_1", Deliveries: 2}
		if got != want || err != nil {
			t.Errorf("got %+v (%v)", got, err)
		}
	})
}

func TestUnmatched(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		about := func(merchant, acquirer string) func(*sqlgen.PutNotificationParams) {
			return func(n *sqlgen.PutNotificationParams) { n.MerchantOrderID, n.AcquirerOrderID = merchant, acquirer }
		}
		put(t, s, notification("both", "unmatched", about("order-1", "acq-1")), notification("merchant", "unmatched", about("order-1", "")),
			notification("acquirer", "unmatched", about("", "acq-1")), notification("nothing", "unmatched", nil),
			notification("other order", "unmatched", about("order-2", "acq-2")), notification("taken", "matched", about("order-1", "acq-1")),
			notification("other provider", "unmatched", func(n *sqlgen.PutNotificationParams) { n.Provider = "another"; about("order-1", "acq-1")(n) }))
		for _, tt := range []struct {
			merchant, acquirer string
			want               []string
		}{
			{"order-1", "acq-1", []string{"acquirer", "both", "merchant"}},
			{"order-1", "", []string{"both", "merchant"}},
			{"order-9", "acq-1", []string{"acquirer", "both"}},
			{"", "acq-1", []string{"acquirer", "both"}},
			{"", "", nil}, // what nobody named is nobody's
		} {
			rows, err := s.Read().UnmatchedFor(t.Context(), sqlgen.UnmatchedForParams{Provider: "main", MerchantOrderID: tt.merchant, AcquirerOrderID: tt.acquirer})
			var got []string
			for _, r := range rows {
				got = append(got, r.Digest)
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) || err != nil {
				t.Errorf("%q, %q: %v (%v)", tt.merchant, tt.acquirer, got, err)
			}
		}
		update(t, s, func(tx *Tx) error {
			return tx.MatchNotification(t.Context(), sqlgen.MatchNotificationParams{PaymentID: "pay_1", Provider: "main", Digest: "both"})
		})
		if n, err := s.Read().Notification(t.Context(), sqlgen.NotificationParams{Provider: "main", Digest: "both"}); n.State != "matched" || n.PaymentID != "pay_1" || err != nil {
			t.Errorf("%+v (%v)", n, err)
		}
	})
}

func TestOverdueNotifications(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for i, due := range []int64{30, 10, 20} {
			put(t, s, notification(fmt.Sprint(i), "unparsed", func(n *sqlgen.PutNotificationParams) { n.DueAt = due }))
		}
		put(t, s, notification("3", "unparsed", func(n *sqlgen.PutNotificationParams) { n.Provider, n.DueAt = "another", 40 }), notification("4", "matched", nil))
		overdue := func(now, page int64) (got []string) {
			rows, err := s.Read().OverdueNotifications(t.Context(), sqlgen.OverdueNotificationsParams{Now: now, Page: page})
			if err != nil {
				t.Error(err)
			}
			for _, r := range rows {
				got = append(got, fmt.Sprint(r.Provider, " ", r.Digest, " ", r.DueAt))
			}
			return got
		}
		if got := overdue(50, 9); !slices.Equal(got, []string{"main 1 10", "main 2 20", "main 0 30", "another 3 40"}) {
			t.Errorf("overdue: %v", got)
		}
		if n, err := s.Read().CountUnparsed(t.Context(), "main"); n != 3 || err != nil {
			t.Errorf("%d unparsed (%v)", n, err)
		}
		update(t, s, func(tx *Tx) error {
			return tx.SettleNotification(t.Context(), sqlgen.SettleNotificationParams{State: "unreadable", DueAt: 0, Provider: "main", Digest: "1"})
		})
		if got := overdue(30, 1); !slices.Equal(got, []string{"main 2 20"}) {
			t.Errorf("overdue after one was given up: %v", got)
		}
		update(t, s, func(tx *Tx) error {
			for _, digest := range []string{"0", "4"} { // 4 has been parsed since
				if err := tx.DropUnparsed(t.Context(), sqlgen.DropUnparsedParams{Provider: "main", Digest: digest}); err != nil {
					return err
				}
			}
			return nil
		})
		_, dropped := s.Read().Notification(t.Context(), sqlgen.NotificationParams{Provider: "main", Digest: "0"})
		_, kept := s.Read().Notification(t.Context(), sqlgen.NotificationParams{Provider: "main", Digest: "4"})
		if !errors.Is(dropped, sql.ErrNoRows) || kept != nil {
			t.Errorf("dropped: %v, kept: %v", dropped, kept)
		}
	})
}

func TestForget(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for _, state := range []string{"unparsed", "matched", "unmatched", "other", "unreadable"} {
			put(t, s, notification("old "+state, state, func(n *sqlgen.PutNotificationParams) { n.ReceivedAt = 99 }), notification("new "+state, state, nil))
		}
		update(t, s, func(tx *Tx) error {
			unmatched, err := tx.ForgetUnmatched(t.Context(), 100)
			if unmatched != 1 || err != nil {
				t.Errorf("forgot %d (%v)", unmatched, err)
			}
			raw, err := tx.ForgetRaw(t.Context(), 100)
			if raw != 3 || err != nil {
				t.Errorf("forgot the bytes of %d (%v)", raw, err)
			}
			return nil
		})
		n, err := s.Read().Notification(t.Context(), sqlgen.NotificationParams{Provider: "main", Digest: "old unparsed"})
		if n.Request != "raw" || err != nil {
			t.Errorf("what is still to be parsed was forgotten: %+v (%v)", n, err)
		}
	})
}
