package airwallextest

import (
	"cmp"
	"net/http"
	"strings"
	"time"
)

// Credentials a Server uses where Options leaves them empty.
const (
	DefaultClientID      = "sandbox-client"
	DefaultAPIKey        = "sandbox-api-key"
	DefaultWebhookSecret = "sandbox-webhook-secret"
	DefaultAccountID     = "acct_sandbox"
)

// Options configure a Server. The zero value is a working sandbox.
type Options struct {
	ClientID      string // default DefaultClientID
	APIKey        string // default DefaultAPIKey
	AccountID     string // in notifications; default DefaultAccountID
	WebhookURL    string // where notifications go; none go anywhere without it
	WebhookSecret string // signs them; default DefaultWebhookSecret

	// BaseURL is the public address wallet links start with; without it they
	// start with the host of the confirm request.
	BaseURL string

	Now func() time.Time // default time.Now

	HTTPClient *http.Client // sends notifications; redirects are never followed

	TokenLifetime     time.Duration   // default 30 minutes
	RefundSettleAfter time.Duration   // how long a refund is RECEIVED; default 2 s, negative: until SettleRefund
	RetryAfter        []time.Duration // when a notification is repeated; default six times over three days

	RefuseRepeats      bool // a repeated request_id is refused, even with the same body
	AllowUnknownFields bool // ignore unknown request members
	KeepTimestamp      bool // repetitions of a notification are signed with the first time
	OldPayload         bool // notifications name the account in accountId

	Codes Codes
}

// Codes are the values of "code" in refusals, all of them invented here. A zero
// field takes the default named beside it.
type Codes struct {
	Invalid      string // invalid_argument: a member is missing, unknown, or has a wrong value
	Unauthorized string // unauthorized: no token, or none that is valid; refused credentials
	NotFound     string // not_found: no such object or path
	Duplicate    string // duplicate_request: the request_id was used
	BadState     string // invalid_status: the object's status doesn't allow it
	TooLarge     string // amount_above_limit: a refund of more than is left
	RateLimited  string // too_many_requests
	Internal     string // internal_error: the code fault's default
}

func (c Codes) withDefaults() Codes {
	return Codes{
		Invalid:      cmp.Or(c.Invalid, "invalid_argument"),
		Unauthorized: cmp.Or(c.Unauthorized, "unauthorized"),
		NotFound:     cmp.Or(c.NotFound, "not_found"),
		Duplicate:    cmp.Or(c.Duplicate, "duplicate_request"),
		BadState:     cmp.Or(c.BadState, "invalid_status"),
		TooLarge:     cmp.Or(c.TooLarge, "amount_above_limit"),
		RateLimited:  cmp.Or(c.RateLimited, "too_many_requests"),
		Internal:     cmp.Or(c.Internal, "internal_error"),
	}
}

func (o Options) withDefaults() Options {
	o.ClientID = cmp.Or(o.ClientID, DefaultClientID)
	o.APIKey = cmp.Or(o.APIKey, DefaultAPIKey)
	o.AccountID = cmp.Or(o.AccountID, DefaultAccountID)
	o.WebhookSecret = cmp.Or(o.WebhookSecret, DefaultWebhookSecret)
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	if o.Now == nil {
		o.Now = time.Now
	}
	o.TokenLifetime = cmp.Or(o.TokenLifetime, 30*time.Minute)
	o.RefundSettleAfter = cmp.Or(o.RefundSettleAfter, 2*time.Second)
	if o.RetryAfter == nil {
		o.RetryAfter = []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 40 * time.Hour}
	}
	o.Codes = o.Codes.withDefaults()
	return o
}
