package host

import (
	"context"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// The workers of the alarms. Each provider has some of its own: one that hangs
// keeps only its own payments waiting.
const (
	providerWorkers = 16
	otherWorkers    = 4
	mostQueues      = 64 // beyond that providers share them: each queue is looked at every second
	otherQueue      = "other"
)

// queues are those that this host serves, with their workers.
func (s *setup) queues() map[string]int {
	all := map[string]int{otherQueue: otherWorkers}
	for _, name := range s.names {
		all[s.queueOf(name)] = providerWorkers
	}
	for name := range s.endpoints {
		all[s.endpoints.queue(name)] = endpointWorkers
	}
	return all
}

func (h *Host) queueOf(provider string) string { return h.now().queueOf(provider) }

// queueOf is the queue of a provider's alarms.
func (s *setup) queueOf(provider string) string {
	switch {
	case s.accounts[provider] == nil: // its payments are parked
		return otherQueue
	case len(s.names) > mostQueues:
		sum := fnv.New32a()
		sum.Write([]byte(provider))
		return fmt.Sprint("shared", sum.Sum32()%mostQueues)
	default:
		return "provider" + strings.ReplaceAll(provider, "-", "0") // River takes no name that ends with a dash
	}
}

// ring does what an alarm is about, if that is still due.
func (h *Host) ring(ctx context.Context, a alarm.Alarm) (time.Time, error) {
	if !h.begin() {
		return h.clock.Now().Add(time.Second), nil // the next host rings it
	}
	defer h.work.Done()
	switch a.Kind {
	case alarm.Payment:
		return h.ringPayment(ctx, a)
	case alarm.Refund:
		return h.ringRefund(ctx, a)
	case alarm.Notification:
		provider, digest, _ := strings.Cut(a.ID, "/")
		return time.Time{}, h.parseStored(provider, digest)
	case alarm.Delivery:
		return h.ringDelivery(ctx, a)
	default:
		return time.Time{}, fmt.Errorf("there is no alarm of kind %q", a.Kind)
	}
}

func (h *Host) ringPayment(ctx context.Context, a alarm.Alarm) (time.Time, error) {
	row, err := h.store.Read().Payment(ctx, a.ID)
	if err != nil {
		return time.Time{}, ignoreMissing(err)
	}
	if again, due := dueNow(a, row.DueAt, h.clock.Now()); !due {
		return again, nil
	}
	switch row.CreateState {
	case createAnswered:
		h.query(row.ID, h.flights.await(row.ID), h.clock.Now())
	case createUnsent:
		h.giveUp(row.ID)
	}
	return time.Time{}, nil
}

// dueNow reports whether an alarm rings for something that is due. If it rings
// early, by another clock, it rings again; one whose reason has moved to a later
// time is done, since there is another alarm for that.
func dueNow(a alarm.Alarm, dueAt int64, now time.Time) (again time.Time, due bool) {
	at := fromMicros(dueAt)
	switch {
	case dueAt == 0:
		return time.Time{}, false
	case !at.After(now):
		return time.Time{}, true
	case at.After(a.At.Add(time.Second)):
		return time.Time{}, false
	default:
		return at, false
	}
}

// giveUp ends a payment that no provider could be asked for within a day. It is
// the one end that rests on a clock, and it is safe: nothing was ever sent.
func (h *Host) giveUp(id string) {
	defer h.flights.land(id, h.flights.await(id))
	h.record(id, func(_ *store.Tx, p *sqlgen.Payment) ([]entry, error) {
		late := h.clock.Now().Sub(fromMicros(p.CreatedAt)) >= lifecycle.NeverSentAfter
		if p.CreateState != createUnsent || !late {
			return nil, nil
		}
		info := sdk.CodeNeverSent.Info()
		p.ErrorCode, p.StatusReason, p.CreateState = int64(info.Code), info.Title, createAnswered
		return h.applyVerdict(p, lifecycle.Verdict{Status: sdk.StatusFailed, Moved: true, Detail: info.Title}, sourceHost, "", ""), nil
	})
}

// The times of what runs beside the alarms.
const (
	setUpEvery  = time.Minute // while a plugin isn't ready
	forgetEvery = time.Hour
	sweepEvery  = 10 * time.Minute
	// A connection to PostgreSQL that breaks while River takes jobs over it leaves
	// them marked as running, with nobody who rings them.
	sweepShared = time.Minute
	overdue     = time.Minute // an alarm that is later than this may be lost
	sweepPage   = 1000
)

// housekeep keeps this host known to the others and takes up what dead ones
// leave, sets up plugins that weren't there, sets lost alarms again, and forgets
// what is old.
func (h *Host) housekeep() {
	watch := h.store.Watch()
	tick, sweep := setUpEvery, sweepEvery
	if h.store.Shared() {
		tick, sweep = store.BeatEvery, sweepShared
	}
	var setUp, swept time.Time
	forgotten := h.clock.Now()
	for {
		select {
		case <-h.life.Done():
			return
		case <-h.clock.After(tick):
		}
		now := h.clock.Now()
		if h.store.Shared() {
			h.watchOthers(watch)
		}
		if now.Sub(setUp) >= setUpEvery {
			setUp = now
			h.setUpMissing()
		}
		if now.Sub(swept) >= sweep {
			swept = now
			h.report("what was cut off can't be taken up", h.takeOver(h.life))
			h.report("lost alarms can't be set again", h.sweep(h.life, now.Add(-overdue)))
		}
		if now.Sub(forgotten) >= forgetEvery {
			forgotten = now
			h.forget()
		}
	}
}

func (h *Host) report(what string, err error) {
	if err != nil && h.life.Err() == nil {
		h.log.Error(what, "error", err)
	}
}

// watchOthers beats, looks at the other hosts, and takes up what dead ones held.
func (h *Host) watchOthers(watch *store.Watch) {
	ctx := context.WithoutCancel(h.life)
	h.report("this host can't beat", h.store.Beat(ctx))
	dead, err := watch.Look(ctx)
	h.report("the other hosts can't be looked at", err)
	h.report("what dead hosts held can't be taken up", h.takeOver(ctx))
	if len(dead) > 0 { // they may have been ringing alarms
		h.log.Warn("hosts have ended without a word; their work is taken up", "hosts", dead)
		h.report("alarms of dead hosts can't be set again", h.sweep(ctx, h.clock.Now()))
	}
}

func (h *Host) setUpMissing() {
	s := h.now()
	for _, name := range s.names {
		a := s.accounts[name]
		if _, _, ready := a.snapshot(); ready || !h.begin() {
			continue
		}
		go func() {
			defer h.work.Done()
			_ = h.makeReady(h.life, a) // the account keeps the error
		}()
	}
}

// sweep sets alarms again for what was due before a time, whether or not they
// are lost: one that rings twice does no harm.
func (h *Host) sweep(ctx context.Context, before time.Time) error {
	q, at := h.store.Read(), micros(before)
	payments, err := q.OverduePayments(ctx, sqlgen.OverduePaymentsParams{Now: at, Page: sweepPage})
	if err != nil {
		return err
	}
	var alarms []alarm.Alarm
	for _, p := range payments {
		alarms = append(alarms, alarm.Alarm{Kind: alarm.Payment, ID: p.ID, Queue: h.queueOf(p.Provider), At: fromMicros(p.DueAt)})
	}
	refunds, err := q.OverdueRefunds(ctx, sqlgen.OverdueRefundsParams{Now: at, Page: sweepPage})
	if err != nil {
		return err
	}
	for _, r := range refunds {
		alarms = append(alarms, h.alarmOfRefund(r.ID, r.Provider, r.DueAt))
	}
	notifications, err := q.OverdueNotifications(ctx, sqlgen.OverdueNotificationsParams{Now: at, Page: sweepPage})
	if err != nil {
		return err
	}
	for _, n := range notifications {
		alarms = append(alarms, h.alarmOfNotification(n.Provider, n.Digest, n.DueAt))
	}
	deliveries, err := q.OverdueDeliveries(ctx, sqlgen.OverdueDeliveriesParams{Now: at, Page: sweepPage})
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		alarms = append(alarms, h.alarmOfDelivery(d.EventID, d.Endpoint, d.DueAt))
	}
	if len(alarms) == 0 {
		return nil
	}
	return h.store.Update(ctx, func(tx *store.Tx) error {
		for _, a := range alarms {
			tx.Alarm(a)
		}
		return nil
	})
}
