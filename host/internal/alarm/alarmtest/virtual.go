// Package alarmtest has an engine of alarms for tests in virtual time.
package alarmtest

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/paymux/paymux/host/internal/alarm"
)

// retry is when to ring again after an error.
const retry = 5 * time.Second

// Virtual is an engine for tests in virtual time, where River would look at its
// tables for every second of a week. It outlives the hosts of a test as a
// database does, and rings by the clock of the bubble that Start is called in.
type Virtual struct {
	mu     sync.Mutex
	alarms []alarm.Alarm
	wake   chan struct{}

	run  sync.WaitGroup
	stop context.CancelFunc

	slots map[string]chan struct{} // by queue: the workers
}

var _ alarm.Engine = (*Virtual)(nil)

// NewVirtual returns an engine without alarms.
func NewVirtual() *Virtual { return &Virtual{wake: make(chan struct{}, 1)} }

// Alarms returns those that are set and don't ring now.
func (v *Virtual) Alarms() []alarm.Alarm {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.alarms)
}

// Set implements alarm.Engine.
func (v *Virtual) Set(context.Context, *sql.Tx, []alarm.Alarm) error { return nil }

// Committed implements alarm.Engine: only now may they ring.
func (v *Virtual) Committed(alarms []alarm.Alarm) {
	v.mu.Lock()
	v.alarms = append(v.alarms, alarms...)
	v.mu.Unlock()
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// Start implements alarm.Engine.
func (v *Virtual) Start(queues map[string]int, ring alarm.Ring) error {
	v.mu.Lock()
	v.slots = map[string]chan struct{}{}
	v.mu.Unlock()
	_ = v.Serve(queues)
	ctx, cancel := context.WithCancel(context.Background())
	v.stop = cancel
	v.run.Go(func() {
		for ctx.Err() == nil {
			timer := time.NewTimer(v.ringDue(ctx, ring))
			select {
			case <-ctx.Done():
			case <-v.wake:
			case <-timer.C:
			}
			timer.Stop()
		}
	})
	return nil
}

// Serve implements alarm.Engine.
func (v *Virtual) Serve(queues map[string]int) error {
	v.mu.Lock()
	for name, n := range queues {
		if v.slots[name] == nil {
			v.slots[name] = make(chan struct{}, n)
		}
	}
	v.mu.Unlock()
	v.Committed(nil) // what waited for a worker may ring
	return nil
}

// ringDue rings what is due as far as workers are free, and returns how long
// there is nothing to do.
func (v *Virtual) ringDue(ctx context.Context, ring alarm.Ring) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	now, next, slots := time.Now(), time.Hour, maps.Clone(v.slots)
	v.alarms = slices.DeleteFunc(v.alarms, func(a alarm.Alarm) bool {
		if wait := a.At.Sub(now); wait > 0 {
			next = min(next, wait)
			return false
		}
		select {
		case slots[a.Queue] <- struct{}{}: // a nil channel: nobody serves the queue
		default:
			return false
		}
		v.run.Go(func() {
			again, err := ring(ctx, a)
			<-slots[a.Queue]
			if err != nil {
				again = time.Now().Add(retry)
			}
			if again.IsZero() {
				v.Committed(nil) // a worker is free
				return
			}
			a.At = again
			v.Committed([]alarm.Alarm{a})
		})
		return true
	})
	return next
}

// Stop implements alarm.Engine.
func (v *Virtual) Stop(context.Context) error {
	if v.stop != nil {
		v.stop()
		v.run.Wait()
	}
	return nil
}
