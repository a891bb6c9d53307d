package cbtistest

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Credentials a Server uses where Options leaves them empty. DefaultUID and
// DefaultWebhookKey are the examples published in the documentation.
const (
	DefaultUID          = "39172931"
	DefaultClientSecret = "sandbox-client-secret"
	DefaultWebhookKey   = "6d0e8fa7b10c40c3a48c0c2be41cb178"
)

// AmountUnit says how amounts are written.
type AmountUnit string

// The units of an amount.
const (
	Major AmountUnit = "major" // "1.25" is HKD 1.25; at most two decimals
	Minor AmountUnit = "minor" // "125" is HKD 1.25; no decimals
)

// DuplicatePolicy says what a repeated merchant_order_id does.
type DuplicatePolicy string

// The policies for a repeated merchant_order_id.
const (
	RejectDuplicate DuplicatePolicy = "reject" // refuse with Codes.DuplicateOrder
	ReturnSame      DuplicatePolicy = "same"   // answer with the first order; refuse if the request differs
	CreateSecond    DuplicatePolicy = "second" // create another order under the same id
)

// LinkKey is the member of next_action that carries the link; brands of the
// same white label differ in it.
type LinkKey string

// The known link keys.
const (
	LinkURL         LinkKey = "url"
	LinkQRCodeURL   LinkKey = "qrcode_url"
	LinkRedirectURL LinkKey = "redirect_url"
)

// PayTimeStyle says how pay_time looks while an order is unpaid.
type PayTimeStyle string

// The ways to write an absent pay_time.
const (
	PayTimeAbsent PayTimeStyle = "absent"
	PayTimeNull   PayTimeStyle = "null"
	PayTimeEmpty  PayTimeStyle = "empty"
)

// RefundOutcome says how refunds end.
type RefundOutcome string

// The ways a refund can go.
const (
	RefundSucceeds        RefundOutcome = "succeeds"              // SUCCEEDED in the answer
	RefundFails           RefundOutcome = "fails"                 // FAILED in the answer
	RefundPendingSucceeds RefundOutcome = "pending-then-succeeds" // PENDING, later SUCCEEDED
	RefundPendingFails    RefundOutcome = "pending-then-fails"    // PENDING, later FAILED
)

// Options configure a Server. The zero value is a working sandbox.
type Options struct {
	UID          string // merchant number; default DefaultUID
	ClientSecret string // default DefaultClientSecret
	WebhookKey   string // signs notifications; default DefaultWebhookKey

	// BaseURL is the public address wallet links start with; without it they
	// start with the host of the create request.
	BaseURL string

	Now func() time.Time // default time.Now

	Logger     *slog.Logger // default: silent
	HTTPClient *http.Client // sends notifications; redirects are never followed
	LogSize    int          // how many calls and attempts are remembered; default 1000

	// StateFile keeps orders, refunds, tokens (hashed) and pending
	// notifications over restarts. It is replaced atomically on each change.
	StateFile string

	TokenLifetime time.Duration // default 3600 s
	SingleToken   bool          // a new token revokes the older ones
	OrderTimeout  time.Duration // unpaid orders close after it; default 24 h, negative: never

	AmountUnit         AmountUnit      // default Major
	DuplicateOrder     DuplicatePolicy // default RejectDuplicate
	LinkKey            LinkKey         // default LinkURL
	DropFraction       bool            // times without a fraction of a second
	UnpaidPayTime      PayTimeStyle    // default PayTimeAbsent
	AcceptWechatKey    bool            // also read options under payment_method.wechat
	AllowUnknownFields bool            // ignore unknown request members
	ReturnDomains      []string        // return_url's host must be one of these or below one

	RefundOutcome     RefundOutcome // default RefundSucceeds
	RefundSettleAfter time.Duration // how long a pending refund stays so; default 2 s
	IncludeRefundID   bool          // refunds/create also answers refund_id

	SpeedUp float64 // divides the retry intervals of notifications; default 1

	Codes             Codes
	RefusalStatus     int // HTTP status with code != 0; default 200
	AuthFailureStatus int // HTTP status of refused credentials and tokens; default 401
}

// Codes are the values of "code" in refusals. CBTIS publishes none: all of them
// are invented, and a zero field takes the default named beside it.
type Codes struct {
	BadRequest          int // 40000: not JSON, an unknown member, a wrong type or media type
	MissingField        int // 40001: a required field is absent or empty
	InvalidField        int // 40002: too long, not an amount, not a URL
	UnsupportedCurrency int // 40003: not HKD
	UnsupportedMethod   int // 40004: unknown payment method, flow or wallet
	UnsupportedGrant    int // 40005: grant_type isn't client_credentials
	BadCredentials      int // 40100: wrong uid or client_secret
	Unauthorized        int // 40101: no bearer token, or one that isn't valid
	NotFound            int // 40400: no such order, refund or path
	DuplicateOrder      int // 40900: merchant_order_id was used
	DuplicateRefund     int // 40901: merchant_refund_id was used
	IDMismatch          int // 40902: the two ids name different orders
	NotPaid             int // 40903: a refund of an order that isn't paid
	RefundTooLarge      int // 40904: more than what is left of the payment
	RateLimited         int // 42900: the rate_limited fault
	Internal            int // 50000: the code fault's default; the state file can't be written
}

func (c Codes) withDefaults() Codes {
	return Codes{
		BadRequest:          cmp.Or(c.BadRequest, 40000),
		MissingField:        cmp.Or(c.MissingField, 40001),
		InvalidField:        cmp.Or(c.InvalidField, 40002),
		UnsupportedCurrency: cmp.Or(c.UnsupportedCurrency, 40003),
		UnsupportedMethod:   cmp.Or(c.UnsupportedMethod, 40004),
		UnsupportedGrant:    cmp.Or(c.UnsupportedGrant, 40005),
		BadCredentials:      cmp.Or(c.BadCredentials, 40100),
		Unauthorized:        cmp.Or(c.Unauthorized, 40101),
		NotFound:            cmp.Or(c.NotFound, 40400),
		DuplicateOrder:      cmp.Or(c.DuplicateOrder, 40900),
		DuplicateRefund:     cmp.Or(c.DuplicateRefund, 40901),
		IDMismatch:          cmp.Or(c.IDMismatch, 40902),
		NotPaid:             cmp.Or(c.NotPaid, 40903),
		RefundTooLarge:      cmp.Or(c.RefundTooLarge, 40904),
		RateLimited:         cmp.Or(c.RateLimited, 42900),
		Internal:            cmp.Or(c.Internal, 50000),
	}
}

func (o Options) withDefaults() Options {
	o.UID = cmp.Or(o.UID, DefaultUID)
	o.ClientSecret = cmp.Or(o.ClientSecret, DefaultClientSecret)
	o.WebhookKey = cmp.Or(o.WebhookKey, DefaultWebhookKey)
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.TokenLifetime = cmp.Or(o.TokenLifetime, time.Hour)
	o.OrderTimeout = cmp.Or(o.OrderTimeout, 24*time.Hour)
	o.AmountUnit = cmp.Or(o.AmountUnit, Major)
	o.DuplicateOrder = cmp.Or(o.DuplicateOrder, RejectDuplicate)
	o.LinkKey = cmp.Or(o.LinkKey, LinkURL)
	o.UnpaidPayTime = cmp.Or(o.UnpaidPayTime, PayTimeAbsent)
	o.RefundOutcome = cmp.Or(o.RefundOutcome, RefundSucceeds)
	o.RefundSettleAfter = cmp.Or(o.RefundSettleAfter, 2*time.Second)
	o.SpeedUp = cmp.Or(o.SpeedUp, 1)
	o.Codes = o.Codes.withDefaults()
	o.RefusalStatus = cmp.Or(o.RefusalStatus, http.StatusOK)
	o.AuthFailureStatus = cmp.Or(o.AuthFailureStatus, http.StatusUnauthorized)
	return o
}
