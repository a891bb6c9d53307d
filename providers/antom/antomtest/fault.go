package antomtest

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// Kind says what a fault does.
type Kind string

// The kinds of faults. "Recorded" means that the operation took effect.
const (
	// KindDelay waits for Delay before the call is handled or the notification sent.
	KindDelay Kind = "delay"
	// KindDelayAfter waits for Delay after the call was recorded.
	KindDelayAfter Kind = "delay_after"
	// KindCloseBefore closes the connection with nothing recorded.
	KindCloseBefore Kind = "close_before"
	// KindCloseAfter closes the connection after the call was recorded.
	KindCloseAfter Kind = "close_after"
	// KindHTTPErrorBefore answers an HTML page with Status (502), nothing recorded.
	KindHTTPErrorBefore Kind = "http_error_before"
	// KindHTTPErrorAfter answers an HTML page with Status (502) after recording.
	KindHTTPErrorAfter Kind = "http_error_after"
	// KindUnauthorized answers 401, nothing recorded.
	KindUnauthorized Kind = "unauthorized"
	// KindRateLimited answers 429, with Retry-After if RetryAfter is set; nothing recorded.
	KindRateLimited Kind = "rate_limited"
	// KindResult answers ResultStatus (F) and Code (Codes.Injected), nothing recorded.
	KindResult Kind = "result"
	// KindTruncatedJSON records, and sends half of the answer as a whole one.
	KindTruncatedJSON Kind = "truncated_json"
	// KindBadSignature signs the answer, or the notification, with another key.
	KindBadSignature Kind = "bad_signature"
	// KindMissingSignature leaves the signature out.
	KindMissingSignature Kind = "missing_signature"
	// KindWrongEcho changes Field of an answer or adds it: id (the merchant's),
	// acquirer_id, amount or currency.
	KindWrongEcho Kind = "wrong_echo"
	// KindLaggingQuery says PROCESSING of a payment that has ended.
	KindLaggingQuery Kind = "lagging_query"

	// KindDuplicate sends a notification Count (1) more times right away.
	KindDuplicate Kind = "duplicate"
	// KindUnknownType sends a notifyType that nobody has heard of.
	KindUnknownType Kind = "unknown_type"
	// KindStale gives a notification a Request-Time that is Delay old.
	KindStale Kind = "stale"
	// KindDrop loses an attempt on the way; the next come as planned.
	KindDrop Kind = "drop"
)

// Fault is a misbehaviour to inject. A call suffers all delays that match it,
// and the oldest other fault.
type Fault struct {
	Kind         Kind
	Op           Op     // empty or OpAny: all that the kind applies to
	Times        int    // how often; 0: until ClearFaults
	Match        string // only for this merchant's payment or refund id
	Delay        time.Duration
	Status       int
	ResultStatus string
	Code         string
	RetryAfter   time.Duration
	Field        string
	Count        int
}

var (
	apiOps  = []Op{OpPay, OpQuery, OpCancel, OpRefund, OpRefundQuery}
	allOps  = append(slices.Clone(apiOps), OpNotify)
	kindOps = map[Kind][]Op{
		KindDelay: allOps, KindBadSignature: allOps, KindMissingSignature: allOps,
		KindDelayAfter: apiOps, KindCloseBefore: apiOps, KindCloseAfter: apiOps, KindHTTPErrorBefore: apiOps, KindHTTPErrorAfter: apiOps,
		KindUnauthorized: apiOps, KindRateLimited: apiOps, KindResult: apiOps, KindTruncatedJSON: apiOps, KindWrongEcho: apiOps,
		KindLaggingQuery: {OpQuery},
		KindDuplicate:    {OpNotify}, KindUnknownType: {OpNotify}, KindStale: {OpNotify}, KindDrop: {OpNotify},
	}
)

// Inject adds a fault. It panics if the fault makes no sense, since that is a
// mistake in a test.
func (s *Server) Inject(f Fault) {
	ops, known := kindOps[f.Kind]
	if !known || f.Op != "" && f.Op != OpAny && !slices.Contains(ops, f.Op) {
		panic(fmt.Sprintf("antomtest: there is no fault %q of %q", f.Kind, f.Op))
	}
	if f.Kind == KindWrongEcho && !slices.Contains([]string{"id", "acquirer_id", "amount", "currency"}, f.Field) {
		panic(fmt.Sprintf("antomtest: wrong_echo of the field %q", f.Field))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.Inject(f, f.Times, f.Kind == KindDelay || f.Kind == KindDelayAfter)
}

// ClearFaults removes all faults and says how many there were.
func (s *Server) ClearFaults() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.Clear()
}

// takeLocked uses up the faults for one call.
func (s *Server) takeLocked(op Op, ids ...string) []Fault {
	return s.faults.Take(func(f Fault) bool {
		return slices.Contains(kindOps[f.Kind], op) && (f.Op == "" || f.Op == OpAny || f.Op == op) &&
			(f.Match == "" || slices.Contains(ids, f.Match))
	})
}

// takeFaults finds out which ids a call names, and takes its faults.
func (s *Server) takeFaults(c *call) {
	var ids struct {
		PaymentRequestID string `json:"paymentRequestId"`
		PaymentID        string `json:"paymentId"`
		RefundRequestID  string `json:"refundRequestId"`
	}
	_ = json.Unmarshal(c.body, &ids) // a body that can't be read matches nothing
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.findLocked(ids.PaymentID); o != nil && ids.PaymentRequestID == "" {
		ids.PaymentRequestID = o.PaymentRequestID
	}
	c.faults = s.takeLocked(c.op, ids.PaymentRequestID, ids.RefundRequestID)
	for _, f := range c.faults {
		c.log.Fault = f.Kind
	}
}
