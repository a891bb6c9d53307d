package host

import (
	"context"

	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// Cancel closes an unpaid payment where its provider can.
func (h *Host) Cancel(ctx context.Context, merchant, id string) (Payment, error) {
	row, err := h.rowOf(ctx, merchant, id)
	if err != nil {
		return Payment{}, err
	}
	if statusOf(row).Terminal() || row.CreateState != createAnswered {
		return Payment{}, sdk.NotSent(sdk.CodeInvalidState, "a payment that is %s can't be cancelled", row.Status)
	}
	if !h.begin() {
		return Payment{}, shuttingDown()
	}
	defer h.work.Done()
	a, missing := h.accountOf(row)
	if missing != nil {
		return Payment{}, sdk.NotSent(sdk.CodePluginUnavailable, "%w", missing)
	}
	if _, configured, ready := a.snapshot(); ready && !configured.Cancels {
		return Payment{}, sdk.NotSent(sdk.CodeUnsupported, "provider %s can't cancel payments; an unpaid one is closed by the acquirer in time", row.Provider)
	}
	fl, mine := h.flights.take(id)
	if !mine {
		return Payment{}, sdk.NotSent(sdk.CodeInProgress, "the acquirer is being asked about this payment; try again")
	}
	defer h.flights.land(id, fl)
	row, held, err := h.hold(id, func(p *sqlgen.Payment) bool { return !statusOf(*p).Terminal() && p.CreateState == createAnswered })
	if err != nil {
		return Payment{}, storeError(err)
	}
	if !held {
		return Payment{}, sdk.NotSent(sdk.CodeInProgress, "the acquirer is being asked about this payment; try again")
	}
	if err := h.callCancel(a, row); err != nil {
		return Payment{}, err
	}
	return h.read(ctx, id)
}

func (h *Host) callCancel(a *account, row sqlgen.Payment) error {
	order, err := orderOf(row)
	if err != nil {
		return err
	}
	answer, failed := measure(h, a, "cancel", func() (sdk.Payment, error) {
		return a.api.Cancel(context.WithoutCancel(h.life), sdk.CancelRequest{Order: order, RequestID: row.RequestID + "-cancel"})
	})
	h.record(row.ID, func(tx *store.Tx, p *sqlgen.Payment) ([]entry, error) {
		release(p, row)
		hinted := p.DueAt
		switch {
		case failed == nil:
			entries, err := h.applyAnswer(tx, p, answer, sourceCancel)
			if hinted != row.DueAt { // a notification came in meanwhile: the answer may be older than it
				keepHint(p, hinted)
			}
			if end := statusOf(*p); end.Terminal() && end != sdk.StatusSucceeded {
				h.lookAgain(p, row, true) // the payer may have been faster
			}
			return entries, err
		case sdk.AsError(failed).Outcome != sdk.OutcomeUnknown: // surely nothing happened
			return nil, nil
		}
		p.DueAt = micros(h.clock.Now()) // only a question can tell
		return []entry{{kind: kindNote, source: sourceCancel, detail: "cancelling has an unknown outcome: " + failed.Error()}}, nil
	})
	if failed != nil && sdk.AsError(failed).Outcome != sdk.OutcomeUnknown {
		return failed
	}
	return nil
}
