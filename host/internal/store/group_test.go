package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// beats counts the transactions of this host.
func beats(t *testing.T, s *Store) int64 {
	t.Helper()
	hosts, err := s.Read().Hosts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		if h.ID == s.Host() {
			return h.Beat
		}
	}
	t.Fatal("this host isn't there")
	return 0
}

// together runs updates that queue up behind one that stands still, and returns
// their errors.
func together(t *testing.T, s *Store, updates ...func(*Tx) error) []error {
	t.Helper()
	entered, leave := make(chan struct{}), make(chan struct{})
	errs := make([]error, len(updates))
	var all sync.WaitGroup
	all.Go(func() {
		if err := s.Update(t.Context(), func(*Tx) error { close(entered); <-leave; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-entered
	for i, u := range updates {
		all.Go(func() { errs[i] = s.Update(t.Context(), u) })
	}
	for queued := 0; queued < len(updates); {
		s.group.mu.Lock()
		queued = len(s.group.queue)
		s.group.mu.Unlock()
	}
	close(leave)
	all.Wait()
	return errs
}

func putPayment(t *testing.T, id string) func(*Tx) error {
	return func(tx *Tx) error {
		return tx.InsertPayment(t.Context(), sqlgen.InsertPaymentParams(payment(id, nil)))
	}
}

// TestGroupCommit: those who queue up share one write to the disk.
func TestGroupCommit(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		var updates []func(*Tx) error
		for i := range 50 {
			updates = append(updates, putPayment(t, fmt.Sprint(i)))
		}
		before := beats(t, s)
		for _, err := range together(t, s, updates...) {
			if err != nil {
				t.Error(err)
			}
		}
		if n := beats(t, s) - before; n != 2 { // the one that stood still, and theirs
			t.Errorf("51 updates took %d transactions", n)
		}
		for i := range 50 {
			if _, err := s.Read().Payment(t.Context(), fmt.Sprint("pay_", i)); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestGroupErrors: what fails in a group takes nobody else with it.
func TestGroupErrors(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		mine := errors.New("mine")
		errs := together(t, s,
			putPayment(t, "1"),
			func(tx *Tx) error { return errors.Join(putPayment(t, "2")(tx), mine) },
			func(tx *Tx) error {
				_ = putPayment(t, "3")(tx)
				panic("at the worst moment")
			},
			func(tx *Tx) error { return errors.Join(putPayment(t, "4")(tx), putPayment(t, "4")(tx)) }, // the database says no
			putPayment(t, "5"),
		)
		for i, wantErr := range []bool{false, true, true, true, false} {
			if (errs[i] != nil) != wantErr {
				t.Errorf("update %d: %v", i+1, errs[i])
			}
			_, err := s.Read().Payment(t.Context(), fmt.Sprint("pay_", i+1))
			if errors.Is(err, sql.ErrNoRows) != wantErr {
				t.Errorf("payment %d: %v", i+1, err)
			}
		}
		if !errors.Is(errs[1], mine) {
			t.Errorf("another error: %v", errs[1])
		}
	})
}

// TestGroupAlarms: an alarm rings only for what was committed.
func TestGroupAlarms(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		jobs := func() (n int) {
			t.Helper()
			if err := s.read.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM river_job").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		set := func(tx *Tx) { tx.Alarm(alarm.Alarm{Kind: alarm.Payment, ID: "pay_1", Queue: "other"}) }
		together(t, s, func(tx *Tx) error { set(tx); return errors.New("no") }, func(tx *Tx) error { set(tx); set(tx); return nil })
		if n := jobs(); n != 2 {
			t.Errorf("%d alarms", n)
		}
	})
}

// TestGroupCloses: what has queued up is committed, what comes later refused.
func TestGroupCloses(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		entered, leave := make(chan struct{}), make(chan struct{})
		var all sync.WaitGroup
		all.Go(func() { _ = s.Update(t.Context(), func(*Tx) error { close(entered); <-leave; return nil }) })
		<-entered
		var err error
		all.Go(func() { err = s.Update(t.Context(), putPayment(t, "1")) })
		for queued := 0; queued < 1; {
			s.group.mu.Lock()
			queued = len(s.group.queue)
			s.group.mu.Unlock()
		}
		closing := make(chan struct{})
		all.Go(func() { s.group.close(); close(closing) })
		for closed := false; !closed; {
			s.group.mu.Lock()
			closed = s.group.closed
			s.group.mu.Unlock()
		}
		if err := s.Update(context.Background(), putPayment(t, "2")); !errors.Is(err, ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
		close(leave)
		<-closing
		all.Wait()
		if _, missing := s.Read().Payment(t.Context(), "pay_1"); err != nil || missing != nil {
			t.Errorf("what had queued up: %v, %v", err, missing)
		}
	})
}

// TestConflictRunsAgain: fn sees what the faster one wrote.
func TestConflictRunsAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Store) {
		runs := 0
		err := s.Update(t.Context(), func(*Tx) error {
			if runs++; runs < 3 {
				return fmt.Errorf("payment: %w", ErrConflict)
			}
			return nil
		})
		if err != nil || runs != 3 {
			t.Errorf("%d runs, %v", runs, err)
		}
		runs = 0
		err = s.Update(t.Context(), func(*Tx) error { runs++; return ErrConflict })
		if !errors.Is(err, ErrConflict) || runs != maxAttempts {
			t.Errorf("%d runs, %v", runs, err)
		}
	})
}
