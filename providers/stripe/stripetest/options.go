package stripetest

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// What a Server uses where Options leaves it empty.
const (
	DefaultAccountID     = "acct_1Sandbox"
	DefaultSecretKey     = "sk_test_sandbox"
	DefaultWebhookSecret = "whsec_sandbox"
	DefaultAPIVersion    = "2026-08-26.dahlia"
)

// RefundOutcome says how refunds end.
type RefundOutcome string

// The ways a refund can go. All are pending at first.
const (
	RefundSucceeds RefundOutcome = "succeeded"
	RefundFails    RefundOutcome = "failed"
	RefundCanceled RefundOutcome = "canceled"
	RefundStays    RefundOutcome = "pending"
)

// Options configure a Server. The zero value is a working sandbox.
type Options struct {
	AccountID     string // default DefaultAccountID
	SecretKey     string // default DefaultSecretKey
	Live          bool   // what livemode says
	WebhookSecret string // signs notifications; default DefaultWebhookSecret
	WebhookURL    string // where notifications go; none are sent without it

	// BaseURL is the public address wallet links start with; without it they
	// start with the host of the create request.
	BaseURL string

	Now func() time.Time // default time.Now

	HTTPClient *http.Client // sends notifications; redirects are never followed

	SearchLag     time.Duration // how long a new payment can't be searched for
	RefundOutcome RefundOutcome // default RefundSucceeds
	// RefundAfter is how long a refund stays pending; 0: it has ended in the
	// answer already.
	RefundAfter time.Duration
	// RetryIntervals are the pauses between attempts to notify; default 1 h and
	// 2 h, which makes three attempts.
	RetryIntervals []time.Duration
}

func (o Options) withDefaults() Options {
	o.AccountID = cmp.Or(o.AccountID, DefaultAccountID)
	o.SecretKey = cmp.Or(o.SecretKey, DefaultSecretKey)
	o.WebhookSecret = cmp.Or(o.WebhookSecret, DefaultWebhookSecret)
	o.RefundOutcome = cmp.Or(o.RefundOutcome, RefundSucceeds)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RetryIntervals == nil {
		o.RetryIntervals = []time.Duration{time.Hour, 2 * time.Hour}
	}
	o.RetryIntervals = slices.Clone(o.RetryIntervals)
	return o
}
