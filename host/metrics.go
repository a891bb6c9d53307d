package host

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are a host's counters, in a registry of their own: a program may open
// several hosts.
type metrics struct {
	registry      *prometheus.Registry
	payments      *prometheus.CounterVec
	notifications *prometheus.CounterVec
	calls         *prometheus.CounterVec
	durations     *prometheus.HistogramVec
	events        *prometheus.CounterVec
	refunds       *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		payments: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymux_payment_transitions_total", Help: "Payments that reached a state.",
		}, []string{"provider", "status"}),
		notifications: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymux_notifications_total", Help: "Notifications of acquirers by verdict: matched, unmatched, other, forged, unparsed.",
		}, []string{"provider", "verdict"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymux_provider_calls_total", Help: "Calls of providers; code is OK or an error code, blame whose fault it was.",
		}, []string{"provider", "call", "code", "outcome", "blame"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "paymux_provider_call_seconds", Help: "How long calls of providers took.",
			Buckets: []float64{.005, .02, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"provider", "call"}),
		refunds: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymux_refund_transitions_total", Help: "Refunds that reached a state.",
		}, []string{"provider", "status"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paymux_event_deliveries_total", Help: "Attempts to deliver events to shops by verdict: delivered, failed, given_up.",
		}, []string{"type", "verdict"}),
	}
	m.registry.MustRegister(m.payments, m.notifications, m.calls, m.durations, m.events, m.refunds)
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// measure counts one call of a provider.
func measure[T any](h *Host, a *account, call string, do func() (T, error)) (T, error) {
	begun := time.Now()
	out, err := do()
	h.metrics.durations.WithLabelValues(a.cfg.Name, call).Observe(time.Since(begun).Seconds())
	code, outcome, blame := "OK", "", ""
	if err != nil {
		e := h.redact.err(err)
		err = e
		code, outcome, blame = e.Code.Name(), e.Outcome.String(), string(e.Code.Info().Blame)
	}
	h.metrics.calls.WithLabelValues(a.cfg.Name, call, code, outcome, blame).Inc()
	return out, err
}
