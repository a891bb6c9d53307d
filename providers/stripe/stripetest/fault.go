package stripetest

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Kind says what a fault does.
type Kind string

// The kinds of faults. "Recorded" means that the operation took effect: the
// payment or the refund exists.
const (
	// KindDelay waits for Delay before the call is handled or a notification is
	// sent. It combines with one other fault.
	KindDelay Kind = "delay"
	// KindDelayAfter waits for Delay after the call was recorded. It combines too.
	KindDelayAfter Kind = "delay_after"
	// KindCloseBefore closes the connection with nothing recorded.
	KindCloseBefore Kind = "close_before"
	// KindCloseAfter closes the connection after the call was recorded.
	KindCloseAfter Kind = "close_after"
	// KindHTMLBefore answers an HTML page with Status (502), nothing recorded.
	KindHTMLBefore Kind = "html_before"
	// KindHTMLAfter answers an HTML page with Status (502) after the call was recorded.
	KindHTMLAfter Kind = "html_after"
	// KindError answers an error of Type and Code with Status, nothing recorded.
	KindError Kind = "error"
	// KindSavedError answers 500 after the call was recorded, and keeps that
	// answer under the Idempotency-Key.
	KindSavedError Kind = "saved_error"
	// KindTruncatedJSON records, and sends half of the answer as a whole one.
	KindTruncatedJSON Kind = "truncated_json"
	// KindUnauthorized answers 401.
	KindUnauthorized Kind = "unauthorized"
	// KindRateLimited answers 429, with Retry-After if RetryAfter is set.
	KindRateLimited Kind = "rate_limited"
	// KindWrongEcho changes Field of an answer: id, metadata, amount, currency,
	// livemode or payment_intent (of a refund).
	KindWrongEcho Kind = "wrong_echo"
	// KindLaggingQuery says requires_action of a payment, whatever it is.
	KindLaggingQuery Kind = "lagging_query"
	// KindLaggingSearch finds nothing.
	KindLaggingSearch Kind = "lagging_search"

	// KindDuplicate sends a notification twice.
	KindDuplicate Kind = "duplicate"
	// KindForged signs with a wrong secret.
	KindForged Kind = "forged"
	// KindDrop loses an attempt on the way; the schedule goes on after it.
	KindDrop Kind = "drop"
)

// Fault is a misbehaviour to inject. Unless it delays, a call suffers only the
// oldest fault that matches it, so that several queue up.
type Fault struct {
	ID         int           // set by Inject
	Kind       Kind          // what happens
	Op         Op            // to what; empty or OpAny: all that the kind applies to
	Times      int           // how often; 0: until it is cleared
	Delay      time.Duration // see the kinds
	Status     int
	Type, Code string
	RetryAfter time.Duration
	Field      string
	Used       int // how often it has happened
}

var (
	posts  = []Op{OpCreate, OpCancel, OpRefund}
	apiOps = append([]Op{OpAccount, OpSearch, OpQuery, OpRefundQuery}, posts...)
	allOps = append(slices.Clone(apiOps), OpNotify)

	kindOps = map[Kind][]Op{
		KindDelay: allOps, KindDelayAfter: apiOps, KindCloseBefore: apiOps, KindCloseAfter: apiOps,
		KindHTMLBefore: apiOps, KindHTMLAfter: apiOps, KindError: apiOps, KindSavedError: posts,
		KindTruncatedJSON: apiOps, KindUnauthorized: apiOps, KindRateLimited: apiOps, KindWrongEcho: apiOps,
		KindLaggingQuery: {OpQuery}, KindLaggingSearch: {OpSearch},
		KindDuplicate: {OpNotify}, KindForged: {OpNotify}, KindDrop: {OpNotify},
	}
	echoFields = []string{"id", "metadata", "amount", "currency", "livemode", "payment_intent"}
)

// Validate says what is wrong with a fault, if anything.
func (f Fault) Validate() error {
	ops, known := kindOps[f.Kind]
	switch {
	case !known:
		return fmt.Errorf("stripetest: fault kind %q is not known", f.Kind)
	case f.Op != "" && f.Op != OpAny && !slices.Contains(ops, f.Op):
		return fmt.Errorf("stripetest: fault kind %q does not apply to op %q, only to %q", f.Kind, f.Op, ops)
	case f.Times < 0 || f.Delay < 0 || f.RetryAfter < 0:
		return fmt.Errorf("stripetest: fault %q has a negative number", f.Kind)
	case (f.Kind == KindDelay || f.Kind == KindDelayAfter) && f.Delay == 0:
		return fmt.Errorf("stripetest: fault %q needs a delay", f.Kind)
	case f.Kind == KindError && (f.Status < 400 || f.Status > 599 || f.Type == ""):
		return fmt.Errorf("stripetest: fault %q needs a status of 400 to 599 and a type", f.Kind)
	case f.Status != 0 && http.StatusText(f.Status) == "":
		return fmt.Errorf("stripetest: fault %q has HTTP status %d", f.Kind, f.Status)
	case f.Kind == KindWrongEcho && !slices.Contains(echoFields, f.Field):
		return fmt.Errorf("stripetest: fault %q needs a field out of %q", f.Kind, echoFields)
	}
	return nil
}

// Inject adds a fault and returns its id. It panics if the fault isn't valid,
// since that is a mistake in a test.
func (s *Server) Inject(f Fault) int {
	if err := f.Validate(); err != nil {
		panic(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.Inject(f, f.Times, f.Kind == KindDelay || f.Kind == KindDelayAfter)
}

// Faults returns the faults still active, oldest first.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Fault
	for _, f := range s.faults.List() {
		f.Fault.ID, f.Fault.Used = f.ID, f.Used
		list = append(list, f.Fault)
	}
	return list
}

// ClearFaults removes all faults, or those with the given ids.
func (s *Server) ClearFaults(ids ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.Clear(ids...)
}

// take uses up the faults for one call.
func (s *Server) take(op Op) []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.Take(func(f Fault) bool {
		return slices.Contains(kindOps[f.Kind], op) && (f.Op == "" || f.Op == OpAny || f.Op == op)
	})
}

func totalDelay(faults []Fault, kind Kind) (sum time.Duration) {
	for _, f := range faults {
		if f.Kind == kind {
			sum += f.Delay
		}
	}
	return sum
}
