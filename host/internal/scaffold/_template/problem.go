package main

import (
	"net/http"
	"strings"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// call is which request an answer belongs to: an error can mean one thing for
// one request and nothing for another.
type call int

const (
	onAuthorize call = iota
	onCreate
	onQuery
)

// problem is how Acme reports errors.
//
// Fact: its members.
type problem struct {
	Error struct {
		Code acquirer.Text `json:"code"`
	} `json:"error"`
}

// readAnswer reads an answer into out, or says what went wrong. Its outcome
// decides about money: REFUSED and NOT_SENT let the payer try again elsewhere,
// so they need a documented answer that means just that. All else is UNKNOWN.
func readAnswer(resp acquirer.Response, c call, out any) error {
	if resp.OK() {
		return acquirer.DecodeJSON(resp.Body, out) // fails as UNKNOWN
	}
	var p problem
	_ = acquirer.DecodeJSON(resp.Body, &p) // often HTML: then there is no code
	code := string(p.Error.Code)

	var e *sdk.Error
	switch {
	// HTTP itself says of 401 that the request was not applied.
	case resp.Status == http.StatusUnauthorized:
		e = sdk.NotSent(sdk.CodeCredentialsRefused, "Acme refuses the api_key (HTTP 401)")
	// Fact: a request that is answered with 429 was not looked at. Where that isn't
	// promised it is Unknown, with the same code.
	case resp.Status == http.StatusTooManyRequests:
		e = sdk.NotSent(sdk.CodeAcquirerRateLimited, "Acme asks to slow down (HTTP 429)")
	// Fact: declined is final, and no payment was made.
	case c == onCreate && resp.Status == http.StatusPaymentRequired && code == "declined":
		e = sdk.Refused(sdk.CodeRefused, "Acme declined the payment")
	// Fact: not_found means that no payment has this id. A 404 without the code
	// may come from a proxy and means nothing.
	case c == onQuery && resp.Status == http.StatusNotFound && code == "not_found":
		e = sdk.Unknown(sdk.CodeOrderNotFound, "Acme has no such payment")
	default:
		e = sdk.Unknown(sdk.CodeAcquirerError, "Acme answered with HTTP status %d", resp.Status)
	}
	e.AcquirerCode, e.AcquirerRequestID, e.RetryAfter = clip(code), requestID(resp), resp.RetryAfter
	return e
}

// requestID is Acme's id of the exchange, for its support.
//
// Fact: the header.
func requestID(resp acquirer.Response) string { return clip(resp.Header.Get("Acme-Request-Id")) }

// clip bounds words that come from outside, and drops what isn't printable.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 100)]
}
