package main

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// state is what a shopper may be told of a payment.
type state string

const (
	statePaid        state = "paid"
	statePending     state = "pending"
	stateChecking    state = "checking"
	stateCancelled   state = "cancelled"
	stateFailed      state = "failed"
	stateUnavailable state = "unavailable"
)

// try is an attempt and what paymux said of it, if it did.
type try struct {
	Attempt
	Payment *Payment
}

// state puts the host's status in the shopper's terms. Whatever isn't known
// for sure, CREATED and statuses of later versions included, is being checked.
func (t try) state() state {
	if t.Payment == nil {
		return stateChecking
	}
	switch t.Payment.Status {
	case "SUCCEEDED":
		return statePaid
	case "PENDING":
		return statePending
	case "CANCELLED", "EXPIRED":
		return stateCancelled
	case "FAILED":
		return stateFailed
	default:
		return stateChecking
	}
}

// open reports whether asking the acquirer could bring news.
func (p *Payment) open() bool {
	switch p.Status {
	case "SUCCEEDED", "CANCELLED", "EXPIRED", "FAILED", "CREATED":
		return false
	}
	return true
}

// pays reports whether a payment settles an order: the status alone doesn't.
func (p *Payment) pays(o Order) bool {
	got, err1 := decimal.NewFromString(p.Amount)
	want, err2 := decimal.NewFromString(o.Amount)
	return p.Status == "SUCCEEDED" && err1 == nil && err2 == nil && got.Equal(want) && p.Currency == o.Currency
}

// mayHoldMoney reports whether the shopper could have paid without our knowing.
// A shopper who was never sent anywhere can't have paid, so an UNKNOWN without
// a next action doesn't keep them from another try; nor does a PENDING, from
// which they come back by their own choice.
func (p *Payment) mayHoldMoney() bool {
	switch p.Status {
	case "PENDING", "CREATED", "CANCELLED", "EXPIRED", "FAILED":
		return false
	case "UNKNOWN":
		return p.NextAction != nil
	default: // SUCCEEDED, AUTHORIZED, and what we haven't heard of
		return true
	}
}

// link is where the shopper goes on paying, or "".
func (p *Payment) link(now time.Time) string {
	a := p.NextAction
	if p.Status != "PENDING" || a == nil || a.Type != "redirect" || a.expired(now) || !webURL(a.URL) {
		return ""
	}
	return a.URL
}

// code is the text of the QR code to show, or "".
func (p *Payment) code(now time.Time) string {
	a := p.NextAction
	if p.Status != "PENDING" || a == nil || a.Type != "qr_code" || a.expired(now) {
		return ""
	}
	if a.QRCode != "" {
		return a.QRCode
	}
	return a.URL
}

func (a *NextAction) expired(now time.Time) bool {
	return a.ExpiresAt != nil && !a.ExpiresAt.After(now)
}

// belongs guards against an answer that ignored what we asked for.
func (p *Payment) belongs(o Order, attempts []Attempt) bool {
	if p.OrderGroup != "" {
		return p.OrderGroup == o.ID
	}
	return slices.ContainsFunc(attempts, func(a Attempt) bool { return a.ID == p.MerchantOrderID })
}

// pairUp joins the journal's attempts with the host's payments, newest first.
// A payment that only the host knows of, say after the journal was restored
// from a backup, is an attempt all the same.
func pairUp(attempts []Attempt, payments []Payment) []try {
	tries := make([]try, 0, len(attempts))
	for _, a := range attempts {
		tries = append(tries, try{Attempt: a})
	}
	for i := range payments {
		p := &payments[i]
		at := slices.IndexFunc(tries, func(t try) bool { return t.ID == p.MerchantOrderID })
		if at < 0 {
			at = len(tries)
			tries = append(tries, try{Attempt: Attempt{ID: p.MerchantOrderID, Method: p.Method, Flow: p.Flow, At: p.CreatedAt}})
		}
		tries[at].Payment = p
	}
	slices.SortStableFunc(tries, func(a, b try) int { return b.At.Compare(a.At) })
	return tries
}

// outcome is the judgement of an order.
type outcome struct {
	State  state
	Try    try   // the attempt that State is about; zero if there was none
	Others []try // if it is paid: other attempts that took money
}

// judge decides about an order. Money taken comes first, money that may have
// been taken second, and then the attempt that the shopper made last.
func judge(o Order, tries []try) outcome {
	var paid, unsure, succeeded []try
	for _, t := range tries {
		if t.Payment == nil {
			continue
		}
		if t.Payment.Status == "SUCCEEDED" {
			succeeded = append(succeeded, t)
		}
		if t.Payment.pays(o) {
			paid = append(paid, t)
		} else if t.Payment.mayHoldMoney() {
			unsure = append(unsure, t)
		}
	}
	switch {
	case len(paid) > 0:
		first := slices.MinFunc(paid, func(a, b try) int { return a.paidAt().Compare(b.paidAt()) })
		return outcome{State: statePaid, Try: first, Others: slices.DeleteFunc(succeeded, func(t try) bool { return t.ID == first.ID })}
	case len(unsure) > 0:
		return outcome{State: stateChecking, Try: unsure[0]}
	case len(tries) > 0:
		return outcome{State: tries[0].state(), Try: tries[0]}
	default:
		return outcome{State: statePending}
	}
}

// paidAt is when the money came, or else when the attempt began.
func (t try) paidAt() time.Time {
	if t.Payment != nil && t.Payment.PaidAt != nil {
		return *t.Payment.PaidAt
	}
	return t.At
}
