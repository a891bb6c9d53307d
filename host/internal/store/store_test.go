package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// payment is a row of merchant shop, changed as the test needs it.
func payment(id string, change func(*sqlgen.Payment)) sqlgen.Payment {
	p := sqlgen.Payment{
		ID: "pay_" + id, Version: 1, Merchant: "shop", MerchantOrderID: "order-" + id, Amount: "100.00", Currency: "HKD",
		Provider: "main", Account: "account-1", Status: "PENDING", AmountRefunded: "0.00", CreateState: "answered", NextActions: "[]", ReviewObserved: "null",
	}
	if change != nil {
		change(&p)
	}
	return p
}

// insert fails the test if it can't.
func insert(t *testing.T, s *Store, payments ...sqlgen.Payment) {
	t.Helper()
	err := s.Update(t.Context(), func(tx *Tx) error {
		for _, p := range payments {
			if err := tx.InsertPayment(t.Context(), sqlgen.InsertPaymentParams(p)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// save writes a payment back as the host does; n is how many rows it changed.
func save(ctx context.Context, tx *Tx, p sqlgen.Payment) (n int64, err error) {
	return tx.UpdatePayment(ctx, sqlgen.UpdatePaymentParams{
		Provider: p.Provider, Account: p.Account, AcquirerOrderID: p.AcquirerOrderID, Status: p.Status, StatusReason: p.StatusReason,
		ErrorCode: p.ErrorCode, RawStatus: p.RawStatus, NextActions: p.NextActions, CreateState: p.CreateState, SentAt: p.SentAt, PaidAt: p.PaidAt,
		UpdatedAt: p.UpdatedAt, DueAt: p.DueAt, Tries: p.Tries, ReviewReason: p.ReviewReason, ReviewSince: p.ReviewSince, ReviewObserved: p.ReviewObserved,
		Holder: p.Holder, ReviewDecision: p.ReviewDecision, AmountRefunded: p.AmountRefunded, ID: p.ID, Version: p.Version,
	})
}

func TestOpenAgain(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		want := payment("1", func(p *sqlgen.Payment) { p.Description = "tea, 茶 ' \" ; -- $1 ? \\ %" })
		s := d.open(t)
		insert(t, s, want)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := d.open(t).Read().Payment(t.Context(), want.ID)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
	})
}

func TestUnique(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		insert(t, s, payment("1", nil))
		same := payment("2", func(p *sqlgen.Payment) { p.MerchantOrderID = "order-1" })
		err := s.Update(t.Context(), func(tx *Tx) error {
			return tx.InsertPayment(t.Context(), sqlgen.InsertPaymentParams(same))
		})
		if err == nil || !strings.Contains(strings.ToUpper(err.Error()), "UNIQUE") {
			t.Errorf("a second payment with the same merchant_order_id: %v", err)
		}
		same.Merchant = "another shop"
		insert(t, s, same) // which has order ids of its own

		// But at one account of an acquirer an order id is taken once, whoever's it is.
		claim := func(id string) (n int64) {
			err := s.Update(t.Context(), func(tx *Tx) (err error) {
				n, err = tx.InsertSentOrder(t.Context(), sqlgen.InsertSentOrderParams{Account: "account-1", MerchantOrderID: "order-1", PaymentID: id})
				return err
			})
			if err != nil {
				t.Error(err)
			}
			return n
		}
		if first, second := claim("pay_1"), claim("pay_2"); first != 1 || second != 0 {
			t.Errorf("claimed %d and %d times", first, second)
		}
		if got, err := s.Read().SentOrder(t.Context(), sqlgen.SentOrderParams{Account: "account-1", MerchantOrderID: "order-1"}); got != "pay_1" || err != nil {
			t.Errorf("the order is of %q (%v)", got, err)
		}
	})
}

func TestRefusedValues(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		for name, change := range map[string]func(*sqlgen.Payment){
			"status":       func(p *sqlgen.Payment) { p.Status = "PAID" },
			"create_state": func(p *sqlgen.Payment) { p.CreateState = "" },
		} {
			err := s.Update(t.Context(), func(tx *Tx) error {
				return tx.InsertPayment(t.Context(), sqlgen.InsertPaymentParams(payment("1", change)))
			})
			if err == nil {
				t.Errorf("a payment with a %s unheard of was stored", name)
			}
		}
		err := s.Update(t.Context(), func(tx *Tx) error {
			return tx.AppendTimeline(t.Context(), sqlgen.AppendTimelineParams{PaymentID: "pay_absent", Kind: "note"})
		})
		if err == nil || !strings.Contains(strings.ToUpper(err.Error()), "FOREIGN KEY") {
			t.Errorf("a timeline without a payment: %v", err)
		}
	})
}

// Who read an earlier version doesn't overwrite what came after it.
func TestLostUpdate(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		stale := payment("1", nil)
		insert(t, s, stale)
		for i, want := range []int64{1, 0} {
			p := stale
			p.Tries = int64(i + 1)
			err := s.Update(t.Context(), func(tx *Tx) error {
				n, err := save(t.Context(), tx, p)
				if n != want {
					t.Errorf("update %d of version 1 changed %d rows, want %d", i, n, want)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
		if got, err := s.Read().Payment(t.Context(), stale.ID); got.Version != 2 || got.Tries != 1 || err != nil {
			t.Errorf("version %d, tries %d (%v)", got.Version, got.Tries, err)
		}
	})
}

func TestConcurrentUpdates(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		const n = 50
		insert(t, s, payment("1", nil))
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				err := s.Update(t.Context(), func(tx *Tx) error {
					p, err := tx.Payment(t.Context(), "pay_1")
					if err != nil {
						return err
					}
					p.Tries++
					if n, err := save(t.Context(), tx, p); n != 1 || err != nil {
						return errors.Join(errors.New("lost an update"), err)
					}
					return tx.AppendTimeline(t.Context(), sqlgen.AppendTimelineParams{PaymentID: p.ID, Kind: "note", Status: p.Status})
				})
				if err != nil {
					t.Error(err)
				}
			})
			all.Go(func() { // readers don't wait for writers, nor keep them waiting
				p, err := s.Read().Payment(t.Context(), "pay_1")
				if err != nil || p.Tries+1 != p.Version {
					t.Errorf("read half an update: version %d, tries %d, %v", p.Version, p.Tries, err)
				}
			})
		}
		all.Wait()
		p, err := s.Read().Payment(t.Context(), "pay_1")
		timeline, errTimeline := s.Read().Timeline(t.Context(), "pay_1")
		if p.Tries != n || len(timeline) != n || err != nil || errTimeline != nil {
			t.Fatalf("%d tries and %d entries, want %d of both (%v, %v)", p.Tries, len(timeline), n, err, errTimeline)
		}
		for i, entry := range timeline {
			if entry.Seq != int64(i+1) {
				t.Fatalf("entry %d has number %d", i, entry.Seq)
			}
		}
	})
}

// Whatever ends an Update before its commit leaves nothing behind, not even the
// writer's lock.
func TestUpdateThatFails(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		put := func(tx *Tx, id string) {
			if err := tx.InsertPayment(t.Context(), sqlgen.InsertPaymentParams(payment(id, nil))); err != nil {
				t.Error(err)
			}
		}
		failure := errors.New("no")
		if err := s.Update(t.Context(), func(tx *Tx) error { put(tx, "1"); return failure }); !errors.Is(err, failure) {
			t.Error(err)
		}
		if err := s.Update(t.Context(), func(tx *Tx) error { put(tx, "1"); panic("at the worst moment") }); err == nil || !strings.Contains(err.Error(), "at the worst moment") {
			t.Error(err)
		}
		err := s.Update(t.Context(), func(tx *Tx) error {
			put(tx, "1")
			_ = tx.AppendTimeline(t.Context(), sqlgen.AppendTimelineParams{PaymentID: "pay_absent", Kind: "note"})
			_, errRow := tx.Payment(t.Context(), "pay_1")
			_, errRows := tx.Timeline(t.Context(), "pay_1")
			errExec := tx.InsertPayment(t.Context(), sqlgen.InsertPaymentParams(payment("2", nil)))
			if errRow == nil || errRows == nil || errExec == nil {
				t.Errorf("statements ran after one that had failed: %v, %v, %v", errRow, errRows, errExec)
			}
			return nil
		})
		if err == nil || !strings.Contains(strings.ToUpper(err.Error()), "FOREIGN KEY") {
			t.Errorf("an error that fn ignored: %v", err)
		}
		if _, err := s.Read().Payment(t.Context(), "pay_1"); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("something stayed: %v", err)
		}
		insert(t, s, payment("1", nil))
	})
}

// A context ends the wait for fn, not what fn writes: nobody would know what
// became of it.
func TestContextOfUpdate(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Update(ctx, func(tx *Tx) error {
			cancel()
			return tx.InsertPayment(ctx, sqlgen.InsertPaymentParams(payment("1", nil)))
		})
		if _, missing := s.Read().Payment(t.Context(), "pay_1"); err != nil || missing != nil {
			t.Errorf("a context that ended in fn: %v, %v", err, missing)
		}
		if err := s.Update(ctx, func(*Tx) error { t.Error("ran after its context ended"); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("began after its context ended: %v", err)
		}
	})
}

// What PostgreSQL doesn't take as text comes from acquirers, and must not keep a
// payment from being stored or found.
func TestTextOfAcquirers(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		const said, kept = "a\x00b\xffc", "a\uFFFDb\uFFFDc"
		insert(t, s, payment("1", func(p *sqlgen.Payment) { p.RawStatus, p.AcquirerOrderID = said, said }))
		update(t, s, func(tx *Tx) error {
			_, err := tx.PaymentByMerchantOrder(t.Context(), sqlgen.PaymentByMerchantOrderParams{Merchant: said})
			if !errors.Is(err, sql.ErrNoRows) {
				t.Error(err)
			}
			return nil
		})
		rows, err := s.Read().PaymentByAcquirerOrder(t.Context(), sqlgen.PaymentByAcquirerOrderParams{Account: "account-1", AcquirerOrderID: said})
		if len(rows) != 1 || rows[0].RawStatus != kept || err != nil {
			t.Errorf("%+v (%v)", rows, err)
		}
	})
}
