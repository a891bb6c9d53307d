package antom

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/antom/antomtest"
	"github.com/paymux/paymux/sdk"
)

// verdict is a code and an outcome; the zero verdict stands for no error.
type verdict struct {
	code    sdk.Code
	outcome sdk.Outcome
}

func unknown(code sdk.Code) verdict { return verdict{code, sdk.OutcomeUnknown} }

// What every call makes of an answer, written out here apart from the code's
// table: by status and body, signed or not.
func TestErrors(t *testing.T) {
	result := func(status, code string) string {
		return `{"result":{"resultCode":"` + code + `","resultStatus":"` + status + `","resultMessage":"sEcReT"}}`
	}
	same := func(v verdict) map[string]verdict {
		return map[string]verdict{"create": v, "query": v, "cancel": v, "refund": v, "query refund": v}
	}
	but := func(v verdict, others map[string]verdict) map[string]verdict {
		all := same(v)
		for name, other := range others {
			all[name] = other
		}
		return all
	}
	refused := verdict{sdk.CodeRefused, sdk.OutcomeRefused}
	invalid, failed := unknown(sdk.CodeAcquirerAnswerInvalid), unknown(sdk.CodeAcquirerError)
	tests := []struct {
		name, body string
		status     int
		signed     bool
		want       map[string]verdict
		code       string // of the acquirer
	}{
		{"429", "sEcReT", 429, false, same(unknown(sdk.CodeAcquirerRateLimited)), ""},
		{"429, signed", result("F", "SLOW"), 429, true, same(unknown(sdk.CodeAcquirerRateLimited)), "SLOW"},
		{"401", "sEcReT", 401, false, same(unknown(sdk.CodeCredentialsRefused)), ""},
		{"403", result("F", "X"), 403, false, same(unknown(sdk.CodeCredentialsRefused)), "X"},
		{"404", "<html>sEcReT", 404, false, same(failed), ""},
		{"500", "<html>sEcReT", 500, false, same(failed), ""},
		{"502", "", 502, false, same(failed), ""},
		{"redirect", "", 302, false, same(failed), ""},
		{"no content", "", 204, false, same(invalid), ""},
		{"HTML", "<html>sEcReT", 200, false, same(invalid), ""},
		{"refused, but not signed", result("F", "NEVER"), 200, false, same(invalid), "NEVER"},
		{"good, but not signed", result("S", "SUCCESS"), 200, false, same(invalid), "SUCCESS"},
		{"signed HTML", "<html>sEcReT", 200, true, same(invalid), ""},
		{"signed, empty", "", 200, true, same(invalid), ""},
		{"signed, no result", "{}", 200, true, same(invalid), ""},
		{"signed, no status", `{"result":{"resultCode":"SUCCESS"}}`, 200, true, same(invalid), "SUCCESS"},
		{"signed, odd status", result("X", "SUCCESS"), 200, true, same(invalid), "SUCCESS"},
		{"signed, lower case", result("s", "SUCCESS"), 200, true, same(invalid), "SUCCESS"},
		{"signed, named twice", `{"result":{"resultStatus":"S","resultStatus":"F"}}`, 200, true, same(invalid), ""},
		{"signed, members of another shape", `{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"paymentAmount":7,"refundAmount":[]}`, 200, true,
			map[string]verdict{"create": invalid, "query": invalid, "cancel": {}, "refund": invalid, "query refund": invalid}, "SUCCESS"},
		{"credentials", result("F", "WHO"), 200, true, same(verdict{sdk.CodeCredentialsRefused, sdk.OutcomeNotSent}), "WHO"},
		{"credentials, 401 and signed", result("F", "WHO"), 401, true, same(verdict{sdk.CodeCredentialsRefused, sdk.OutcomeNotSent}), "WHO"},
		{"credentials, says U", result("U", "WHO"), 200, true, same(failed), "WHO"},
		{"failure of any code", result("F", "ODD"), 200, true, but(failed, map[string]verdict{"create": refused}), "ODD"},
		{"failure with 400", result("F", "ODD"), 400, true, but(failed, map[string]verdict{"create": refused}), "ODD"},
		{"failure, code that is no code", result("F", "sEcReT code"), 200, true, but(failed, map[string]verdict{"create": refused}), ""},
		{"refused", result("F", "NEVER"), 200, true, map[string]verdict{"create": refused, "query": failed, "cancel": refused, "refund": refused, "query refund": failed}, "NEVER"},
		{"unsure", result("F", "TWICE"), 200, true, same(failed), "TWICE"},
		{"not found", result("F", "NO_ORDER"), 200, true, but(failed, map[string]verdict{"create": refused, "query": unknown(sdk.CodeOrderNotFound)}), "NO_ORDER"},
		{"unknown", result("U", "ODD"), 200, true, same(failed), "ODD"},
		{"in process", result("U", "PAYMENT_IN_PROCESS"), 200, true, but(failed, map[string]verdict{"create": {}}), "PAYMENT_IN_PROCESS"},
		{"success with 500", result("S", "SUCCESS"), 500, true, same(failed), "SUCCESS"},
		{"in process with 500", result("U", "PAYMENT_IN_PROCESS"), 500, true, same(failed), "PAYMENT_IN_PROCESS"},
		{"huge", strings.Repeat("x", 1<<20+1), 200, false, same(invalid), ""},
	}
	for _, test := range tests {
		for _, op := range operations(t) {
			t.Run(test.name+"/"+op.name, func(t *testing.T) {
				f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Retry-After", "7")
					if test.signed {
						saySigned(test.status, []byte(test.body))(w, r)
						return
					}
					say(test.status, test.body)(w, r)
				})
				err := op.call(t.Context(), f.provider(t, knownCodes))
				want := test.want[op.name]
				if len(f.sent()) != 1 {
					t.Errorf("sent %d times", len(f.sent()))
				}
				if want == (verdict{}) {
					if err != nil {
						t.Error(err)
					}
					return
				}
				e := checkError(t, err, want.code, want.outcome)
				if e.AcquirerCode != test.code {
					t.Errorf("code %q, want %q", e.AcquirerCode, test.code)
				}
				if test.name != "huge" && e.RetryAfter != 7*time.Second {
					t.Errorf("retry after %s", e.RetryAfter)
				}
			})
		}
	}
}

// Without a config that knows codes nothing but pay's own F is final.
func TestNoCodeIsKnownByItself(t *testing.T) {
	for _, code := range []string{"NO_ORDER", "NEVER", "TWICE", "WHO", "PAYMENT_IN_PROCESS", "SUCCESS", ""} {
		f := newFake(t, saySigned(200, []byte(`{"result":{"resultCode":"`+code+`","resultStatus":"F"}}`)))
		for _, op := range operations(t) {
			want := unknown(sdk.CodeAcquirerError)
			if op.name == "create" {
				want = verdict{sdk.CodeRefused, sdk.OutcomeRefused}
			}
			checkError(t, op.call(t.Context(), f.provider(t, "")), want.code, want.outcome)
		}
	}
}

// An answer counts only if the acquirer signed these bytes for this call.
func TestAnswersOfOthers(t *testing.T) {
	const at = "1795953600000"
	for _, op := range operations(t) {
		good := golden(t, op.good)
		answers := map[string]func(r *http.Request) (signature string, body []byte){
			"other key": func(r *http.Request) (string, []byte) {
				return antomtest.Sign(otherKey(), r.Method, r.URL.Path, clientID, at, good), good
			},
			"our own key": func(r *http.Request) (string, []byte) {
				return antomtest.Sign(ourKey(), r.Method, r.URL.Path, clientID, at, good), good
			},
			"other client": func(r *http.Request) (string, []byte) {
				return antomtest.Sign(antomKey(), r.Method, r.URL.Path, "X", at, good), good
			},
			"other time": func(r *http.Request) (string, []byte) {
				return antomtest.Sign(antomKey(), r.Method, r.URL.Path, clientID, "1", good), good
			},
			"other call": func(r *http.Request) (string, []byte) {
				return antomtest.Sign(antomKey(), r.Method, "/ams/api/v1/x", clientID, at, good), good
			},
			"tampered": func(r *http.Request) (string, []byte) {
				return antomtest.Sign(antomKey(), r.Method, r.URL.Path, clientID, at, good), append(slices.Clone(good), ' ')
			},
			"truncated": func(r *http.Request) (string, []byte) {
				return antomtest.Sign(antomKey(), r.Method, r.URL.Path, clientID, at, good), good[:len(good)/2]
			},
		}
		for name, answer := range answers {
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
				signature, body := answer(r)
				w.Header().Set("Response-Time", at)
				w.Header().Set("Signature", signature)
				_, _ = w.Write(body)
			})
			t.Run(fmt.Sprintf("%s/%s", name, op.name), func(t *testing.T) {
				checkError(t, op.call(t.Context(), f.provider(t, "")), sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown)
			})
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

func TestConnectionIsClosed(t *testing.T) {
	f := newFake(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for i, op := range operations(t) {
		checkError(t, op.call(t.Context(), f.provider(t, "")), sdk.CodeAcquirerUnavailable, sdk.OutcomeUnknown)
		if len(f.sent()) != i+1 {
			t.Errorf("%s was sent again", op.name)
		}
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
