package stripe

import (
	"net/http"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// op says what was asked, since the same error means different things.
type op uint8

const (
	opCreate op = iota
	opRefund
	opCancel
	opQuery // one object by its id
	opList  // a search or a list: what isn't found there isn't the object itself
)

// verdict is what an error means for one op.
type verdict struct {
	code    sdk.Code
	outcome sdk.Outcome
}

var (
	unsure   = verdict{sdk.CodeAcquirerError, sdk.OutcomeUnknown}
	refused  = verdict{sdk.CodeRefused, sdk.OutcomeRefused}
	badKey   = verdict{sdk.CodeCredentialsRefused, sdk.OutcomeNotSent}
	slowDown = verdict{sdk.CodeAcquirerRateLimited, sdk.OutcomeNotSent}
	slowed   = verdict{sdk.CodeAcquirerRateLimited, sdk.OutcomeUnknown}
	notFound = verdict{sdk.CodeOrderNotFound, sdk.OutcomeUnknown}
)

const absent = "(none)"

// errorRule is what one kind of error means. Type and code are the acquirer's
// words; empty stands for any, absent for none.
type errorRule struct {
	status                        int
	kind, code                    string
	create, refund, cancel, query verdict
	note                          string
}

func always(v verdict) (create, refund, cancel, query verdict) { return v, v, v, v }

func rule(status int, kind, code string, v verdict, note string) errorRule {
	r := errorRule{status: status, kind: kind, code: code, note: note}
	r.create, r.refund, r.cancel, r.query = always(v)
	return r
}

// errorRules are tried in order. They hold of answers that have a readable error
// in them; any other answer with HTTP 401 is the first row, one with 429 is a rate
// limit whose outcome is unknown, and all the rest leaves unsure what happened.
var errorRules = []errorRule{
	rule(http.StatusUnauthorized, "", "", badKey, "no valid key: nothing was done"),
	rule(http.StatusForbidden, "", "", badKey, "the key doesn't have the permission: nothing was done"),
	rule(http.StatusTooManyRequests, "", "rate_limit", slowDown, "rate limiters run before anything else"),
	rule(http.StatusTooManyRequests, "", absent, slowDown, "rate limiters run before anything else"),
	rule(http.StatusTooManyRequests, "", "", slowed, "such as `lock_timeout`, which is no rate limiter's"),
	rule(http.StatusConflict, "", "", unsure, "the same request is running: that one counts"),
	rule(0, "idempotency_error", "", unsure, "the key was used with other parameters: there is an earlier request"),
	rule(0, "api_error", "", unsure, ""),
	{http.StatusNotFound, "invalid_request_error", "resource_missing", unsure, refused, refused, notFound, "the acquirer doesn't have the object"},
	{http.StatusBadRequest, "invalid_request_error", "charge_already_refunded", unsure, unsure, unsure, unsure, "it may be this very refund that was made already"},
	{http.StatusBadRequest, "invalid_request_error", unexpectedState, refused, refused, unsure, unsure, "a cancel then reports the state that a query gives"},
	{http.StatusBadRequest, "invalid_request_error", "", refused, refused, refused, unsure, "the request was unacceptable"},
	rule(http.StatusPaymentRequired, "card_error", "", unsure, "the request failed; an object may have been made"),
}

// unexpectedState is the code of a request that the state of a PaymentIntent
// doesn't allow, such as to cancel a paid one.
const unexpectedState = "payment_intent_unexpected_state"

// errorData is the body of an answer that isn't good.
type errorData struct {
	Error *struct {
		Type   acquirer.Text `json:"type"`
		Code   acquirer.Text `json:"code"`
		Intent *intentData   `json:"payment_intent"`
	} `json:"error"`
}

// decode reads a good answer into data. Of every other one it returns the error,
// and the PaymentIntent that is in it, if there is one.
func decode(resp acquirer.Response, asked op, data any) (*intentData, *sdk.Error) {
	if resp.Status == http.StatusOK {
		if err := acquirer.DecodeJSON(resp.Body, data); err != nil {
			return nil, answerError(resp, sdk.CodeAcquirerAnswerInvalid, "the answer can't be read: %s", sdk.AsError(err).Message)
		}
		return nil, nil
	}
	var body errorData
	if acquirer.DecodeJSON(resp.Body, &body) != nil || body.Error == nil || body.Error.Type == "" {
		switch resp.Status {
		case http.StatusUnauthorized: // which alone says that nothing was done (RFC 9110, 15.5.2)
			return nil, verdictError(resp, badKey, "")
		case http.StatusTooManyRequests: // from whom isn't known, so neither is that nothing was done
			return nil, verdictError(resp, slowed, "")
		}
		return nil, answerError(resp, sdk.CodeAcquirerError, "HTTP status %d without a readable error", resp.Status)
	}
	kind, code := string(body.Error.Type), string(body.Error.Code)
	v := judge(resp.Status, kind, code, asked)
	var inside *intentData
	if v == unsure || v == refused {
		inside = body.Error.Intent
	}
	return inside, verdictError(resp, v, code)
}

// judge looks an error up.
func judge(status int, kind, code string, asked op) verdict {
	for _, r := range errorRules {
		switch {
		case r.status != 0 && r.status != status, r.kind != "" && r.kind != kind:
			continue
		case r.code == absent && code != "", r.code != "" && r.code != absent && r.code != code:
			continue
		}
		return r.verdict(asked)
	}
	return unsure
}

func (r errorRule) verdict(asked op) verdict {
	switch asked {
	case opCreate:
		return r.create
	case opRefund:
		return r.refund
	case opCancel:
		return r.cancel
	case opQuery:
		return r.query
	}
	if r.query == notFound {
		return unsure
	}
	return r.query
}

var messages = map[verdict]string{
	unsure:   "the acquirer answered with an error",
	refused:  "the acquirer refused the request",
	badKey:   "the acquirer refuses secret_key or doesn't permit it this",
	slowDown: "the acquirer asks to slow down",
	slowed:   "the acquirer asks to slow down",
	notFound: "the acquirer doesn't know the order",
}

// verdictError is an error by the table. The acquirer's message is left out: it
// could repeat what was sent.
func verdictError(resp acquirer.Response, v verdict, code string) *sdk.Error {
	e := answerError(resp, v.code, "%s (HTTP %d)", messages[v], resp.Status)
	e.Outcome, e.AcquirerCode = v.outcome, identifier(code)
	return e
}

// answerError is an error after which there may be an effect.
func answerError(resp acquirer.Response, code sdk.Code, format string, args ...any) *sdk.Error {
	e := sdk.Unknown(code, format, args...)
	e.AcquirerRequestID, e.RetryAfter = requestID(resp), resp.RetryAfter
	return e
}

// requestID is the acquirer's id of the exchange, for its support.
func requestID(resp acquirer.Response) string { return identifier(resp.Header.Get("Request-Id")) }
