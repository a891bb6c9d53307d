package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/internal/alarm"
	"github.com/paymux/paymux/host/internal/failpoint"
	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
)

// redelivery is when an event is sent again, each step after the one before: 75
// hours in all, as Standard Webhooks has it.
var redelivery = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

const (
	endpointWorkers = 8
	eventTimeout    = 15 * time.Second
	longestAfter    = time.Hour // that a Retry-After may ask for
	maxEventAnswer  = 4 << 10
	keepEvents      = 30 * 24 * time.Hour
)

// The states of a delivery.
const (
	deliveryPending   = "pending"
	deliveryDelivered = "delivered"
	deliveryGivenUp   = "given_up"
)

// eventTransport follows no redirect and keeps connections: a merchant's
// endpoint hears of each payment several times.
func eventTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout, t.MaxResponseHeaderBytes, t.MaxIdleConnsPerHost = eventTimeout, 16<<10, endpointWorkers
	return t
}

func endpointQueue(endpoint string) string { return "endpoint" + endpoint }

func alarmOfDelivery(event, endpoint string, due int64) alarm.Alarm {
	return alarm.Alarm{Kind: alarm.Delivery, ID: event + "/" + endpoint, Queue: endpointQueue(endpoint), At: fromMicros(due)}
}

// ringDelivery sends an event to an endpoint, at least once: if the answer is
// lost or can't be stored it is sent again, with the same id.
func (h *Host) ringDelivery(ctx context.Context, a alarm.Alarm) (time.Time, error) {
	fl, mine := h.flights.take(a.ID)
	if !mine {
		return time.Time{}, nil
	}
	defer h.flights.land(a.ID, fl)
	id, endpoint, _ := strings.Cut(a.ID, "/")
	d, err := h.store.Read().Delivery(ctx, sqlgen.DeliveryParams{EventID: id, Endpoint: endpoint})
	if err != nil {
		return time.Time{}, ignoreMissing(err)
	}
	if again, due := dueNow(a, d.DueAt, h.clock.Now()); !due {
		return again, nil
	}
	event, err := h.store.Read().Event(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
	settled := h.attempt(ctx, toEvent(event), d)
	return time.Time{}, h.store.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		n, err := tx.SettleDelivery(ctx, settled)
		if err == nil && n == 1 && settled.DueAt > 0 {
			tx.Alarm(alarmOfDelivery(id, endpoint, settled.DueAt))
		}
		return err
	})
}

// attempt sends an event once and returns what to record.
func (h *Host) attempt(ctx context.Context, e Event, d sqlgen.Delivery) sqlgen.SettleDeliveryParams {
	settled := sqlgen.SettleDeliveryParams{EventID: d.EventID, Endpoint: d.Endpoint, Tries: d.Tries, State: deliveryGivenUp}
	target, ok := h.endpoint(d.Endpoint)
	if !ok {
		settled.LastError, settled.UpdatedAt = "the endpoint is no longer configured", micros(h.clock.Now())
		return settled
	}
	status, after, err := h.post(ctx, target, e)
	now := h.clock.Now()
	settled.UpdatedAt, settled.LastStatus = micros(now), int64(status)
	switch {
	case err == nil && status/100 == 2:
		settled.State = deliveryDelivered
	case err == nil && status == http.StatusGone:
		settled.LastError = "the endpoint says that it is gone"
	case int(d.Tries) < len(redelivery):
		settled.State = deliveryPending
		wait := time.Duration(float64(redelivery[d.Tries]) * (0.9 + 0.2*rand.Float64())) // so that they don't come all at once
		settled.DueAt = micros(now.Add(max(wait, min(after, longestAfter))))
	}
	if err != nil {
		settled.LastError = h.redact.text(err.Error())
	}
	verdict := map[string]string{deliveryDelivered: "delivered", deliveryPending: "failed", deliveryGivenUp: "given_up"}[settled.State]
	h.metrics.events.WithLabelValues(e.Type, verdict).Inc()
	if settled.State != deliveryDelivered {
		h.log.Warn("event not delivered", "event", e.ID, "type", e.Type, "merchant", target.Merchant, "status", status, "error", settled.LastError, "tries", d.Tries+1, "given_up", settled.State == deliveryGivenUp)
	}
	return settled
}

func (h *Host) endpoint(name string) (config.Event, bool) {
	for _, e := range h.cfg.Events {
		if endpointOf(e.URL) == name {
			return e, true
		}
	}
	return config.Event{}, false
}

// post sends an event, signed per Standard Webhooks, and returns the status and
// the seconds of a Retry-After. A redirect is an answer like any other that
// isn't 2xx.
func (h *Host) post(ctx context.Context, target config.Event, e Event) (status int, after time.Duration, err error) {
	body, err := json.Marshal(e)
	if err != nil {
		return 0, 0, err
	}
	signer, err := standardwebhooks.NewWebhook(target.Secret.Reveal())
	if err != nil {
		return 0, 0, fmt.Errorf("the secret of the endpoint: %w", err)
	}
	now := h.clock.Now()
	signature, err := signer.Sign(e.ID, now, body)
	if err != nil {
		return 0, 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.URL, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "paymux")
	r.Header.Set(standardwebhooks.HeaderWebhookID, e.ID)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	failpoint.Hit("event.before") // due, not sent
	answer, err := h.events.RoundTrip(r)
	failpoint.Hit("event.after") // delivered, still due
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxEventAnswer))
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	return answer.StatusCode, time.Duration(seconds) * time.Second, nil
}
