package store

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/pgtest"
)

// One connection breaks around a COMMIT: Update says what became of it, and the
// next one is none the worse.
func TestLostAnswerToCommit(t *testing.T) {
	for name, tt := range map[string]struct {
		fate      pgtest.Fate
		committed bool
	}{
		"the answer is lost":        {pgtest.LosesAnswer, true},
		"broken before":             {pgtest.Vanishes, false},
		"broken, the server's open": {pgtest.StandsBefore, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // one waits for the server to give up
			onPostgres(t, func(t *testing.T, d database) {
				var armed atomic.Bool
				d.url = pgtest.NewProxy(t, d.url, func() pgtest.Fate {
					if armed.CompareAndSwap(true, false) {
						return tt.fate
					}
					return pgtest.Passes
				})
				told := &told{}
				s := d.openWith(t, Options{Engine: told})
				armed.Store(true)
				err := s.Update(t.Context(), func(tx *Tx) error {
					tx.Alarm(alarm.Alarm{Kind: alarm.Payment, ID: "pay_0"})
					return inserts("0", nil)(tx)
				})
				if armed.Load() {
					t.Fatal("no commit was cut")
				}
				if (err == nil) != tt.committed || errors.Is(err, ErrCommitUnknown) {
					t.Errorf("Update returned %v", err)
				}
				want := map[bool]string{true: "0"}[tt.committed]
				if got := stored(t, s, 1); got != want {
					t.Errorf("stored %q, not %q", got, want)
				}
				if told.alarms.Load() != int64(len(want)) {
					t.Errorf("the engine was told of %d alarms", told.alarms.Load())
				}
				update(t, s, inserts("1", nil))
			})
		})
	}
}

// BreaksAfter leaves open whether the server does it: whatever Update says must
// be true.
func TestBrokenCommit(t *testing.T) {
	onPostgres(t, func(t *testing.T, d database) {
		var n atomic.Int64
		d.url = pgtest.NewProxy(t, d.url, func() pgtest.Fate {
			if n.Add(1)%2 == 0 {
				return pgtest.BreaksAfter
			}
			return pgtest.Passes
		})
		s := d.open(t)
		for i := range 10 {
			err := s.Update(t.Context(), inserts(string(rune('0'+i)), nil))
			if errors.Is(err, ErrCommitUnknown) {
				t.Fatalf("%d: %v", i, err)
			}
			if _, missing := s.Read().Payment(t.Context(), "pay_"+string(rune('0'+i))); (err == nil) != (missing == nil) {
				t.Errorf("%d: Update returned %v, but it is stored: %t", i, err, missing == nil)
			}
		}
	})
}

// A host that was struck off meanwhile can't learn what became of its commit.
func TestUnknownCommit(t *testing.T) {
	onPostgres(t, func(t *testing.T, d database) {
		other := d.open(t)
		var s *Store
		var armed atomic.Bool
		d.url = pgtest.NewProxy(t, d.url, func() pgtest.Fate {
			if !armed.CompareAndSwap(true, false) {
				return pgtest.Passes
			}
			// Before the server hears of it, as if this host stood still for long.
			if err := other.terminateOthers(t.Context(), s.Host()); err != nil {
				t.Error(err)
			}
			return pgtest.Vanishes
		})
		s = d.open(t)
		armed.Store(true)
		if err := s.Update(t.Context(), inserts("0", nil)); !errors.Is(err, ErrCommitUnknown) {
			t.Errorf("Update returned %v", err)
		}
		update(t, s, inserts("1", nil)) // under another name
		if got := stored(t, s, 2); got != "1" {
			t.Errorf("stored %q", got)
		}
	})
}
