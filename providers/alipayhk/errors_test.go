package alipayhk

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
)

const knownCodes = `,"codes":{"refused":[4001],"not_found":[4004]}`

// Every answer that is not a good one, against every operation.
func TestBadAnswers(t *testing.T) {
	envelope := func(code string) string {
		return `{"code":` + code + `,"message":"` + testToken + `","rid":"` + rid + `"}`
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		code   sdk.Code
	}{
		{"unknown code", say(200, envelope("5000")), sdk.CodeAcquirerError},
		{"unknown code, 400", say(400, envelope("5000")), sdk.CodeAcquirerError},
		{"negative code", say(200, envelope("-1")), sdk.CodeAcquirerError},
		{"missing code", say(200, `{"data":{"status":"SUCCEEDED"}}`), sdk.CodeAcquirerAnswerInvalid},
		{"null code", say(200, envelope("null")), sdk.CodeAcquirerAnswerInvalid},
		{"text code", say(200, envelope(`"0"`)), sdk.CodeAcquirerAnswerInvalid},
		{"decimal code", say(200, envelope("0.0")), sdk.CodeAcquirerAnswerInvalid},
		{"two codes", say(200, `{"code":1,"code":0,"data":{}}`), sdk.CodeAcquirerAnswerInvalid},
		{"Code", say(200, `{"Code":0,"data":{}}`), sdk.CodeAcquirerAnswerInvalid},
		{"no data", say(200, envelope("0")), sdk.CodeAcquirerAnswerInvalid},
		{"null data", say(200, `{"code":0,"data":null}`), sdk.CodeAcquirerAnswerInvalid},
		{"list as data", say(200, `{"code":0,"data":[]}`), sdk.CodeAcquirerAnswerInvalid},
		{"text as data", say(200, `{"code":0,"data":"ok"}`), sdk.CodeAcquirerAnswerInvalid},
		{"data too deep", say(200, `{"code":0,"data":{"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`}}`), sdk.CodeAcquirerAnswerInvalid},
		{"empty", say(200, ""), sdk.CodeAcquirerAnswerInvalid},
		{"truncated JSON", say(200, `{"code":0,"data":{"status":"SUC`), sdk.CodeAcquirerAnswerInvalid},
		{"HTML", say(200, "<html>"+testSecret), sdk.CodeAcquirerAnswerInvalid},
		{"two values", say(200, `{"code":0,"data":{}}{}`), sdk.CodeAcquirerAnswerInvalid},
		{"huge", say(200, `{"code":0,"data":{},"x":"`+strings.Repeat("x", 1<<20)+`"}`), sdk.CodeAcquirerAnswerInvalid},
		{"502 HTML", say(502, "<html>"+testSecret), sdk.CodeAcquirerError},
		{"500 with code 0", say(500, `{"code":0,"data":{"status":"SUCCEEDED"}}`), sdk.CodeAcquirerError},
		{"404", say(404, "not found"), sdk.CodeAcquirerError},
		{"403", say(403, ""), sdk.CodeAcquirerError},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?token="+testToken, http.StatusTemporaryRedirect)
		}, sdk.CodeAcquirerError},
		{"429", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(429)
			_, _ = io.WriteString(w, envelope("4001"))
		}, sdk.CodeAcquirerRateLimited},
		{"closed", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, sdk.CodeAcquirerUnavailable},
		{"closed in the body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"code":0`)
		}, sdk.CodeAcquirerAnswerInvalid},
	}
	for _, op := range operations(t) {
		for _, test := range tests {
			t.Run(op.name+"/"+test.name, func(t *testing.T) {
				f := newFake(t, test.answer)
				e := checkError(t, op.call(t.Context(), f.provider(t, knownCodes)), test.code, sdk.OutcomeUnknown)
				if test.name == "429" && e.RetryAfter != 30*time.Second {
					t.Errorf("retry after %v", e.RetryAfter)
				}
				if test.name == "unknown code" && (e.AcquirerCode != "5000" || e.AcquirerRequestID != rid) {
					t.Errorf("got code %q, rid %q", e.AcquirerCode, e.AcquirerRequestID)
				}
				if len(f.sent()) != 1 {
					t.Errorf("sent %d times", len(f.sent()))
				}
			})
		}
	}
}

// What the configured codes mean depends on what was asked.
func TestConfiguredCodes(t *testing.T) {
	type verdict struct {
		code    sdk.Code
		outcome sdk.Outcome
	}
	other := verdict{sdk.CodeAcquirerError, sdk.OutcomeUnknown}
	refused := verdict{sdk.CodeRefused, sdk.OutcomeRefused}
	tests := map[string][2]verdict{ // by operation: answers to 4001 and to 4004
		"create":       {refused, other},
		"query":        {other, {sdk.CodeOrderNotFound, sdk.OutcomeUnknown}},
		"refund":       {refused, other},
		"query refund": {other, other},
	}
	for _, op := range operations(t) {
		for i, code := range []string{"4001", "4004"} {
			for _, status := range []int{200, 400, 404, 500} {
				f := newFake(t, say(status, `{"code":`+code+`,"data":null,"message":"no","rid":"`+rid+`"}`))
				want := tests[op.name][i]
				e := checkError(t, op.call(t.Context(), f.provider(t, knownCodes)), want.code, want.outcome)
				if e.AcquirerCode != code || e.AcquirerRequestID != rid {
					t.Errorf("%s %s: code %q, rid %q", op.name, code, e.AcquirerCode, e.AcquirerRequestID)
				}
			}
		}
	}
}

func TestUnauthorizedOnce(t *testing.T) {
	for _, op := range operations(t) {
		f := newFake(t, nil)
		f.answer = func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+testToken+"-2" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write(golden(t, op.good))
		}
		if err := op.call(t.Context(), f.provider(t, "")); err != nil {
			t.Errorf("%s: %v", op.name, err)
		}
		if f.tokensGiven() != 2 || len(f.sent()) != 2 || f.sent()[0] != f.sent()[1] {
			t.Errorf("%s: %d tokens, calls %q", op.name, f.tokensGiven(), f.sent())
		}
	}
}

func TestUnauthorizedTwice(t *testing.T) {
	for _, op := range operations(t) {
		f := newFake(t, say(401, testSecret))
		checkError(t, op.call(t.Context(), f.provider(t, "")), sdk.CodeCredentialsRefused, sdk.OutcomeNotSent)
		if f.tokensGiven() != 2 || len(f.sent()) != 2 {
			t.Errorf("%s: %d tokens, %d calls", op.name, f.tokensGiven(), len(f.sent()))
		}
	}
}

// An undocumented code may be the way to say that a token ended: the next call
// gets a new one, and nothing is sent again.
func TestUnknownCodeDropsTheToken(t *testing.T) {
	f := newFake(t, say(200, `{"code":5000}`))
	p := f.provider(t, "")
	for _, op := range operations(t) {
		before := f.tokensGiven()
		_ = op.call(t.Context(), p)
		if f.tokensGiven() != before+1 {
			t.Errorf("%s: no new token", op.name)
		}
	}
	if len(f.sent()) != 4 {
		t.Errorf("%d calls", len(f.sent()))
	}
	f.answer = say(403, "<html>") // so may be this
	_ = operations(t)[1].call(t.Context(), p)
	dropped := f.tokensGiven()
	f.answer = say(502, "<html>")
	if _ = operations(t)[1].call(t.Context(), p); f.tokensGiven() != dropped+1 {
		t.Error("HTTP 403: no new token")
	}
	_ = operations(t)[1].call(t.Context(), p)
	before := f.tokensGiven()
	_ = operations(t)[1].call(t.Context(), p)
	if f.tokensGiven() != before {
		t.Error("an outage costs a token for each call")
	}
}

// Whatever goes wrong with the token, the payment was not sent.
func TestTokenErrors(t *testing.T) {
	tests := []struct {
		name string
		auth http.HandlerFunc
		want sdk.Code
	}{
		{"401", say(401, testSecret), sdk.CodeCredentialsRefused},
		{"403", say(403, ""), sdk.CodeCredentialsRefused},
		{"400", say(400, `{"code":4100,"rid":"`+rid+`"}`), sdk.CodeAcquirerError},
		{"429", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(429)
		}, sdk.CodeAcquirerRateLimited},
		{"502", say(502, "<html>"+testSecret), sdk.CodeAcquirerError},
		{"200 with a code", say(200, `{"code":4100,"message":"`+testKey+`"}`), sdk.CodeAcquirerAnswerInvalid},
		{"in an envelope", say(200, `{"code":0,"data":{"access_token":"`+testToken+`"}}`), sdk.CodeAcquirerAnswerInvalid},
		{"empty token", say(200, `{"access_token":""}`), sdk.CodeAcquirerAnswerInvalid},
		{"token with a newline", say(200, `{"access_token":"sEcReT\n"}`), sdk.CodeAcquirerAnswerInvalid},
		{"HTML", say(200, "<html>"+testSecret), sdk.CodeAcquirerAnswerInvalid},
		{"truncated", say(200, `{"access_token":"sEcReT`), sdk.CodeAcquirerAnswerInvalid},
		{"huge", say(200, strings.Repeat("x", 1<<20+1)), sdk.CodeAcquirerAnswerInvalid},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?"+r.URL.RawQuery, http.StatusFound)
		}, sdk.CodeAcquirerError},
		{"closed", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, sdk.CodeAcquirerUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, nil)
			f.auth = test.auth
			p := f.provider(t, "")
			for _, op := range operations(t) {
				checkError(t, op.call(t.Context(), p), test.want, sdk.OutcomeNotSent)
			}
			_, err := p.Authorize(t.Context())
			if e := checkError(t, err, test.want, sdk.OutcomeNotSent); (test.name == "429") != (e.RetryAfter == 30*time.Second) {
				t.Errorf("retry after %v", e.RetryAfter)
			}
			if len(f.sent()) != 0 {
				t.Errorf("sent %q without a token", f.sent())
			}
		})
	}
}

func TestTokenLifetime(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		`{"access_token":"a","expires_in":1800}`: 30 * time.Minute, `{"access_token":"a"}`: time.Hour, `{"access_token":"a","expires_in":null}`: time.Hour,
		`{"access_token":"a","expires_in":0}`: time.Hour, `{"access_token":"a","expires_in":-5}`: time.Hour, `{"access_token":"a","expires_in":9223372036854775807}`: 24 * time.Hour,
		`{"access_token":"a","expires_in":"1800"}`: 30 * time.Minute, `{"access_token":"a","expires_in":{}}`: time.Hour, `{"access_token":"a","expires_in":1e999}`: time.Hour,
	} {
		token, err := readToken(ok([]byte(text)), now)
		if err != nil || !token.ExpiresAt.Equal(now.Add(want)) {
			t.Errorf("%s: %v, %v", text, token.ExpiresAt.Sub(now), err)
		}
	}
}

func TestAcquirerIsDown(t *testing.T) {
	f := newFake(t, nil)
	f.URL = "http://127.0.0.1:1" // a port that was closed may be somebody else's by now
	p := f.provider(t, "")
	for _, op := range operations(t) {
		checkError(t, op.call(t.Context(), p), sdk.CodeAcquirerUnavailable, sdk.OutcomeNotSent)
	}
}

func TestCallerGivesUp(t *testing.T) {
	for _, op := range operations(t) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFake(t, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
		checkError(t, op.call(ctx, f.provider(t, "")), sdk.CodeAcquirerTimeout, sdk.OutcomeUnknown)
		checkError(t, op.call(ctx, f.provider(t, "")), sdk.CodeAcquirerTimeout, sdk.OutcomeNotSent)
	}
}
