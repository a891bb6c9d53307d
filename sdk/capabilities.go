package sdk

import "time"

// Capabilities is what a plugin can do for every account: static, so that the
// host can route and check a config without asking an acquirer. What a provider
// can do beyond (refund, cancel) is found by type assertion.
type Capabilities struct {
	Rows []Capability
	// NotifyURL says how the acquirer learns where to report.
	NotifyURL NotifyURLMode
	// NotificationAuth says how a notification proves who sent it.
	NotificationAuth NotificationAuth
	// QueryKeys are the ids by which Query finds an order. Without
	// QueryByMerchantOrder a lost Create answer can't be resolved by asking.
	QueryKeys []QueryKey
	// NotFoundSettling is how long after Create, or Refund, was called an acquirer
	// may still say ORDER_NOT_FOUND of an order, or a refund, that exists. Then one
	// whose answer was lost is taken for one that was never made: after 70 s at
	// least, since the request may be under way for so long. 0: nobody knows, so
	// that "not found" never ends anything.
	NotFoundSettling time.Duration
	CreateRetry      CreateRetry
	// Polling is when to ask for a pending payment, counted from the answer
	// before. Empty: the host's plan.
	Polling []time.Duration
}

// Capability is one combination that a plugin can take.
type Capability struct {
	Method   Method
	Flow     Flow
	Currency string
	Min, Max Money // zero: no bound is known
	Actions  []ActionType
}

// NotifyURLMode says how the acquirer learns where to report.
type NotifyURLMode uint8

// The modes. Numbers are sent over the wire: append only.
const (
	NotifyURLDashboard  NotifyURLMode = iota // a person enters it at the acquirer's site
	NotifyURLPerPayment                      // each Create carries it
)

// NotificationAuth says how a notification proves who sent it.
type NotificationAuth uint8

// The proofs. Numbers are sent over the wire: append only.
const (
	NotificationUnsigned     NotificationAuth = iota // not at all: it only hints
	NotificationSharedSecret                         // a digest over the body with a shared key
	NotificationPublicKey                            // a signature by the acquirer's private key
)

// QueryKey is an id by which Query finds an order.
type QueryKey uint8

// The keys. Numbers are sent over the wire: append only.
const (
	QueryByAcquirerOrder QueryKey = iota + 1
	QueryByMerchantOrder
)

// CreateRetry says whether an identical Create may be sent again.
type CreateRetry struct {
	// Native: the acquirer promises that the same request has its effect once
	// within Window. The zero value means: never, only Query.
	Native bool
	Window time.Duration
}

// Supports reports whether a row takes the payment, and if none does, why not.
func (c Capabilities) Supports(method Method, flow Flow, money Money) (Capability, *Error) {
	reason := InvalidField("method", "%s is not taken", method)
	for _, row := range c.Rows {
		switch {
		case row.Method != method:
		case row.Flow != flow:
			if reason.Field == "method" {
				reason = InvalidField("flow", "%s is not taken with %s", flow, method)
			}
		case row.Currency != money.Currency():
			if reason.Field != "amount" {
				reason = InvalidField("currency", "%s is not taken with %s", money.Currency(), method)
			}
		case !row.Min.IsZero() && money.amount.LessThan(row.Min.amount):
			reason = InvalidField("amount", "must be at least %s", row.Min)
		case !row.Max.IsZero() && money.amount.GreaterThan(row.Max.amount):
			reason = InvalidField("amount", "must be at most %s", row.Max)
		default:
			return row, nil
		}
	}
	reason.Code = CodeUnsupported
	return Capability{}, reason
}
