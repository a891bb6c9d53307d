package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// eventTypes are those that a payment's states have. CREATED is told by the
// answer to the merchant's own request.
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
	return h.emit(ctx, tx, p, "", kind, payment)
}

// tellRefund makes the event of a refund that has ended.
func (h *Host) tellRefund(ctx context.Context, tx *store.Tx, p sqlgen.Payment, r sqlgen.Refund) (string, error) {
	switch refundStatus(r) {
	case sdk.RefundSucceeded:
		return h.emit(ctx, tx, p, r.ID, "refund.succeeded", toRefund(r))
	case sdk.RefundFailed:
		return h.emit(ctx, tx, p, r.ID, "refund.failed", toRefund(r))
	default:
		return "", nil
	}
}

// emit makes an event durable, with its way to each endpoint of the merchant.
func (h *Host) emit(ctx context.Context, tx *store.Tx, p sqlgen.Payment, refundID, kind string, data any) (string, error) {
	text, err := json.Marshal(data)
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
	for _, e := range h.cfg.Events {
		if e.Merchant != p.Merchant {
			continue
		}
		if err := deliver(ctx, tx, id, endpointOf(e.URL), now); err != nil {
			return "", err
		}
	}
	return id, nil
}

// deliver makes an event due at an endpoint now, whatever came of it before.
func deliver(ctx context.Context, tx *store.Tx, event, endpoint string, now int64) error {
	tx.Alarm(alarmOfDelivery(event, endpoint, now))
	return tx.PutDelivery(ctx, sqlgen.PutDeliveryParams{EventID: event, Endpoint: endpoint, DueAt: now, UpdatedAt: now})
}

// endpointOf names an endpoint in the store without its URL, which may hold a
// secret.
func endpointOf(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:8])
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
