package lifecycle_test

import (
	"strings"
	"testing"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/sdk"
)

func TestAccept(t *testing.T) {
	reasons := []lifecycle.ReviewReason{lifecycle.LateSuccess, lifecycle.Mismatch, lifecycle.Stale, lifecycle.ProviderMissing, lifecycle.DuplicatePayment}
	for _, why := range reasons {
		for _, is := range sdk.Statuses() {
			for _, observed := range sdk.Statuses() {
				to, refusal := lifecycle.Accept(is, why, observed)
				moves := why == lifecycle.Mismatch && lifecycle.Legal(is, observed) && observed != sdk.StatusUnknown
				if why == lifecycle.Mismatch && is.Terminal() && !strings.Contains(refusal, "which is final") {
					t.Errorf("%s: the refusal doesn't say that it is final: %q", is, refusal)
				}
				switch {
				case moves && (to != observed || refusal != ""):
					t.Errorf("%s, %s: observed %s isn't taken over: %s", is, why, observed, refusal)
				case !moves && to != is:
					t.Errorf("%s, %s: became %s", is, why, to)
				case !moves && (refusal == "") != (why == lifecycle.LateSuccess):
					t.Errorf("%s, %s, observed %s: refusal %q", is, why, observed, refusal)
				}
			}
		}
	}
}
