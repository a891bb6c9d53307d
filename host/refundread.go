package host

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

func toRefund(row sqlgen.Refund) Refund {
	r := Refund{
		ID: row.ID, PaymentID: row.PaymentID, MerchantRefundID: row.MerchantRefundID, Amount: row.Amount, Currency: row.Currency, Reason: row.Reason,
		Status: row.Status, StatusReason: row.StatusReason, Provider: row.Provider, ProviderRefundID: row.AcquirerRefundID,
		CreatedAt: fromMicros(row.CreatedAt), UpdatedAt: fromMicros(row.UpdatedAt), RefundedAt: fromMicros(row.RefundedAt),
	}
	if row.ErrorCode != 0 && refundStatus(row) != sdk.RefundSucceeded {
		r.Code = sdk.Code(row.ErrorCode).Name()
	}
	return r
}

// awaitRefund waits for a flight, for a while, and returns the refund as it is.
func (h *Host) awaitRefund(ctx context.Context, id string, fl *flight, existing bool) (RefundCreated, error) {
	created := RefundCreated{Existing: existing}
	select {
	case <-fl.done:
		created.Err = fl.err
	case <-h.clock.After(CreateWait):
	case <-ctx.Done():
	}
	row, err := h.store.Read().Refund(context.WithoutCancel(ctx), id)
	if err != nil {
		return created, storeError(err)
	}
	created.Refund, created.Sent = toRefund(row), row.SendState == refundAnswered
	return created, nil
}

// GetRefund returns one refund of a merchant's payment.
func (h *Host) GetRefund(ctx context.Context, merchant, paymentID, id string) (Refund, error) {
	if _, err := h.rowOf(ctx, merchant, paymentID); err != nil {
		return Refund{}, err
	}
	row, err := h.store.Read().Refund(ctx, id)
	if err = ignoreMissing(err); err != nil {
		return Refund{}, storeError(err)
	}
	if row.PaymentID != paymentID {
		return Refund{}, sdk.NotSent(sdk.CodeNotFound, "the payment has no refund with this id")
	}
	return toRefund(row), nil
}

// Refunds returns the refunds of a merchant's payment, the newest first, and
// whether there are more.
func (h *Host) Refunds(ctx context.Context, merchant, paymentID, before string, limit int) (refunds []Refund, more bool, err error) {
	if _, err := h.rowOf(ctx, merchant, paymentID); err != nil {
		return nil, false, err
	}
	if limit, err = pageOf(limit); err != nil {
		return nil, false, err
	}
	rows, err := h.store.Read().ListRefunds(ctx, sqlgen.ListRefundsParams{PaymentID: paymentID, Before: before, Page: int64(limit + 1)})
	if err != nil {
		return nil, false, storeError(err)
	}
	refunds = make([]Refund, 0, min(len(rows), limit))
	for _, row := range rows[:min(len(rows), limit)] {
		refunds = append(refunds, toRefund(row))
	}
	return refunds, len(rows) > limit, nil
}

// hintRefunds makes the host ask about the refunds that a notification may speak
// of, found by either id within the account, and returns their payments. A
// refund that has ended has nothing more to say, unless it FAILED.
func (h *Host) hintRefunds(ctx context.Context, tx *store.Tx, account string, e sdk.NotificationEvent) (payments []string, err error) {
	found, err := tx.RefundByAcquirerID(ctx, sqlgen.RefundByAcquirerIDParams{Account: account, AcquirerRefundID: e.AcquirerRefundID})
	if err != nil {
		return nil, err
	}
	byMerchant, err := tx.RefundByAccount(ctx, sqlgen.RefundByAccountParams{Account: account, MerchantRefundID: e.MerchantRefundID})
	switch {
	case err == nil:
		found = append(found, byMerchant)
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	slices.SortFunc(found, func(a, b sqlgen.Refund) int { return strings.Compare(a.ID, b.ID) })
	for _, r := range slices.CompactFunc(found, func(a, b sqlgen.Refund) bool { return a.ID == b.ID }) {
		payments = append(payments, r.PaymentID)
		if r.SendState == refundUnsent || refundStatus(r) == sdk.RefundSucceeded {
			continue
		}
		before := r
		r.DueAt, r.Tries = micros(h.clock.Now()), 0
		if err := h.writeRefund(ctx, tx, before, r); err != nil {
			return nil, err
		}
	}
	return payments, nil
}

// refundReference is how a notification that matched nothing keeps the
// acquirer's id of a refund, beside those of orders.
func refundReference(id string) string {
	if id == "" {
		return ""
	}
	return "refund " + id
}

// matchEarlyRefund takes up notifications that came before an answer named the
// acquirer's refund: see matchEarly. Those that name our id are never early,
// since a refund is recorded before it is sent.
func (h *Host) matchEarlyRefund(tx *store.Tx, before sqlgen.Refund, r *sqlgen.Refund) ([]entry, error) {
	if before.AcquirerRefundID == r.AcquirerRefundID {
		return nil, nil
	}
	ctx := context.WithoutCancel(h.life)
	early, err := tx.UnmatchedFor(ctx, sqlgen.UnmatchedForParams{Provider: r.Provider, AcquirerOrderID: refundReference(r.AcquirerRefundID)})
	if err != nil || len(early) == 0 {
		return nil, err
	}
	for _, n := range early {
		if err := tx.MatchNotification(ctx, sqlgen.MatchNotificationParams{PaymentID: r.PaymentID, Provider: n.Provider, Digest: n.Digest}); err != nil {
			return nil, err
		}
	}
	if refundStatus(*r) != sdk.RefundSucceeded {
		r.DueAt = micros(h.clock.Now())
	}
	return []entry{{kind: kindNote, source: sourceNotification, detail: fmt.Sprintf("%d notification(s) of %s came before its answer", len(early), r.ID)}}, nil
}
