package sdk

import "slices"

// Status is the state of a payment. The zero value is StatusUnknown, so that
// whatever an adapter forgot to map is never taken for success or failure.
type Status uint8

// The states of a payment. Numbers are sent over the wire: append only.
const (
	// StatusUnknown: an order may exist; only Query can tell.
	StatusUnknown Status = iota
	// StatusCreated: recorded, no order exists. The host's alone.
	StatusCreated
	// StatusPending: an order exists that can still take money.
	StatusPending
	// StatusAuthorized: funds are reserved. Reserved for later versions.
	StatusAuthorized
	// StatusSucceeded: paid. Final.
	StatusSucceeded
	// StatusCancelled: closed unpaid. Final.
	StatusCancelled
	// StatusExpired: closed unpaid because time ran out. Final.
	StatusExpired
	// StatusFailed: refused, and this order can no longer take money. Final.
	StatusFailed
)

var statusNames = [...]string{"UNKNOWN", "CREATED", "PENDING", "AUTHORIZED", "SUCCEEDED", "CANCELLED", "EXPIRED", "FAILED"}

// Statuses returns every state, in order of their numbers.
func Statuses() []Status {
	all := make([]Status, len(statusNames))
	for i := range all {
		all[i] = Status(i)
	}
	return all
}

// ParseStatus reads a name such as "PENDING"; anything unheard of is StatusUnknown.
func ParseStatus(name string) Status {
	if i := slices.Index(statusNames[:], name); i >= 0 {
		return Status(i)
	}
	return StatusUnknown
}

// String returns the name; a number unheard of prints as UNKNOWN.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return statusNames[StatusUnknown]
}

// Terminal reports whether the state is final.
func (s Status) Terminal() bool { return s >= StatusSucceeded && s <= StatusFailed }

// RefundStatus is the state of a refund; the zero value is RefundUnknown.
type RefundStatus uint8

// The states of a refund. Numbers are sent over the wire: append only.
const (
	RefundUnknown   RefundStatus = iota // the money may move; only QueryRefund can tell
	RefundPending                       // accepted, not yet done
	RefundSucceeded                     // the money was returned. Final.
	RefundFailed                        // it was not and will not be. Final.
)

var refundStatusNames = [...]string{"UNKNOWN", "PENDING", "SUCCEEDED", "FAILED"}

// String returns the name; a number unheard of prints as UNKNOWN.
func (s RefundStatus) String() string {
	if int(s) < len(refundStatusNames) {
		return refundStatusNames[s]
	}
	return refundStatusNames[RefundUnknown]
}

// Terminal reports whether the state is final.
func (s RefundStatus) Terminal() bool { return s == RefundSucceeded || s == RefundFailed }
