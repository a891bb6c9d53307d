package providertest

import (
	"net/http"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var limitRules = []rule{
	limitRule("seconds", "429 is ACQUIRER_RATE_LIMITED and not sent again at once; a Retry-After in seconds is passed on.", "7",
		func(d time.Duration) bool { return d == 7*time.Second }),
	limitRule("date", "A Retry-After that is a date is passed on as the time until then.", "+90s",
		func(d time.Duration) bool { return d > 30*time.Second && d <= 90*time.Second }),
	limitRule("absent", "Without Retry-After there is no hint.", "",
		func(d time.Duration) bool { return d == 0 }),
	{ID: "limit/nonsense", Says: "A Retry-After that can't be read, or is over, is no hint; one that never ends isn't negative.", Check: func(t *rules.T, s *subject) {
		for value, most := range map[string]time.Duration{
			"-1": 0, "soon": 0, "1.5": 0, "Mon, 02 Jan 2006 15:04:05 GMT": 0, "": 0,
			"99999999999999999999": 1 << 62, "9223372037": 1 << 62, "2000000000": 1 << 62,
		} {
			w := newWorld(t, s)
			w.authorized()
			w.meets(w.createEffect(), tooMany(value), func(err error) {
				if hint := sdk.AsError(err).RetryAfter; err != nil && (hint < 0 || hint > most) {
					t.Errorf("%q gives a hint of %s", value, hint)
				}
			})
		}
	}},
	{ID: "limit/query", Says: "429 on a query is ACQUIRER_RATE_LIMITED with its hint.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		order := w.create(w.request())
		w.proxy.arm(OpQuery, -1, tooMany("7"))
		_, err := w.provider.Query(t.Context(), sdk.QueryRequest{Order: order})
		if e := sdk.AsError(err); err == nil || e.Code != sdk.CodeAcquirerRateLimited || e.RetryAfter != 7*time.Second {
			t.Errorf("%s, hint %s", describe(err), hintOf(err))
		}
	}},
}

func hintOf(err error) time.Duration {
	if err == nil {
		return 0
	}
	return sdk.AsError(err).RetryAfter
}

func limitRule(name, says, value string, good func(time.Duration) bool) rule {
	return rule{ID: "limit/" + name, Says: says, Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		for _, e := range w.effects() {
			what := tooMany()
			switch value {
			case "":
			case "+90s":
				what = tooMany(now().Add(90 * time.Second).UTC().Format(http.TimeFormat))
			default:
				what = tooMany(value)
			}
			w.meets(e, what, func(err error) {
				got := sdk.AsError(err)
				if err == nil || got.Code != sdk.CodeAcquirerRateLimited || got.Outcome == sdk.OutcomeRefused || !good(got.RetryAfter) {
					t.Errorf("%s: %s: %s, hint %s", e.op, what.name, describe(err), hintOf(err))
				}
			})
		}
	}}
}
