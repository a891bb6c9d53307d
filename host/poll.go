package host

import (
	"context"
	"time"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// The bounds of the poller.
const (
	pollBatch       = 100
	pollConcurrency = 32
	longestSleep    = time.Minute // and what is overdue but busy is looked at again after
	busySleep       = time.Second
	forgetEvery     = time.Hour
)

// poll does what is due until the host closes: asks about open payments, gives
// up those that were never sent, parses stored notifications, and forgets what
// is old. Everything due is in the store, so a new host goes on where this one
// ended.
func (h *Host) poll() {
	slots := make(chan struct{}, pollConcurrency)
	var forgotten time.Time
	for h.life.Err() == nil {
		if h.clock.Now().Sub(forgotten) >= forgetEvery {
			forgotten = h.clock.Now()
			h.forget()
		}
		h.dispatch(slots)
		select {
		case <-h.life.Done():
		case <-h.wake:
		case <-h.clock.After(h.untilDue()):
		}
	}
}

// dispatch starts what is due, as far as slots are free.
func (h *Host) dispatch(slots chan struct{}) {
	ctx, now := context.WithoutCancel(h.life), micros(h.clock.Now())
	ids, err := h.store.Read().DuePayments(ctx, sqlgen.DuePaymentsParams{DueAt: now, Page: pollBatch})
	if err != nil {
		h.log.Error("due payments can't be read", "error", err)
	}
	for _, id := range ids {
		h.spawn(slots, func() { h.act(id) })
	}
	stored, err := h.store.Read().DueNotifications(ctx, sqlgen.DueNotificationsParams{DueAt: now, Page: pollBatch})
	if err != nil {
		h.log.Error("stored notifications can't be read", "error", err)
	}
	for _, n := range stored {
		h.parseStored(n)
	}
}

func (h *Host) spawn(slots chan struct{}, work func()) {
	select {
	case slots <- struct{}{}:
	case <-h.life.Done():
		return
	}
	if !h.begin() {
		<-slots
		return
	}
	go func() {
		defer h.work.Done()
		defer func() { <-slots }()
		work()
	}()
}

// act does what is due for one payment.
func (h *Host) act(id string) {
	row, err := h.store.Read().Payment(context.WithoutCancel(h.life), id)
	if err != nil {
		h.log.Error("a payment can't be read", "payment", id, "error", err)
		return
	}
	switch row.CreateState {
	case createAnswered:
		h.query(id)
	case createUnsent:
		h.giveUp(id)
	}
}

// giveUp ends a payment that no provider could be asked for within a day. It is
// the one end that rests on a clock, and it is safe: nothing was ever sent.
func (h *Host) giveUp(id string) {
	fl, mine := h.flights.take(id)
	if !mine {
		return
	}
	defer h.flights.land(id, fl)
	err := h.settle(id, func(_ *sqlgen.Queries, p *sqlgen.Payment) ([]entry, error) {
		late := h.clock.Now().Sub(fromMicros(p.CreatedAt)) >= lifecycle.NeverSentAfter
		if p.CreateState != createUnsent || statusOf(*p) != sdk.StatusCreated || !late {
			return nil, nil
		}
		info := sdk.CodeNeverSent.Info()
		p.ErrorCode, p.StatusReason, p.CreateState = int64(info.Code), info.Title, createAnswered
		return h.applyVerdict(p, lifecycle.Verdict{Status: sdk.StatusFailed, Moved: true, Detail: info.Title}, sourceHost, "", ""), nil
	})
	if err != nil {
		h.log.Error("a payment can't be given up", "payment", id, "error", err)
	}
}

// untilDue is how long the poller may sleep.
func (h *Host) untilDue() time.Duration {
	ctx := context.WithoutCancel(h.life)
	next := int64(0)
	for _, due := range []func(context.Context) (int64, error){h.store.Read().NextDue, h.store.Read().NextDueNotification} {
		if at, err := due(ctx); err == nil && at > 0 && (next == 0 || at < next) {
			next = at
		}
	}
	if next == 0 {
		return longestSleep
	}
	sleep := fromMicros(next).Sub(h.clock.Now())
	if sleep <= 0 {
		return busySleep // due, but a call about it is under way; its end wakes us
	}
	return min(sleep, longestSleep)
}
