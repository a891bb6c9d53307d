package store

import (
	"database/sql"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/paymux/paymux/host/internal/pgtest"
)

// TestLostCommit: what became of a commit whose answer was lost is found out,
// never assumed.
func TestLostCommit(t *testing.T) {
	for name, tt := range map[string]struct {
		fate      pgtest.Fate
		committed bool
	}{
		"the server never heard of it": {pgtest.Vanishes, false},
		"the answer is lost":           {pgtest.LosesAnswer, true},
		"the server waits for it":      {pgtest.StandsBefore, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := pgtest.New(t)
			var fate atomic.Int64
			url := pgtest.NewProxy(t, direct, func() pgtest.Fate { return pgtest.Fate(fate.Swap(int64(pgtest.Passes))) })
			s := openPostgres(t, url)
			insert(t, s, payment("0", nil))
			fate.Store(int64(tt.fate))
			err := s.Update(t.Context(), putPayment(t, "1"))
			if (err == nil) != tt.committed || errors.Is(err, ErrCommitUnknown) {
				t.Errorf("the update says %v", err)
			}
			insert(t, s, payment("2", nil)) // all goes on
			other := openPostgres(t, direct)
			_, err = other.Read().Payment(t.Context(), "pay_1")
			if tt.committed && err != nil || !tt.committed && !errors.Is(err, sql.ErrNoRows) {
				t.Errorf("the payment: %v", err)
			}
		})
	}
}
