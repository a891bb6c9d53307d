package cbtistest

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Kind says what a fault does.
type Kind string

// The kinds of faults. "Recorded" means that the operation took effect: the
// order or the refund exists.
const (
	// KindDelay waits for Delay before the call is handled, or before a
	// notification is sent. It combines with one other fault.
	KindDelay Kind = "delay"
	// KindDelayAfter waits for Delay after the call was recorded. It combines too.
	KindDelayAfter Kind = "delay_after"
	// KindCloseBefore closes the connection with nothing recorded.
	KindCloseBefore Kind = "close_before"
	// KindCloseAfter closes the connection after the call was recorded.
	KindCloseAfter Kind = "close_after"
	// KindHTTPErrorBefore answers an HTML page with Status (502), nothing recorded.
	KindHTTPErrorBefore Kind = "http_error_before"
	// KindHTTPErrorAfter answers an HTML page with Status (502) after the call was recorded.
	KindHTTPErrorAfter Kind = "http_error_after"
	// KindCode refuses with Code (Codes.Internal), Message and HTTP Status, nothing recorded.
	KindCode Kind = "code"
	// KindTruncatedJSON records, and sends half of the answer as a whole one.
	KindTruncatedJSON Kind = "truncated_json"
	// KindTokenInvalid revokes the token the call was made with, and refuses it.
	KindTokenInvalid Kind = "token_invalid"
	// KindRateLimited answers 429, with Retry-After if RetryAfter is set; nothing recorded.
	KindRateLimited Kind = "rate_limited"
	// KindWrongEcho changes Field of an answer about a payment or a refund, or
	// adds it: order_id, merchant_order_id (of a refund those of its payment),
	// amount or currency.
	KindWrongEcho Kind = "wrong_echo"
	// KindLaggingQuery says PENDING of a paid order: Times times, or until Delay
	// after the payment. Queries before the payment aren't counted.
	KindLaggingQuery Kind = "lagging_query"
	// KindHugeBody blows an answer or a notification up to Size bytes (1 MiB) of valid JSON.
	KindHugeBody Kind = "huge_body"

	// KindDuplicate sends a notification Count (1) more times right away.
	KindDuplicate Kind = "duplicate"
	// KindReorder holds a notification back until another one about the same
	// order was sent, or for Delay if that is set.
	KindReorder Kind = "reorder"
	// KindBadSignature signs with a wrong key.
	KindBadSignature Kind = "bad_signature"
	// KindMissingSignature leaves the Signature header out.
	KindMissingSignature Kind = "missing_signature"
	// KindUnknownType sends notify_type "payment_unheard_of", correctly signed.
	KindUnknownType Kind = "unknown_notify_type"
	// KindDrop loses an attempt on the way; the schedule goes on after it.
	KindDrop Kind = "drop"
)

// Fault is a misbehaviour to inject. Unless it delays, a call suffers only the
// oldest fault that matches it, so that several queue up.
type Fault struct {
	ID                   int           // set by Inject
	Kind                 Kind          // what happens
	Op                   Op            // to what; empty or OpAny: all that the kind applies to
	Times                int           // how often; 0: until it is cleared
	MatchMerchantOrderID string        // only for this order
	Delay                time.Duration // see the kinds
	Status               int
	Code                 int
	Message              string
	RetryAfter           time.Duration
	Field                string
	Size                 int
	Count                int
	Used                 int // how often it has happened
}

var (
	apiOps = []Op{OpAuth, OpCreate, OpQuery, OpRefund, OpRefundQuery}
	allOps = append(slices.Clone(apiOps), OpNotify)

	kindOps = map[Kind][]Op{
		KindDelay: allOps, KindHugeBody: allOps,
		KindDelayAfter: apiOps, KindCloseBefore: apiOps, KindCloseAfter: apiOps,
		KindHTTPErrorBefore: apiOps, KindHTTPErrorAfter: apiOps, KindCode: apiOps,
		KindTruncatedJSON: apiOps, KindRateLimited: apiOps, KindTokenInvalid: apiOps[1:],
		KindWrongEcho: apiOps[1:], KindLaggingQuery: {OpQuery},
		KindDuplicate: {OpNotify}, KindReorder: {OpNotify}, KindBadSignature: {OpNotify},
		KindMissingSignature: {OpNotify}, KindUnknownType: {OpNotify}, KindDrop: {OpNotify},
	}
	echoFields = []string{"order_id", "merchant_order_id", "amount", "currency"}
)

// Validate says what is wrong with a fault, if anything.
func (f Fault) Validate() error {
	ops, known := kindOps[f.Kind]
	switch {
	case !known:
		return fmt.Errorf("cbtistest: fault kind %q is not one of %q", f.Kind, slices.Sorted(maps.Keys(kindOps)))
	case f.Op != "" && f.Op != OpAny && !slices.Contains(ops, f.Op):
		return fmt.Errorf("cbtistest: fault kind %q does not apply to op %q, only to %q", f.Kind, f.Op, ops)
	case f.Times < 0 || f.Delay < 0 || f.RetryAfter < 0 || f.Size < 0 || f.Count < 0:
		return fmt.Errorf("cbtistest: fault %q has a negative number", f.Kind)
	case (f.Kind == KindDelay || f.Kind == KindDelayAfter) && f.Delay == 0:
		return fmt.Errorf("cbtistest: fault %q needs a delay", f.Kind)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("cbtistest: fault %q has HTTP status %d, not 200 to 599", f.Kind, f.Status)
	case f.Size > 64<<20:
		return fmt.Errorf("cbtistest: fault %q asks for more than 64 MiB", f.Kind)
	case f.Kind == KindWrongEcho && !slices.Contains(echoFields, f.Field):
		return fmt.Errorf("cbtistest: fault %q needs a field out of %q", f.Kind, echoFields)
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

// ClearFaults removes all faults, or those with the given ids, and says how many
// it removed. Notifications held back by a removed fault stay held back until
// their Delay or another notification releases them.
func (s *Server) ClearFaults(ids ...int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.Clear(ids...)
}

// takeLocked uses up the faults for one call.
func (s *Server) takeLocked(op Op, merchantOrderID string, o *Order) []Fault {
	return s.faults.Take(func(f Fault) bool { return f.Kind != KindReorder && s.matchesLocked(f, op, merchantOrderID, o) })
}

func (s *Server) matchesLocked(f Fault, op Op, merchantOrderID string, o *Order) bool {
	switch {
	case !slices.Contains(kindOps[f.Kind], op), f.Op != "" && f.Op != OpAny && f.Op != op:
		return false
	case f.MatchMerchantOrderID != "" && f.MatchMerchantOrderID != merchantOrderID:
		return false
	case f.Kind == KindLaggingQuery:
		return o != nil && !o.PaidAt.IsZero() && (f.Delay == 0 || s.opt.Now().Before(o.PaidAt.Add(f.Delay)))
	}
	return true
}

func totalDelay(faults []Fault, kind Kind) (sum time.Duration) {
	for _, f := range faults {
		if f.Kind == kind {
			sum += f.Delay
		}
	}
	return sum
}
