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

// sendRefund asks the plugin once and records what came of it. It owns the
// flight.
func (h *Host) sendRefund(row sqlgen.Refund, fl *flight) {
	defer h.flights.land(row.ID, fl)
	answer, err := h.callRefund(row)
	if err != nil {
		fl.err = sdk.AsError(err)
		h.log.Warn("refund failed", "refund", row.ID, "payment", row.PaymentID, "provider", row.Provider, "outcome", fl.err.Outcome, "error", fl.err)
	}
	h.recordRefund(row.ID, func(_ *sqlgen.Payment, r *sqlgen.Refund) (lifecycle.RefundVerdict, error) {
		ours := releaseRefund(r, row)
		state, err := refundState(*r)
		if err != nil {
			return lifecycle.RefundVerdict{}, err
		}
		if fl.err == nil {
			r.SendState = refundAnswered
			return h.believe(r, lifecycle.RefundAnswer(state, answer), answer), nil
		}
		switch {
		case fl.err.Outcome != sdk.OutcomeNotSent:
			r.SendState = refundAnswered
		case ours:
			r.SendState = refundUnsent
		}
		r.ErrorCode, r.StatusReason = int64(fl.err.Code), fl.err.Message
		return lifecycle.RefundError(state, fl.err), nil
	})
}

func (h *Host) callRefund(row sqlgen.Refund) (sdk.Refund, error) {
	ctx := context.WithoutCancel(h.life)
	payment, a, err := h.refundedPayment(ctx, row)
	if err != nil {
		return sdk.Refund{}, notSent(err)
	}
	order, err := orderOf(payment)
	if err != nil {
		return sdk.Refund{}, notSent(err)
	}
	q, err := refundQuery(row)
	if err != nil {
		return sdk.Refund{}, notSent(err)
	}
	r := sdk.RefundRequest{Order: order, MerchantRefundID: row.MerchantRefundID, RequestID: row.RequestID, Amount: q.Amount, Reason: row.Reason}
	return measure(h, a, "refund", func() (sdk.Refund, error) { return a.api.Refund(ctx, r) })
}

// refundedPayment returns the payment that a refund is of, and its provider.
func (h *Host) refundedPayment(ctx context.Context, row sqlgen.Refund) (sqlgen.Payment, *account, error) {
	payment, err := h.store.Read().Payment(ctx, row.PaymentID)
	if err != nil {
		return payment, nil, err
	}
	a, err := h.accountOf(payment)
	if err != nil {
		return payment, nil, sdk.NotSent(sdk.CodePluginUnavailable, "%w", err)
	}
	return payment, a, nil
}

// queryRefund asks the acquirer about a refund and records the answer. It owns
// the flight.
func (h *Host) queryRefund(row sqlgen.Refund, fl *flight) {
	defer h.flights.land(row.ID, fl)
	answer, failed, settling := h.callQueryRefund(row)
	h.recordRefund(row.ID, func(_ *sqlgen.Payment, r *sqlgen.Refund) (lifecycle.RefundVerdict, error) {
		releaseRefund(r, row)
		state, err := refundState(*r)
		if err != nil {
			return lifecycle.RefundVerdict{}, err
		}
		if failed == nil {
			return h.believe(r, lifecycle.RefundAnswer(state, answer), answer), nil
		}
		h.log.Warn("refund query failed", "refund", row.ID, "provider", row.Provider, "error", failed)
		v := lifecycle.RefundQueryError(state, failed, h.clock.Now(), settling)
		if v.Moved {
			r.ErrorCode, r.StatusReason = int64(sdk.CodeCreateLost), v.Detail
		}
		return v, nil
	})
}

func (h *Host) callQueryRefund(row sqlgen.Refund) (answer sdk.Refund, failed *sdk.Error, settling time.Duration) {
	ctx := context.WithoutCancel(h.life)
	payment, a, err := h.refundedPayment(ctx, row)
	if err != nil {
		return answer, sdk.AsError(err), 0
	}
	d, _, _ := a.snapshot()
	q, err := refundQuery(row)
	if err == nil {
		q.Order, err = orderOf(payment)
	}
	if err != nil {
		return answer, sdk.AsError(err), 0
	}
	if answer, err = measure(h, a, "query_refund", func() (sdk.Refund, error) { return a.api.QueryRefund(ctx, q) }); err != nil {
		return answer, sdk.AsError(err), d.Capabilities.NotFoundSettling
	}
	return answer, nil, 0
}

// believe takes over what a believed answer says beside the status.
func (h *Host) believe(r *sqlgen.Refund, v lifecycle.RefundVerdict, answer sdk.Refund) lifecycle.RefundVerdict {
	if v.Moved {
		r.ErrorCode = 0 // of an earlier try
	}
	if !v.Believed {
		return v
	}
	if r.AcquirerRefundID == "" {
		r.AcquirerRefundID = answer.AcquirerRefundID
	}
	if answer.RawStatus != "" {
		r.RawStatus = answer.RawStatus
	}
	if !answer.RefundedAt.IsZero() {
		r.RefundedAt = micros(answer.RefundedAt)
	}
	r.StatusReason = answer.StatusReason
	return v
}

// recordRefund is settleRefund for what can't be asked again: see record.
func (h *Host) recordRefund(id string, change func(*sqlgen.Payment, *sqlgen.Refund) (lifecycle.RefundVerdict, error)) {
	h.untilStored("refund", id, func() error { return h.settleRefund(id, change) })
}

// settleRefund is the one way in which a refund changes: see settle. The
// payment's row is written first, so that its sum and its timeline belong
// together on every host.
func (h *Host) settleRefund(id string, change func(*sqlgen.Payment, *sqlgen.Refund) (lifecycle.RefundVerdict, error)) error {
	ctx := context.WithoutCancel(h.life)
	var before, after sqlgen.Refund
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		var err error
		if before, err = tx.Refund(ctx, id); err != nil {
			return err
		}
		p, err := tx.Payment(ctx, before.PaymentID)
		if err != nil {
			return err
		}
		was := p
		after = before
		v, err := change(&p, &after)
		if err != nil {
			return err
		}
		entries := h.applyRefund(&p, &after, v)
		if hint := before.DueAt; before.Holder != "" && hint > 0 && after.DueAt > hint {
			after.DueAt = hint // a notification came in while the acquirer was asked
		}
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
	if err == nil && before.Status != after.Status {
		h.metrics.refunds.WithLabelValues(after.Provider, after.Status).Inc()
		h.log.Info("refund "+after.Status, "refund", id, "payment", after.PaymentID, "provider", after.Provider, "was", before.Status)
	}
	return err
}

// applyRefund writes a verdict into the refund, sets when to act next, and
// returns what the payment's timeline says.
func (h *Host) applyRefund(p *sqlgen.Payment, r *sqlgen.Refund, v lifecycle.RefundVerdict) []entry {
	now := h.clock.Now()
	var entries []entry
	r.Tries++
	r.UpdatedAt = micros(now)
	if v.Moved {
		r.Status, r.Tries = v.Status.String(), 0
		entries = append(entries, entry{kind: kindRefund, source: sourceRefund, rawStatus: r.RawStatus, detail: fmt.Sprintf("%s over %s %s is %s. %s", r.ID, r.Amount, r.Currency, r.Status, v.Detail), refund: r})
	}
	r.DueAt = 0
	if !v.Status.Terminal() {
		r.DueAt = micros(lifecycle.NextQuery(h.planOf(r.Provider), int(r.Tries), now))
	}
	old := now.Sub(fromMicros(r.CreatedAt))
	switch {
	case v.Review != "":
		entries = append(entries, flagRefund(p, r, v.Review, now, v.Detail)...)
	case r.SendState == refundUnsent && old >= lifecycle.NeverSentAfter && !v.Status.Terminal():
		info := sdk.CodeNeverSent.Info()
		r.Status, r.DueAt, r.SendState, r.ErrorCode, r.StatusReason = sdk.RefundFailed.String(), 0, refundAnswered, int64(info.Code), info.Title
		entries = append(entries, entry{kind: kindRefund, source: sourceHost, detail: r.ID + " is FAILED. " + info.Title, refund: r})
	case r.DueAt > 0 && old >= lifecycle.StaleAfter:
		r.DueAt = 0
		entries = append(entries, flagRefund(p, r, lifecycle.Stale, now, "still open after seven days; it is no longer asked about")...)
	}
	return entries
}

// flagRefund asks for a person to look at a payment because of its refund.
func flagRefund(p *sqlgen.Payment, r *sqlgen.Refund, why lifecycle.ReviewReason, now time.Time, detail string) []entry {
	if r.ReviewReason == string(why) {
		return nil
	}
	r.ReviewReason, r.ReviewSince = string(why), micros(now)
	evidence, _ := json.Marshal(map[string]string{"refund": r.ID, "merchant_refund_id": r.MerchantRefundID, "status": r.Status, "detail": detail})
	if !paidLate(*p) { // that flag permits refunds: it stays
		flag(p, why, now, string(evidence))
	}
	return []entry{{kind: kindReview, source: sourceRefund, rawStatus: r.RawStatus, detail: string(why) + " of " + r.ID + ": " + detail}}
}

func paidLate(p sqlgen.Payment) bool { return p.ReviewReason == string(lifecycle.LateSuccess) }

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

func (h *Host) alarmOfRefund(id, provider string, due int64) alarm.Alarm {
	return alarm.Alarm{Kind: alarm.Refund, ID: id, Queue: h.queueOf(provider), At: fromMicros(due)}
}

// ringRefund sends a refund that couldn't be sent before, or asks about one.
func (h *Host) ringRefund(ctx context.Context, a alarm.Alarm) (time.Time, error) {
	row, err := h.store.Read().Refund(ctx, a.ID)
	if err != nil {
		return time.Time{}, ignoreMissing(err)
	}
	if again, due := dueNow(a, row.DueAt, h.clock.Now()); !due {
		return again, nil
	}
	fl := h.flights.await(row.ID)
	unsent := false
	row, held, err := h.holdRefund(row.ID, func(r *sqlgen.Refund) bool {
		if r.DueAt == 0 || r.DueAt > micros(h.clock.Now()) {
			return false
		}
		r.DueAt = 0 // what comes meanwhile is a hint
		if unsent = r.SendState == refundUnsent; unsent {
			r.SendState, r.SentAt = refundSending, micros(h.clock.Now())
		}
		return true
	})
	if err != nil || !held {
		h.flights.land(a.ID, fl)
		return time.Time{}, err
	}
	if unsent {
		h.sendRefund(row, fl)
	} else {
		h.queryRefund(row, fl)
	}
	return time.Time{}, nil
}

// holdRefund is hold for a refund.
func (h *Host) holdRefund(id string, may func(*sqlgen.Refund) bool) (row sqlgen.Refund, held bool, err error) {
	ctx := context.WithoutCancel(h.life)
	err = h.store.Update(ctx, func(tx *store.Tx) error {
		var err error
		if row, err = tx.Refund(ctx, id); err != nil {
			return err
		}
		before := row
		if held = (row.Holder == "" || row.Holder == h.store.Host()) && may(&row); !held {
			return nil
		}
		row.Holder = h.store.Host()
		return h.writeRefund(ctx, tx, before, row)
	})
	return row, held && err == nil, err
}

// releaseRefund is release for a refund.
func releaseRefund(r *sqlgen.Refund, held sqlgen.Refund) bool {
	if r.Holder != held.Holder {
		return false
	}
	r.Holder = ""
	return true
}

// takeUpRefund takes up a refund whose host is gone: see takeUp.
func (h *Host) takeUpRefund(id, from string) error {
	return h.settleRefund(id, func(_ *sqlgen.Payment, r *sqlgen.Refund) (lifecycle.RefundVerdict, error) {
		state, err := refundState(*r)
		if err != nil || r.Holder != from {
			return lifecycle.RefundVerdict{Status: state.Status}, err
		}
		r.Holder = ""
		if r.SendState != refundSending {
			return lifecycle.RefundVerdict{Status: state.Status}, nil
		}
		r.SendState = refundAnswered
		cut := sdk.Unknown(sdk.CodeInternal, "the host ended while the acquirer was asked")
		r.ErrorCode, r.StatusReason = int64(cut.Code), cut.Message
		return lifecycle.RefundError(state, cut), nil
	})
}

func refundQuery(row sqlgen.Refund) (sdk.RefundQuery, error) {
	amount, err := sdk.ParseMoney(row.Amount, row.Currency)
	return sdk.RefundQuery{MerchantRefundID: row.MerchantRefundID, AcquirerRefundID: row.AcquirerRefundID, Amount: amount}, err
}

func refundState(row sqlgen.Refund) (lifecycle.Refund, error) {
	q, err := refundQuery(row)
	return lifecycle.Refund{Status: refundStatus(row), Query: q, Sending: row.SendState == refundSending, SentAt: fromMicros(row.SentAt)}, err
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
