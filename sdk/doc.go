// Package sdk is the contract between paymux and the acquirers: the words, the
// four methods of a [Provider], and the rules that every adapter keeps.
//
// A plugin author writes one [Plugin] value and passes it to
// [github.com/paymux/paymux/sdk/plugin.Serve]; everything else in this package
// is what its methods are given and what they answer.
//
// # Which methods to implement
//
// [Provider] is mandatory: Authorize, Create, Query, ParseNotification. The
// other interfaces are optional and are found by type assertion on the value
// that [Plugin.Open] returned, as database/sql/driver does:
//
//   - [Refunder] when the acquirer can give money back,
//   - [Canceller] when an unpaid order can be closed.
//
// # The one rule
//
// An adapter never guesses. Where it cannot be sure that a request had no
// effect at the acquirer, it says [OutcomeUnknown], which is also what the host
// assumes of every error that is not an [*Error]. The host then asks with Query
// and never sends the request again. Zero values are the careful ones: the zero
// [Status] is StatusUnknown, the zero [Outcome] is OutcomeUnknown.
package sdk
