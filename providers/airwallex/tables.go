package airwallex

import (
	"net/http"
	"slices"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// The tables of this file decide what an answer means, and the tables in
// docs/providers/airwallex.md are made from them.

// paymentStatus says what one of the acquirer's words for a payment intent is.
type paymentStatus struct {
	word   string
	status sdk.Status
	note   string
}

var paymentStatuses = []paymentStatus{
	{"REQUIRES_PAYMENT_METHOD", sdk.StatusPending, "not confirmed yet, or the last attempt failed: the intent can still be paid; the status reason says which"},
	{"REQUIRES_CUSTOMER_ACTION", sdk.StatusPending, "the payer has to act"},
	{"PENDING", sdk.StatusPending, "being processed"},
	{"PENDING_REVIEW", sdk.StatusPending, "being reviewed by the acquirer"},
	{"REQUIRES_CAPTURE", sdk.StatusAuthorized, "held, not captured; these wallets capture at once"},
	{"SUCCEEDED", sdk.StatusSucceeded, "paid"},
	{"CANCELLED", sdk.StatusCancelled, "closed unpaid"},
}

// statusOf maps a word; one unheard of is UNKNOWN.
func statusOf(word string) sdk.Status {
	for _, s := range paymentStatuses {
		if s.word == word {
			return s.status
		}
	}
	return sdk.StatusUnknown
}

// refundState says what one of the acquirer's words for a refund is.
type refundState struct {
	word   string
	status sdk.RefundStatus
	note   string
}

var refundStates = []refundState{
	{"RECEIVED", sdk.RefundPending, "taken, not done"},
	{"PROCESSING", sdk.RefundPending, "being done"},
	{"ACCEPTED", sdk.RefundPending, "accepted by the wallet, not settled"},
	{"SUCCEEDED", sdk.RefundSucceeded, "returned (older versions of the API)"},
	{"SETTLED", sdk.RefundSucceeded, "returned (newer versions)"},
	{"FAILED", sdk.RefundFailed, "not returned"},
}

// refundStatusOf maps a word; one unheard of is UNKNOWN.
func refundStatusOf(word string) sdk.RefundStatus {
	for _, s := range refundStates {
		if s.word == word {
			return s.status
		}
	}
	return sdk.RefundUnknown
}

// call says what was asked, since the same answer means different things: a
// query that is refused says nothing about the payment, and an intent that a
// refund's query doesn't find says nothing about the refund.
type call uint8

const (
	callEffect      call = iota // create, confirm, cancel, refund
	callQuery                   // a payment
	callQueryRefund             // a refund
)

// verdict is what an error answer means.
type verdict struct {
	code    sdk.Code
	outcome sdk.Outcome
}

// answer is what can be seen of an answer.
type answer struct {
	status int
	code   string // the acquirer's, if there is one
	codes  codes  // what the operator says of codes
}

// errorRule says what answers of one kind mean. The first rule that fits counts.
type errorRule struct {
	when  string // for people
	fits  func(answer) bool
	means [3]verdict // by call
	text  string     // the message of the error
}

// always is the same verdict for every call.
func always(code sdk.Code) [3]verdict {
	v := verdict{code, sdk.OutcomeUnknown}
	return [3]verdict{v, v, v}
}

var errorRules = []errorRule{
	{
		// That a limited request had no effect is not documented.
		"HTTP 429", func(a answer) bool { return a.status == http.StatusTooManyRequests },
		always(sdk.CodeAcquirerRateLimited), "the acquirer asks to slow down",
	},
	{
		"HTTP 4xx with a code in `codes.refused`",
		func(a answer) bool { return a.status/100 == 4 && slices.Contains(a.codes.Refused, a.code) },
		[3]verdict{{sdk.CodeRefused, sdk.OutcomeRefused}, {sdk.CodeAcquirerError, sdk.OutcomeUnknown}, {sdk.CodeAcquirerError, sdk.OutcomeUnknown}},
		"the acquirer refused the request",
	},
	{
		"HTTP 4xx with a code in `codes.not_found`",
		func(a answer) bool { return a.status/100 == 4 && slices.Contains(a.codes.NotFound, a.code) },
		[3]verdict{{sdk.CodeAcquirerError, sdk.OutcomeUnknown}, {sdk.CodeOrderNotFound, sdk.OutcomeUnknown}, {sdk.CodeAcquirerError, sdk.OutcomeUnknown}},
		"the acquirer doesn't know what was asked for",
	},
	{
		"any other HTTP 3xx, 4xx or 5xx, whatever its code", func(a answer) bool { return a.status < 200 || a.status > 299 },
		always(sdk.CodeAcquirerError), "the acquirer answered with an error",
	},
}

// failure is the body of an error answer. Its message is left out: it could
// repeat what was sent.
type failure struct {
	Code acquirer.Text `json:"code"`
}

// answerError returns what an answer other than 2xx means, or nil.
func (c config) answerError(resp acquirer.Response, asked call) *sdk.Error {
	var body failure
	_ = acquirer.DecodeJSON(resp.Body, &body) // a gateway's page has no code
	seen := answer{resp.Status, word(body.Code), c.Codes}
	for _, rule := range errorRules {
		if !rule.fits(seen) {
			continue
		}
		v := rule.means[asked]
		e := sdk.Unknown(v.code, "%s (HTTP %d)", rule.text, resp.Status)
		e.Outcome, e.AcquirerCode, e.RetryAfter = v.outcome, seen.code, resp.RetryAfter
		return e
	}
	return nil
}

// invalid is a good answer that can't be used.
func invalid(format string, args ...any) *sdk.Error {
	return sdk.Unknown(sdk.CodeAcquirerAnswerInvalid, format, args...)
}

// word keeps only what looks like one of the acquirer's words or ids.
func word(text acquirer.Text) string {
	if len(text) > 64 {
		return ""
	}
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return ""
		}
	}
	return string(text)
}

// decode reads a good answer's object.
func (c config) decode(resp acquirer.Response, asked call, into any) error {
	if e := c.answerError(resp, asked); e != nil {
		return e
	}
	if err := acquirer.DecodeJSON(resp.Body, into); err != nil {
		return invalid("the answer can't be read: %s", sdk.AsError(err).Message)
	}
	return nil
}
