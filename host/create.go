package host

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// CreateWait is how long Create waits for the acquirer before it answers with
// the payment as it is; the call goes on.
const CreateWait = 10 * time.Second

// Created is what came of Create.
type Created struct {
	Payment Payment
	// Existing: the same request was made before; nothing new was started.
	Existing bool
	// Err says why no provider was asked (outcome NOT_SENT), why the acquirer
	// refused, or that the outcome isn't known. Nil once an order exists.
	Err *sdk.Error
}

// Create starts a payment. The intent is durable before a plugin is called, and
// from then on the caller's context no longer matters. An error means that
// nothing was recorded.
//
// The same request for the same merchant_order_id is answered with the payment
// that exists; if no provider could be asked before, it tries again.
func (h *Host) Create(ctx context.Context, merchant string, r CreateRequest) (Created, error) {
	setup := h.now()
	money, err := r.validate(setup.cfg.ReturnHosts)
	if err != nil {
		return Created{}, err
	}
	if found, ok, err := h.existing(ctx, merchant, r, money); err != nil || ok {
		return found, err
	}
	candidates, err := h.route(ctx, setup, merchant, r, money)
	if err != nil {
		return Created{}, err
	}
	row := h.newRow(setup, merchant, r, money, candidates)
	fl, _ := h.flights.take(row.ID) // a new id: nobody else can have it
	if !h.begin() {
		h.flights.land(row.ID, fl)
		return Created{}, shuttingDown()
	}
	if err := h.commitIntent(&row); err != nil && !h.committed(row.ID) {
		h.flights.land(row.ID, fl)
		h.work.Done()
		if found, ok, again := h.existing(ctx, merchant, r, money); again != nil || ok {
			return found, again // the same request came in at the same time
		}
		return Created{}, storeError(err)
	}
	go h.send(row, fl)
	return h.await(ctx, row.ID, fl, false)
}

// existing answers for a merchant_order_id that is taken already.
func (h *Host) existing(ctx context.Context, merchant string, r CreateRequest, money sdk.Money) (Created, bool, error) {
	row, err := h.store.Read().PaymentByMerchantOrder(ctx, sqlgen.PaymentByMerchantOrderParams{Merchant: merchant, MerchantOrderID: r.MerchantOrderID})
	if errors.Is(err, sql.ErrNoRows) {
		return Created{}, false, nil
	}
	if err != nil {
		return Created{}, false, storeError(err)
	}
	if row.RequestDigest != r.digest(money) {
		e := sdk.NotSent(sdk.CodeConflict, "names another attempt (%s), with other values; a new attempt needs a new merchant_order_id", row.ID)
		e.Field = "merchant_order_id"
		return Created{}, false, e
	}
	if row.CreateState == createUnsent {
		created, err := h.resend(ctx, row)
		return created, true, err
	}
	fl, mine := h.flights.take(row.ID)
	if mine {
		h.flights.land(row.ID, fl)
	}
	created, err := h.await(ctx, row.ID, fl, true)
	return created, true, err
}

// resend tries a payment again of which it is sure that nothing was sent.
func (h *Host) resend(ctx context.Context, unsent sqlgen.Payment) (Created, error) {
	fl, mine := h.flights.take(unsent.ID)
	if !mine {
		return h.await(ctx, unsent.ID, fl, true)
	}
	if !h.begin() {
		h.flights.land(unsent.ID, fl)
		return Created{}, shuttingDown()
	}
	row, held, err := h.hold(unsent.ID, func(p *sqlgen.Payment) bool {
		if p.CreateState != createUnsent {
			return false // another call was faster
		}
		p.CreateState, p.SentAt, p.DueAt = createSending, micros(h.clock.Now()), 0
		return true
	})
	if err != nil || !held {
		h.flights.land(unsent.ID, fl)
		h.work.Done()
		if err != nil {
			return Created{}, storeError(err)
		}
		return h.await(ctx, unsent.ID, fl, true)
	}
	go h.send(row, fl)
	return h.await(ctx, unsent.ID, fl, false)
}

// The states of a payment's Create.
const (
	createSending  = "sending"  // a plugin may have been asked; after a crash the outcome is unknown
	createUnsent   = "unsent"   // surely no provider was asked
	createAnswered = "answered" // asked once and for all; from now on only Query
)

func (h *Host) newRow(setup *setup, merchant string, r CreateRequest, money sdk.Money, candidates []string) sqlgen.Payment {
	now := micros(h.clock.Now())
	metadata, _ := json.Marshal(r.Metadata)
	names, _ := json.Marshal(candidates)
	_, configured, _ := setup.accounts[candidates[0]].snapshot()
	nothing, _ := sdk.Zero(money.Currency()) // money has a known currency
	return sqlgen.Payment{
		ID: "pay_" + ulid.Make().String(), Version: 1, Merchant: merchant, MerchantOrderID: r.MerchantOrderID,
		RequestDigest: r.digest(money), OrderGroup: r.OrderGroup, Amount: money.AmountString(), Currency: money.Currency(),
		Method: r.Method, Flow: r.Flow, Description: r.Description, ReturnUrl: r.ReturnURL, Metadata: string(metadata),
		Candidates: string(names), Provider: candidates[0], Account: configured.Account, RequestID: "req_" + ulid.Make().String(),
		Status: sdk.StatusCreated.String(), NextActions: noActions, CreateState: createSending, SentAt: now, AmountRefunded: nothing.AmountString(), CreatedAt: now, UpdatedAt: now,
		ReviewObserved: noEvidence,
	}
}

// commitIntent makes the payment durable. It isn't tied to the caller's context:
// a commit that is cut off may have happened.
func (h *Host) commitIntent(row *sqlgen.Payment) error {
	ctx := context.WithoutCancel(h.life)
	return h.store.Update(ctx, func(tx *store.Tx) error {
		row.Holder = h.store.Host() // another one, if this transaction is run again
		if err := tx.InsertPayment(ctx, sqlgen.InsertPaymentParams(*row)); err != nil {
			return err
		}
		if err := claimOrder(ctx, tx, *row); err != nil {
			return err
		}
		return h.append(ctx, tx, *row, []entry{{kind: kindStatus, source: sourceMerchant}})
	})
}

// committed tells whether an intent is there although its commit failed.
func (h *Host) committed(id string) bool {
	_, err := h.store.Read().Payment(context.WithoutCancel(h.life), id)
	return err == nil
}

// claimOrder takes the order id at the acquirer's account, which no other
// payment may use, whichever merchant's it is.
func claimOrder(ctx context.Context, tx *store.Tx, row sqlgen.Payment) error {
	claim := sqlgen.InsertSentOrderParams{Account: row.Account, MerchantOrderID: row.MerchantOrderID, PaymentID: row.ID}
	if n, err := tx.InsertSentOrder(ctx, claim); err != nil || n == 1 {
		return err
	}
	owner, err := tx.SentOrder(ctx, sqlgen.SentOrderParams{Account: row.Account, MerchantOrderID: row.MerchantOrderID})
	if err != nil || owner == row.ID {
		return err
	}
	e := sdk.NotSent(sdk.CodeConflict, "was used already at the acquirer's account %s; use another", row.Account)
	e.Field = "merchant_order_id"
	return e
}

// send asks the candidates in turn, the next only after NOT_SENT, and records
// what came of it. It owns the flight.
func (h *Host) send(row sqlgen.Payment, fl *flight) {
	defer h.work.Done()
	defer h.flights.land(row.ID, fl)
	var candidates []string
	_ = json.Unmarshal([]byte(row.Candidates), &candidates)
	for i, name := range candidates {
		if i > 0 || name != row.Provider {
			if err := h.moveTo(&row, name); errors.Is(err, errTakenOver) {
				fl.err = sdk.Unknown(sdk.CodeInternal, "%w", err)
				return // it is no longer ours to send
			} else if err != nil {
				h.log.Warn("candidate is passed over", "payment", row.ID, "provider", name, "error", err)
				fl.err = notSent(err)
				continue
			}
		}
		answer, err := h.callCreate(row)
		if err == nil {
			fl.err = nil
			h.record(row.ID, func(tx *store.Tx, p *sqlgen.Payment) ([]entry, error) { return h.applyCreated(tx, p, row, answer) })
			return
		}
		fl.err = sdk.AsError(err)
		h.log.Warn("create failed", "payment", row.ID, "provider", name, "outcome", fl.err.Outcome, "error", fl.err)
		if fl.err.Outcome != sdk.OutcomeNotSent {
			h.record(row.ID, func(_ *store.Tx, p *sqlgen.Payment) ([]entry, error) { return h.applyNotCreated(p, row, fl.err) })
			return
		}
		h.record(row.ID, func(_ *store.Tx, p *sqlgen.Payment) ([]entry, error) {
			return []entry{{kind: kindNote, source: sourceCreate, detail: "not sent: " + fl.err.Error()}}, nil
		})
	}
	h.record(row.ID, func(_ *store.Tx, p *sqlgen.Payment) ([]entry, error) {
		if release(p, row) {
			p.CreateState, p.DueAt = createUnsent, p.CreatedAt+lifecycle.NeverSentAfter.Microseconds()
		}
		return nil, nil
	})
}

// applyCreated records the answer of Create. A notification may have been
// faster: then the acquirer is asked at once.
func (h *Host) applyCreated(tx *store.Tx, p *sqlgen.Payment, asked sqlgen.Payment, answer sdk.Payment) ([]entry, error) {
	release(p, asked)
	hinted := p.DueAt
	p.CreateState = createAnswered
	entries, err := h.applyAnswer(tx, p, answer, sourceCreate)
	if err != nil {
		return nil, err
	}
	early, err := h.matchEarly(tx, p)
	keepHint(p, hinted)
	return append(entries, early...), err
}

// applyNotCreated records a Create that failed, or may have.
func (h *Host) applyNotCreated(p *sqlgen.Payment, asked sqlgen.Payment, failed *sdk.Error) ([]entry, error) {
	release(p, asked)
	hinted := p.DueAt
	p.CreateState = createAnswered
	entries, err := h.applyCreateError(p, failed)
	keepHint(p, hinted)
	if hinted > 0 && statusOf(*p) == sdk.StatusUnknown {
		p.Tries = maxRepeats // a notification came: the acquirer has the order, it is asked about and not sent again
	}
	return entries, err
}

// keepHint keeps the time that a notification set while the acquirer was asked.
func keepHint(p *sqlgen.Payment, hinted int64) {
	if hinted > 0 && statusOf(*p) != sdk.StatusSucceeded && (p.DueAt == 0 || p.DueAt > hinted) {
		p.DueAt = hinted
	}
}

// moveTo commits that the next candidate is going to be asked.
func (h *Host) moveTo(row *sqlgen.Payment, name string) error {
	a := h.account(name)
	if a == nil {
		return sdk.NotSent(sdk.CodePluginUnavailable, "provider %s is no longer configured", name)
	}
	if err := h.makeReady(h.life, a); err != nil {
		return notSent(err)
	}
	_, configured, _ := a.snapshot()
	return h.settle(row.ID, func(tx *store.Tx, p *sqlgen.Payment) ([]entry, error) {
		if p.Holder != row.Holder {
			return nil, errTakenOver
		}
		p.Provider, p.Account, p.SentAt = name, configured.Account, micros(h.clock.Now())
		*row = *p
		return nil, claimOrder(h.life, tx, *p)
	})
}

// notSent is for a failure before any provider was asked.
func notSent(err error) *sdk.Error {
	e := *sdk.AsError(err)
	e.Outcome = sdk.OutcomeNotSent
	return &e
}

func (h *Host) callCreate(row sqlgen.Payment) (sdk.Payment, error) {
	order, err := orderOf(row)
	if err != nil {
		return sdk.Payment{}, notSent(err)
	}
	a := h.account(row.Provider)
	if a == nil {
		return sdk.Payment{}, sdk.NotSent(sdk.CodePluginUnavailable, "provider %s is no longer configured", row.Provider)
	}
	if err := h.makeReady(h.life, a); err != nil {
		return sdk.Payment{}, notSent(err)
	}
	if _, configured, _ := a.snapshot(); configured.Account != row.Account { // the order would be at an account where nobody looks for it
		return sdk.Payment{}, sdk.NotSent(sdk.CodePluginUnavailable, "provider %s has another account now: %s, not %s", row.Provider, configured.Account, row.Account)
	}
	r := sdk.CreateRequest{
		Order: order, RequestID: row.RequestID, Method: sdk.Method(row.Method), Flow: sdk.Flow(row.Flow),
		Description: row.Description, ReturnURL: row.ReturnUrl,
	}
	if d, _, _ := a.snapshot(); d.Capabilities.NotifyURL == sdk.NotifyURLPerPayment {
		r.NotifyURL = h.now().cfg.PublicURL + "/v1/notifications/" + a.cfg.Name
	}
	if late := h.clock.Now().Sub(fromMicros(row.SentAt)); late > sendWithin {
		return sdk.Payment{}, sdk.NotSent(sdk.CodeInternal, "the host stood still for %s before it could send", late.Round(time.Second))
	}
	// A stopping host lets the call end by itself: cutting it off would only
	// turn a known outcome into an unknown one.
	ctx := context.WithoutCancel(h.life)
	return measure(h, a, "create", func() (sdk.Payment, error) { return a.api.Create(ctx, r) })
}

// await waits for a flight, for a while, and returns the payment as it is.
func (h *Host) await(ctx context.Context, id string, fl *flight, existing bool) (Created, error) {
	created := Created{Existing: existing}
	select {
	case <-fl.done:
		created.Err = fl.err
	case <-h.clock.After(CreateWait):
	case <-ctx.Done():
	}
	var err error
	created.Payment, err = h.read(context.WithoutCancel(ctx), id)
	return created, err
}
