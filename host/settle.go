package host

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// entry is a new line of a payment's timeline.
type entry struct {
	kind, source, rawStatus, detail string
	refund                          *sqlgen.Refund // of which it tells, if it has an event of its own
}

// The kinds of timeline entries, and who says so.
const (
	kindStatus = "status"
	kindNote   = "note"
	kindReview = "review"
	kindRefund = "refund"

	sourceMerchant     = "merchant"
	sourceReview       = "review" // a person accepted what was observed
	sourceHost         = "host"
	sourceCreate       = "create"
	sourceQuery        = "query"
	sourceCancel       = "cancel"
	sourceNotification = "notification"
	sourceRefund       = "refund"
)

// settle is the one way in which a payment changes: read it, let change decide,
// write it with its timeline, its events and its next alarm, in one transaction
// that is durable when settle returns. It must not call a provider, and may be
// run again if another host was faster.
func (h *Host) settle(id string, change func(*store.Tx, *sqlgen.Payment) ([]entry, error)) error {
	ctx := context.WithoutCancel(h.life)
	var before, after sqlgen.Payment
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		var err error
		if before, err = tx.Payment(ctx, id); err != nil {
			return err
		}
		after = before
		entries, err := change(tx, &after)
		if err != nil {
			return err
		}
		doubled, err := h.claimGroup(ctx, tx, before, &after)
		if err != nil {
			return err
		}
		entries = append(entries, doubled...)
		after.UpdatedAt = micros(h.clock.Now())
		return h.write(ctx, tx, before, after, entries)
	})
	if err != nil {
		return err
	}
	if before.Status != after.Status {
		h.metrics.payments.WithLabelValues(after.Provider, after.Status).Inc()
		h.log.Info("payment "+after.Status, "payment", id, "merchant_order_id", after.MerchantOrderID, "provider", after.Provider, "was", before.Status)
	}
	h.logReview(before, after)
	return nil
}

// logReview tells operators of a payment that a person has to look at.
func (h *Host) logReview(before, after sqlgen.Payment) {
	if underReview(after) && (before.ReviewReason != after.ReviewReason || before.ReviewDecision != "") {
		h.log.Error("payment needs a review", "payment", after.ID, "reason", after.ReviewReason, "observed", after.ReviewObserved)
	}
}

// write writes a payment with what belongs to it. The row is written first: it
// keeps other hosts from writing the rest at the same time.
func (h *Host) write(ctx context.Context, tx *store.Tx, before, after sqlgen.Payment, entries []entry) error {
	if err := update(ctx, tx, after); err != nil {
		return err
	}
	// While a call is under way its end sets the alarm.
	if after.DueAt > 0 && after.Holder == "" && (after.DueAt != before.DueAt || before.Holder != "") {
		tx.Alarm(h.alarmOf(after))
	}
	return h.append(ctx, tx, after, entries)
}

// alarmOf makes the host look at a payment when it is due.
func (h *Host) alarmOf(p sqlgen.Payment) alarm.Alarm {
	return alarm.Alarm{Kind: alarm.Payment, ID: p.ID, Queue: h.queueOf(p.Provider), At: fromMicros(p.DueAt)}
}

// record is settle for what can't be asked again: it goes on until the store
// takes it or the host ends. Cut off, the payment is UNKNOWN at the next start.
func (h *Host) record(id string, change func(*store.Tx, *sqlgen.Payment) ([]entry, error)) {
	h.untilStored("payment", id, func() error { return h.settle(id, change) })
}

func (h *Host) untilStored(what, id string, settle func() error) {
	for {
		err := settle()
		if err == nil {
			return
		}
		h.log.Error("an answer can't be stored; trying again", what, id, "error", err)
		select {
		case <-h.clock.After(time.Second):
		case <-h.life.Done():
			return
		}
	}
}

func update(ctx context.Context, tx *store.Tx, p sqlgen.Payment) error {
	n, err := tx.UpdatePayment(ctx, sqlgen.UpdatePaymentParams{
		Provider: p.Provider, Account: p.Account, AcquirerOrderID: p.AcquirerOrderID, Status: p.Status, StatusReason: p.StatusReason,
		ErrorCode: p.ErrorCode, RawStatus: p.RawStatus, NextActions: p.NextActions, CreateState: p.CreateState, SentAt: p.SentAt, PaidAt: p.PaidAt,
		UpdatedAt: p.UpdatedAt, DueAt: p.DueAt, Tries: p.Tries, ReviewReason: p.ReviewReason, ReviewSince: p.ReviewSince, ReviewObserved: p.ReviewObserved,
		Holder: p.Holder, ReviewDecision: p.ReviewDecision, AmountRefunded: p.AmountRefunded, ID: p.ID, Version: p.Version,
	})
	if err == nil && n != 1 {
		err = fmt.Errorf("payment %s: %w", p.ID, store.ErrConflict)
	}
	return err
}

// append adds to a payment's timeline, with an event for each transition.
func (h *Host) append(ctx context.Context, tx *store.Tx, p sqlgen.Payment, entries []entry) error {
	now := micros(h.clock.Now())
	for _, e := range entries {
		event, err := h.tell(ctx, tx, p, e)
		if err != nil {
			return err
		}
		err = tx.AppendTimeline(ctx, sqlgen.AppendTimelineParams{
			PaymentID: p.ID, At: now, Kind: e.kind, Status: p.Status, Source: e.source, Provider: p.Provider, RawStatus: e.rawStatus, Detail: e.detail, EventID: event,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// applyAnswer lets an acquirer's answer change a payment, as the rules say.
func (h *Host) applyAnswer(tx *store.Tx, p *sqlgen.Payment, answer sdk.Payment, source string) ([]entry, error) {
	state, err := stateOf(*p)
	if err != nil {
		return nil, err
	}
	before := p.AcquirerOrderID
	if before == "" && answer.AcquirerOrderID != "" {
		others, err := tx.PaymentByAcquirerOrder(context.WithoutCancel(h.life), sqlgen.PaymentByAcquirerOrderParams{Account: p.Account, AcquirerOrderID: answer.AcquirerOrderID})
		if err != nil {
			return nil, err
		}
		if len(others) > 0 { // the acquirer gave one id to two of our orders
			state.Order.AcquirerOrderID = "not " + answer.AcquirerOrderID + ", which is the order of " + others[0].ID
		}
	}
	v := lifecycle.Answer(state, answer)
	if v.Moved {
		p.ErrorCode = 0 // of an earlier try
	}
	if v.Believed {
		if err := learn(p, answer); err != nil {
			return nil, err
		}
	}
	entries := h.applyVerdict(p, v, source, answer.RawStatus, observed(answer))
	if before != "" || p.AcquirerOrderID == "" || source == sourceCreate { // Create looks in any case
		return entries, nil
	}
	early, err := h.matchEarly(tx, p)
	return append(entries, early...), err
}

// learn takes over what a believed answer says beside the status.
func learn(p *sqlgen.Payment, answer sdk.Payment) error {
	if p.AcquirerOrderID == "" {
		p.AcquirerOrderID = answer.AcquirerOrderID
	}
	if answer.RawStatus != "" {
		p.RawStatus = answer.RawStatus
	}
	if answer.Status == sdk.StatusSucceeded && !answer.PaidAt.IsZero() {
		p.PaidAt = micros(answer.PaidAt)
	}
	p.StatusReason = answer.StatusReason
	if len(answer.NextActions) == 0 {
		return nil
	}
	actions, err := json.Marshal(answer.NextActions)
	p.NextActions = string(actions)
	return err
}

// observed is what a person sees of an answer that needs a review.
func observed(answer sdk.Payment) string {
	text, _ := json.Marshal(observation{
		MerchantOrderID: answer.MerchantOrderID, ProviderOrderID: answer.AcquirerOrderID,
		Amount: answer.Money.AmountString(), Currency: answer.Money.Currency(), PaidAt: answer.PaidAt.UTC(),
		Status: answer.Status.String(), RawStatus: answer.RawStatus, StatusReason: answer.StatusReason, RequestID: answer.RequestID,
	})
	return string(text)
}

func (h *Host) applyCreateError(p *sqlgen.Payment, failed *sdk.Error) ([]entry, error) {
	state, err := stateOf(*p)
	if err != nil {
		return nil, err
	}
	p.ErrorCode, p.StatusReason = int64(failed.Code), failed.Message
	return h.applyVerdict(p, lifecycle.CreateError(state, failed), sourceCreate, failed.AcquirerCode, ""), nil
}

// applyVerdict writes a verdict into the payment, sets when to ask next, and
// returns what the timeline says.
func (h *Host) applyVerdict(p *sqlgen.Payment, v lifecycle.Verdict, source, rawStatus, evidence string) []entry {
	now := h.clock.Now()
	var entries []entry
	p.Tries++
	if v.Moved {
		p.Status, p.Tries = v.Status.String(), 0
		entries = append(entries, entry{kind: kindStatus, source: source, rawStatus: rawStatus, detail: v.Detail})
	}
	if v.Review != "" && isNews(*p, v.Review, evidence) && !outranked(*p, v.Review) {
		flag(p, v.Review, now, evidence)
		entries = append(entries, entry{kind: kindReview, source: source, rawStatus: rawStatus, detail: string(v.Review) + ": " + v.Detail})
	}
	p.DueAt = 0
	if !v.Status.Terminal() {
		p.DueAt = micros(lifecycle.NextQuery(h.planOf(p.Provider), int(p.Tries), now))
	}
	return entries
}

// outranked keeps a person from overlooking that money came: an answer that is
// about something else doesn't hide it.
func outranked(p sqlgen.Payment, why lifecycle.ReviewReason) bool {
	return why == lifecycle.Mismatch && p.ReviewReason == string(lifecycle.LateSuccess) && p.ReviewDecision == ""
}

func (h *Host) planOf(provider string) []time.Duration {
	if a := h.account(provider); a != nil {
		d, _, _ := a.snapshot()
		return d.Capabilities.Polling
	}
	return nil
}
