package sdk

import (
	"errors"
	"fmt"
	"time"
)

// Outcome says whether a request that failed can have had an effect at the
// acquirer. The zero value is the careful one.
type Outcome uint8

// The outcomes of an error. Numbers are sent over the wire: append only.
const (
	// OutcomeUnknown: there may be an effect. Only Query can tell.
	OutcomeUnknown Outcome = iota
	// OutcomeNotSent: surely no effect: the request never left, or the
	// acquirer documents that it ignored it.
	OutcomeNotSent
	// OutcomeRefused: the acquirer said no, finally.
	OutcomeRefused
)

// String returns the name.
func (o Outcome) String() string {
	switch o {
	case OutcomeNotSent:
		return "NOT_SENT"
	case OutcomeRefused:
		return "REFUSED"
	default:
		return "UNKNOWN"
	}
}

// Error is what went wrong, as data. Programs act on Code and Outcome, never on
// the text.
type Error struct {
	Code    Code
	Outcome Outcome
	Message string // for people; never holds a secret
	Field   string // the field of the request or config that is at fault
	// AcquirerCode and AcquirerRequestID are the acquirer's own, for support.
	AcquirerCode      string
	AcquirerRequestID string
	RetryAfter        time.Duration // a hint when to try again; zero if there is none
	Err               error         // the cause; stays in this process
}

// Error returns code, field, text and the acquirer's own code and request id.
func (e *Error) Error() string {
	if e == nil {
		return "nil *sdk.Error"
	}
	s := e.Code.Name()
	if e.Field != "" {
		s += ": " + e.Field
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.AcquirerCode != "" {
		s += fmt.Sprintf(" (acquirer's code %s)", e.AcquirerCode)
	}
	if e.AcquirerRequestID != "" {
		s += fmt.Sprintf(" (acquirer's request id %s)", e.AcquirerRequestID)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// NotSent is an error of which it is sure that it had no effect.
func NotSent(code Code, format string, args ...any) *Error {
	return newError(code, OutcomeNotSent, format, args)
}

// Refused is an acquirer's final no.
func Refused(code Code, format string, args ...any) *Error {
	return newError(code, OutcomeRefused, format, args)
}

// Unknown is an error after which there may be an effect.
func Unknown(code Code, format string, args ...any) *Error {
	return newError(code, OutcomeUnknown, format, args)
}

func newError(code Code, outcome Outcome, format string, args []any) *Error {
	err := fmt.Errorf(format, args...)
	cause := errors.Unwrap(err)
	if _, several := err.(interface{ Unwrap() []error }); several {
		cause = err
	}
	return &Error{Code: code, Outcome: outcome, Message: err.Error(), Err: cause}
}

// InvalidField is a request that breaks a rule; nothing was sent.
func InvalidField(field, format string, args ...any) *Error {
	e := newError(CodeInvalidRequest, OutcomeNotSent, format, args)
	e.Field = field
	return e
}

// AsError returns err as an *Error. Every other error means the careful thing:
// an unspecified fault of the plugin with an unknown outcome. So does a nil
// *Error in a non-nil error, which a function that returns *Error makes easily.
// Of several that are joined it is the first, with an unknown outcome unless all
// state the same one. AsError(nil) is nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok && e != nil {
		if agree(err, e.Outcome) {
			return e
		}
		careful := *e
		careful.Outcome = OutcomeUnknown
		return &careful
	}
	return &Error{Code: CodeUnspecified, Outcome: OutcomeUnknown, Message: err.Error(), Err: err}
}

// agree reports whether every branch of a tree of errors states the outcome: a
// NOT_SENT that is joined with whatever else went wrong is no longer sure.
func agree(err error, outcome Outcome) bool {
	switch err := err.(type) {
	case *Error:
		return err != nil && err.Outcome == outcome
	case interface{ Unwrap() error }:
		return agree(err.Unwrap(), outcome)
	case interface{ Unwrap() []error }:
		for _, branch := range err.Unwrap() {
			if !agree(branch, outcome) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// IsCode reports whether err is an *Error with this code.
func IsCode(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e != nil && e.Code == code
}
