package sdk

import (
	"context"
	"time"
)

// Provider is one configured account at an acquirer. Its methods are called
// concurrently. Every context carries a deadline, which must be honoured.
type Provider interface {
	// Authorize proves the account's credentials to the acquirer. It never
	// reserves funds, and what it obtains (a token) stays in the plugin.
	Authorize(ctx context.Context) (Grant, error)

	// Create starts one payment and returns the acquirer's order id and what
	// the payer has to do next. It must send at most one order; after an error
	// its [Outcome] says whether there may be one:
	//
	//	OutcomeNotSent  surely no effect, another provider may be tried
	//	OutcomeRefused  the acquirer said no, finally
	//	OutcomeUnknown  anything else
	Create(ctx context.Context, req CreateRequest) (Payment, error)

	// Query reports the state of a payment, by the acquirer's order id or by
	// the merchant's. It has no effect and may be repeated. It says
	// [CodeOrderNotFound] only when the acquirer has documented an answer that
	// means just that, and [CodeMismatch] of an answer that no Payment can hold,
	// such as two orders with one id or an amount that can't be read: a person then
	// looks at the payment.
	Query(ctx context.Context, req QueryRequest) (Payment, error)

	// ParseNotification verifies and reads one raw HTTP request. It is pure: no
	// network, no clock but the one in the request, two seconds at most. A
	// request that the acquirer didn't sign is [CodeSignatureInvalid].
	// What it returns only makes the host ask with Query; it moves no state.
	ParseNotification(ctx context.Context, req HTTPRequest) (Notification, error)
}

// Refunder is implemented by providers that can give money back.
type Refunder interface {
	// Refund returns all or a part of what was paid. MerchantRefundID names the
	// refund for ever; outcomes are as for Create.
	Refund(ctx context.Context, req RefundRequest) (Refund, error)
	// QueryRefund reports the state of a refund. It may be repeated. It says
	// [CodeOrderNotFound] as Query does; a refund that is wrongly called not found
	// may be paid twice.
	QueryRefund(ctx context.Context, req RefundQuery) (Refund, error)
}

// Canceller is implemented by providers that can close an unpaid order.
type Canceller interface {
	// Cancel closes the order and reports its state afterwards, which may be
	// StatusSucceeded if the payer was faster. Outcomes are as for Create.
	Cancel(ctx context.Context, req CancelRequest) (Payment, error)
}

// Grant is the answer of Authorize.
type Grant struct {
	// ExpiresAt is how long the credentials are known to be good; zero if the
	// acquirer gives no time.
	ExpiresAt time.Time
}

// Order says which payment is meant and what it must be worth. The host sends
// all that it knows: MerchantOrderID and Money always, AcquirerOrderID once an
// answer of the acquirer named it.
type Order struct {
	MerchantOrderID string // the merchant's id of this attempt, [A-Za-z0-9_-]{1,32}
	AcquirerOrderID string // the acquirer's id; empty until known
	Money           Money
}

// CreateRequest asks for a new payment.
type CreateRequest struct {
	Order
	// RequestID is the same for every repetition of this request and unique
	// otherwise: the idempotency key for acquirers that have one.
	RequestID   string
	Method      Method
	Flow        Flow
	Description string // shown to the payer, 1 to 255 characters
	ReturnURL   string // where the payer's browser goes afterwards; may be empty
	NotifyURL   string // where the acquirer reports; may be empty
}

// QueryRequest asks for the state of a payment.
type QueryRequest struct{ Order }

// CancelRequest asks to close an unpaid order.
type CancelRequest struct {
	Order
	RequestID string // as in CreateRequest
}

// Payment is what the acquirer says of a payment. Ids, amount and currency are
// the acquirer's own words, never copied from the request: the host compares
// them with what was asked. What the acquirer didn't say stays empty. A
// StatusSucceeded that is about something else, or lacks something, is passed on
// as it is: the host believes it no more than [Payment.Differences] does, and a
// person is shown that there is money somewhere.
type Payment struct {
	Order
	Status       Status
	StatusReason string // a short reason in lower case, for people; may be empty
	RawStatus    string // the acquirer's own word
	// NextActions are alternatives, the best first. Empty when the payer has
	// nothing (more) to do.
	NextActions []NextAction
	CreatedAt   time.Time // zero if not said
	PaidAt      time.Time // zero if not said
	RequestID   string    // the acquirer's id of this exchange, for support
}

// RefundRequest asks to give money back.
type RefundRequest struct {
	Order                   // the payment, with what was paid
	MerchantRefundID string // unique for ever, [A-Za-z0-9_-]{1,32}
	RequestID        string // as in CreateRequest
	Amount           Money  // how much to return, in the payment's currency
	Reason           string // for the acquirer's records; may be empty
}

// RefundQuery asks for the state of a refund.
type RefundQuery struct {
	Order
	MerchantRefundID string
	AcquirerRefundID string // empty until known
	Amount           Money
}

// Refund is what the acquirer says of a refund; see [Payment] about its words.
type Refund struct {
	MerchantRefundID string
	AcquirerRefundID string
	Amount           Money // zero if not said
	Status           RefundStatus
	StatusReason     string
	RawStatus        string
	RefundedAt       time.Time
	RequestID        string
}

// HTTPRequest is a notification as it came in, to the byte.
type HTTPRequest struct {
	Method     string
	Path       string // as received, still escaped
	RawQuery   string
	Header     map[string][]string // canonical names, as net/http has them
	Body       []byte
	ReceivedAt time.Time
}

// Get returns the first value of a header, given by its canonical name.
func (r HTTPRequest) Get(name string) string {
	if v := r.Header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// HTTPResponse is what the acquirer wants to hear. The host sends it after the
// notification is durable.
type HTTPResponse struct {
	Status int               // 200 to 599; 0 is for 200
	Header map[string]string // of these Content-Type is sent
	Body   []byte
}

// Notification is a verified notification.
type Notification struct {
	Events []NotificationEvent
	Ack    HTTPResponse
}

// NotificationEvent is one thing that a notification speaks of. It only hints
// at what to ask: a claim about money in it is ignored.
type NotificationEvent struct {
	Kind             EventKind
	RawType          string // the acquirer's word, for logs
	MerchantOrderID  string
	AcquirerOrderID  string
	MerchantRefundID string
	AcquirerRefundID string
}

// EventKind says what a notification speaks of.
type EventKind uint8

// The kinds of notification events. Numbers are stored and sent: append only.
const (
	EventOther   EventKind = iota // unheard of: acknowledged and reported
	EventPayment                  // a payment changed
	EventRefund                   // a refund changed
)

// String returns the kind in lower case.
func (k EventKind) String() string {
	switch k {
	case EventPayment:
		return "payment"
	case EventRefund:
		return "refund"
	default:
		return "other"
	}
}
