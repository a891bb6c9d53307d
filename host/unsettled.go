package host

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/store"
)

// unsettled is what hasn't ended yet at an account of a provider.
type unsettled struct {
	provider, account string
	payments, refunds int64
}

// count says how many there are, for people.
func (u unsettled) count() string {
	var parts []string
	if u.payments > 0 {
		parts = append(parts, fmt.Sprint(u.payments, " payment(s)"))
	}
	if u.refunds > 0 {
		parts = append(parts, fmt.Sprint(u.refunds, " refund(s)"))
	}
	return strings.Join(parts, " and ")
}

// unsettled returns the accounts at which payments or refunds haven't ended.
func (h *Host) unsettled(ctx context.Context) ([]unsettled, error) {
	payments, err := h.store.Read().UnsettledByProvider(ctx)
	if err != nil {
		return nil, err
	}
	refunds, err := h.store.Read().OpenRefundsByProvider(ctx)
	if err != nil {
		return nil, err
	}
	var all []unsettled
	for _, p := range payments {
		all = append(all, unsettled{provider: p.Provider, account: p.Account, payments: p.Payments})
	}
	for _, r := range refunds {
		i := slices.IndexFunc(all, func(u unsettled) bool { return u.provider == r.Provider && u.account == r.Account })
		if i < 0 {
			i, all = len(all), append(all, unsettled{provider: r.Provider, account: r.Account})
		}
		all[i].refunds = r.Refunds
	}
	return all, nil
}

// adopt sets the alarms of providers that are no longer configured in a queue
// that is served: their own has no workers any more.
func (h *Host) adopt(ctx context.Context) error {
	unsettled, err := h.unsettled(ctx)
	if err != nil {
		return err
	}
	q := h.store.Read()
	for _, u := range unsettled {
		if h.account(u.provider) != nil {
			continue
		}
		payments, err := q.UnsettledOf(ctx, u.provider)
		if err != nil {
			return err
		}
		refunds, err := q.OpenRefundsOf(ctx, u.provider)
		if err != nil {
			return err
		}
		h.log.Error("payments and refunds are parked: their provider is not configured", "provider", u.provider, "account", u.account,
			"payments", u.payments, "refunds", u.refunds)
		err = h.store.Update(ctx, func(tx *store.Tx) error {
			for _, p := range payments {
				tx.Alarm(alarm.Alarm{Kind: alarm.Payment, ID: p.ID, Queue: otherQueue, At: fromMicros(p.DueAt)})
			}
			for _, r := range refunds {
				tx.Alarm(alarm.Alarm{Kind: alarm.Refund, ID: r.ID, Queue: otherQueue, At: fromMicros(r.DueAt)})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
