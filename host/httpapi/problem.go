package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

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
	Field     string `json:"field,omitempty"`      // of the request
	Remedy    string `json:"remedy,omitempty"`     // what to do
	// The acquirer's own code and request id, for its support.
	AcquirerCode      string `json:"acquirer_code,omitempty"`
	AcquirerRequestID string `json:"acquirer_request_id,omitempty"`
}

func problemOf(e *sdk.Error) problem {
	info := e.Code.Info()
	p := problem{
		Type: "urn:paymux:error:" + info.Name, Title: info.Title, Status: info.HTTP, Detail: e.Message, Code: info.Name,
		Field: e.Field, Remedy: info.Remedy, AcquirerCode: e.AcquirerCode, AcquirerRequestID: e.AcquirerRequestID,
	}
	if info.Blame != sdk.BlameMerchant || e.Outcome != sdk.OutcomeNotSent {
		p.Outcome = e.Outcome.String()
	}
	if p.Status >= 500 && e.Outcome == sdk.OutcomeNotSent {
		p.Status, p.Remedy = http.StatusServiceUnavailable, remedyUnsent
	}
	return p
}

// Whatever kept a request from being sent, the same request may be made again.
const (
	remedyUnsent = "Nothing was sent. Make the same request again after the seconds in Retry-After."
	retryUnsent  = 5 * time.Second // if the error names no time
)

// fail answers with an error. Only what is an *sdk.Error was written for
// callers; anything else is kept from them.
func fail(w http.ResponseWriter, err error) {
	e, ok := errors.AsType[*sdk.Error](err)
	if !ok {
		e = sdk.Unknown(sdk.CodeInternal, "the request failed inside paymux; the log of the host has the reason")
	}
	failWith(w, e, problemOf(e))
}

func failWith(w http.ResponseWriter, e *sdk.Error, p problem) {
	wait := e.RetryAfter
	if wait <= 0 && p.Status == http.StatusServiceUnavailable {
		wait = retryUnsent
	}
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
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
