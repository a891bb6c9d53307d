package provider

import (
	"slices"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/paymux/paymux/sdk"
)

// breaker stops the calls of a provider whose acquirer is down: payers hear at
// once that it isn't available, another provider of the route takes over, and
// the acquirer isn't flooded while it recovers. A call that is stopped was
// surely not sent.
type breaker struct {
	circuit *gobreaker.TwoStepCircuitBreaker[struct{}]

	mu     sync.Mutex
	opened time.Time
	last   *sdk.Error // of those that opened it
}

const (
	breakerFailures = 10 // in a row
	breakerPause    = 5 * time.Second
	breakerProbes   = 3 // at once, after the pause
)

// failing are the codes that say that nobody could be asked just now. A refused
// payment is none: the acquirer works.
var failing = []sdk.Code{
	sdk.CodeAcquirerUnavailable, sdk.CodeAcquirerTimeout, sdk.CodeAcquirerRateLimited, sdk.CodeAcquirerAnswerInvalid,
	sdk.CodeCredentialsRefused, sdk.CodePluginTimeout, sdk.CodePluginPanic,
}

func newBreaker() *breaker {
	b := &breaker{}
	b.circuit = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  breakerProbes,
		Timeout:      breakerPause,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerFailures },
		IsSuccessful: func(err error) bool { return err == nil || !slices.Contains(failing, sdk.AsError(err).Code) },
		// The supervisor of the process has its own way with one that isn't there.
		IsExcluded: func(err error) bool { return err != nil && sdk.AsError(err).Code == sdk.CodePluginUnavailable },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.opened = (time.Time{}); to == gobreaker.StateOpen {
				b.opened = time.Now().UTC() // as the API answers it
			}
		},
	})
	return b
}

// allow begins a call; done says what came of it.
func (b *breaker) allow() (done func(error), err error) {
	if b == nil {
		return func(error) {}, nil
	}
	report, err := b.circuit.Allow()
	if err != nil {
		return nil, b.stopped()
	}
	return func(err error) {
		if err != nil && slices.Contains(failing, sdk.AsError(err).Code) {
			b.mu.Lock()
			b.last = sdk.AsError(err)
			b.mu.Unlock()
		}
		report(err)
	}, nil
}

// stopped is the error of a call that isn't made; its code and with it the blame
// are those of what failed.
func (b *breaker) stopped() *sdk.Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	code, why := sdk.CodeAcquirerUnavailable, "its calls failed"
	if b.last != nil {
		code, why = b.last.Code, b.last.Error()
	}
	e := sdk.NotSent(code, "the provider isn't asked for some seconds, since it failed %d times in a row, the last time so: %s", breakerFailures, why)
	e.RetryAfter = max(time.Second, time.Until(b.opened.Add(breakerPause)))
	return e
}

// Breaker is what operators see of a provider's circuit breaker.
type Breaker struct {
	State    string    `json:"state"` // closed: calls go through; open: none; half-open: a few, to see
	Failures uint32    `json:"failures_in_a_row"`
	Since    time.Time `json:"open_since,omitzero"`
	Error    string    `json:"error,omitempty"` // the last failure, while not closed
}

// Breaker returns the state of the provider's circuit breaker.
func (p *Provider) Breaker() Breaker {
	b := p.calls.breaker
	state := b.circuit.State()
	status := Breaker{State: state.String(), Failures: b.circuit.Counts().ConsecutiveFailures}
	b.mu.Lock()
	defer b.mu.Unlock()
	if state != gobreaker.StateClosed {
		status.Since, status.Failures = b.opened, breakerFailures // gobreaker counts anew from there
		if b.last != nil {
			status.Error = b.last.Error()
		}
	}
	return status
}
