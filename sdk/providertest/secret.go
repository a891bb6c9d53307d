package providertest

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var secretRules = []rule{
	{ID: "secret/errors", Says: "No error holds a secret of the config, however it is printed and whatever went wrong.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		secrets := w.secrets()
		w.everyTrouble(func(what string, err error) {
			for cause := err; cause != nil; cause = errors.Unwrap(cause) {
				for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
					w.noSecret(secrets, what+": an error", fmt.Sprintf(verb, cause))
				}
			}
			if e, ok := errors.AsType[*sdk.Error](err); ok && e != nil {
				w.noSecret(secrets, what+": a field of an error", strings.Join([]string{e.Message, e.Field, e.AcquirerCode, e.AcquirerRequestID}, "\n"))
			}
		})
	}},
	{ID: "secret/log", Says: "Nothing that is logged or printed holds a secret of the config.", Check: func(t *rules.T, s *subject) {
		stop := s.Plugin.CaptureLog()
		w := newWorld(t, s)
		w.same(w.paid(), sdk.StatusSucceeded)
		w.everyTrouble(func(string, error) {})
		w.noSecret(w.secrets(), "the log", stop())
	}},
	{ID: "secret/config_error", Says: "An error about the config doesn't quote a value that may be secret.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		for name, value := range w.object() {
			for _, bad := range []any{spoilt(value), []any{spoilt(value)}, map[string]any{"x": spoilt(value)}} {
				_, err := w.Plugin.Open(t.Context(), "unusable", w.with(name, bad))
				if err != nil {
					w.noSecret(w.secrets(), "the error about "+name, fmt.Sprintf("%v %+v", err, err))
				}
			}
		}
	}},
	{ID: "secret/answers", Says: "No answer holds a secret of the config: payments are stored and shown.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		p, err := w.provider.Create(t.Context(), w.request())
		if err != nil {
			t.Fatalf("Create fails, though nothing is wrong: %v", err)
		}
		w.noSecret(w.secrets(), "a payment", fmt.Sprintf("%+v", p))
		q := w.query(w.paid())
		w.noSecret(w.secrets(), "a payment", fmt.Sprintf("%+v", q))
		n := w.parse(w.provider, w.next())
		w.noSecret(w.secrets(), "a notification", fmt.Sprintf("%+v %s", n, n.Ack.Body))
	}},
	{ID: "secret/prints", Says: "A provider that is printed by fmt shows no secret.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		w.authorized()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			w.noSecret(w.secrets(), "the provider printed with "+verb, fmt.Sprintf(verb, w.provider))
		}
	}},
}

// spoilt is a value that is not valid any more and still holds the old.
func spoilt(value any) any {
	switch v := value.(type) {
	case string:
		return v + "\n"
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = spoilt(out[i])
		}
		return out
	}
	return value
}

func (w *world) secrets() []string {
	w.Helper()
	const shortest = 4 // shorter ones are in ordinary words
	all := slices.DeleteFunc(w.mustSchema().Secrets([]byte(w.config)), func(s string) bool { return len(strings.TrimSpace(s)) < shortest })
	if len(all) == 0 {
		w.Skipf("the schema marks no secret")
	}
	return all
}

// noSecret looks for secrets in all the ways in which texts hold them. It never
// says which it found.
func (w *world) noSecret(secrets []string, what, text string) {
	w.Helper()
	for _, s := range secrets {
		s = strings.TrimSpace(s)
		quoted := fmt.Sprintf("%q", s)
		for _, form := range []string{
			s, url.QueryEscape(s), url.PathEscape(s), quoted[1 : len(quoted)-1],
			base64.StdEncoding.EncodeToString([]byte(s)), hex.EncodeToString([]byte(s)), strings.Trim(fmt.Sprint([]byte(s)), "[]"),
		} {
			if strings.Contains(text, form) {
				w.Errorf("%s holds a secret of the config", what)
				return
			}
		}
	}
}

// everyTrouble has each call fail in each way.
func (w *world) everyTrouble(tell func(what string, err error)) {
	w.Helper()
	for _, what := range []trouble{resetBefore, pageAfter, pageOK, halfAnswer, redirected, unauthorized, tooMany("1"), hangBefore} {
		each := newWorld(w.T, w.subject) // its circuit breaker is closed
		w.try(each, what, tell)
	}
	down := newWorld(w.T, w.subject)
	down.proxy.close()
	_, err := down.provider.Authorize(w.Context())
	tell("the acquirer is down: authorize", err)
	_, err = down.provider.Create(w.Context(), down.request())
	tell("the acquirer is down: create", err)
}

func (w *world) try(each *world, what trouble, tell func(string, error)) {
	ctx, cancel := limited(w.Context(), what, short)
	defer cancel()
	order := each.create(each.request())
	for _, op := range []Op{OpAuthorize, OpCreate, OpQuery, OpRefund, OpCancel} {
		each.proxy.arm(op, -1, what)
	}
	fresh := each.open("fresh", each.config)
	_, err := fresh.Authorize(ctx)
	tell(what.name+": authorize", err)
	for name, p := range map[string]sdk.Provider{"before": each.provider, "fresh": fresh} {
		_, err = p.Create(ctx, each.request())
		tell(what.name+": create "+name, err)
		_, err = p.Query(ctx, sdk.QueryRequest{Order: order})
		tell(what.name+": query "+name, err)
	}
}
