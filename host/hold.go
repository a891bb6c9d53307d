package host

import (
	"context"
	"errors"

	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// errTakenOver says that other hosts took this one for dead and go on with the
// payment.
var errTakenOver = errors.New("another host has taken the payment over")

// hold makes this host the only one that calls a provider about a payment,
// until the answer releases it. may decides, and may change the row by the way.
// Within this host the flight keeps others away.
func (h *Host) hold(id string, may func(*sqlgen.Payment) bool) (row sqlgen.Payment, held bool, err error) {
	ctx := context.WithoutCancel(h.life)
	err = h.store.Update(ctx, func(tx *store.Tx) error {
		var err error
		if row, err = tx.Payment(ctx, id); err != nil {
			return err
		}
		before := row
		if held = (row.Holder == "" || row.Holder == h.store.Host()) && may(&row); !held {
			return nil
		}
		row.Holder = h.store.Host()
		return h.write(ctx, tx, before, row, nil)
	})
	row.Version++ // as it was written
	return row, held && err == nil, err
}

// release ends a hold; false if another host took the payment over meanwhile.
func release(p *sqlgen.Payment, held sqlgen.Payment) bool {
	if p.Holder != held.Holder {
		return false
	}
	p.Holder = ""
	return true
}

// takeOver takes up what hosts were doing that are no longer there. Their calls
// of a provider may have had an effect, so that only a question can tell.
func (h *Host) takeOver(ctx context.Context) error {
	payments, err := h.store.Read().HeldPayments(ctx)
	if err != nil {
		return err
	}
	refunds, err := h.store.Read().HeldRefunds(ctx)
	if err != nil {
		return err
	}
	alive, err := h.living(ctx) // read later: a host enters itself before it holds anything
	if err != nil {
		return err
	}
	for _, held := range payments {
		err := h.ifCutOff(held.ID, held.Holder, alive, func() error {
			return h.settle(held.ID, func(_ *store.Tx, p *sqlgen.Payment) ([]entry, error) { return h.takeUp(p, held.Holder) })
		})
		if err != nil {
			return err
		}
	}
	for _, held := range refunds {
		err := h.ifCutOff(held.ID, held.Holder, alive, func() error { return h.takeUpRefund(held.ID, held.Holder) })
		if err != nil {
			return err
		}
	}
	return h.store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.DropOrphanedKeys(ctx)
		return err
	})
}

// ifCutOff takes up what a dead host holds, or what this one holds without being
// at work on it: a hold whose commit it was told had failed.
func (h *Host) ifCutOff(id, holder string, alive map[string]bool, takeUp func() error) error {
	if holder == h.store.Host() {
		fl, mine := h.flights.take(id)
		if !mine {
			return nil
		}
		defer h.flights.land(id, fl)
	} else if alive[holder] {
		return nil
	}
	h.log.Warn("a call was cut off; its outcome is asked for", "id", id, "host", holder)
	return takeUp()
}

func (h *Host) takeUp(p *sqlgen.Payment, from string) ([]entry, error) {
	if p.Holder != from {
		return nil, nil // another host was faster
	}
	if p.CreateState == createSending {
		return h.applyNotCreated(p, *p, sdk.Unknown(sdk.CodeInternal, "the host ended while the acquirer was asked"))
	}
	p.Holder, p.DueAt = "", micros(h.clock.Now())
	return nil, nil
}

// living are the hosts that serve the database now.
func (h *Host) living(ctx context.Context) (map[string]bool, error) {
	hosts, err := h.store.Read().Hosts(ctx)
	alive := map[string]bool{}
	for _, one := range hosts {
		alive[one.ID] = true
	}
	return alive, err
}
