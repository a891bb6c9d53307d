package store

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/paymux/paymux/host/internal/pgtest"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// next lets the next commit meet a fate, and all others pass.
type next struct{ fate atomic.Int64 }

func (n *next) take() pgtest.Fate { return pgtest.Fate(n.fate.Swap(int64(pgtest.Passes))) }

func (n *next) set(fate pgtest.Fate) { n.fate.Store(int64(fate)) }

func puts(id string) func(*Tx) error {
	return func(tx *Tx) error {
		return tx.InsertPayment(context.Background(), sqlgen.InsertPaymentParams(payment(id, nil)))
	}
}

func isStored(t *testing.T, s *Store, id string) bool {
	t.Helper()
	_, err := s.Read().Payment(t.Context(), "pay_"+id)
	return err == nil
}

// TestLostCommitOnSQLite: whatever becomes of a commit and its answer, Update
// tells what is stored, and what isn't does not appear with the next one.
func TestLostCommitOnSQLite(t *testing.T) {
	for what, tt := range map[string]struct {
		fate pgtest.Fate
		is   bool
	}{
		"the answer is lost":                        {pgtest.LosesAnswer, true},
		"the commit is lost":                        {pgtest.Vanishes, false},
		"the commit fails, its transaction is open": {pgtest.StandsBefore, false},
	} {
		t.Run(what, func(t *testing.T) {
			var n next
			s := openFaulty(t, filepath.Join(t.TempDir(), "paymux.db"), n.take)
			n.set(tt.fate)
			if err := s.Update(t.Context(), puts("1")); (err == nil) != tt.is || errors.Is(err, ErrCommitUnknown) {
				t.Errorf("it said %v", err)
			}
			insert(t, s, payment("2", nil))
			if isStored(t, s, "1") != tt.is {
				t.Error("what it said and what is stored differ")
			}
		})
	}
}
