package providertest

import (
	"context"
	"errors"
	"net/http"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// Harness is what the kit needs to know of a provider. Plugin and Start are
// needed, and of the [Sandbox] URL, Config, Op and Pay. Whatever else is left
// nil is not checked, and the log says so.
type Harness struct {
	Plugin Plugin
	// Start starts a sandbox of the acquirer for one case, to be closed by
	// t.Cleanup. One that serves all cases will do too: ids are never used twice.
	Start func(t *rules.T, s Setup) Sandbox
	// Method and Flow choose the capability that most cases use, where not the
	// first is wanted.
	Method sdk.Method
	Flow   sdk.Flow
	// Only chooses cases by their id; nil: all.
	Only func(id string) bool
}

// Plugin gives a provider for a config: an [sdk.Plugin] in this process, see
// [InProcess], or a built binary behind the wire protocol.
type Plugin interface {
	Describe(ctx context.Context) (Description, error)
	// Open opens an instance. config is a JSON object.
	Open(ctx context.Context, name string, config []byte) (sdk.Provider, error)
	// CaptureLog returns what is logged and printed until stop is called.
	CaptureLog() (stop func() string)
}

// Description is what a plugin says of itself.
type Description struct {
	Info         sdk.Info
	ConfigSchema string
	Capabilities sdk.Capabilities
}

// Setup is what a sandbox is told when it starts.
type Setup struct {
	// NotifyURL is where notifications go that no payment gives an address for.
	NotifyURL string
}

// Op is a kind of request that a provider sends to its acquirer.
type Op string

// The kinds. Whatever is none of them is of no kind: "".
const (
	OpAuthorize   Op = "authorize"
	OpCreate      Op = "create"
	OpQuery       Op = "query"
	OpCancel      Op = "cancel"
	OpRefund      Op = "refund"
	OpQueryRefund Op = "query_refund"
)

// Fault is something that only the acquirer itself can do wrong, since it takes
// its words or its signature. What a network can do the kit does by itself.
type Fault string

// The faults. Each strikes one request: the first two a create, and a refund where
// the provider has Refund; the others a create or a query.
const (
	// FaultRefused: the documented answer that means no, finally, by an error or by
	// a status; nothing is done. The provider may read it as either.
	FaultRefused Fault = "refused"
	// FaultErrorCode: an error whose meaning is not documented; nothing is done.
	FaultErrorCode Fault = "error_code"
	// The answer names something else than what it is about.
	FaultWrongOrder         Fault = "wrong_order" // the acquirer's id
	FaultWrongMerchantOrder Fault = "wrong_merchant_order"
	FaultWrongAmount        Fault = "wrong_amount"
	FaultWrongCurrency      Fault = "wrong_currency"
)

// ErrUnpayable says that the acquirer has an order which nobody can pay yet: where
// Create takes more than one request, the first may be all that came.
var ErrUnpayable = errors.New("the order is there, but nobody can pay it yet")

// Sandbox is one running sandbox, and what can be done at it. Ids are those of
// the merchant.
type Sandbox struct {
	URL string // where the API is; the kit puts a proxy in front of it
	// Config returns the JSON config of an instance whose acquirer is at baseURL.
	Config func(baseURL string) string
	// Op says what a request to the API is. It may read the body.
	Op func(r *http.Request) Op

	// Pay pays as the payer does in the wallet. [ErrUnpayable] is its error for an
	// order that only waits for another request of Create.
	Pay func(orderID string) error
	// Silent: the sandbox can't send notifications to [Setup] or a payment's notify_url.
	Silent bool
	// GiveUp is the payer who presses cancel.
	GiveUp func(orderID string) error
	// Amount is what the sandbox was asked for, read from its own record and
	// written as people do: "12.50", "HKD".
	Amount func(orderID string) (amount, currency string, err error)
	// Orders counts the orders that the sandbox has under one id.
	Orders func(orderID string) int
	// Refunds counts the refunds of an order that the sandbox has made.
	Refunds func(orderID string) int

	// SetStatus gives an order a raw status, Statuses says what that must be read
	// as, and UnheardOf is a raw status that nobody has documented.
	SetStatus func(orderID, raw string) error
	Statuses  map[string]sdk.Status
	UnheardOf string

	// SetRefundStatus gives a refund a raw status, RefundStatuses says what that must
	// be read as. UnheardOf is one of a refund too.
	SetRefundStatus func(refundID, raw string) error
	RefundStatuses  map[string]sdk.RefundStatus

	// Faults are those that the sandbox can make.
	Faults map[Fault]func(Op)

	// Sign signs a notification anew after the kit has changed it, and Forge does
	// it with a key that is not the acquirer's.
	Sign  func(sdk.HTTPRequest) sdk.HTTPRequest
	Forge func(sdk.HTTPRequest) sdk.HTTPRequest
	// Rotate has the acquirer sign with a new key, and returns a Config that
	// lists the new key and the old.
	Rotate func() (config func(baseURL string) string)

	recorded *sdk.CreateRequest // the only payment, see Recording
}
