package host

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

func (h *Host) alarmOfNotification(provider, digest string, due int64) alarm.Alarm {
	return alarm.Alarm{Kind: alarm.Notification, ID: provider + "/" + digest, Queue: h.queueOf(provider), At: fromMicros(due)}
}

// keepKeys is how long an Idempotency-Key replays its answer.
const keepKeys = 30 * 24 * time.Hour

// ignoreMissing is for what was forgotten since its alarm was set.
func ignoreMissing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// wholeDigest names a notification that couldn't be verified yet, by all that a
// signature may be in: a forgery with the same body must not take the place of
// the genuine one.
func wholeDigest(r sdk.HTTPRequest) string {
	r.ReceivedAt = time.Time{}
	text, _ := json.Marshal(r) // strings, bytes and a time: can't fail
	return "raw:" + sha256Hex(text)
}

// parseStored tries a notification again that its plugin couldn't read.
func (h *Host) parseStored(provider, digest string) error {
	fl, mine := h.flights.take(digest)
	if !mine {
		return nil
	}
	defer h.flights.land(digest, fl)
	ctx := context.WithoutCancel(h.life)
	n, err := h.store.Read().Notification(ctx, sqlgen.NotificationParams{Provider: provider, Digest: digest})
	if err != nil || n.State != notificationUnparsed || n.DueAt > micros(h.clock.Now()) {
		return ignoreMissing(err) // the acquirer's repetition was read meanwhile
	}
	if err = h.readStored(ctx, n); err == nil {
		return nil
	}
	now := h.clock.Now()
	wait := min(time.Duration(n.Tries+2)*parseRetry, longestParseRetry)
	settled := sqlgen.SettleNotificationParams{State: notificationUnparsed, DueAt: micros(now.Add(wait)), Provider: provider, Digest: digest}
	forged := sdk.IsCode(err, sdk.CodeSignatureInvalid)
	if forged {
		h.metrics.notifications.WithLabelValues(provider, "forged").Inc()
		h.log.Warn("a kept notification has a bad signature; it is dropped", "provider", provider)
	} else if now.Sub(fromMicros(n.ReceivedAt)) > keepRaw {
		settled.State, settled.DueAt = notificationUnreadable, 0
		h.log.Error("a stored notification is given up", "provider", provider, "digest", digest, "error", err)
	}
	err = h.store.Update(ctx, func(tx *store.Tx) error {
		if forged {
			return tx.DropUnparsed(ctx, sqlgen.DropUnparsedParams{Provider: provider, Digest: digest})
		}
		if settled.DueAt > 0 {
			tx.Alarm(h.alarmOfNotification(provider, digest, settled.DueAt))
		}
		return tx.SettleNotification(ctx, settled)
	})
	if err != nil {
		h.log.Error("a stored notification can't be updated", "provider", provider, "error", err)
	}
	return err
}

func (h *Host) readStored(ctx context.Context, n sqlgen.Notification) error {
	a := h.account(n.Provider)
	if a == nil {
		return errors.New("the provider is not configured")
	}
	var r sdk.HTTPRequest
	if err := json.Unmarshal([]byte(n.Request), &r); err != nil {
		return err
	}
	parsed, err := h.parse(ctx, a, r)
	if err != nil {
		return err
	}
	return h.commitNotification(a, r, parsed, n.Digest)
}

// forget drops what need not be kept.
func (h *Host) forget() {
	ctx, now := context.WithoutCancel(h.life), h.clock.Now()
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.ForgetUnmatched(ctx, micros(now.Add(-keepUnmatched))); err != nil {
			return err
		}
		if _, err := tx.ForgetRaw(ctx, micros(now.Add(-keepRaw))); err != nil {
			return err
		}
		if _, err := tx.ForgetDeliveries(ctx, micros(now.Add(-keepEvents))); err != nil {
			return err
		}
		if _, err := tx.ForgetEvents(ctx, micros(now.Add(-keepEvents))); err != nil {
			return err
		}
		_, err := tx.ForgetKeys(ctx, micros(now.Add(-keepKeys)))
		return err
	})
	if err != nil {
		h.log.Error("what is old can't be dropped", "error", err)
	}
}
