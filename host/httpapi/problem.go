package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/paymux/paymux/sdk"
)

// problem is an error as RFC 9457 has it.
type problem struct {
	Type      string `json:"type"` // urn:paymux:error: and the code
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Code      string `json:"code"`
	Outcome   string `json:"outcome,omitempty"`    // whether there may be an effect at the acquirer
	PaymentID string `json:"payment_id,omitempty"` // the payment that was recorded, if any
	RefundID  string `json:"refund_id,omitempty"`  // the refund that was recorded, if any
	Field     string `json:"field,omitempty"`      // of the request
	Instance  string `json:"instance,omitempty"`   // urn:paymux:request: and the X-Request-Id
	Remedy    string `json:"remedy,omitempty"`     // what to do
	// The acquirer's own code and request id, for its support.
	AcquirerCode      string `json:"acquirer_code,omitempty"`
	AcquirerRequestID string `json:"acquirer_request_id,omitempty"`
}

func problemOf(e *sdk.Error) problem {
	info := e.Code.Info()
	p := problem{
		Type: "urn:paymux:error:" + info.Name, Title: info.Title, Status: info.HTTP, Detail: e.Message, Code: info.Name,
		Field: short(e.Field), Remedy: info.Remedy, AcquirerCode: e.AcquirerCode, AcquirerRequestID: e.AcquirerRequestID,
	}
	if info.Blame != sdk.BlameMerchant || e.Outcome != sdk.OutcomeNotSent {
		p.Outcome = e.Outcome.String()
	}
	if e.Code == sdk.CodeInvalidRequest && e.Field == "" {
		p.Remedy = remedyWhole
	}
	switch {
	case p.Status < 500:
	case e.Outcome == sdk.OutcomeNotSent:
		p.Status, p.Remedy = http.StatusServiceUnavailable, remedyUnsent
	case e.Outcome == sdk.OutcomeRefused: // a final no is nothing to wait for
		p.Status = http.StatusPaymentRequired
	default: // a shop takes 503 for surely not sent
		p.Status, p.Remedy = http.StatusInternalServerError, remedyUnknown
	}
	return p
}

// maxField is longer than any name that is right.
const maxField = 100

// short cuts a name that a caller made up.
func short(name string) string {
	if utf8.RuneCountInString(name) <= maxField {
		return name
	}
	return string([]rune(name)[:maxField]) + "…"
}

// Whatever kept a request from being sent, the same request may be made again.
const (
	remedyUnsent  = "Nothing was sent. Make the same request again after the seconds in Retry-After."
	remedyUnknown = "What happened isn't known. Make the same request again, or read the payment, before you offer another try."
	remedyWhole   = "Mend what detail says; nothing was recorded."
	remedyUnacked = "Not acknowledged: send the notification again after the seconds in Retry-After."
	retryUnsent   = 5 * time.Second // if the error names no time
)

// fail answers with an error.
func fail(w http.ResponseWriter, err error) {
	e := forCaller(w, err)
	failWith(w, e, problemOf(e))
}

// forCaller returns what a caller may know of an error: only an *sdk.Error was
// written for them. The rest, and what made the store fail, is for the log.
func forCaller(w http.ResponseWriter, err error) *sdk.Error {
	hidden := err
	e, ok := errors.AsType[*sdk.Error](err)
	if ok {
		hidden = nil
		if e.Code == sdk.CodeStoreUnavailable { // a plugin's cause could hold a secret
			hidden = e.Err
		}
	} else {
		e = sdk.Unknown(sdk.CodeInternal, "the request failed inside paymux; the log of the host has the reason")
	}
	if rec, is := w.(*recorder); is {
		rec.err = hidden
	}
	return e
}

func failWith(w http.ResponseWriter, e *sdk.Error, p problem) {
	wait := e.RetryAfter
	if wait <= 0 && p.Status == http.StatusServiceUnavailable {
		wait = retryUnsent
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	if id := w.Header().Get("X-Request-Id"); id != "" {
		p.Instance = "urn:paymux:request:" + id
	}
	write(w, p.Status, "application/problem+json", p)
}

func answer(w http.ResponseWriter, status int, v any) { write(w, status, "application/json", v) }

func write(w http.ResponseWriter, status int, contentType string, v any) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // links stay readable
	if err := encoder.Encode(v); err != nil {
		http.Error(w, "the answer can't be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}
