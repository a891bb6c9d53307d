package stripe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
)

func problem(kind, code string) string {
	return fmt.Sprintf(`{"error":{"type":%q,"code":%q,"message":"%s","param":"%s"}}`, kind, code, testKey, testSecret)
}

// Every row of the table, against every operation. A later row must not be
// hidden by an earlier one.
func TestErrorTable(t *testing.T) {
	for i, r := range errorRules {
		status, kind, code := max(r.status, 400), r.kind, r.code
		if kind == "" {
			kind = "invalid_request_error"
		}
		switch code {
		case absent:
			code = ""
		case "":
			code = "something_else"
		}
		for _, o := range operations(t) {
			t.Run(fmt.Sprintf("%d %d %s %s/%s", i, status, kind, code, o.name), func(t *testing.T) {
				want := r.verdict(o.op)
				if got := judge(status, kind, code, o.op); got != want {
					t.Fatalf("judged by another row: %v", got)
				}
				f := newFake(t, say(status, problem(kind, code)))
				e := checkError(t, o.call(t.Context(), f.provider(t, "")), want.code, want.outcome)
				if e.AcquirerCode != code || e.AcquirerRequestID != rid {
					t.Errorf("code %q, request id %q", e.AcquirerCode, e.AcquirerRequestID)
				}
				most := 1
				if o.op == opCancel && code == unexpectedState {
					most = 2 // it asks
				}
				if len(f.sent()) != most {
					t.Errorf("sent %q", f.sent())
				}
			})
		}
	}
}

// The table itself, spelled out for what moves money: only these are more than
// "unknown".
func TestCertainErrors(t *testing.T) {
	certain := map[string]string{}
	for _, status := range []int{300, 400, 401, 402, 403, 404, 405, 409, 410, 422, 424, 429, 500, 502, 503, 504} {
		for _, kind := range []string{"invalid_request_error", "card_error", "idempotency_error", "api_error", "unheard_of"} {
			for _, code := range []string{"", "rate_limit", "lock_timeout", "resource_missing", "charge_already_refunded", unexpectedState, "idempotency_key_in_use", "unheard_of"} {
				for _, o := range []op{opCreate, opRefund, opCancel} {
					if v := judge(status, kind, code, o); v.outcome != sdk.OutcomeUnknown {
						certain[fmt.Sprintf("%d %s", status, v.outcome)] += "."
						if status == 400 && (kind != "invalid_request_error" || code == "charge_already_refunded") {
							t.Errorf("%d %s %s is %v", status, kind, code, v)
						}
						if status == 429 && code != "" && code != "rate_limit" {
							t.Errorf("%d %s %s is %v", status, kind, code, v)
						}
						if status == 404 && (code != "resource_missing" || o == opCreate) {
							t.Errorf("%d %s %s is %v", status, kind, code, v)
						}
					}
				}
			}
		}
	}
	for kind := range certain {
		switch kind {
		case "401 NOT_SENT", "403 NOT_SENT", "429 NOT_SENT", "400 REFUSED", "404 REFUSED":
		default:
			t.Errorf("%s is certain", kind)
		}
	}
	if len(certain) != 5 {
		t.Errorf("certain: %v", certain)
	}
}

// Every answer that can't be read, against every operation.
func TestBadAnswers(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		code   sdk.Code
	}{
		{"empty", say(200, ""), sdk.CodeAcquirerAnswerInvalid},
		{"truncated JSON", say(200, `{"id":"pi_1","object":"payment_intent","status":"succ`), sdk.CodeAcquirerAnswerInvalid},
		{"HTML", say(200, "<html>"+testKey), sdk.CodeAcquirerAnswerInvalid},
		{"two values", say(200, `{"id":"pi_1"}{}`), sdk.CodeAcquirerAnswerInvalid},
		{"error with 200", say(200, problem("api_error", "")), sdk.CodeAcquirerAnswerInvalid},
		{"huge", say(200, `{"x":"`+strings.Repeat("x", 1<<20)+`"}`), sdk.CodeAcquirerAnswerInvalid},
		{"too deep", say(200, strings.Repeat("[", 40)+strings.Repeat("]", 40)), sdk.CodeAcquirerAnswerInvalid},
		{"201", say(201, `{"id":"pi_1","object":"payment_intent","status":"succeeded"}`), sdk.CodeAcquirerError},
		{"400 HTML", say(400, "<html>"+testKey), sdk.CodeAcquirerError},
		{"403 HTML", say(403, "<html>"+testKey), sdk.CodeAcquirerError},
		{"404 HTML", say(404, "<html>"), sdk.CodeAcquirerError},
		{"400 null", say(400, `{"error":null}`), sdk.CodeAcquirerError},
		{"400 text", say(400, `{"error":"no"}`), sdk.CodeAcquirerError},
		{"400 without type", say(400, `{"error":{"code":"resource_missing"}}`), sdk.CodeAcquirerError},
		{"403 without type", say(403, `{"error":{"code":"x"}}`), sdk.CodeAcquirerError},
		{"429 without type", say(429, `{"error":{"code":"rate_limit"}}`), sdk.CodeAcquirerRateLimited},
		{"404 truncated", say(404, `{"error":{"type":"invalid_request_error","code":"resource_mis`), sdk.CodeAcquirerError},
		{"429 HTML", say(429, "<html>"), sdk.CodeAcquirerRateLimited},
		{"500 JSON", say(500, problem("api_error", "")), sdk.CodeAcquirerError},
		{"502 HTML", say(502, "<html>"+testKey), sdk.CodeAcquirerError},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?key="+testKey, http.StatusTemporaryRedirect)
		}, sdk.CodeAcquirerError},
		{"closed", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, sdk.CodeAcquirerUnavailable},
		{"closed in the body", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"id"`)
		}, sdk.CodeAcquirerAnswerInvalid},
	}
	for _, o := range operations(t) {
		for _, test := range tests {
			t.Run(o.name+"/"+test.name, func(t *testing.T) {
				f := newFake(t, test.answer)
				checkError(t, o.call(t.Context(), f.provider(t, "")), test.code, sdk.OutcomeUnknown)
				if len(f.sent()) != 1 {
					t.Errorf("sent %d times", len(f.sent()))
				}
			})
		}
	}
}

func TestUnauthorized(t *testing.T) {
	for _, body := range []string{"", "<html>", problem("invalid_request_error", ""), problem("api_error", "x")} {
		for _, o := range operations(t) {
			f := newFake(t, say(401, body))
			checkError(t, o.call(t.Context(), f.provider(t, "")), sdk.CodeCredentialsRefused, sdk.OutcomeNotSent)
			if len(f.sent()) != 1 {
				t.Errorf("%s: sent %q", o.name, f.sent())
			}
		}
	}
}

// A server in front of the acquirer slows down with a page of its own.
func TestRateLimitedWithoutAReadableError(t *testing.T) {
	for _, body := range []string{"", "{}", "<html>"} {
		for _, o := range operations(t) {
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "30")
				say(429, body)(w, r)
			})
			e := checkError(t, o.call(t.Context(), f.provider(t, "")), sdk.CodeAcquirerRateLimited, sdk.OutcomeUnknown)
			if e.RetryAfter != 30*time.Second {
				t.Errorf("%s: %v", o.name, e.RetryAfter)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for _, o := range operations(t) {
		f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "30")
			say(429, problem("invalid_request_error", "rate_limit"))(w, r)
		})
		e := checkError(t, o.call(t.Context(), f.provider(t, "")), sdk.CodeAcquirerRateLimited, sdk.OutcomeNotSent)
		if e.RetryAfter != 30*time.Second {
			t.Errorf("%s: %v", o.name, e.RetryAfter)
		}
	}
}

// A failed attempt comes as an error that has the PaymentIntent in it.
func TestErrorWithIntent(t *testing.T) {
	for _, status := range []int{400, 402} {
		body := string(golden(t, "error_failed.json"))
		if status == 400 {
			body = strings.Replace(body, "card_error", "invalid_request_error", 1)
		}
		f := newFake(t, say(status, body))
		p := f.provider(t, "")
		got, err := p.Create(t.Context(), createRequest(t))
		if err != nil || got.Status != sdk.StatusFailed || got.AcquirerOrderID != intent || len(got.Differences(createRequest(t).Order)) > 0 {
			t.Errorf("%d: %+v, %v", status, got, err)
		}
		// Only create makes one; an error of the others is about the request.
		_, err = p.Query(t.Context(), sdk.QueryRequest{Order: order(t)})
		checkError(t, err, sdk.CodeAcquirerError, sdk.OutcomeUnknown)
	}
	// Something is there, but can't be read: not refused.
	f := newFake(t, say(400, `{"error":{"type":"invalid_request_error","payment_intent":{"id":"pi_1"}}}`))
	_, err := f.provider(t, "").Create(t.Context(), createRequest(t))
	checkError(t, err, sdk.CodeAcquirerError, sdk.OutcomeUnknown)
}

func TestAcquirerIsDown(t *testing.T) {
	f := newFake(t, nil)
	f.URL = "http://127.0.0.1:1" // a port that was closed may be somebody else's by now
	p := f.provider(t, "")
	for _, o := range operations(t) {
		checkError(t, o.call(t.Context(), p), sdk.CodeAcquirerUnavailable, sdk.OutcomeNotSent)
	}
}

func TestCallerGivesUp(t *testing.T) {
	for _, o := range operations(t) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFake(t, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
		checkError(t, o.call(ctx, f.provider(t, "")), sdk.CodeAcquirerTimeout, sdk.OutcomeUnknown)
		checkError(t, o.call(ctx, f.provider(t, "")), sdk.CodeAcquirerTimeout, sdk.OutcomeNotSent)
	}
}

// The acquirer repeats the whole request, secrets and all, wherever it can.
func TestNoErrorTellsASecret(t *testing.T) {
	for _, status := range []int{200, 302, 400, 401, 402, 404, 409, 429, 500} {
		for _, shape := range []string{"ECHO", `{"error":{"type":"ECHO","code":"ECHO","message":"ECHO"}}`, `{"object":"payment_intent","id":"pi_1","livemode":false,"status":"ECHO"}`} {
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				echo := r.Header.Get("Authorization") + string(body)
				w.Header().Set("Request-Id", echo)
				w.Header().Set("Location", "http://%zz"+echo)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, strings.ReplaceAll(shape, "ECHO", echo))
			})
			p := f.provider(t, "")
			for _, o := range operations(t) {
				checkPrints(t, o.call(t.Context(), p))
			}
		}
	}
}
