package alipayhk

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// envelope is around every answer except the token's. Code is a pointer since
// 0 means success: a missing code must not.
type envelope struct {
	Code *int64         `json:"code"`
	Data jsontext.Value `json:"data"`
	RID  acquirer.Text  `json:"rid"`
}

// call says what a non-zero code may mean as an answer. A query that is refused
// says nothing about the payment, and a payment that a refund's query doesn't
// find says nothing about the refund.
type call uint8

const (
	callCreate      call = iota // a payment or a refund: may be refused
	callQuery                   // a payment: may be not found
	callQueryRefund             // neither
)

// readEnvelope returns the data of a good answer, decoded into data, and the
// acquirer's request id. The status of HTTP decides nothing where a code can be
// read, except that success needs both.
func (c config) readEnvelope(resp acquirer.Response, from call, data any) (rid string, err error) {
	var env envelope
	decodeErr := acquirer.DecodeJSON(resp.Body, &env)
	rid = requestID(env.RID)
	switch {
	case resp.Status == http.StatusTooManyRequests:
		// No limit is documented, so neither is that nothing happened.
		err = answerError(resp, rid, sdk.CodeAcquirerRateLimited, "the acquirer asks to slow down (HTTP 429)")
	case decodeErr == nil && env.Code != nil && *env.Code != 0:
		err = c.codeError(resp, rid, from, *env.Code)
	case !resp.OK():
		err = answerError(resp, rid, sdk.CodeAcquirerError, "HTTP status %d without an error code", resp.Status)
	case decodeErr != nil:
		err = answerError(resp, rid, sdk.CodeAcquirerAnswerInvalid, "the answer can't be read: %s", sdk.AsError(decodeErr).Message)
	case env.Code == nil:
		err = answerError(resp, rid, sdk.CodeAcquirerAnswerInvalid, "the answer has no code")
	case env.Data.Kind() != '{' || acquirer.DecodeJSON(env.Data, data) != nil:
		err = answerError(resp, rid, sdk.CodeAcquirerAnswerInvalid, "the answer says ok but has no readable data")
	}
	return rid, err
}

// codeError is an answer with a code other than 0. The acquirer's message is
// left out: it could repeat what we sent.
func (c config) codeError(resp acquirer.Response, rid string, from call, code int64) error {
	e := answerError(resp, rid, sdk.CodeAcquirerError, "the acquirer answered with an error code")
	switch {
	case from == callCreate && slices.Contains(c.Codes.Refused, code):
		e = sdk.Refused(sdk.CodeRefused, "the acquirer refused the request")
		e.AcquirerRequestID = rid
	case from == callQuery && slices.Contains(c.Codes.NotFound, code):
		e.Code, e.Message = sdk.CodeOrderNotFound, "the acquirer doesn't know the order"
	}
	e.AcquirerCode = strconv.FormatInt(code, 10)
	return e
}

// answerError is an error after which there may be an effect.
func answerError(resp acquirer.Response, rid string, code sdk.Code, format string, args ...any) *sdk.Error {
	e := sdk.Unknown(code, format, args...)
	e.AcquirerRequestID, e.RetryAfter = rid, resp.RetryAfter
	return e
}

// requestID keeps only what looks like an id.
func requestID(rid acquirer.Text) string {
	if len(rid) > 64 {
		return ""
	}
	for _, c := range []byte(rid) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return ""
		}
	}
	return string(rid)
}
