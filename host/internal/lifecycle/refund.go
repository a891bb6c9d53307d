package lifecycle

import (
	"strings"
	"time"

	"github.com/paymux/paymux/sdk"
)

// Refund is what the rules need to know of a refund.
type Refund struct {
	Status sdk.RefundStatus
	Query  sdk.RefundQuery // what was asked for, with the acquirer's id once known
	// Sending: no answer about it came in yet. Until then PENDING is only our
	// intent, not the acquirer's word.
	Sending bool
	// Answered: the acquirer has said something of it, be it true or not.
	Answered bool
	SentAt   time.Time // when it was last handed to the plugin
}

// RefundVerdict is what to do with an answer about a refund.
type RefundVerdict struct {
	Status   sdk.RefundStatus // the state afterwards
	Moved    bool             // Status differs from before
	Review   ReviewReason     // set when a person has to look
	Detail   string           // for the timeline
	Believed bool             // its ids and times are taken over
	// RetryAfter is the acquirer's wish, if it wasn't sent.
	RetryAfter time.Duration
}

// RefundAnswer judges a refund as the acquirer reports it.
//
//   - It has SUCCEEDED only by an answer that names it, and no other amount.
//   - A terminal state never moves. A contrary end is flagged.
//   - An answer that says nothing moves nothing, but to UNKNOWN if it is the
//     first one.
func RefundAnswer(r Refund, answer sdk.Refund) RefundVerdict {
	if differences := answer.Differences(r.Query); len(differences) > 0 {
		words := make([]string, len(differences))
		for i, d := range differences {
			words[i] = d.String()
		}
		v := r.unknownIfFirst()
		v.Review = Mismatch
		v.Detail = "the acquirer says " + answer.Status.String() + " of a refund, but " + strings.Join(words, ", ")
		return v
	}
	v := RefundVerdict{Status: r.Status, Believed: true, Detail: answer.StatusReason}
	switch {
	case answer.Status == r.Status:
	case r.Status.Terminal():
		v.Believed = false
		if answer.Status.Terminal() {
			v.Review, v.Detail = Mismatch, "the acquirer now says "+answer.Status.String()+" of a refund that is "+r.Status.String()
		}
	case answer.Status == sdk.RefundUnknown:
		v = r.unknownIfFirst()
		v.Believed, v.Detail = true, answer.StatusReason
	default:
		v.Status, v.Moved = answer.Status, true
	}
	return v
}

func (r Refund) unknownIfFirst() RefundVerdict {
	if r.Sending && r.Status == sdk.RefundPending {
		return RefundVerdict{Status: sdk.RefundUnknown, Moved: true}
	}
	return RefundVerdict{Status: r.Status}
}

// RefundError judges a refund that failed to be sent, or may have. A refund of
// which an answer came in already is not moved.
func RefundError(r Refund, err *sdk.Error) RefundVerdict {
	v := RefundVerdict{Status: r.Status, Detail: err.Error()}
	switch {
	case !r.Sending || r.Status.Terminal():
	case err.Outcome == sdk.OutcomeNotSent: // the host sends it again
		v.RetryAfter = err.RetryAfter
	case r.Status == sdk.RefundPending && err.Outcome == sdk.OutcomeRefused:
		v.Status, v.Moved = sdk.RefundFailed, true
	case r.Status == sdk.RefundPending:
		v.Status, v.Moved = sdk.RefundUnknown, true
	}
	return v
}

// RefundQueryError judges a failed question. As with a payment one error alone
// ends a refund: the acquirer documents that it doesn't know it, the settling
// time is over, and no answer ever spoke of it. FAILED frees the amount, so that
// to believe too early would pay back twice.
func RefundQueryError(r Refund, err *sdk.Error, now time.Time, settling time.Duration) RefundVerdict {
	v := RefundVerdict{Status: r.Status, Detail: err.Error()}
	lost := err.Code == sdk.CodeOrderNotFound && r.Status == sdk.RefundUnknown && !r.Answered && r.Query.AcquirerRefundID == "" &&
		settled(r.SentAt, now, settling)
	if lost {
		v.Status, v.Moved, v.Detail = sdk.RefundFailed, true, "the refund never reached the acquirer"
	}
	return v
}

// sendPlan is Plan up to its hourly step: a merchant waits for the money.
var sendPlan = Plan[:5]

// NextSend returns when to send a refund again of which it is sure that nothing
// was sent, after tries more times in vain: not before the acquirer wants it, and
// at the end of NeverSentAfter at the latest.
func NextSend(tries int, retryAfter time.Duration, now, created time.Time) time.Time {
	last := len(sendPlan) - 1
	wait := max(sendPlan[min(max(tries, 0), last)], min(retryAfter, sendPlan[last]))
	if end := created.Add(NeverSentAfter); end.Before(now.Add(wait)) {
		return end
	}
	return now.Add(wait)
}
