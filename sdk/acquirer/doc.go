// Package acquirer is the HTTP side that every adapter shares: a [Client] whose
// errors say for sure whether a request can have had an effect, a [TokenSource]
// that many callers share, and strict readers of what an acquirer answers.
//
// It is for authors of adapters. A platform that takes payments never needs it.
//
// # What the errors promise
//
// Every error is an [*sdk.Error]. Its outcome is [sdk.OutcomeNotSent] only when
// no connection was obtained at all, so not one byte can have reached the
// acquirer. Everything later (a timeout, a reset, an answer cut short) is
// [sdk.OutcomeUnknown]. No text and no wrapped error holds a URL's query, user
// information, a header's value or a body: acquirers put secrets there.
package acquirer
