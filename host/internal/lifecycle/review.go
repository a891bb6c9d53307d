package lifecycle

import "github.com/paymux/paymux/sdk"

// Accept judges a person's decision to believe what was observed of a payment
// that is under review. It returns the state that the payment has then, or, in
// words, why that can't be and what to do instead.
//
// Only an open payment can be moved: an end is an end. That money which came
// after it is the merchant's changes no state.
func Accept(is sdk.Status, why ReviewReason, observed sdk.Status) (to sdk.Status, refusal string) {
	switch {
	case why == LateSuccess:
		return is, ""
	case why == DuplicatePayment:
		return is, "the purchase is paid twice: refund one of its payments, then dismiss the review"
	case is.Terminal():
		return is, "the payment is " + is.String() + ", which is final: settle the difference with the acquirer, then dismiss the review"
	case why == Stale:
		return is, "nothing was observed that could be accepted: dismiss the review to have the acquirer asked again, or refresh the payment"
	case why == ProviderMissing:
		return is, "nothing was observed that could be accepted: configure the provider again, or dismiss the review to have it tried again"
	case observed == sdk.StatusUnknown || !Legal(is, observed):
		return is, "what was observed gives a payment that is " + is.String() + " no other state: dismiss the review; the acquirer is asked on"
	default:
		return observed, ""
	}
}
