package host

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/paymux/paymux/sdk"
)

// simFault is what goes wrong in one call of an acquirer, and how long it takes.
type simFault struct {
	kind          string
	before, after time.Duration // until it has its effect, and from there to the answer
	hidden        time.Duration // how long Query doesn't find the order
	lag           time.Duration // how old an answer of Query is
}

// The kinds of faults.
const (
	simFine       = "fine"
	simNotSent    = "not sent"    // surely no effect
	simRefused    = "refused"     // a final no
	simLostBefore = "lost before" // no effect, but nobody knows
	simLostAfter  = "lost after"  // an effect, but nobody knows
	simGarbled    = "garbled"     // as lost after, by an error without an outcome
	simHang       = "hang"        // an effect, and an answer after the host's patience
	simSpoiled    = "spoiled"     // the answer names another order, amount or end
	simOtherMoney = "other money" // the order itself is about other money
	simSameID     = "same id"     // the order has the id of another
	simLazy       = "lazy"        // the order is unknown until its payer acts
	simNoAction   = "no action"   // an order without a next action
)

// Only these end with what the host may take for granted; most of a Create's
// faults leave it in doubt.
var (
	simCreateFaults = []string{simNotSent, simNotSent, simRefused, simLostBefore, simLostBefore, simLostAfter, simLostAfter, simGarbled, simHang, simSpoiled, simOtherMoney, simSameID, simLazy, simNoAction}
	simQueryFaults  = []string{simNotSent, simLostBefore, simGarbled, simHang, simSpoiled, simSpoiled, simFine}
)

func (s *sim) faultOfCreate(r *rand.Rand) simFault {
	f := simFault{kind: simFine, before: simBetween(r, time.Millisecond, time.Second), after: simBetween(r, time.Millisecond, 2*time.Second)}
	bad, kind, slow, hidden := r.Float64() < s.faults, simPick(r, simCreateFaults...), r.IntN(4) == 0, r.IntN(2) == 0
	long, longer, hide := simBetween(r, time.Second, 90*time.Second), simBetween(r, time.Second, 20*time.Second), simBetween(r, time.Second, simSettling)
	if !bad || s.quiet.Load() {
		return f
	}
	if f.kind = kind; slow { // some arrive after the host has given up
		f.before = long
	}
	if kind == simHang {
		f.after = time.Minute + longer
	}
	if hidden {
		f.hidden = hide
	}
	return f
}

func (s *sim) faultOfQuery(r *rand.Rand) simFault {
	f := simFault{kind: simFine, before: simBetween(r, time.Millisecond, time.Second), after: simBetween(r, time.Millisecond, time.Second)}
	bad, kind, slow, lags := r.Float64() < s.faults, simPick(r, simQueryFaults...), r.IntN(4) == 0, r.IntN(3) == 0
	long, lag := simBetween(r, time.Second, 20*time.Second), simBetween(r, time.Second, 20*time.Minute)
	if !bad || s.quiet.Load() {
		return f
	}
	if f.kind = kind; slow {
		f.after = long
	}
	if kind == simHang {
		f.after = time.Minute + long
	}
	if lags {
		f.lag = lag
	}
	return f
}

// spoil makes an answer be about something else, in one thing. Some of them
// claim an end that isn't the order's.
func (a *simAcquirer) spoil(r *rand.Rand, answer *sdk.Payment, asked sdk.Order) {
	claim := simPick(r, answer.Status, sdk.StatusSucceeded, sdk.StatusSucceeded, sdk.StatusCancelled, sdk.StatusFailed)
	switch r.IntN(7) {
	case 0, 1:
		answer.MerchantOrderID = "x" + answer.MerchantOrderID[1:]
	case 2:
		if asked.AcquirerOrderID == "" { // nobody could tell that the claim is false
			claim = answer.Status
		}
		answer.AcquirerOrderID += fmt.Sprint("x", r.Uint32())
	case 3, 4:
		answer.Money = otherMoney(answer.Money)
	case 5:
		answer.Money = otherCurrency(answer.Money)
	default: // it names nothing
		answer.MerchantOrderID, answer.AcquirerOrderID, answer.Money = "", "", sdk.Money{}
		if claim == answer.Status {
			claim = sdk.StatusSucceeded
		}
	}
	answer.Status = claim
}

func otherMoney(m sdk.Money) sdk.Money {
	other, _ := sdk.FromMinor(m.Minor()+1, m.Currency())
	return other
}

// otherCurrency returns the same number in a currency with as many decimals.
func otherCurrency(m sdk.Money) sdk.Money {
	twin := map[string]string{"HKD": "CNY", "JPY": "KRW", "KWD": "BHD"}[m.Currency()]
	other, _ := sdk.ParseMoney(m.AmountString(), twin)
	return other
}
