package host

import (
	"context"
	"errors"
	"time"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/provider"
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
	h.recordRefund(row.ID, func(tx *store.Tx, r *sqlgen.Refund) (lifecycle.RefundVerdict, error) {
		releaseRefund(r, row)
		if fl.err == nil {
			return h.refundAnswered(tx, r, answer)
		}
		state, err := refundState(*r)
		if err != nil {
			return lifecycle.RefundVerdict{}, err
		}
		if !state.Sending { // taken over: more may be known since
			return lifecycle.RefundVerdict{}, errNoChange
		}
		r.SendState = refundAnswered
		if fl.err.Outcome == sdk.OutcomeNotSent {
			r.SendState = refundUnsent
		}
		r.ErrorCode, r.StatusReason = int64(fl.err.Code), fl.err.Message
		return lifecycle.RefundError(state, fl.err), nil
	})
}

// sendWithin is how long after its hold a Create or Refund may be handed to a
// plugin. A host that was frozen in between would send what another host has
// taken up, found lost, and let the merchant order or give back anew.
const sendWithin = 30 * time.Second

// It doesn't compile if a request can be under way for longer than NOT_FOUND is
// given to be believed.
const _ = uint64(lifecycle.LeastSettling - sendWithin - provider.LongestCall)

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
	if late := h.clock.Now().Sub(fromMicros(row.SentAt)); late > sendWithin {
		return sdk.Refund{}, sdk.NotSent(sdk.CodeInternal, "the host stood still for %s before it could send", late.Round(time.Second))
	}
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
	h.recordRefund(row.ID, func(tx *store.Tx, r *sqlgen.Refund) (lifecycle.RefundVerdict, error) {
		releaseRefund(r, row)
		if failed == nil {
			return h.refundAnswered(tx, r, answer)
		}
		h.log.Warn("refund query failed", "refund", row.ID, "provider", row.Provider, "error", failed)
		state, err := refundState(*r)
		if err != nil {
			return lifecycle.RefundVerdict{}, err
		}
		if why, missing := errors.AsType[missingError](failed); missing && !state.Status.Terminal() {
			return lifecycle.RefundVerdict{Status: state.Status, Review: lifecycle.ProviderMissing, Detail: why.Error()}, nil
		}
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
	if row.SendState == refundUnsent && h.clock.Now().Sub(fromMicros(row.CreatedAt)) >= lifecycle.NeverSentAfter {
		h.giveUpRefund(row.ID)
		return time.Time{}, nil
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

// giveUpRefund ends a refund that couldn't be sent for a day. As with giveUp
// this rests on a clock, and is safe: nothing was ever sent.
func (h *Host) giveUpRefund(id string) {
	defer h.flights.land(id, h.flights.await(id))
	h.recordRefund(id, func(_ *store.Tx, r *sqlgen.Refund) (lifecycle.RefundVerdict, error) {
		if r.SendState != refundUnsent { // it was sent meanwhile
			return lifecycle.RefundVerdict{}, errNoChange
		}
		info := sdk.CodeNeverSent.Info()
		r.SendState, r.ErrorCode, r.StatusReason = refundAnswered, int64(info.Code), info.Title
		return lifecycle.RefundVerdict{Status: sdk.RefundFailed, Moved: true, Detail: info.Title}, nil
	})
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
	return h.settleRefund(id, func(_ *store.Tx, r *sqlgen.Refund) (lifecycle.RefundVerdict, error) {
		if r.Holder != from { // another host was faster
			return lifecycle.RefundVerdict{}, errNoChange
		}
		state, err := refundState(*r)
		if err != nil {
			return lifecycle.RefundVerdict{}, err
		}
		r.Holder = ""
		if !state.Sending {
			r.Tries = -1 // the question was cut off: it is asked again soon
			return lifecycle.RefundVerdict{Status: state.Status}, nil
		}
		cut := sdk.Unknown(sdk.CodeInternal, "the host ended while the acquirer was asked")
		r.SendState, r.ErrorCode, r.StatusReason = refundAnswered, int64(cut.Code), cut.Message
		return lifecycle.RefundError(state, cut), nil
	})
}
