package airwallex

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const knownCodes = `,"codes":{"refused":["bad_thing"],"not_found":["no_such_thing"]}`

func failing(code string) string {
	return `{"code":"` + code + `","message":"` + testToken + `","source":"amount"}`
}

// Every answer that is not a good one, against every operation. What it means
// stands beside it, not in the table that is tested.
func TestBadAnswers(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		code   sdk.Code
	}{
		{"unknown code", say(400, failing("validation_error")), sdk.CodeAcquirerError},
		{"no code", say(400, `{}`), sdk.CodeAcquirerError},
		{"refused, but not as 4xx", say(500, failing("bad_thing")), sdk.CodeAcquirerError},
		{"not found, but not as 4xx", say(503, failing("no_such_thing")), sdk.CodeAcquirerError},
		{"403", say(403, failing("forbidden")), sdk.CodeAcquirerError},
		{"404", say(404, failing("not_found")), sdk.CodeAcquirerError},
		{"404 of a gateway", say(404, "<html>"+testSecret), sdk.CodeAcquirerError},
		{"409", say(409, ""), sdk.CodeAcquirerError},
		{"302", say(302, ""), sdk.CodeAcquirerError},
		{"304", say(304, ""), sdk.CodeAcquirerError},
		{"500 that looks paid", say(500, `{"id":"`+intentID+`","status":"SUCCEEDED"}`), sdk.CodeAcquirerError},
		{"502 HTML", say(502, "<html>"+testSecret), sdk.CodeAcquirerError},
		{"429", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(429)
			_, _ = io.WriteString(w, failing("bad_thing"))
		}, sdk.CodeAcquirerRateLimited},
		{"empty", say(200, ""), sdk.CodeAcquirerAnswerInvalid},
		{"204", say(204, ""), sdk.CodeAcquirerAnswerInvalid},
		{"truncated", say(200, `{"id":"int_1","status":"SUC`), sdk.CodeAcquirerAnswerInvalid},
		{"HTML", say(200, "<html>"+testSecret), sdk.CodeAcquirerAnswerInvalid},
		{"two values", say(200, `{"id":"a","status":"SUCCEEDED","items":[]}{}`), sdk.CodeAcquirerAnswerInvalid},
		{"a list", say(200, `[]`), sdk.CodeAcquirerAnswerInvalid},
		{"twice", say(200, `{"id":"a","status":"PENDING","status":"SUCCEEDED","items":1,"items":1}`), sdk.CodeAcquirerAnswerInvalid},
		{"huge", say(200, `{"id":"a","status":"SUCCEEDED","items":[],"x":"`+strings.Repeat("x", 1<<20)+`"}`), sdk.CodeAcquirerAnswerInvalid},
		{"closed", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, sdk.CodeAcquirerUnavailable},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"id":`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, sdk.CodeAcquirerAnswerInvalid},
	}
	for _, op := range operations(t) {
		for _, test := range tests {
			t.Run(op.name+"/"+test.name, func(t *testing.T) {
				f := newFake(t, op.via(test.answer))
				e := checkError(t, op.call(t.Context(), f.provider(t, knownCodes)), test.code, sdk.OutcomeUnknown)
				if test.name == "429" && e.RetryAfter != 7*time.Second {
					t.Errorf("Retry-After %v", e.RetryAfter)
				}
				if test.name == "unknown code" && e.AcquirerCode != "validation_error" {
					t.Errorf("the acquirer's code is %q", e.AcquirerCode)
				}
			})
		}
		// Only create and confirm together send more than one request.
		t.Run(op.name+"/empty object", func(t *testing.T) {
			f := newFake(t, op.via(say(200, "{}")))
			err := op.call(t.Context(), f.provider(t, ""))
			want := sdk.CodeAcquirerAnswerInvalid
			if op.name == "list refunds" { // a list without our refund
				want = sdk.CodeAcquirerError
			}
			checkError(t, err, want, sdk.OutcomeUnknown)
		})
	}
}

func TestConfiguredCodes(t *testing.T) {
	for _, op := range operations(t) {
		f := newFake(t, op.via(say(400, failing("bad_thing"))))
		err := op.call(t.Context(), f.provider(t, knownCodes))
		if op.kind == callEffect {
			checkError(t, err, sdk.CodeRefused, sdk.OutcomeRefused)
		} else {
			checkError(t, err, sdk.CodeAcquirerError, sdk.OutcomeUnknown)
		}
		f = newFake(t, op.via(say(404, failing("no_such_thing"))))
		err = op.call(t.Context(), f.provider(t, knownCodes))
		if op.kind == callQuery {
			checkError(t, err, sdk.CodeOrderNotFound, sdk.OutcomeUnknown)
		} else {
			checkError(t, err, sdk.CodeAcquirerError, sdk.OutcomeUnknown)
		}
	}
}

// A refused confirm is final only once the intent is closed.
func TestRefusedConfirm(t *testing.T) {
	cancelled := string(golden(t, "cancel_response.json"))
	tests := []struct {
		name    string
		cancel  http.HandlerFunc
		code    sdk.Code
		outcome sdk.Outcome
	}{
		{"closed", say(200, cancelled), sdk.CodeRefused, sdk.OutcomeRefused},
		{"still open", say(200, strings.Replace(cancelled, "CANCELLED", "REQUIRES_PAYMENT_METHOD", 1)), sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		{"paid", say(200, strings.Replace(cancelled, "CANCELLED", "SUCCEEDED", 1)), sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		{"another", say(200, strings.Replace(cancelled, intentID, "int_other", 1)), sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		{"refused", say(400, failing("bad_thing")), sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		{"lost", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, sdk.CodeAcquirerError, sdk.OutcomeUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/cancel"):
					test.cancel(w, r)
				case strings.HasSuffix(r.URL.Path, "/confirm"):
					say(400, failing("bad_thing"))(w, r)
				default:
					say(201, string(golden(t, "create_response.json")))(w, r)
				}
			})
			_, err := f.provider(t, knownCodes).Create(t.Context(), createRequest(t))
			e := checkError(t, err, test.code, test.outcome)
			if e.AcquirerCode != "bad_thing" {
				t.Errorf("the acquirer's code is %q", e.AcquirerCode)
			}
			sent := f.sent()
			if len(sent) != 3 || sent[2] != "POST /api/v1/pa/payment_intents/"+intentID+`/cancel {"request_id":"req_01-close"}` {
				t.Errorf("sent %q", sent)
			}
		})
	}
}

// Before there can be an intent an error of the network is NOT_SENT; afterwards
// nothing is.
func TestNotSent(t *testing.T) {
	for _, op := range operations(t) {
		t.Run(op.name+"/no connection", func(t *testing.T) {
			f := newFake(t, nil)
			p := f.provider(t, "")
			if _, err := p.Authorize(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.answer = op.via(nil)
			if op.name == "confirm" { // the server goes away between the steps
				f.answer = func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Connection", "close")
					_ = f.Listener.Close()
					say(201, string(golden(t, "create_response.json")))(w, r)
				}
			} else {
				p.config.base = &url.URL{Scheme: "http", Host: "127.0.0.1:1"} // nobody can come up there
			}
			want := sdk.OutcomeNotSent
			if op.name == "confirm" {
				want = sdk.OutcomeUnknown
			}
			checkError(t, op.call(t.Context(), p), sdk.CodeAcquirerUnavailable, want)
		})
		t.Run(op.name+"/token refused twice", func(t *testing.T) {
			f := newFake(t, op.via(say(401, failing("unauthorized"))))
			want := sdk.OutcomeNotSent
			if op.name == "confirm" {
				want = sdk.OutcomeUnknown
			}
			checkError(t, op.call(t.Context(), f.provider(t, "")), sdk.CodeCredentialsRefused, want)
			if f.tokens != 2 {
				t.Errorf("%d logins", f.tokens)
			}
		})
		t.Run(op.name+"/no token", func(t *testing.T) {
			f := newFake(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
			f.login = say(503, "")
			checkError(t, op.call(t.Context(), f.provider(t, "")), sdk.CodeAcquirerError, sdk.OutcomeNotSent)
		})
		t.Run(op.name+"/caller gone", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			f := newFake(t, op.via(func(_ http.ResponseWriter, r *http.Request) {
				cancel()
				<-r.Context().Done()
			}))
			checkError(t, op.call(ctx, f.provider(t, "")), sdk.CodeAcquirerTimeout, sdk.OutcomeUnknown)
		})
	}
}

// The tables leave nothing open: every answer has one meaning, and only what the
// operator listed refuses or isn't found.
func TestErrorRulesAreTotal(t *testing.T) {
	c := settings(t, "https://api.example.com", knownCodes)
	for status := 100; status < 600; status++ {
		for _, code := range []string{"", "bad_thing", "no_such_thing", "other"} {
			for _, asked := range []call{callEffect, callQuery, callQueryRefund} {
				e := c.answerError(acquirer.Response{Status: status, Body: fmt.Appendf(nil, `{"code":%q}`, code)}, asked)
				if good := status >= 200 && status <= 299; good != (e == nil) {
					t.Fatalf("HTTP %d: %v", status, e)
				} else if good {
					continue
				}
				listed := status/100 == 4 && status != 429
				if (e.Outcome == sdk.OutcomeRefused) != (listed && code == "bad_thing" && asked == callEffect) || e.Outcome == sdk.OutcomeNotSent ||
					(e.Code == sdk.CodeOrderNotFound) != (listed && code == "no_such_thing" && asked == callQuery) {
					t.Errorf("HTTP %d %q asked %d: %v %s", status, code, asked, e, e.Outcome)
				}
			}
		}
	}
}
