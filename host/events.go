package host

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// eventTypes are those that a payment's states have. CREATED is told by the
// answer to the merchant's own request; no acquirer reports AUTHORIZED today.
var eventTypes = map[sdk.Status]string{
	sdk.StatusPending:   "payment.pending",
	sdk.StatusSucceeded: "payment.succeeded",
	sdk.StatusCancelled: "payment.cancelled",
	sdk.StatusExpired:   "payment.expired",
	sdk.StatusFailed:    "payment.failed",
	sdk.StatusUnknown:   "payment.unknown",
}

const eventReview = "payment.review"

// tell makes the event of a timeline entry, if it is one that merchants are told
// of, and returns its id. The event holds the payment as it is after the
// transaction.
func (h *Host) tell(ctx context.Context, tx *store.Tx, p sqlgen.Payment, e entry) (string, error) {
	kind := ""
	if e.refund != nil {
		return h.tellRefund(ctx, tx, p, *e.refund)
	}
	switch e.kind {
	case kindStatus:
		kind = eventTypes[statusOf(p)]
	case kindReview:
		kind = eventReview
	}
	if kind == "" {
		return "", nil
	}
	payment, err := toPayment(p, nil)
	if err != nil {
		return "", err
	}
	return h.emit(ctx, tx, p, "", kind, shorten(payment))
}

// tellRefund makes the event of a refund that has ended.
func (h *Host) tellRefund(ctx context.Context, tx *store.Tx, p sqlgen.Payment, r sqlgen.Refund) (string, error) {
	switch refundStatus(r) {
	case sdk.RefundSucceeded:
		return h.emit(ctx, tx, p, r.ID, "refund.succeeded", shortenRefund(toRefund(r)))
	case sdk.RefundFailed:
		return h.emit(ctx, tx, p, r.ID, "refund.failed", shortenRefund(toRefund(r)))
	default:
		return "", nil
	}
}

// emit makes an event durable, with its way to each endpoint of the merchant.
func (h *Host) emit(ctx context.Context, tx *store.Tx, p sqlgen.Payment, refundID, kind string, data any) (string, error) {
	text, err := encode(data)
	if err != nil {
		return "", err
	}
	id, now := "evt_"+ulid.Make().String(), micros(h.clock.Now())
	_, err = tx.AppendEvent(ctx, sqlgen.AppendEventParams{
		ID: id, Merchant: p.Merchant, PaymentID: p.ID, RefundID: refundID, Type: kind, Data: string(text), CreatedAt: now,
	})
	if err != nil {
		return "", err
	}
	_, err = h.deliver(ctx, tx, p.Merchant, id)
	return id, err
}

// deliver makes an event due now at each endpoint of its merchant, whatever came
// of it before, and returns how many there are.
func (h *Host) deliver(ctx context.Context, tx *store.Tx, merchant, event string) (endpoints int, err error) {
	now := micros(h.clock.Now())
	for _, e := range h.now().cfg.Events {
		if e.Merchant != merchant {
			continue
		}
		endpoints++
		name := endpointOf(e)
		tx.Alarm(h.alarmOfDelivery(event, name, now))
		if err := tx.PutDelivery(ctx, sqlgen.PutDeliveryParams{EventID: event, Endpoint: name, DueAt: now, UpdatedAt: now}); err != nil {
			return endpoints, err
		}
	}
	return endpoints, nil
}

// Event is what merchants are told of a payment or refund.
type Event struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	CreatedAt time.Time       `json:"created_at"`
	Sequence  int64           `json:"sequence"` // counts the events of a payment
	Data      json.RawMessage `json:"data"`     // the payment or refund as it was then
}

func toEvent(row sqlgen.Event) Event {
	return Event{row.ID, row.Type, fromMicros(row.CreatedAt), row.Sequence, json.RawMessage(row.Data)}
}

// EventFilter picks a page of events.
type EventFilter struct {
	Before string // an id: only older events
	Limit  int    // 1 to MaxPage; 0 is DefaultPage
}

// Events returns a merchant's events of the last 30 days, the newest first, and
// whether there are more.
func (h *Host) Events(ctx context.Context, merchant string, f EventFilter) (events []Event, more bool, err error) {
	if f.Limit < 0 || f.Limit > MaxPage {
		return nil, false, sdk.InvalidField("limit", "must be 1 to %d", MaxPage)
	}
	if f.Limit == 0 {
		f.Limit = DefaultPage
	}
	rows, err := h.store.Read().ListEvents(ctx, sqlgen.ListEventsParams{Merchant: merchant, Before: f.Before, Page: int64(f.Limit + 1)})
	if err != nil {
		return nil, false, storeError(err)
	}
	events = make([]Event, 0, min(len(rows), f.Limit))
	for _, row := range rows[:min(len(rows), f.Limit)] {
		events = append(events, toEvent(row))
	}
	return events, len(rows) > f.Limit, nil
}

// Redeliver sends an event again to all endpoints of its merchant, with its id
// and as often as a new one.
func (h *Host) Redeliver(ctx context.Context, merchant, id string) (Event, error) {
	var row sqlgen.Event
	ctx = context.WithoutCancel(ctx)
	err := h.store.Update(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.EventOfMerchant(ctx, sqlgen.EventOfMerchantParams{ID: id, Merchant: merchant})
		if errors.Is(err, sql.ErrNoRows) || err == nil && h.clock.Now().Sub(fromMicros(row.CreatedAt)) > keepEvents {
			return sdk.NotSent(sdk.CodeNotFound, "there is no event with this id in the last 30 days")
		}
		if err != nil {
			return err
		}
		n, err := h.deliver(ctx, tx, merchant, id)
		if err == nil && n == 0 {
			return invalidState("no endpoint for the events of this merchant is configured")
		}
		return err
	})
	if err != nil {
		return Event{}, storeError(err)
	}
	return toEvent(row), nil
}
