package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
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
	longestAfter    = 24 * time.Hour // that a Retry-After may ask for
	maxEventAnswer  = 4 << 10
	longestError    = 500
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

// endpoints are those of the config, by their names.
type endpoints map[string]config.Event

func endpointsOf(events []config.Event) endpoints {
	all := endpoints{}
	for _, e := range events {
		all[endpointOf(e)] = e
	}
	return all
}

// endpointOf names an endpoint in the store without its URL, which may hold a
// secret. Two merchants may have the same URL, each with a secret of its own.
func endpointOf(e config.Event) string {
	return sha256Hex([]byte(e.Merchant + " " + e.URL))[:16]
}

// queue is the queue of an endpoint's deliveries: a dead one keeps only its own
// waiting.
func (all endpoints) queue(name string) string {
	if _, configured := all[name]; !configured {
		return otherQueue // which is served whatever the config says
	}
	if len(all) > mostQueues {
		sum := fnv.New32a()
		sum.Write([]byte(name))
		return fmt.Sprint("endpoints", sum.Sum32()%mostQueues)
	}
	return "endpoint" + name
}

func (h *Host) alarmOfDelivery(event, endpoint string, due int64) alarm.Alarm {
	return alarm.Alarm{Kind: alarm.Delivery, ID: event + "/" + endpoint, Queue: h.now().endpoints.queue(endpoint), At: fromMicros(due)}
}

// ringDelivery sends an event to an endpoint, at least once: if the answer is
// lost or can't be stored it is sent again, with the same id.
func (h *Host) ringDelivery(ctx context.Context, a alarm.Alarm) (time.Time, error) {
	fl := h.flights.await(a.ID)
	defer h.flights.land(a.ID, fl)
	id, endpoint, _ := strings.Cut(a.ID, "/")
	key := sqlgen.DeliveryParams{EventID: id, Endpoint: endpoint}
	d, err := h.store.Read().Delivery(ctx, key)
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
	ctx = context.WithoutCancel(ctx)
	return time.Time{}, h.store.Update(ctx, func(tx *store.Tx) error {
		now, err := tx.Delivery(ctx, key)
		if err != nil || now.DueAt != d.DueAt {
			return ignoreMissing(err) // a redelivery was asked for meanwhile: its alarm rings for itself
		}
		n, err := tx.SettleDelivery(ctx, settled)
		if err == nil && n == 1 && settled.DueAt > 0 {
			tx.Alarm(h.alarmOfDelivery(id, endpoint, settled.DueAt))
		}
		return err
	})
}

// attempt sends an event once and returns what to record.
func (h *Host) attempt(ctx context.Context, e Event, d sqlgen.Delivery) sqlgen.SettleDeliveryParams {
	settled := sqlgen.SettleDeliveryParams{EventID: d.EventID, Endpoint: d.Endpoint, Tries: d.Tries, State: deliveryGivenUp}
	status, after, err := 0, time.Duration(0), error(nil)
	target, ok := h.now().endpoints[d.Endpoint]
	if ok {
		status, after, err = h.post(ctx, target, e)
	} else {
		err = errors.New("the endpoint isn't configured") // it may come back, or be in another host's config
	}
	now := h.clock.Now()
	settled.UpdatedAt, settled.LastStatus = micros(now), int64(status)
	verdict := "given_up"
	switch {
	case err == nil && status/100 == 2:
		settled.State, verdict = deliveryDelivered, "delivered"
	case err == nil && status == http.StatusGone:
		settled.LastError = "the endpoint says that it is gone"
	case int(d.Tries) < len(redelivery):
		settled.State, verdict = deliveryPending, "failed"
		settled.DueAt = micros(now.Add(max(jittered(redelivery[d.Tries]), after)))
	}
	if err != nil {
		settled.LastError = h.plain(err)
	}
	h.metrics.events.WithLabelValues(e.Type, verdict).Inc()
	if settled.State != deliveryDelivered {
		h.log.Warn("event not delivered", "event", e.ID, "type", e.Type, "merchant", target.Merchant, "endpoint", d.Endpoint,
			"status", status, "error", settled.LastError, "tries", d.Tries+1, "given_up", settled.State == deliveryGivenUp)
	}
	return settled
}

// jittered spreads deliveries, so that they don't come all at once to an
// endpoint that is back.
func jittered(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}

// plain is an error as it may be stored: a peer's bytes can be in it.
func (h *Host) plain(err error) string {
	text := strings.ReplaceAll(h.redact.text(err.Error()), "\x00", "")
	return strings.ToValidUTF8(text[:min(len(text), longestError)], "")
}

// post sends an event, signed per Standard Webhooks, and returns the status and
// how long the endpoint asks to be left alone. A redirect is an answer like any
// other that isn't 2xx.
func (h *Host) post(ctx context.Context, target config.Event, e Event) (status int, after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	r, err := h.eventRequest(ctx, target, e)
	if err != nil {
		return 0, 0, err
	}
	failpoint.Hit("event.before") // due, not sent
	answer, err := h.events.RoundTrip(r)
	failpoint.Hit("event.after") // delivered, still due
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxEventAnswer)) // so that the connection is used again
	if answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusServiceUnavailable {
		after = retryAfter(answer.Header.Get("Retry-After"), h.clock.Now())
	}
	return answer.StatusCode, after, nil
}

func (h *Host) eventRequest(ctx context.Context, target config.Event, e Event) (*http.Request, error) {
	body, err := encode(e)
	if err != nil {
		return nil, err
	}
	signer, err := standardwebhooks.NewWebhook(target.Secret.Reveal())
	if err != nil {
		return nil, errors.New("the secret of the endpoint can't be used")
	}
	now := h.clock.Now()
	signature, err := signer.Sign(e.ID, now, body)
	if err != nil {
		return nil, errors.New("the event can't be signed")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.URL, bytes.NewReader(body))
	if err != nil { // it names the URL, in which there may be a secret
		return nil, errors.New("the URL of the endpoint can't be used")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "paymux")
	r.Header.Set(standardwebhooks.HeaderWebhookID, e.ID)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return r, nil
}

// retryAfter reads seconds or a date; 0 if it is neither.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(at.Sub(now), longestAfter)
	}
	return 0
}
