package antom

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// result is in every answer and notification. Its message is never used: it
// could repeat what we sent.
type result struct {
	Code   acquirer.Text `json:"resultCode"`
	Status acquirer.Text `json:"resultStatus"`
}

// answer is what the rules look at.
type answer struct {
	http      acquirer.Response
	signed    bool // by the acquirer, over these very bytes
	readable  bool
	result    result
	inProcess bool // pay: accepted, and the payer's turn
}

// failed reports whether the result is a failure, of any code.
func (a answer) failed() bool { return a.result.Status == resultFailure }

// failedBy reports whether it is a failure with one of the codes.
func (a answer) failedBy(list []string) bool {
	return a.failed() && slices.Contains(list, string(a.result.Code))
}

// readAnswer decodes a good answer into data, or says what is wrong with it.
func (c config) readAnswer(resp acquirer.Response, from call, data any) (result, error) {
	a := answer{http: resp}
	a.signed = c.verify(http.MethodPost, c.path(from), resp.Header.Get("Response-Time"), resp.Body, resp.Header.Get("Signature"))
	var head struct {
		Result result `json:"result"`
	}
	a.readable = acquirer.DecodeJSON(resp.Body, &head) == nil
	a.result = head.Result
	switch a.result.Status {
	case resultSuccess:
		a.readable = a.readable && acquirer.DecodeJSON(resp.Body, data) == nil
	case resultUnknown:
		if _, known := payResult(a.result); known && from == callPay {
			a.inProcess = true
			a.readable = a.readable && acquirer.DecodeJSON(resp.Body, data) == nil
		}
	case resultFailure:
	default:
		a.readable = false
	}
	for _, rule := range errorRules {
		if (len(rule.calls) == 0 || slices.Contains(rule.calls, from)) && rule.match(a, c.Codes) {
			return a.result, rule.error(a)
		}
	}
	return a.result, nil
}

func (r errorRule) error(a answer) *sdk.Error {
	e := &sdk.Error{Code: r.code, Outcome: r.outcome, Message: r.text, RetryAfter: a.http.RetryAfter}
	if !a.http.OK() && a.http.Status != http.StatusTooManyRequests {
		e.Message = fmt.Sprintf("%s (HTTP %d)", r.text, a.http.Status)
	}
	e.AcquirerCode = word(a.result.Code)
	return e
}

// word keeps only what looks like a code.
func word(text acquirer.Text) string {
	odd := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
	}
	if len(text) > 64 || strings.ContainsFunc(string(text), odd) {
		return ""
	}
	return string(text)
}

// readTime reads a time. What can't be read is left out: no time ever decides
// about a payment.
func readTime(text acquirer.Text) time.Time {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return time.Time{}
	}
	return t
}
