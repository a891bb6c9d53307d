package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// hold keeps the group busy with a transaction until release is called, so that
// what comes meanwhile queues up. done waits for its end.
func hold(t *testing.T, s *Store) (release func(), done func()) {
	t.Helper()
	began, end := make(chan struct{}), make(chan struct{})
	var run sync.WaitGroup
	run.Go(func() {
		err := s.Update(context.WithoutCancel(t.Context()), func(*Tx) error { close(began); <-end; return nil })
		if err != nil {
			t.Error(err)
		}
	})
	<-began
	return func() { close(end) }, run.Wait
}

// queue starts Updates that wait behind the one that holds the group.
func queue(t *testing.T, s *Store, fns ...func(*Tx) error) (results func() []error) {
	t.Helper()
	errs := make([]error, len(fns))
	var run sync.WaitGroup
	for i, fn := range fns {
		run.Go(func() { errs[i] = s.Update(t.Context(), fn) })
		waitQueued(t, s, i+1)
	}
	return func() []error { run.Wait(); return errs }
}

func waitQueued(t *testing.T, s *Store, n int) {
	t.Helper()
	until(t, "Updates queue up", func() bool {
		s.group.mu.Lock()
		defer s.group.mu.Unlock()
		return len(s.group.queue) == n
	})
}

func inserts(id string, then func(*Tx) error) func(*Tx) error {
	return func(tx *Tx) error {
		err := tx.InsertPayment(context.Background(), sqlgen.InsertPaymentParams(payment(id, nil)))
		if err != nil || then == nil {
			return err
		}
		return then(tx)
	}
}

// stored is which of the payments 0 to n-1 are there.
func stored(t *testing.T, s *Store, n int) (ids string) {
	t.Helper()
	for i := range n {
		if _, err := s.Read().Payment(t.Context(), fmt.Sprint("pay_", i)); err == nil {
			ids += fmt.Sprint(i)
		}
	}
	return ids
}

func TestWritersShareATransaction(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		const n = largestGroup + 1
		release, done := hold(t, s)
		before := beat(t, s) // the held transaction isn't committed
		var run sync.WaitGroup
		for i := range n {
			run.Go(func() {
				if err := s.Update(t.Context(), inserts(fmt.Sprint(i), nil)); err != nil {
					t.Error(err)
				}
			})
		}
		waitQueued(t, s, n)
		release()
		done()
		run.Wait()
		if got := beat(t, s) - before; got != 1+2 {
			t.Errorf("%d Updates took %d transactions, not two", n, got-1)
		}
		rows, err := s.Read().ListPayments(t.Context(), sqlgen.ListPaymentsParams{Merchant: "shop", Page: 2 * n})
		if len(rows) != n || err != nil {
			t.Errorf("%d are stored (%v)", len(rows), err)
		}
	})
}

// In one transaction, each undoes its own writes only.
func TestErrorsInAGroup(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		release, done := hold(t, s)
		before := beat(t, s)
		failure := errors.New("no")
		cancelled, cancel := context.WithCancel(t.Context())
		results := queue(t, s,
			inserts("0", nil),
			inserts("1", func(*Tx) error { return failure }),
			inserts("2", func(*Tx) error { panic("at the worst moment") }),
			inserts("3", func(tx *Tx) error { return inserts("0", nil)(tx) }), // there already
			inserts("4", func(tx *Tx) error { _ = inserts("0", nil)(tx); return nil }),
			inserts("5", func(tx *Tx) error {
				_, err := tx.Payment(t.Context(), "pay_1") // whose insert was undone
				if err == nil {
					return errors.New("sees what was undone")
				}
				return nil
			}),
			inserts("6", nil),
		)
		// One whose caller goes away while it waits isn't run.
		var gone error
		var run sync.WaitGroup
		run.Go(func() {
			gone = s.Update(cancelled, func(*Tx) error { t.Error("ran although nobody waits"); return nil })
		})
		waitQueued(t, s, 8)
		cancel()
		run.Wait()
		release()
		done()
		errs := results()
		if errs[0] != nil || errs[5] != nil || errs[6] != nil {
			t.Errorf("good ones failed: %v", errs)
		}
		if !errors.Is(gone, context.Canceled) || !errors.Is(errs[1], failure) || errs[2] == nil || !strings.Contains(errs[2].Error(), "panic") || errs[3] == nil || errs[4] == nil {
			t.Errorf("their errors: %v, %v", gone, errs)
		}
		if got := stored(t, s, 7); got != "056" {
			t.Errorf("stored %s", got)
		}
		if got := beat(t, s) - before; got != 1+1 {
			t.Errorf("took %d transactions, not one", got-1)
		}
	})
}

// What has queued up before Close is committed; what comes after isn't.
func TestCloseDrains(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t)
		release, done := hold(t, s)
		results := queue(t, s, inserts("0", nil), inserts("1", nil))
		var run sync.WaitGroup
		run.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		until(t, "it closes", func() bool { s.group.mu.Lock(); defer s.group.mu.Unlock(); return s.group.closed })
		if err := s.Update(t.Context(), inserts("2", nil)); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		release()
		done()
		run.Wait()
		if err := errors.Join(results()...); err != nil {
			t.Error(err)
		}
		again := d.open(t)
		if got := stored(t, again, 3); got != "01" {
			t.Errorf("stored %s", got)
		}
		hosts, err := again.Read().Hosts(t.Context())
		if len(hosts) != 1 || err != nil {
			t.Errorf("a host that was closed is still there: %v (%v)", hosts, err)
		}
	})
}

// fn runs again on what another host made of the row, but not for ever.
func TestConflict(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		runs := 0
		update(t, s, func(tx *Tx) error {
			if runs++; runs < 3 {
				return ErrConflict
			}
			return inserts("0", nil)(tx)
		})
		if got := stored(t, s, 1); runs != 3 || got != "0" {
			t.Errorf("%d runs, stored %q", runs, got)
		}
		runs = 0
		err := s.Update(t.Context(), func(*Tx) error { runs++; return ErrConflict })
		if !errors.Is(err, ErrConflict) || runs != maxAttempts {
			t.Errorf("%d runs: %v", runs, err)
		}
	})
}
