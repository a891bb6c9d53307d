package host

import (
	"context"
	"errors"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// Refresh asks the acquirer about a payment now and returns it as it is then. An
// acquirer that can't be asked is no error: the payment stays as it is.
func (h *Host) Refresh(ctx context.Context, merchant, id string) (Payment, error) {
	row, err := h.rowOf(ctx, merchant, id)
	if err != nil {
		return Payment{}, err
	}
	if row.CreateState == createAnswered && h.begin() {
		done := make(chan struct{})
		go func() { // the question goes on if the caller leaves
			defer h.work.Done()
			defer close(done)
			h.query(id)
		}()
		select {
		case <-done:
		case <-h.clock.After(CreateWait):
		case <-ctx.Done():
		}
	}
	return h.read(ctx, id)
}

// query asks the acquirer about one payment and records the answer. If a call
// about it is under way it waits for that one instead.
func (h *Host) query(id string) {
	fl, mine := h.flights.take(id)
	if !mine {
		<-fl.done
		return
	}
	defer h.wakeUp() // after landing: the poller passed it over meanwhile
	defer h.flights.land(id, fl)
	ctx := context.WithoutCancel(h.life)
	row, err := h.store.Read().Payment(ctx, id)
	if err != nil {
		h.log.Error("a payment can't be read", "payment", id, "error", err)
		return
	}
	if row.CreateState != createAnswered {
		return
	}
	a, missing := h.accountOf(row)
	if missing != nil {
		h.park(row, missing)
		return
	}
	order, err := orderOf(row)
	if err != nil {
		h.log.Error("a stored payment breaks the contract", "payment", id, "error", err)
		return
	}
	answer, failed := measure(h, a, "query", func() (sdk.Payment, error) { return a.api.Query(ctx, sdk.QueryRequest{Order: order}) })
	err = h.settle(id, func(tx *sqlgen.Queries, p *sqlgen.Payment) ([]entry, error) {
		return h.applyQuery(tx, row, p, a, answer, failed)
	})
	if err != nil {
		h.log.Error("an answer can't be stored; it is asked for again", "payment", id, "error", err)
	}
}

// applyQuery records what came of a question that was asked when the payment was
// as in asked.
func (h *Host) applyQuery(tx *sqlgen.Queries, asked sqlgen.Payment, p *sqlgen.Payment, a *account, answer sdk.Payment, failed error) (entries []entry, err error) {
	hinted := p.DueAt
	if failed != nil {
		entries, err = h.applyQueryError(p, a, sdk.AsError(failed))
	} else {
		entries, err = h.applyAnswer(tx, p, answer, sourceQuery)
	}
	if hinted != asked.DueAt { // a notification came in meanwhile: the answer may be older than it
		keepHint(p, hinted)
	}
	if statusOf(asked).Terminal() {
		h.lookAgain(p, asked)
	}
	return append(entries, h.flagStale(p)...), err
}

// lookAgain asks on after a notification about a payment that had ended unpaid:
// the first answer may be older than the notification, and a late success must
// not be missed.
func (h *Host) lookAgain(p *sqlgen.Payment, asked sqlgen.Payment) {
	if asked.DueAt > 0 && p.DueAt == 0 && p.ReviewReason == asked.ReviewReason && int(p.Tries) < len(lifecycle.Plan) {
		p.DueAt = micros(lifecycle.NextQuery(h.planOf(p.Provider), int(p.Tries), h.clock.Now()))
	}
}

func (h *Host) applyQueryError(p *sqlgen.Payment, a *account, failed *sdk.Error) ([]entry, error) {
	state, err := stateOf(*p)
	if err != nil {
		return nil, err
	}
	h.log.Warn("query failed", "payment", p.ID, "provider", p.Provider, "error", failed)
	d, _, _ := a.snapshot()
	v := lifecycle.QueryError(state, failed, h.clock.Now(), d.Capabilities.NotFoundSettling)
	if v.Moved {
		p.ErrorCode, p.StatusReason = int64(sdk.CodeCreateLost), v.Detail
		return h.applyVerdict(p, v, sourceHost, failed.AcquirerCode, ""), nil
	}
	return h.applyVerdict(p, v, sourceQuery, failed.AcquirerCode, ""), nil
}

// flagStale gives a payment that is open for too long to a person. Its state
// stays: our clock never ends a payment.
func (h *Host) flagStale(p *sqlgen.Payment) []entry {
	now := h.clock.Now()
	if p.DueAt == 0 || statusOf(*p).Terminal() || now.Sub(fromMicros(p.CreatedAt)) < lifecycle.StaleAfter {
		return nil
	}
	p.DueAt = 0
	if p.ReviewReason != "" {
		return nil
	}
	p.ReviewReason, p.ReviewSince = string(lifecycle.Stale), micros(now)
	return []entry{{kindReview, sourceHost, "", "still open after seven days; it is no longer asked about"}}
}

// accountOf returns the provider of a payment, by the account that took it.
func (h *Host) accountOf(row sqlgen.Payment) (*account, error) {
	a := h.accounts[row.Provider]
	if a == nil {
		return nil, errors.New("provider " + row.Provider + " is no longer configured")
	}
	if err := h.makeReady(h.life, a); err != nil {
		return a, nil // the call will say so itself
	}
	if _, configured, _ := a.snapshot(); configured.Account != row.Account {
		return nil, errors.New("provider " + row.Provider + " has another account now: " + configured.Account + ", not " + row.Account)
	}
	return a, nil
}

// park keeps a payment whose provider is gone, and flags it.
func (h *Host) park(row sqlgen.Payment, why error) {
	err := h.settle(row.ID, func(_ *sqlgen.Queries, p *sqlgen.Payment) ([]entry, error) {
		p.DueAt = micros(h.clock.Now().Add(lifecycle.Plan[4]))
		if p.ReviewReason != "" {
			return nil, nil
		}
		p.ReviewReason, p.ReviewSince = string(lifecycle.ProviderMissing), micros(h.clock.Now())
		return []entry{{kindReview, sourceHost, "", why.Error()}}, nil
	})
	if err != nil {
		h.log.Error("a payment can't be parked", "payment", row.ID, "error", err)
	}
}

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
	if failed != nil && sdk.AsError(failed).Outcome != sdk.OutcomeUnknown {
		return failed // surely nothing happened
	}
	err = h.settle(row.ID, func(tx *sqlgen.Queries, p *sqlgen.Payment) ([]entry, error) {
		if failed != nil {
			p.DueAt = micros(h.clock.Now()) // only a question can tell
			return []entry{{kindNote, sourceCancel, "", "cancelling has an unknown outcome: " + failed.Error()}}, nil
		}
		return h.applyAnswer(tx, p, answer, sourceCancel)
	})
	if err != nil {
		return storeError(err)
	}
	return nil
}
