package store

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/paymux/paymux/host/internal/alarm"
)

func alarmOf(id string) alarm.Alarm { return alarm.Alarm{Kind: alarm.Payment, ID: id, Queue: "main"} }

// Alarms are set with the writes of their Update, or not at all.
func TestAlarms(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.open(t) // River, in the same database
		rang := make(chan string, 100)
		if err := s.Alarms().Start(map[string]int{"main": 2}, func(ctx context.Context, a alarm.Alarm) (time.Time, error) {
			if _, err := s.Read().Payment(ctx, "pay_"+a.ID); err != nil {
				t.Errorf("%s rang before what it names was there: %v", a.ID, err)
			}
			rang <- a.ID
			return time.Time{}, nil
		}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Alarms().Stop(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
		release, done := hold(t, s)
		results := queue(t, s,
			inserts("0", func(tx *Tx) error { tx.Alarm(alarmOf("0")); return nil }),
			inserts("1", func(tx *Tx) error { tx.Alarm(alarmOf("1")); return errors.New("no") }),
			inserts("2", func(tx *Tx) error { tx.Alarm(alarmOf("2")); return nil }))
		release()
		done()
		if errs := results(); errs[0] != nil || errs[1] == nil || errs[2] != nil {
			t.Fatal(errs)
		}
		got := map[string]bool{}
		for range 2 {
			select {
			case id := <-rang:
				got[id] = true
			case <-time.After(time.Minute):
				t.Fatal("nothing rang")
			}
		}
		if !got["0"] || !got["2"] {
			t.Errorf("rang: %v", got)
		}
	})
}

// brokenEngine can't set alarms.
type brokenEngine struct{ told }

func (*brokenEngine) Set(context.Context, *sql.Tx, []alarm.Alarm) error {
	return errors.New("no alarms")
}

func TestAlarmsThatCantBeSet(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		s := d.openWith(t, Options{Engine: &brokenEngine{}})
		err := s.Update(t.Context(), inserts("0", func(tx *Tx) error { tx.Alarm(alarmOf("0")); return nil }))
		if got := stored(t, s, 1); err == nil || got != "" {
			t.Errorf("stored %q without its alarm (%v)", got, err)
		}
		update(t, s, inserts("1", nil))
	})
}
