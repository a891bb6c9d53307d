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
	pollSlots    = 16               // what runs for one provider at once
	pollBatch    = 2 * 16           // what is looked at of one provider, some of which may be running
	longestSleep = 10 * time.Minute // timers stand still while a machine is suspended
	setUpSleep   = time.Minute      // while a plugin isn't ready
	busySleep    = time.Second      // while what is overdue is being worked on
	forgetEvery  = time.Hour
)

// poller starts what is due. Each provider has slots of its own: one that hangs
// keeps only its own payments waiting.
type poller struct {
	*Host
	slots     map[string]chan struct{} // by provider
	forgotten time.Time
}

// poll does what is due until the host closes: asks about open payments, gives
// up those that were never sent, parses stored notifications, and forgets what
// is old. Everything due is in the store, so a new host goes on where this one
// ended.
func (h *Host) poll() {
	p := &poller{Host: h, slots: map[string]chan struct{}{}}
	for h.life.Err() == nil {
		if h.clock.Now().Sub(p.forgotten) >= forgetEvery {
			p.forgotten = h.clock.Now()
			h.forget()
		}
		p.dispatch()
		select {
		case <-h.life.Done():
		case <-h.wake:
		case <-h.clock.After(h.untilDue()):
		}
	}
}

// dispatch starts what is due, as far as slots are free.
func (p *poller) dispatch() {
	ctx, now := context.WithoutCancel(p.life), micros(p.clock.Now())
	payments, err := p.store.Read().DuePayments(ctx, sqlgen.DuePaymentsParams{Now: now, Page: pollBatch})
	if err != nil {
		p.log.Error("due payments can't be read", "error", err)
	}
	for _, due := range payments {
		p.spawn(due.Provider, due.ID, func() { p.act(due.ID) })
	}
	stored, err := p.store.Read().DueNotifications(ctx, sqlgen.DueNotificationsParams{Now: now, Page: pollBatch})
	if err != nil {
		p.log.Error("stored notifications can't be read", "error", err)
	}
	for _, due := range stored {
		p.spawn(due.Provider, due.Digest, func() { p.parseStored(due.Provider, due.Digest) })
	}
	for _, name := range p.notReady() {
		p.spawn(name, "set up", func() { _ = p.makeReady(p.life, p.accounts[name]) }) // the account keeps the error
	}
}

func (h *Host) notReady() (names []string) {
	for _, name := range h.names {
		if _, _, ready := h.accounts[name].snapshot(); !ready {
			names = append(names, name)
		}
	}
	return names
}

// spawn runs work for a provider, unless its slots are taken or the same thing
// is being worked on: the end of what runs wakes the poller.
func (p *poller) spawn(provider, what string, work func()) {
	slots := p.slots[provider]
	if slots == nil {
		slots = make(chan struct{}, pollSlots)
		p.slots[provider] = slots
	}
	if p.flights.busy(what) {
		return
	}
	select {
	case slots <- struct{}{}:
	default:
		return
	}
	if !p.begin() {
		<-slots
		return
	}
	go func() {
		defer p.work.Done()
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
	longest := longestSleep
	if len(h.notReady()) > 0 {
		longest = setUpSleep
	}
	if next == 0 {
		return longest
	}
	sleep := fromMicros(next).Sub(h.clock.Now())
	if sleep <= 0 {
		return busySleep // due, but a call about it is under way; its end wakes us
	}
	return min(sleep, longest)
}
