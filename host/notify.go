package host

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

// The bounds of stored notifications.
const (
	maxUnparsed       = 10_000           // a provider's raw notifications that wait for its plugin
	parseRetry        = 10 * time.Second // the first wait; each is longer by as much
	longestParseRetry = 10 * time.Minute
	keepUnmatched     = 24 * time.Hour      // Create may still be committing
	keepRaw           = 30 * 24 * time.Hour // then only the digest
	retryNotification = 30 * time.Second
)

// The states of a notification.
const (
	notificationUnparsed   = "unparsed"   // raw; its plugin wasn't there
	notificationMatched    = "matched"    // verified, about a payment
	notificationUnmatched  = "unmatched"  // verified, about nothing that is known yet
	notificationOther      = "other"      // verified, of a kind that is only reported
	notificationUnreadable = "unreadable" // given up after 30 days
)

// Notify takes one raw request of an acquirer. What it returns is sent to the
// acquirer; a nil error means that the notification is durable. It moves no
// payment: it makes the host ask.
func (h *Host) Notify(ctx context.Context, providerName string, r sdk.HTTPRequest) (sdk.HTTPResponse, error) {
	a := h.account(providerName)
	if a == nil {
		return sdk.HTTPResponse{}, h.notConfigured(ctx, providerName)
	}
	if !h.begin() {
		return sdk.HTTPResponse{}, shuttingDown()
	}
	defer h.work.Done()
	r.ReceivedAt = h.clock.Now()
	notification, err := h.parse(context.WithoutCancel(ctx), a, r)
	switch {
	case err == nil:
	case sdk.IsCode(err, sdk.CodeSignatureInvalid):
		h.metrics.notifications.WithLabelValues(providerName, "forged").Inc()
		h.log.Warn("a notification with a bad signature was refused", "provider", providerName)
		return sdk.HTTPResponse{}, err
	default:
		return sdk.HTTPResponse{}, h.storeUnparsed(a, r, err)
	}
	if err := h.commitNotification(a, r, notification, ""); err != nil {
		h.log.Error("a notification can't be stored; the acquirer is asked to send it again", "provider", providerName, "error", err)
		return sdk.HTTPResponse{}, storeError(err)
	}
	return notification.Ack, nil
}

// parse has the plugin verify and read a notification.
func (h *Host) parse(ctx context.Context, a *account, r sdk.HTTPRequest) (sdk.Notification, error) {
	if err := h.makeReady(ctx, a); err != nil { // its account is needed to match what it speaks of
		return sdk.Notification{}, err
	}
	return measure(h, a, "parse_notification", func() (sdk.Notification, error) { return a.api.ParseNotification(ctx, r) })
}

// notConfigured is for notifications of a provider that isn't in the config. If
// it still has open payments or refunds the acquirer shall try again: it may
// come back.
func (h *Host) notConfigured(ctx context.Context, name string) error {
	open, err := h.unsettled(ctx)
	if err != nil {
		return storeError(err)
	}
	if slices.ContainsFunc(open, func(u unsettled) bool { return u.provider == name }) {
		e := sdk.NotSent(sdk.CodePluginUnavailable, "the provider is not configured now; send it again")
		e.RetryAfter = retryNotification
		return e
	}
	return sdk.NotSent(sdk.CodeNotFound, "there is no provider of this name")
}

// storeUnparsed keeps a notification that the plugin couldn't read. The acquirer
// is told to send it again; should it not, the stored one is parsed later.
func (h *Host) storeUnparsed(a *account, r sdk.HTTPRequest, why error) error {
	h.metrics.notifications.WithLabelValues(a.cfg.Name, "unparsed").Inc()
	h.log.Error("a notification can't be parsed now; it is kept", "provider", a.cfg.Name, "error", why)
	ctx := context.WithoutCancel(h.life)
	dropped := false
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		n, err := tx.CountUnparsed(ctx, a.cfg.Name)
		if err != nil || n >= maxUnparsed {
			dropped = err == nil
			return err
		}
		if known, err := tx.Notification(ctx, sqlgen.NotificationParams{Provider: a.cfg.Name, Digest: digestOf(r)}); err == nil && known.State != notificationUnparsed {
			return nil // the same bytes were read before
		}
		row := newNotification(a, r, notificationUnparsed)
		row.Digest = wholeDigest(r)
		row.DueAt = micros(h.clock.Now().Add(parseRetry))
		tx.Alarm(h.alarmOfNotification(row.Provider, row.Digest, row.DueAt))
		return tx.PutNotification(ctx, row)
	})
	if err != nil {
		return storeError(err)
	}
	if dropped {
		h.log.Error("too many notifications wait for their plugin; this one is not kept, the acquirer must send it again", "provider", a.cfg.Name, "waiting", maxUnparsed)
	}
	e := sdk.NotSent(sdk.CodePluginUnavailable, "the provider's plugin can't read notifications now; send it again")
	e.RetryAfter = retryNotification
	return e
}

func newNotification(a *account, r sdk.HTTPRequest, state string) sqlgen.PutNotificationParams {
	raw, _ := json.Marshal(r) // strings, bytes and a time: can't fail
	return sqlgen.PutNotificationParams{Provider: a.cfg.Name, Digest: digestOf(r), State: state, ReceivedAt: micros(r.ReceivedAt), Request: string(raw)}
}

// digestOf names a notification that was verified: the same bytes say the same.
func digestOf(r sdk.HTTPRequest) string { return sha256Hex(r.Body) }

// commitNotification makes a verified notification durable together with the
// decision to ask about the payments that it speaks of. It takes the place of
// the raw one that it was read from, if any.
func (h *Host) commitNotification(a *account, r sdk.HTTPRequest, n sdk.Notification, raw string) error {
	_, configured, _ := a.snapshot()
	row := newNotification(a, r, notificationOther)
	verdict := notificationOther
	ctx := context.WithoutCancel(h.life)
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		row, verdict = newNotification(a, r, notificationOther), notificationOther // it may run again
		for _, e := range n.Events {
			row.RawType, row.MerchantOrderID, row.AcquirerOrderID = e.RawType, e.MerchantOrderID, e.AcquirerOrderID
			if e.Kind == sdk.EventRefund {
				row.MerchantOrderID, row.AcquirerOrderID = "", refundReference(e.AcquirerRefundID)
			}
			ids, err := h.hint(ctx, tx, configured.Account, e)
			switch {
			case err != nil:
				return err
			case len(ids) > 0:
				row.State, row.PaymentID, verdict = notificationMatched, ids[len(ids)-1], notificationMatched
			case e.Kind != sdk.EventOther && row.PaymentID == "":
				row.State, verdict = notificationUnmatched, notificationUnmatched
			}
		}
		if row.State == notificationUnmatched {
			row.Request = "" // nothing of a stranger's is kept but its references
		}
		if err := tx.DropUnparsed(ctx, sqlgen.DropUnparsedParams{Provider: row.Provider, Digest: raw}); err != nil {
			return err
		}
		return tx.PutNotification(ctx, row)
	})
	if err != nil {
		return err
	}
	h.metrics.notifications.WithLabelValues(a.cfg.Name, verdict).Inc()
	h.log.Info("notification", "provider", a.cfg.Name, "type", row.RawType, "verdict", verdict, "payment", row.PaymentID)
	return nil
}

// hint makes the host ask about what an event may be about, and returns the
// payments.
func (h *Host) hint(ctx context.Context, tx *store.Tx, account string, e sdk.NotificationEvent) ([]string, error) {
	switch e.Kind {
	case sdk.EventRefund:
		return h.hintRefunds(ctx, tx, account, e)
	case sdk.EventPayment:
		ids, err := h.match(ctx, tx, account, e)
		for _, id := range ids {
			if err == nil {
				err = h.askSoon(ctx, tx, id, "notification "+e.RawType)
			}
		}
		return ids, err
	default:
		return nil, nil
	}
}

// match finds the payments that an event may be about, by either id.
func (h *Host) match(ctx context.Context, tx *store.Tx, account string, e sdk.NotificationEvent) ([]string, error) {
	var ids []string
	byAcquirer, err := tx.PaymentByAcquirerOrder(ctx, sqlgen.PaymentByAcquirerOrderParams{Account: account, AcquirerOrderID: e.AcquirerOrderID})
	if err != nil {
		return nil, err
	}
	for _, p := range byAcquirer {
		ids = append(ids, p.ID)
	}
	byMerchant, err := tx.PaymentBySentOrder(ctx, sqlgen.PaymentBySentOrderParams{Account: account, MerchantOrderID: e.MerchantOrderID})
	if err == nil {
		ids = append(ids, byMerchant.ID)
	} else if !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// askSoon makes the poller ask about a payment now and notes why. A paid one has
// nothing more to say; the other ends are asked about, since a late success must
// not be missed.
func (h *Host) askSoon(ctx context.Context, tx *store.Tx, id, why string) error {
	p, err := tx.Payment(ctx, id)
	if err != nil || statusOf(p) == sdk.StatusSucceeded || p.CreateState == createUnsent {
		return err
	}
	before, now := p, micros(h.clock.Now())
	p.DueAt, p.Tries, p.UpdatedAt = now, 0, now
	if statusOf(p) == sdk.StatusUnknown {
		p.Tries = maxRepeats // the acquirer has the order: it is asked about, not sent again
	}
	return h.write(ctx, tx, before, p, []entry{{kind: kindNote, source: sourceNotification, detail: why}})
}

// matchEarly takes up notifications that came before an answer named the
// acquirer's order. It runs in the transaction that records the answer.
func (h *Host) matchEarly(tx *store.Tx, p *sqlgen.Payment) ([]entry, error) {
	ctx := context.WithoutCancel(h.life)
	early, err := tx.UnmatchedFor(ctx, sqlgen.UnmatchedForParams{Provider: p.Provider, MerchantOrderID: p.MerchantOrderID, AcquirerOrderID: p.AcquirerOrderID})
	if err != nil || len(early) == 0 {
		return nil, err
	}
	for _, n := range early {
		if err := tx.MatchNotification(ctx, sqlgen.MatchNotificationParams{PaymentID: p.ID, Provider: n.Provider, Digest: n.Digest}); err != nil {
			return nil, err
		}
	}
	if statusOf(*p) != sdk.StatusSucceeded {
		p.DueAt = micros(h.clock.Now())
	}
	return []entry{{kind: kindNote, source: sourceNotification, detail: fmt.Sprintf("%d notification(s) came before an answer named the order", len(early))}}, nil
}
