// Package lifecycle decides what an acquirer's answer does to a payment. It is
// pure: no clock, no store, no network, so that the rules which keep money from
// being lost or doubled can be read and tested in one place.
package lifecycle

import (
	"strings"
	"time"

	"github.com/paymux/paymux/sdk"
)

// legal has the transitions that exist. What is missing is refused: terminal
// states have none, and nothing returns to CREATED.
var legal = map[sdk.Status][]sdk.Status{
	sdk.StatusCreated:    {sdk.StatusUnknown, sdk.StatusPending, sdk.StatusAuthorized, sdk.StatusSucceeded, sdk.StatusCancelled, sdk.StatusExpired, sdk.StatusFailed},
	sdk.StatusUnknown:    {sdk.StatusPending, sdk.StatusAuthorized, sdk.StatusSucceeded, sdk.StatusCancelled, sdk.StatusExpired, sdk.StatusFailed},
	sdk.StatusPending:    {sdk.StatusAuthorized, sdk.StatusSucceeded, sdk.StatusCancelled, sdk.StatusExpired, sdk.StatusFailed},
	sdk.StatusAuthorized: {sdk.StatusSucceeded, sdk.StatusCancelled, sdk.StatusExpired, sdk.StatusFailed},
}

// Legal reports whether a payment may go from one state to another.
func Legal(from, to sdk.Status) bool {
	for _, s := range legal[from] {
		if s == to {
			return true
		}
	}
	return false
}

// Payment is what the rules need to know of a payment.
type Payment struct {
	Status sdk.Status
	Order  sdk.Order // what was asked for, with the acquirer's id once known
	// ActionHanded: a next action was given out at some time, so that a payer
	// may be paying.
	ActionHanded bool
	SentAt       time.Time // when Create was handed to the plugin
}

// ReviewReason says why a person has to look at a payment.
type ReviewReason string

// The reasons for a review.
const (
	LateSuccess      ReviewReason = "late_success"      // paid after it had ended unpaid
	Mismatch         ReviewReason = "mismatch"          // the answer is about another order, amount or end
	Stale            ReviewReason = "stale"             // still open after seven days
	ProviderMissing  ReviewReason = "provider_missing"  // its provider is no longer configured
	DuplicatePayment ReviewReason = "duplicate_payment" // another payment of its order group was paid before
)

// Verdict is what to do with an answer.
type Verdict struct {
	Status sdk.Status   // the state afterwards
	Moved  bool         // Status differs from before
	Review ReviewReason // set when a person has to look
	Detail string       // for the timeline
	// Believed: the answer is about our order, so that what else it says (ids,
	// next actions, times) is taken over.
	Believed bool
}

// Answer judges a payment as the acquirer reports it, whoever asked.
//
//   - A payment is paid only by an answer that names our order, amount and
//     currency.
//   - A terminal state never moves. A contrary end is flagged.
//   - An answer that says nothing moves nothing, except that a payment whose
//     Create was answered is no longer CREATED.
func Answer(p Payment, answer sdk.Payment) Verdict {
	if answer.Status == sdk.StatusCreated || answer.Status > sdk.StatusFailed {
		answer.Status = sdk.StatusUnknown // CREATED is the host's alone; the rest is unheard of
	}
	if differences := answer.Differences(p.Order); len(differences) > 0 {
		return mismatch(p, answer, differences)
	}
	v := Verdict{Status: p.Status, Believed: true, Detail: answer.StatusReason}
	switch {
	case answer.Status == p.Status:
	case p.Status.Terminal():
		v.Believed = false
		v.Review = contrary(p.Status, answer.Status)
		if v.Review != "" {
			v.Detail = "the acquirer now says " + answer.Status.String()
		}
	case Legal(p.Status, answer.Status):
		v.Status, v.Moved = answer.Status, true
	}
	return v
}

// contrary says whether an answer contradicts the end of a payment. An open
// state does not: it is an answer that is older than the end. But money that is
// held for a payment which ended unpaid is somebody's.
func contrary(end, now sdk.Status) ReviewReason {
	switch {
	case now == sdk.StatusSucceeded:
		return LateSuccess
	case now.Terminal(), now == sdk.StatusAuthorized && end != sdk.StatusSucceeded:
		return Mismatch
	default:
		return ""
	}
}

func mismatch(p Payment, answer sdk.Payment, differences []sdk.Difference) Verdict {
	words := make([]string, len(differences))
	for i, d := range differences {
		words[i] = d.String()
	}
	v := Verdict{Status: p.Status, Review: Mismatch, Detail: "the acquirer says " + answer.Status.String() + ", but " + strings.Join(words, ", ")}
	if p.Status == sdk.StatusCreated { // something exists there; what it is can't be told
		v.Status, v.Moved = sdk.StatusUnknown, true
	}
	return v
}

// CreateError judges a failed Create. It moves a payment that is CREATED only:
// of any other it is known that there may be an order.
func CreateError(p Payment, err *sdk.Error) Verdict {
	v := Verdict{Status: p.Status, Detail: err.Error()}
	if p.Status != sdk.StatusCreated {
		return v
	}
	switch err.Outcome {
	case sdk.OutcomeNotSent: // stays CREATED: another provider, or the merchant, may try
	case sdk.OutcomeRefused:
		v.Status, v.Moved = sdk.StatusFailed, true
	default:
		v.Status, v.Moved = sdk.StatusUnknown, true
	}
	return v
}

// QueryError judges a failed Query. Only one error can end a payment: the
// acquirer documents that it doesn't know the order, the settling time is over,
// and nothing was ever given out by which a payer could pay. One needs a person: the
// acquirer said something of which the plugin can make no payment.
func QueryError(p Payment, err *sdk.Error, now time.Time, settling time.Duration) Verdict {
	v := Verdict{Status: p.Status, Detail: err.Error()}
	lost := err.Code == sdk.CodeOrderNotFound && p.Status == sdk.StatusUnknown && !p.ActionHanded &&
		p.Order.AcquirerOrderID == "" && settled(p.SentAt, now, settling)
	if lost {
		v.Status, v.Moved = sdk.StatusFailed, true
		v.Detail = sdk.CodeCreateLost.Info().Title
	}
	if err.Code == sdk.CodeMismatch {
		v.Review = Mismatch
	}
	return v
}

// LeastSettling is as long as a call can be under way, from when it is written
// down (a host may be slow to hand it to the plugin) to its end.
const LeastSettling = 70 * time.Second

// settled reports whether NOT_FOUND proves something. Without a settling time, or
// without knowing when the request was sent, it never does.
func settled(sentAt, now time.Time, settling time.Duration) bool {
	return settling > 0 && !sentAt.IsZero() && now.Sub(sentAt) >= max(settling, LeastSettling)
}

// Plan is when to ask for an open payment: the steps count from one question to
// the next, the last one repeats, and after StaleAfter a person has to look.
var Plan = []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour}

// StaleAfter is how long an open payment is asked about.
const StaleAfter = 7 * 24 * time.Hour

// NeverSentAfter is how long a payment that no provider could be reached for
// waits for the merchant's next try.
const NeverSentAfter = 24 * time.Hour

// The bounds of a plugin's plan: no flood, and no payment that is forgotten
// before it is stale.
const (
	shortestWait = time.Second
	longestWait  = 24 * time.Hour
)

// NextQuery returns when to ask again after tries questions, by the plugin's
// plan where it has one.
func NextQuery(plan []time.Duration, tries int, now time.Time) time.Time {
	if len(plan) == 0 {
		plan = Plan
	}
	wait := plan[min(max(tries, 0), len(plan)-1)]
	return now.Add(min(max(wait, shortestWait), longestWait))
}
