package store

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// appendEvent appends one and sends it to endpoint a.
func appendEvent(t *testing.T, s *Store, id, payment string, createdAt int64) (sequence int64) {
	t.Helper()
	update(t, s, func(tx *Tx) (err error) {
		sequence, err = tx.AppendEvent(t.Context(), sqlgen.AppendEventParams{ID: id, Merchant: "shop", PaymentID: payment, Type: "payment.pending", Data: "{}", CreatedAt: createdAt})
		return errors.Join(err, tx.PutDelivery(t.Context(), sqlgen.PutDeliveryParams{EventID: id, Endpoint: "a", DueAt: createdAt, UpdatedAt: createdAt}))
	})
	return sequence
}

func TestEvents(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		insert(t, s, payment("1", nil), payment("2", nil))
		for i, tt := range []struct {
			payment string
			want    int64
		}{{"pay_1", 1}, {"pay_1", 2}, {"pay_2", 1}, {"pay_1", 3}} {
			if got := appendEvent(t, s, fmt.Sprint("evt_", i), tt.payment, int64(i)); got != tt.want {
				t.Errorf("event %d is number %d of its payment, not %d", i, got, tt.want)
			}
		}
		list := func(before string) (got []string) {
			rows, err := s.Read().ListEvents(t.Context(), sqlgen.ListEventsParams{Merchant: "shop", Before: before, Page: 2})
			if err != nil {
				t.Error(err)
			}
			for _, r := range rows {
				got = append(got, r.ID)
			}
			return got
		}
		if a, b := list(""), list("evt_2"); !slices.Equal(a, []string{"evt_3", "evt_2"}) || !slices.Equal(b, []string{"evt_1", "evt_0"}) {
			t.Errorf("listed %v and %v", a, b)
		}
		for merchant, found := range map[string]bool{"shop": true, "another shop": false} {
			if _, err := s.Read().EventOfMerchant(t.Context(), sqlgen.EventOfMerchantParams{ID: "evt_0", Merchant: merchant}); (err == nil) != found {
				t.Errorf("%s: %v", merchant, err)
			}
		}
		update(t, s, func(tx *Tx) error { // all that is older than evt_2
			deliveries, err1 := tx.ForgetDeliveries(t.Context(), 2)
			events, err2 := tx.ForgetEvents(t.Context(), 2)
			if deliveries != 2 || events != 2 {
				t.Errorf("forgot %d deliveries and %d events", deliveries, events)
			}
			return errors.Join(err1, err2)
		})
		if got := list("evt_2"); got != nil {
			t.Errorf("forgotten, but listed: %v", got)
		}
		if _, err := s.Read().EventOfMerchant(t.Context(), sqlgen.EventOfMerchantParams{ID: "evt_0", Merchant: "shop"}); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("forgotten, but found: %v", err)
		}
		if e, err := s.Read().Event(t.Context(), "evt_0"); e.Data != "" || e.Sequence != 1 || err != nil {
			t.Errorf("%+v (%v)", e, err)
		}
		if got := appendEvent(t, s, "evt_4", "pay_1", 9); got != 4 {
			t.Errorf("the sequence begins again: %d", got)
		}
	})
}

func TestDeliveries(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		insert(t, s, payment("1", nil))
		appendEvent(t, s, "evt_1", "pay_1", 10)
		update(t, s, func(tx *Tx) error {
			return tx.PutDelivery(t.Context(), sqlgen.PutDeliveryParams{EventID: "evt_1", Endpoint: "b", DueAt: 30})
		})
		for i, want := range []int64{1, 0} { // two hosts have tried it once
			update(t, s, func(tx *Tx) error {
				n, err := tx.SettleDelivery(t.Context(), sqlgen.SettleDeliveryParams{State: "pending", DueAt: 20, UpdatedAt: 11, LastStatus: 500, LastError: "HTTP 500", EventID: "evt_1", Endpoint: "a", Tries: 0})
				if n != want {
					t.Errorf("settling it (%d) changed %d rows", i, n)
				}
				return err
			})
		}
		want := sqlgen.Delivery{EventID: "evt_1", Endpoint: "a", State: "pending", Tries: 1, DueAt: 20, UpdatedAt: 11, LastStatus: 500, LastError: "HTTP 500"}
		if got, err := s.Read().Delivery(t.Context(), sqlgen.DeliveryParams{EventID: "evt_1", Endpoint: "a"}); got != want || err != nil {
			t.Errorf("%+v (%v)", got, err)
		}
		overdue, err := s.Read().OverdueDeliveries(t.Context(), sqlgen.OverdueDeliveriesParams{Now: 20, Page: 9})
		if !slices.Equal(overdue, []sqlgen.OverdueDeliveriesRow{{EventID: "evt_1", Endpoint: "a", DueAt: 20}}) || err != nil {
			t.Errorf("overdue: %v (%v)", overdue, err)
		}
		update(t, s, func(tx *Tx) error { // asked for again
			return tx.PutDelivery(t.Context(), sqlgen.PutDeliveryParams{EventID: "evt_1", Endpoint: "a", DueAt: 40, UpdatedAt: 40})
		})
		all, err := s.Read().DeliveriesOf(t.Context(), "evt_1")
		if len(all) != 2 || all[0].Tries != 0 || all[0].DueAt != 40 || all[1].Endpoint != "b" || err != nil {
			t.Errorf("%+v (%v)", all, err)
		}
	})
}

func TestPaidGroup(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		insert(t, s, payment("1", nil), payment("2", nil))
		for i, want := range []int64{1, 0} { // the first attempt that is paid has it
			update(t, s, func(tx *Tx) error {
				n, err := tx.ClaimPaidGroup(t.Context(), sqlgen.ClaimPaidGroupParams{Merchant: "shop", OrderGroup: "cart", PaymentID: fmt.Sprint("pay_", i+1)})
				if n != want {
					t.Errorf("claim %d changed %d rows", i, n)
				}
				return err
			})
		}
		if id, err := s.Read().PaidGroup(t.Context(), sqlgen.PaidGroupParams{Merchant: "shop", OrderGroup: "cart"}); id != "pay_1" || err != nil {
			t.Errorf("paid by %q (%v)", id, err)
		}
	})
}

func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		take := func(key, holder string, createdAt int64) (n int64) {
			update(t, s, func(tx *Tx) (err error) {
				n, err = tx.TakeKey(ctx, sqlgen.TakeKeyParams{Merchant: "shop", Path: "/v1/payments", Key: key, RequestDigest: "d", Holder: holder, CreatedAt: createdAt})
				return err
			})
			return n
		}
		answer := func(holder string) (n int64) {
			update(t, s, func(tx *Tx) (err error) {
				n, err = tx.AnswerKey(ctx, sqlgen.AnswerKeyParams{Status: 201, ContentType: "application/json", Location: "/l", Body: "{}", Merchant: "shop", Path: "/v1/payments", Key: "1", Holder: holder})
				return err
			})
			return n
		}
		if first, second := take("1", s.Host(), 10), take("1", "host_other", 10); first != 1 || second != 0 {
			t.Errorf("taken %d and %d times", first, second)
		}
		if other, own, again := answer("host_other"), answer(s.Host()), answer(s.Host()); other != 0 || own != 1 || again != 0 {
			t.Errorf("answered %d, %d and %d times", other, own, again)
		}
		want := sqlgen.IdempotencyKey{Merchant: "shop", Path: "/v1/payments", Key: "1", RequestDigest: "d", Status: 201, ContentType: "application/json", Location: "/l", Body: "{}", CreatedAt: 10}
		if got, err := s.Read().Key(ctx, sqlgen.KeyParams{Merchant: "shop", Path: "/v1/payments", Key: "1"}); got != want || err != nil {
			t.Errorf("%+v (%v)", got, err)
		}
		take("mine", s.Host(), 20)
		take("dropped", s.Host(), 20)
		take("orphan", "host_dead", 20)
		update(t, s, func(tx *Tx) error {
			orphans, err1 := tx.DropOrphanedKeys(ctx)
			dropped, err2 := tx.DropKey(ctx, sqlgen.DropKeyParams{Merchant: "shop", Path: "/v1/payments", Key: "dropped", Holder: s.Host()})
			answered, err3 := tx.DropKey(ctx, sqlgen.DropKeyParams{Merchant: "shop", Path: "/v1/payments", Key: "1", Holder: s.Host()})
			old, err4 := tx.ForgetKeys(ctx, 11)
			if orphans != 1 || dropped != 1 || answered != 0 || old != 1 {
				t.Errorf("%d orphans, %d dropped, %d answered, %d old", orphans, dropped, answered, old)
			}
			return errors.Join(err1, err2, err3, err4)
		})
		if _, err := s.Read().Key(ctx, sqlgen.KeyParams{Merchant: "shop", Path: "/v1/payments", Key: "mine"}); err != nil {
			t.Error(err)
		}
	})
}
