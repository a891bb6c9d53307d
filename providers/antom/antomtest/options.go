package antomtest

import (
	"cmp"
	"crypto/rsa"
	"net/http"
	"strings"
	"time"
)

// DefaultClientID is that of a live account, which has one path for everything.
const DefaultClientID = "PAYMUX_TEST_CLIENT"

// Options configure a Server. The zero value is a working sandbox.
type Options struct {
	ClientID   string // default DefaultClientID; SANDBOX_… behaves as the acquirer's sandbox
	KeyVersion string // of the merchant's key; default "1"
	// MerchantKey verifies requests; nil: a pair is made, see Credentials.
	MerchantKey *rsa.PublicKey
	// Key signs answers and notifications; nil: one is made.
	Key *rsa.PrivateKey

	// BaseURL is the public address that wallet links start with.
	BaseURL string

	Now func() time.Time // default time.Now

	HTTPClient *http.Client // sends notifications; redirects are never followed

	OrderTimeout     time.Duration // unpaid orders fail after it; default 14 min, negative: never
	RefundsPend      bool          // refunds stay PROCESSING until SettleRefund
	ISOTime          bool          // Response-Time and Request-Time as ISO 8601
	FirstRequestTime bool          // all attempts of a notification have the first one's time

	Codes Codes
}

// Codes are the result codes of refusals. All of them are invented; an empty
// field takes the default named beside it.
type Codes struct {
	BadRequest    string // MADE_UP_BAD_REQUEST: a member is missing, unknown or ill-formed
	BadSignature  string // MADE_UP_BAD_SIGNATURE
	BadClient     string // MADE_UP_BAD_CLIENT
	OrderNotFound string // MADE_UP_NO_SUCH_ORDER
	Reused        string // MADE_UP_ID_REUSED: the same id for another request
	NotPaid       string // MADE_UP_NOT_PAID: a refund of what isn't paid
	TooLate       string // MADE_UP_TOO_LATE: the time for a cancel or a refund is over
	TooMuch       string // MADE_UP_TOO_MUCH: more than is left of the payment
	NoRefund      string // MADE_UP_NO_SUCH_REFUND
	Injected      string // MADE_UP_FAULT: the result fault's default
}

func (c Codes) withDefaults() Codes {
	return Codes{
		BadRequest:    cmp.Or(c.BadRequest, "MADE_UP_BAD_REQUEST"),
		BadSignature:  cmp.Or(c.BadSignature, "MADE_UP_BAD_SIGNATURE"),
		BadClient:     cmp.Or(c.BadClient, "MADE_UP_BAD_CLIENT"),
		OrderNotFound: cmp.Or(c.OrderNotFound, "MADE_UP_NO_SUCH_ORDER"),
		Reused:        cmp.Or(c.Reused, "MADE_UP_ID_REUSED"),
		NotPaid:       cmp.Or(c.NotPaid, "MADE_UP_NOT_PAID"),
		TooLate:       cmp.Or(c.TooLate, "MADE_UP_TOO_LATE"),
		TooMuch:       cmp.Or(c.TooMuch, "MADE_UP_TOO_MUCH"),
		NoRefund:      cmp.Or(c.NoRefund, "MADE_UP_NO_SUCH_REFUND"),
		Injected:      cmp.Or(c.Injected, "MADE_UP_FAULT"),
	}
}

func (o Options) withDefaults() Options {
	o.ClientID = cmp.Or(o.ClientID, DefaultClientID)
	o.KeyVersion = cmp.Or(o.KeyVersion, "1")
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	if o.Now == nil {
		o.Now = time.Now
	}
	o.OrderTimeout = cmp.Or(o.OrderTimeout, 14*time.Minute)
	o.Codes = o.Codes.withDefaults()
	return o
}
