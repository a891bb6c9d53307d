package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// refundChange lets something change a refund. It may be run again if another
// host was faster.
type refundChange func(*store.Tx, *sqlgen.Refund) (lifecycle.RefundVerdict, error)

// errNoChange is what a change returns that finds nothing to change.
var errNoChange = errors.New("there is nothing to change")

// refundAnswered lets an acquirer's answer change a refund, as the rules say.
// Whatever it says, the refund has reached the acquirer: the code of an earlier
// error gives way, by which RefundQueryError knows it.
func (h *Host) refundAnswered(tx *store.Tx, r *sqlgen.Refund, answer sdk.Refund) (lifecycle.RefundVerdict, error) {
	state, err := refundState(*r)
	if err != nil {
		return lifecycle.RefundVerdict{}, err
	}
	if state.Query.AcquirerRefundID == "" && answer.AcquirerRefundID != "" {
		others, err := tx.RefundByAcquirerID(context.WithoutCancel(h.life), sqlgen.RefundByAcquirerIDParams{Account: r.Account, AcquirerRefundID: answer.AcquirerRefundID})
		if err != nil {
			return lifecycle.RefundVerdict{}, err
		}
		if len(others) > 0 { // the acquirer gave one id to two of our refunds
			state.Query.AcquirerRefundID = "not " + answer.AcquirerRefundID + ", which is " + others[0].ID
		}
	}
	v := lifecycle.RefundAnswer(state, answer)
	r.SendState = refundAnswered
	switch {
	case state.Status.Terminal(): // by what it ended stays
	case v.Review != "":
		r.ErrorCode, r.StatusReason = int64(sdk.CodeMismatch), v.Detail
	case v.Status == sdk.RefundFailed:
		r.ErrorCode = int64(sdk.CodeRefused)
	default:
		r.ErrorCode = 0
	}
	if v.Believed {
		learnRefund(r, answer)
	}
	return v, nil
}

// learnRefund takes over what a believed answer says beside the status.
func learnRefund(r *sqlgen.Refund, answer sdk.Refund) {
	if r.AcquirerRefundID == "" {
		r.AcquirerRefundID = answer.AcquirerRefundID
	}
	if answer.RawStatus != "" {
		r.RawStatus = answer.RawStatus
	}
	if answer.Status == sdk.RefundSucceeded && !answer.RefundedAt.IsZero() {
		r.RefundedAt = micros(answer.RefundedAt)
	}
	r.StatusReason = answer.StatusReason
}

// recordRefund is settleRefund for what can't be asked again: see record.
func (h *Host) recordRefund(id string, change refundChange) {
	h.untilStored("refund", id, func() error { return h.settleRefund(id, change) })
}

// settleRefund is the one way in which a refund changes: see settle. Its
// payment's row is written with it, for the sum and the timeline; it was read
// before the sum, so that a sum which another host changed is a conflict.
func (h *Host) settleRefund(id string, change refundChange) error {
	ctx := context.WithoutCancel(h.life)
	var before, after sqlgen.Refund
	var was, p sqlgen.Payment
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		var err error
		if before, err = tx.Refund(ctx, id); err != nil {
			return err
		}
		if p, err = tx.Payment(ctx, before.PaymentID); err != nil {
			return err
		}
		was = p
		after = before
		v, err := change(tx, &after)
		if err != nil {
			return err
		}
		entries := h.applyRefund(&p, before, &after, v)
		early, err := h.matchEarlyRefund(tx, before, &after)
		if err != nil {
			return err
		}
		entries = append(entries, early...)
		if err := h.writeRefund(ctx, tx, before, after); err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		if p.AmountRefunded, err = refunded(ctx, tx, p); err != nil {
			return err
		}
		p.UpdatedAt = micros(h.clock.Now())
		return h.write(ctx, tx, was, p, entries)
	})
	if errors.Is(err, errNoChange) {
		return nil
	}
	if err != nil {
		return err
	}
	if before.Status != after.Status {
		h.metrics.refunds.WithLabelValues(after.Provider, after.Status).Inc()
		h.log.Info("refund "+after.Status, "refund", id, "payment", after.PaymentID, "provider", after.Provider, "was", before.Status)
	}
	h.logReview(was, p)
	return nil
}

// applyRefund writes a verdict into the refund, sets when to act next, and
// returns what the payment's timeline says.
func (h *Host) applyRefund(p *sqlgen.Payment, before sqlgen.Refund, r *sqlgen.Refund, v lifecycle.RefundVerdict) []entry {
	now := h.clock.Now()
	var entries []entry
	r.UpdatedAt = micros(now)
	if v.Moved {
		r.Status = v.Status.String()
		source := sourceRefund
		if sdk.Code(r.ErrorCode).Info().Blame == sdk.BlameHost {
			source = sourceHost
		}
		detail := strings.TrimSpace(fmt.Sprintf("%s over %s %s is %s. %s", r.ID, r.Amount, r.Currency, r.Status, v.Detail))
		entries = append(entries, entry{kind: kindRefund, source: source, rawStatus: r.RawStatus, detail: detail, refund: r})
	}
	if v.Review != "" {
		entries = append(entries, flagRefund(p, r, v.Review, now, v.Detail)...)
	}
	h.scheduleRefund(before, r, v)
	old := now.Sub(fromMicros(max(r.CreatedAt, r.ReviewSince))) >= lifecycle.StaleAfter
	switch {
	case v.Review == lifecycle.ProviderMissing: // parked, see park
		r.DueAt = micros(now.Add(lifecycle.Plan[4]))
	case old && r.DueAt > 0 && !v.Status.Terminal():
		r.DueAt = 0
		if r.ReviewReason == "" || !underReview(*p) {
			entries = append(entries, flagRefund(p, r, lifecycle.Stale, now, "still open after seven days; it is no longer asked about")...)
		}
	}
	return entries
}

// scheduleRefund sets when to act on a refund next.
func (h *Host) scheduleRefund(before sqlgen.Refund, r *sqlgen.Refund, v lifecycle.RefundVerdict) {
	now, hint := h.clock.Now(), before.DueAt
	wasSending := before.SendState == refundSending
	switch {
	case r.SendState == refundUnsent: // what a notification says of it can't be
		r.DueAt = micros(lifecycle.NextSend(int(r.Tries), v.RetryAfter, now, fromMicros(r.CreatedAt)))
		r.Tries++
		return
	case v.Moved || wasSending:
		r.Tries = 0
	default:
		r.Tries++
	}
	r.DueAt = 0
	// A notification about one that had FAILED is followed up: see lookAgain.
	lookAgain := v.Status == sdk.RefundFailed && !v.Moved && v.Review == "" && int(r.Tries) < len(lifecycle.Plan)
	if !v.Status.Terminal() || lookAgain {
		r.DueAt = micros(lifecycle.NextQuery(h.planOf(r.Provider), int(r.Tries), now))
	}
	if before.Holder != "" && hint > 0 && v.Status != sdk.RefundSucceeded && (r.DueAt == 0 || r.DueAt > hint) {
		r.DueAt = hint // a notification came in while the acquirer was asked
	}
}

// flagRefund asks for a person to look at a payment because of its refund. What
// was dismissed is news again after a week.
func flagRefund(p *sqlgen.Payment, r *sqlgen.Refund, why lifecycle.ReviewReason, now time.Time, detail string) []entry {
	if r.ReviewReason == string(why) && (underReview(*p) || now.Sub(fromMicros(r.ReviewSince)) < lifecycle.StaleAfter) {
		return nil
	}
	r.ReviewReason, r.ReviewSince = string(why), micros(now)
	evidence, _ := json.Marshal(map[string]string{"refund": r.ID, "merchant_refund_id": r.MerchantRefundID, "status": r.Status, "detail": detail})
	flag(p, why, now, string(evidence))
	return []entry{{kind: kindReview, source: sourceRefund, rawStatus: r.RawStatus, detail: string(why) + " of " + r.ID + ": " + detail}}
}

func (h *Host) writeRefund(ctx context.Context, tx *store.Tx, before, after sqlgen.Refund) error {
	n, err := tx.UpdateRefund(ctx, sqlgen.UpdateRefundParams{
		AcquirerRefundID: after.AcquirerRefundID, Status: after.Status, StatusReason: after.StatusReason, ErrorCode: after.ErrorCode,
		RawStatus: after.RawStatus, SendState: after.SendState, Holder: after.Holder, SentAt: after.SentAt, RefundedAt: after.RefundedAt,
		UpdatedAt: after.UpdatedAt, DueAt: after.DueAt, Tries: after.Tries, ReviewReason: after.ReviewReason, ReviewSince: after.ReviewSince,
		ID: after.ID, Version: before.Version,
	})
	if err == nil && n != 1 {
		err = fmt.Errorf("refund %s: %w", after.ID, store.ErrConflict)
	}
	if err == nil && after.DueAt > 0 && after.Holder == "" && (after.DueAt != before.DueAt || before.Holder != "") {
		tx.Alarm(h.alarmOfRefund(after.ID, after.Provider, after.DueAt))
	}
	return err
}

func refundQuery(row sqlgen.Refund) (sdk.RefundQuery, error) {
	amount, err := sdk.ParseMoney(row.Amount, row.Currency)
	return sdk.RefundQuery{MerchantRefundID: row.MerchantRefundID, AcquirerRefundID: row.AcquirerRefundID, Amount: amount}, err
}

func refundState(row sqlgen.Refund) (lifecycle.Refund, error) {
	q, err := refundQuery(row)
	code := sdk.Code(row.ErrorCode)
	return lifecycle.Refund{
		Status: refundStatus(row), Query: q, Sending: row.SendState == refundSending, SentAt: fromMicros(row.SentAt),
		Answered: code == sdk.CodeUnspecified || code == sdk.CodeMismatch, // see refundAnswered
	}, err
}

func refundStatus(row sqlgen.Refund) sdk.RefundStatus {
	for _, s := range []sdk.RefundStatus{sdk.RefundPending, sdk.RefundSucceeded, sdk.RefundFailed} {
		if s.String() == row.Status {
			return s
		}
	}
	return sdk.RefundUnknown
}

// refunded is the sum of the refunds that have SUCCEEDED.
func refunded(ctx context.Context, tx *store.Tx, p sqlgen.Payment) (string, error) {
	refunds, err := tx.RefundsOfPayment(ctx, p.ID)
	if err != nil {
		return "", err
	}
	sum, err := sdk.Zero(p.Currency)
	if err != nil {
		return "", err
	}
	total := sum.Amount()
	for _, r := range refunds {
		if r.Status != sdk.RefundSucceeded.String() {
			continue
		}
		m, err := sdk.ParseMoney(r.Amount, r.Currency)
		if err != nil {
			return "", err
		}
		total = total.Add(m.Amount())
	}
	if total.IsPositive() {
		sum, err = sdk.ParseMoney(total.String(), p.Currency)
	}
	return sum.AmountString(), err
}
