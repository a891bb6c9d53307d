package host

import (
	"context"
	"time"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store"
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
			if fl, mine := h.flights.take(id); mine {
				h.query(id, fl, time.Time{})
			} else {
				<-fl.done // its answer is as good
			}
		}()
		select {
		case <-done:
		case <-h.clock.After(CreateWait):
		case <-ctx.Done():
		}
	}
	return h.read(ctx, id)
}

// query asks the acquirer about one payment and records the answer, if the
// payment is due at that time; the zero time asks in any case. It owns the flight.
func (h *Host) query(id string, fl *flight, due time.Time) {
	defer h.flights.land(id, fl)
	row, held, err := h.hold(id, func(p *sqlgen.Payment) bool {
		return p.CreateState == createAnswered && (due.IsZero() || p.DueAt > 0 && p.DueAt <= micros(due))
	})
	if err != nil {
		h.log.Error("a payment can't be held to ask about it", "payment", id, "error", err)
	}
	if !held {
		return
	}
	a, missing := h.accountOf(row)
	if missing != nil {
		h.park(row, missing)
		return
	}
	if h.mayRepeat(row, a) {
		h.repeatCreate(row)
		return
	}
	answer, failed := h.callQuery(row, a)
	h.record(id, func(tx *store.Tx, p *sqlgen.Payment) ([]entry, error) {
		release(p, row)
		return h.applyQuery(tx, row, p, a, answer, failed)
	})
}

func (h *Host) callQuery(row sqlgen.Payment, a *account) (sdk.Payment, error) {
	order, err := orderOf(row)
	if err != nil {
		return sdk.Payment{}, notSent(err)
	}
	ctx := context.WithoutCancel(h.life)
	return measure(h, a, "query", func() (sdk.Payment, error) { return a.api.Query(ctx, sdk.QueryRequest{Order: order}) })
}

// maxRepeats is how often a Create is repeated before the acquirer is only asked.
const maxRepeats = 3

// mayRepeat reports whether a Create whose answer was lost may be sent again: the
// acquirer promises that the identical request has its effect once, and that
// promise holds long enough for the answer to come in.
func (h *Host) mayRepeat(row sqlgen.Payment, a *account) bool {
	d, _, ready := a.snapshot()
	retry := d.Capabilities.CreateRetry
	return ready && retry.Native && statusOf(row) == sdk.StatusUnknown && row.AcquirerOrderID == "" && row.Tries < maxRepeats &&
		h.clock.Now().Add(repeatMargin).Before(fromMicros(row.CreatedAt).Add(retry.Window))
}

// repeatMargin is for the call itself and for clocks that differ.
const repeatMargin = 2 * time.Minute

func (h *Host) repeatCreate(row sqlgen.Payment) {
	ours := false
	h.record(row.ID, func(_ *store.Tx, p *sqlgen.Payment) ([]entry, error) {
		if ours = p.Holder == row.Holder; !ours {
			return nil, nil
		}
		p.SentAt = micros(h.clock.Now()) // it has the settling time before it that the first one had
		row.SentAt = p.SentAt
		return []entry{{kind: kindNote, source: sourceCreate, detail: "the answer was lost: the identical request is sent again"}}, nil
	})
	if !ours {
		return // taken over, or the host ends
	}
	h.log.Info("an identical Create is sent again, as the acquirer permits", "payment", row.ID, "provider", row.Provider)
	answer, err := h.callCreate(row)
	h.record(row.ID, func(tx *store.Tx, p *sqlgen.Payment) ([]entry, error) {
		if p.DueAt == row.DueAt {
			p.DueAt = 0 // that is done; another time is a notification's
		}
		if err == nil {
			return h.applyCreated(tx, p, row, answer)
		}
		failed := sdk.AsError(err)
		entries, err := h.applyNotCreated(p, row, failed)
		return append(entries, entry{kind: kindNote, source: sourceCreate, detail: "sent again, but: " + failed.Error()}), err
	})
}

// applyQuery records what came of a question that was asked when the payment was
// as in asked.
func (h *Host) applyQuery(tx *store.Tx, asked sqlgen.Payment, p *sqlgen.Payment, a *account, answer sdk.Payment, failed error) (entries []entry, err error) {
	hinted := p.DueAt
	if failed != nil {
		entries, err = h.applyQueryError(p, a, sdk.AsError(failed))
	} else {
		entries, err = h.applyAnswer(tx, p, answer, sourceQuery)
	}
	if hinted != asked.DueAt { // a notification came in meanwhile: the answer may be older than it
		keepHint(p, hinted)
	}
	if end := statusOf(*p); end.Terminal() && end != sdk.StatusSucceeded {
		h.lookAgain(p, asked, failed == nil)
	}
	return append(entries, h.flagStale(p)...), err
}

// lookAgain asks on for a while after an unpaid end: the answer may be older than
// a notification or a payer who was late, and a late success must not be missed.
// Once that is known an answer is enough, but not a question that failed.
func (h *Host) lookAgain(p *sqlgen.Payment, asked sqlgen.Payment, answered bool) {
	known := answered && p.ReviewReason == string(lifecycle.LateSuccess)
	if asked.DueAt > 0 && p.DueAt == 0 && !known && int(p.Tries) < len(lifecycle.Plan) {
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
	evidence := observed(sdk.Payment{RawStatus: failed.AcquirerCode, StatusReason: failed.Message, RequestID: failed.AcquirerRequestID})
	return h.applyVerdict(p, v, sourceQuery, failed.AcquirerCode, evidence), nil
}

// flagStale gives a payment that is open for too long to a person. Its state
// stays: our clock never ends a payment.
func (h *Host) flagStale(p *sqlgen.Payment) []entry {
	now := h.clock.Now()
	since := p.CreatedAt
	if p.ReviewDecision != "" {
		since = p.ReviewSince // a person had it asked about again
	}
	if p.DueAt == 0 || statusOf(*p).Terminal() || now.Sub(fromMicros(since)) < lifecycle.StaleAfter {
		return nil
	}
	p.DueAt = 0
	if underReview(*p) {
		return nil
	}
	flag(p, lifecycle.Stale, now, noEvidence)
	return []entry{{kind: kindReview, source: sourceHost, detail: "still open after seven days; it is no longer asked about"}}
}

// missingError says in what way a payment's provider left the config.
type missingError string

func (e missingError) Error() string { return string(e) }

// accountOf returns the provider of a payment, by the account that took it. Its
// only error is a missingError.
func (h *Host) accountOf(row sqlgen.Payment) (*account, error) {
	a := h.account(row.Provider)
	if a == nil {
		return nil, missingError("provider " + row.Provider + " is no longer configured")
	}
	if err := h.makeReady(h.life, a); err != nil {
		return a, nil // the call will say so itself
	}
	if _, configured, _ := a.snapshot(); configured.Account != row.Account {
		return nil, missingError("provider " + row.Provider + " has another account now: " + configured.Account + ", not " + row.Account)
	}
	return a, nil
}

// park keeps a payment whose provider is gone, and flags it.
func (h *Host) park(row sqlgen.Payment, why error) {
	h.record(row.ID, func(_ *store.Tx, p *sqlgen.Payment) ([]entry, error) {
		release(p, row)
		now := h.clock.Now()
		if statusOf(*p) == sdk.StatusSucceeded { // there is nothing more to ask
			return nil, nil
		}
		p.DueAt = micros(now.Add(lifecycle.Plan[4]))
		dismissed := p.ReviewReason == string(lifecycle.ProviderMissing) && now.Sub(fromMicros(p.ReviewSince)) < lifecycle.StaleAfter
		if underReview(*p) || dismissed {
			return nil, nil
		}
		flag(p, lifecycle.ProviderMissing, now, noEvidence)
		return []entry{{kind: kindReview, source: sourceHost, detail: why.Error()}}, nil
	})
}
