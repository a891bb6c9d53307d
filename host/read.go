package host

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// Get returns a merchant's payment with its timeline.
func (h *Host) Get(ctx context.Context, merchant, id string) (Payment, error) {
	row, err := h.rowOf(ctx, merchant, id)
	if err != nil {
		return Payment{}, err
	}
	return h.withTimeline(ctx, row)
}

func (h *Host) read(ctx context.Context, id string) (Payment, error) {
	row, err := h.store.Read().Payment(ctx, id)
	if err != nil {
		return Payment{}, storeError(err)
	}
	return h.withTimeline(ctx, row)
}

func (h *Host) withTimeline(ctx context.Context, row sqlgen.Payment) (Payment, error) {
	timeline, err := h.store.Read().Timeline(ctx, row.ID)
	if err != nil {
		return Payment{}, storeError(err)
	}
	return toPayment(row, timeline)
}

func (h *Host) rowOf(ctx context.Context, merchant, id string) (sqlgen.Payment, error) {
	row, err := h.store.Read().PaymentOfMerchant(ctx, sqlgen.PaymentOfMerchantParams{ID: id, Merchant: merchant})
	if errors.Is(err, sql.ErrNoRows) {
		return row, sdk.NotSent(sdk.CodeNotFound, "there is no payment with this id")
	}
	if err != nil {
		return row, storeError(err)
	}
	return row, nil
}

// Filter picks payments for List. Empty fields pick all.
type Filter struct {
	MerchantOrderID string
	OrderGroup      string
	Status          string // a name of sdk.Status
	Review          string // a reason, or "any"
	Before          string // an id: only older payments
	Limit           int    // 1 to MaxPage; 0 is DefaultPage
}

// The lengths of a page.
const (
	DefaultPage = 50
	MaxPage     = 200
)

// List returns a merchant's payments, the newest first and without timelines,
// and whether there are more.
func (h *Host) List(ctx context.Context, merchant string, f Filter) (payments []Payment, more bool, err error) {
	if f.Status != "" && sdk.ParseStatus(f.Status).String() != f.Status {
		return nil, false, sdk.InvalidField("status", "must be one of %v", sdk.Statuses())
	}
	if f.Limit, err = pageOf(f.Limit); err != nil {
		return nil, false, err
	}
	rows, err := h.rows(ctx, merchant, f)
	if err != nil {
		return nil, false, storeError(err)
	}
	more = len(rows) > f.Limit
	payments = make([]Payment, 0, min(len(rows), f.Limit))
	for _, row := range rows[:min(len(rows), f.Limit)] {
		p, err := toPayment(row, nil)
		if err != nil {
			return nil, false, err
		}
		payments = append(payments, p)
	}
	return payments, more, nil
}

// pageOf is the length of a page that was asked for.
func pageOf(limit int) (int, error) {
	if limit < 0 || limit > MaxPage {
		return 0, sdk.InvalidField("limit", "must be 1 to %d", MaxPage)
	}
	if limit == 0 {
		return DefaultPage, nil
	}
	return limit, nil
}

// rows reads one row more than asked for, to know whether there are more.
func (h *Host) rows(ctx context.Context, merchant string, f Filter) ([]sqlgen.Payment, error) {
	q, page := h.store.Read(), int64(f.Limit+1)
	switch {
	case f.MerchantOrderID != "":
		row, err := q.PaymentByMerchantOrder(ctx, sqlgen.PaymentByMerchantOrderParams{Merchant: merchant, MerchantOrderID: f.MerchantOrderID})
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		return slices.DeleteFunc([]sqlgen.Payment{row}, func(p sqlgen.Payment) bool { return !f.keeps(p) }), err
	case f.OrderGroup != "":
		return q.ListGroup(ctx, sqlgen.ListGroupParams{Merchant: merchant, OrderGroup: f.OrderGroup, Before: f.Before, Status: f.Status, Review: f.Review, Page: page})
	case f.Review != "":
		return q.ListForReview(ctx, sqlgen.ListForReviewParams{Merchant: merchant, Before: f.Before, Status: f.Status, Review: f.Review, Page: page})
	case f.Status != "":
		return q.ListByStatus(ctx, sqlgen.ListByStatusParams{Merchant: merchant, Status: f.Status, Before: f.Before, Page: page})
	default:
		return q.ListPayments(ctx, sqlgen.ListPaymentsParams{Merchant: merchant, Before: f.Before, Page: page})
	}
}

// keeps applies the rest of the filter to the one payment of an order id.
func (f Filter) keeps(p sqlgen.Payment) bool {
	return (f.OrderGroup == "" || p.OrderGroup == f.OrderGroup) &&
		(f.Status == "" || p.Status == f.Status) &&
		(f.Review == "" || p.ReviewReason == f.Review || f.Review == "any" && p.ReviewReason != "") &&
		(f.Before == "" || p.ID < f.Before)
}
