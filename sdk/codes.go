package sdk

// Code says what went wrong. The numbers are stored, sent and counted in
// metrics: append only, never renumber.
type Code uint16

// The codes. 1xx: the merchant's request; 2xx: the acquirer; 3xx: the plugin or
// its configuration; 4xx: the host. The table in this file has the rest.
const (
	CodeUnspecified Code = 0

	CodeInvalidRequest       Code = 100
	CodeUnauthenticated      Code = 101
	CodeNotFound             Code = 102
	CodeConflict             Code = 103
	CodeIdempotencyMismatch  Code = 104
	CodeInProgress           Code = 105
	CodeNoRoute              Code = 106
	CodeUnsupported          Code = 107
	CodeInvalidState         Code = 108
	CodeBodyTooLarge         Code = 109
	CodeUnsupportedMediaType Code = 110
	CodeMethodNotAllowed     Code = 111
	CodeSignatureInvalid     Code = 112
	CodeRefundTooLarge       Code = 113

	CodeRefused               Code = 200
	CodeOrderNotFound         Code = 201
	CodeAcquirerUnavailable   Code = 202
	CodeAcquirerTimeout       Code = 203
	CodeAcquirerRateLimited   Code = 204
	CodeAcquirerError         Code = 205
	CodeAcquirerAnswerInvalid Code = 206
	CodeMismatch              Code = 207

	CodeCredentialsRefused  Code = 300
	CodePluginUnavailable   Code = 301
	CodePluginTimeout       Code = 302
	CodePluginAnswerInvalid Code = 303
	CodePluginPanic         Code = 304
	CodeNotConfigured       Code = 305
	CodeInvalidConfig       Code = 306
	CodeUnimplemented       Code = 307

	CodeInternal         Code = 400
	CodeStoreUnavailable Code = 401
	CodeShuttingDown     Code = 402
	CodeNeverSent        Code = 403
	CodeCreateLost       Code = 404
)

// Blame says on whose side a fault lies: who has to act.
type Blame string

// The sides.
const (
	BlameMerchant Blame = "merchant" // the caller of the API
	BlameAcquirer Blame = "acquirer" // the remote company
	BlamePlugin   Blame = "plugin"   // the adapter or its configuration
	BlameHost     Blame = "host"     // paymux or the machine it runs on
)

// CodeInfo describes a code. One table drives HTTP problems, metrics and docs.
type CodeInfo struct {
	Code   Code
	Name   string // stable, SCREAMING_SNAKE_CASE
	Blame  Blame
	HTTP   int    // the status when a request ends with this error
	Title  string // what it means
	Remedy string // what to do
}

var codeTable = []CodeInfo{
	{CodeUnspecified, "UNSPECIFIED", BlamePlugin, 502, "The plugin failed without saying how", "Look at the plugin's log; the payment is asked about until it is known."},

	{CodeInvalidRequest, "INVALID_REQUEST", BlameMerchant, 400, "A field of the request breaks a rule", "Mend the field that is named; nothing was recorded."},
	{CodeUnauthenticated, "UNAUTHENTICATED", BlameMerchant, 401, "The API key is missing or unknown", "Send Authorization: Bearer with a key from api_keys."},
	{CodeNotFound, "NOT_FOUND", BlameMerchant, 404, "There is no such thing for this merchant", "Check the id; another merchant's payments are not visible."},
	{CodeConflict, "CONFLICT", BlameMerchant, 409, "The merchant_order_id names another attempt", "Use a new merchant_order_id for each attempt."},
	{CodeIdempotencyMismatch, "IDEMPOTENCY_MISMATCH", BlameMerchant, 422, "The Idempotency-Key was used with another body", "Use a new key for a new request."},
	{CodeInProgress, "IN_PROGRESS", BlameMerchant, 409, "The first request with this key is still running", "Wait and read the payment."},
	{CodeNoRoute, "NO_ROUTE", BlameMerchant, 422, "No provider takes this payment", "Read the reasons in detail; adapt the request or the config."},
	{CodeUnsupported, "UNSUPPORTED", BlameMerchant, 422, "The provider can't do this", "See the provider's capabilities at /v1/providers."},
	{CodeInvalidState, "INVALID_STATE", BlameMerchant, 409, "The payment's state doesn't allow this", "Read the payment first."},
	{CodeBodyTooLarge, "BODY_TOO_LARGE", BlameMerchant, 413, "The body is larger than allowed", "Send less."},
	{CodeUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", BlameMerchant, 415, "The body is not application/json", "Send Content-Type: application/json."},
	{CodeMethodNotAllowed, "METHOD_NOT_ALLOWED", BlameMerchant, 405, "The path exists, the method doesn't", "See /openapi.json."},
	{CodeSignatureInvalid, "SIGNATURE_INVALID", BlameAcquirer, 401, "The notification isn't signed by the acquirer", "If it is real: check the provider's notification keys."},
	{CodeRefundTooLarge, "REFUND_TOO_LARGE", BlameMerchant, 422, "More would go back than was paid", "Refund at most what is left; see the payment's refunds."},

	{CodeRefused, "REFUSED", BlameAcquirer, 402, "The acquirer said no, finally", "Let the payer try again with a new merchant_order_id."},
	{CodeOrderNotFound, "ORDER_NOT_FOUND", BlameAcquirer, 404, "The acquirer doesn't know the order", "None: the host decides after the settling time."},
	{CodeAcquirerUnavailable, "ACQUIRER_UNAVAILABLE", BlameAcquirer, 503, "The acquirer can't be reached", "Try again later."},
	{CodeAcquirerTimeout, "ACQUIRER_TIMEOUT", BlameAcquirer, 504, "The acquirer didn't answer in time", "None: the host asks until it is known."},
	{CodeAcquirerRateLimited, "ACQUIRER_RATE_LIMITED", BlameAcquirer, 503, "The acquirer asks to slow down", "Try again after Retry-After."},
	{CodeAcquirerError, "ACQUIRER_ERROR", BlameAcquirer, 502, "The acquirer answered with an error", "See the acquirer's code; the host asks until it is known."},
	{CodeAcquirerAnswerInvalid, "ACQUIRER_ANSWER_INVALID", BlameAcquirer, 502, "The acquirer's answer can't be read", "None: the host asks until it is known."},
	{CodeMismatch, "MISMATCH", BlameAcquirer, 502, "The acquirer's answer is about another order or amount", "Review the payment by hand with the evidence in review."},

	{CodeCredentialsRefused, "CREDENTIALS_REFUSED", BlamePlugin, 503, "The acquirer refuses the account's credentials", "Check the provider's config; paymux config check --online shows it."},
	{CodePluginUnavailable, "PLUGIN_UNAVAILABLE", BlamePlugin, 503, "The plugin's process isn't running", "Look at its last exit at /v1/providers and in the log."},
	{CodePluginTimeout, "PLUGIN_TIMEOUT", BlamePlugin, 504, "The plugin didn't answer in time", "None: the host asks until it is known."},
	{CodePluginAnswerInvalid, "PLUGIN_ANSWER_INVALID", BlamePlugin, 502, "The plugin's answer breaks the contract", "Report it to the plugin's author."},
	{CodePluginPanic, "PLUGIN_PANIC", BlamePlugin, 502, "The plugin's code panicked in this call", "Report it to the plugin's author."},
	{CodeNotConfigured, "NOT_CONFIGURED", BlamePlugin, 503, "The process doesn't hold this instance", "None: the host configures it and repeats."},
	{CodeInvalidConfig, "INVALID_CONFIG", BlamePlugin, 503, "The provider's config breaks a rule", "Mend the field that is named."},
	{CodeUnimplemented, "UNIMPLEMENTED", BlamePlugin, 422, "The plugin doesn't have this ability", "See the provider's capabilities at /v1/providers."},

	{CodeInternal, "INTERNAL", BlameHost, 500, "paymux failed", "Look at the log and report it."},
	{CodeStoreUnavailable, "STORE_UNAVAILABLE", BlameHost, 503, "The store can't be written", "Check the disk or the database; nothing was sent."},
	{CodeShuttingDown, "SHUTTING_DOWN", BlameHost, 503, "paymux is stopping", "Try again after Retry-After."},
	{CodeNeverSent, "NEVER_SENT", BlameHost, 402, "No provider could be reached for 24 hours", "Start a new attempt."},
	{CodeCreateLost, "CREATE_LOST", BlameHost, 402, "The order never reached the acquirer", "Start a new attempt."},
}

// Codes returns the description of every code, in order of their numbers.
func Codes() []CodeInfo { return append([]CodeInfo(nil), codeTable...) }

// Info describes the code; a number unheard of is described as CodeUnspecified.
func (c Code) Info() CodeInfo {
	for _, info := range codeTable {
		if info.Code == c {
			return info
		}
	}
	return codeTable[0]
}

// Name returns the code's stable name.
func (c Code) Name() string { return c.Info().Name }

// Known reports whether this version has heard of the code.
func (c Code) Known() bool { return c.Info().Code == c }
