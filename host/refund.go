package host

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// RefundRequest asks to give money back, in the words of the HTTP API.
type RefundRequest struct {
	// MerchantRefundID names one refund, for ever: [A-Za-z0-9_-]{1,32}.
	MerchantRefundID string `json:"merchant_refund_id"`
	Amount           string `json:"amount"` // in the payment's currency; see sdk.ParseMoney
	Reason           string `json:"reason"` // optional, at most 128 characters; the acquirer gets it
}

const maxReason = 128

// Refund is a refund as merchants see it.
type Refund struct {
	ID               string    `json:"id"`
	PaymentID        string    `json:"payment_id"`
	MerchantRefundID string    `json:"merchant_refund_id"`
	Amount           string    `json:"amount"`
	Currency         string    `json:"currency"`
	Reason           string    `json:"reason,omitempty"`
	Status           string    `json:"status"` // PENDING, SUCCEEDED, FAILED or UNKNOWN
	StatusReason     string    `json:"status_reason,omitempty"`
	Code             string    `json:"code,omitempty"` // of the error by which it is FAILED or UNKNOWN
	Provider         string    `json:"provider"`
	ProviderRefundID string    `json:"provider_refund_id"`
	CreatedAt        time.Time `json:"created_at"`
	UpdatedAt        time.Time `json:"updated_at"`
	RefundedAt       time.Time `json:"refunded_at,omitzero"`
}

// RefundCreated is what came of Refund.
type RefundCreated struct {
	Refund Refund
	// Existing: the same request was made before; nothing new was started.
	Existing bool
	// Err says why it isn't sent yet (the host sends it by itself), why the
	// acquirer refused, or that the outcome isn't known.
	Err *sdk.Error
	// Sent: a provider has been asked.
	Sent bool
}

// The states of a refund's way to the acquirer are those of a Create.
const (
	refundSending  = createSending
	refundUnsent   = createUnsent // the host sends it by itself
	refundAnswered = createAnswered
)

// Refund gives back a part of a payment, or all. Its amount is reserved before
// the plugin is called, until it has FAILED, so that no more than was paid can
// ever go back. An error means that nothing was recorded.
func (h *Host) Refund(ctx context.Context, merchant, paymentID string, r RefundRequest) (RefundCreated, error) {
	payment, err := h.rowOf(ctx, merchant, paymentID)
	if err != nil {
		return RefundCreated{}, err
	}
	amount, err := r.validate(payment)
	if err != nil {
		return RefundCreated{}, err
	}
	if found, ok, err := h.existingRefund(ctx, payment, r, amount); err != nil || ok {
		return found, err
	}
	if err := h.mayRefund(payment); err != nil {
		return RefundCreated{}, err
	}
	row := h.newRefund(payment, r, amount)
	fl, _ := h.flights.take(row.ID) // a new id: nobody else can have it
	if !h.begin() {
		h.flights.land(row.ID, fl)
		return RefundCreated{}, shuttingDown()
	}
	if err := h.reserve(&row, amount); err != nil && !h.reserved(row.ID) {
		h.flights.land(row.ID, fl)
		h.work.Done()
		if found, ok, again := h.existingRefund(ctx, payment, r, amount); again != nil || ok {
			return found, again // the same request came in at the same time
		}
		return RefundCreated{}, storeError(err)
	}
	go func() {
		defer h.work.Done()
		h.sendRefund(row, fl)
	}()
	return h.awaitRefund(ctx, row.ID, fl, false)
}

func (r RefundRequest) validate(payment sqlgen.Payment) (sdk.Money, error) {
	if !sdk.ValidOrderID(r.MerchantRefundID) {
		return sdk.Money{}, sdk.InvalidField("merchant_refund_id", "must have 1 to 32 characters of A-Z a-z 0-9 _ -")
	}
	amount, err := sdk.ParseMoney(r.Amount, payment.Currency)
	if err != nil {
		return sdk.Money{}, notSent(err)
	}
	if utf8.RuneCountInString(r.Reason) > maxReason || !printable(r.Reason) {
		return sdk.Money{}, sdk.InvalidField("reason", "must have at most %d printable characters%s", maxReason, unprintable(r.Reason))
	}
	return amount, nil
}

// digest tells a repetition of the request from another one.
func (r RefundRequest) digest(payment string, amount sdk.Money) string {
	text, _ := json.Marshal([]string{payment, amount.AmountString(), r.Reason}) // strings: can't fail
	return sha256Hex(text)
}

// existingRefund answers for a merchant_refund_id that is taken already.
func (h *Host) existingRefund(ctx context.Context, payment sqlgen.Payment, r RefundRequest, amount sdk.Money) (RefundCreated, bool, error) {
	row, err := h.store.Read().RefundByMerchantID(ctx, sqlgen.RefundByMerchantIDParams{Merchant: payment.Merchant, MerchantRefundID: r.MerchantRefundID})
	if errors.Is(err, sql.ErrNoRows) {
		return RefundCreated{}, false, nil
	}
	if err != nil {
		return RefundCreated{}, false, storeError(err)
	}
	if row.RequestDigest != r.digest(payment.ID, amount) {
		e := sdk.NotSent(sdk.CodeConflict, "names another refund (%s), with other values; a new refund needs a new merchant_refund_id", row.ID)
		e.Field = "merchant_refund_id"
		return RefundCreated{}, false, e
	}
	fl, mine := h.flights.take(row.ID)
	if mine {
		h.flights.land(row.ID, fl)
	}
	created, err := h.awaitRefund(ctx, row.ID, fl, true)
	return created, true, err
}

// mayRefund says why a payment can't be refunded, before anything is recorded.
func (h *Host) mayRefund(payment sqlgen.Payment) error {
	if !paid(payment) {
		return sdk.NotSent(sdk.CodeInvalidState, "a payment that is %s can't be refunded", payment.Status)
	}
	a, missing := h.accountOf(payment)
	if missing != nil {
		return sdk.NotSent(sdk.CodePluginUnavailable, "%w", missing)
	}
	_, configured, ready := a.snapshot()
	if !ready {
		return notSent(a.failure())
	}
	if !configured.Refunds {
		return sdk.NotSent(sdk.CodeUnsupported, "provider %s can't refund; give the money back in the acquirer's portal", payment.Provider)
	}
	return nil
}

// paid reports whether there is money to give back: also if it came after the
// payment had ended unpaid.
func paid(p sqlgen.Payment) bool {
	return statusOf(p) == sdk.StatusSucceeded || paidLate(p)
}

// paidLate reports whether the money came after the payment had ended unpaid,
// whatever was decided about that.
func paidLate(p sqlgen.Payment) bool { return p.ReviewReason == string(lifecycle.LateSuccess) }

func (h *Host) newRefund(p sqlgen.Payment, r RefundRequest, amount sdk.Money) sqlgen.Refund {
	now := micros(h.clock.Now())
	return sqlgen.Refund{
		ID: "ref_" + ulid.Make().String(), Version: 1, PaymentID: p.ID, Merchant: p.Merchant, MerchantRefundID: r.MerchantRefundID,
		RequestDigest: r.digest(p.ID, amount), Amount: amount.AmountString(), Currency: amount.Currency(), Reason: r.Reason,
		Provider: p.Provider, Account: p.Account, RequestID: "req_" + ulid.Make().String(), Status: sdk.RefundPending.String(),
		SendState: refundSending, SentAt: now, CreatedAt: now, UpdatedAt: now,
	}
}

// reserve makes the refund durable if there is so much left. The payment's row
// is written too: whoever else reserves at the same time, on whichever host,
// has to look again.
func (h *Host) reserve(row *sqlgen.Refund, amount sdk.Money) error {
	ctx := context.WithoutCancel(h.life)
	return h.store.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Payment(ctx, row.PaymentID)
		if err != nil {
			return err
		}
		if !paid(p) {
			return sdk.NotSent(sdk.CodeInvalidState, "a payment that is %s can't be refunded", p.Status)
		}
		if err := errors.Join(enough(ctx, tx, p, amount), unused(ctx, tx, *row)); err != nil {
			return err
		}
		before := p
		p.UpdatedAt = micros(h.clock.Now())
		if err := h.write(ctx, tx, before, p, []entry{{kind: kindRefund, source: "merchant", detail: row.ID + " over " + amount.String() + " is reserved"}}); err != nil {
			return err
		}
		row.Holder = h.store.Host() // another one, if this transaction is run again
		return tx.InsertRefund(ctx, sqlgen.InsertRefundParams(*row))
	})
}

// unused fails if the refund's id is in use at the acquirer's account, whichever
// merchant's it is.
func unused(ctx context.Context, tx *store.Tx, row sqlgen.Refund) error {
	_, err := tx.RefundByAccount(ctx, sqlgen.RefundByAccountParams{Account: row.Account, MerchantRefundID: row.MerchantRefundID})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	e := sdk.NotSent(sdk.CodeConflict, "was used already at the acquirer's account %s; use another", row.Account)
	e.Field = "merchant_refund_id"
	return e
}

// enough fails if more would go back than was paid. What may still go back
// counts as gone.
func enough(ctx context.Context, tx *store.Tx, p sqlgen.Payment, amount sdk.Money) error {
	left, err := sdk.ParseMoney(p.Amount, p.Currency)
	if err != nil {
		return err
	}
	rest := left.Amount()
	refunds, err := tx.RefundsOfPayment(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, r := range refunds {
		if r.Status == sdk.RefundFailed.String() {
			continue
		}
		m, err := sdk.ParseMoney(r.Amount, r.Currency)
		if err != nil {
			return err
		}
		rest = rest.Sub(m.Amount())
	}
	if amount.Amount().GreaterThan(rest) {
		places, _ := sdk.CurrencyExponent(p.Currency) // known, or the amount wouldn't have been read
		e := sdk.NotSent(sdk.CodeRefundTooLarge, "is more than the %s %s that is left of the payment; refunds that are not FAILED count", rest.StringFixed(int32(places)), p.Currency)
		e.Field = "amount"
		return e
	}
	return nil
}

// reserved tells whether a refund is there although its commit failed.
func (h *Host) reserved(id string) bool {
	_, err := h.store.Read().Refund(context.WithoutCancel(h.life), id)
	return err == nil
}
