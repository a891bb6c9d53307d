package antom

import (
	"net/http"
	"slices"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// What is in this file is data: the code acts on it, and the tables of
// docs/providers/antom.md are generated from it.

// wallets are the acquirer's words for the methods.
var wallets = map[sdk.Method]string{sdk.AlipayHK: "ALIPAY_HK", sdk.AlipayCN: "ALIPAY_CN"}

// currencies are what each wallet is taken with. Which of them an account may
// use is in its contract, so the config can narrow them.
var currencies = []struct {
	method sdk.Method
	code   string
	least  int64 // in minor units; 0: not documented
}{
	{sdk.AlipayHK, "HKD", 1},
	{sdk.AlipayCN, "CNY", 10},
	{sdk.AlipayCN, "HKD", 0},
}

// flowRow is a flow in the acquirer's words, and what it lets the payer do.
type flowRow struct {
	flow     sdk.Flow
	product  string // productCode
	terminal string // env.terminalType; empty for the store's counter
	scenario string // paymentFactor.inStorePaymentScenario
	actions  map[sdk.Method][]sdk.ActionType
}

const inStoreProduct = "IN_STORE_PAYMENT"

var flows = []flowRow{
	{sdk.MobileWeb, "CASHIER_PAYMENT", "WAP", "", map[sdk.Method][]sdk.ActionType{
		sdk.AlipayHK: {sdk.ActionRedirect},
		sdk.AlipayCN: {sdk.ActionRedirect, sdk.ActionAppLink},
	}},
	{sdk.WebQR, "CASHIER_PAYMENT", "WEB", "", both(sdk.ActionRedirect)}, // the page shows the QR code
	{sdk.StoreQR, inStoreProduct, "", "OrderCode", both(sdk.ActionQRCode)},
	{sdk.App, "CASHIER_PAYMENT", "APP", "", both(sdk.ActionAppLink, sdk.ActionRedirect)},
}

func both(actions ...sdk.ActionType) map[sdk.Method][]sdk.ActionType {
	return map[sdk.Method][]sdk.ActionType{sdk.AlipayHK: actions, sdk.AlipayCN: actions}
}

func flowOf(flow sdk.Flow) flowRow {
	i := slices.IndexFunc(flows, func(f flowRow) bool { return f.flow == flow })
	if i < 0 {
		return flowRow{}
	}
	return flows[i]
}

// The values of result.resultStatus.
const (
	resultSuccess = "S"
	resultFailure = "F"
	resultUnknown = "U"
)

// payResults are the results of pay that say how the payment is. Code is empty
// where every code means the same.
var payResults = []struct {
	status, code string
	means        sdk.Status
}{
	{resultSuccess, "", sdk.StatusSucceeded},
	{resultUnknown, "PAYMENT_IN_PROCESS", sdk.StatusPending},
}

// payResult looks a result up; known is false if it says nothing of the payment.
func payResult(r result) (means sdk.Status, known bool) {
	for _, row := range payResults {
		if string(r.Status) == row.status && (row.code == "" || row.code == string(r.Code)) {
			return row.means, true
		}
	}
	return sdk.StatusUnknown, false
}

// paymentStatuses are all values of paymentStatus that the acquirer documents.
var paymentStatuses = []struct {
	word  acquirer.Text
	means sdk.Status
}{
	{"SUCCESS", sdk.StatusSucceeded},
	{"FAIL", sdk.StatusFailed},
	{"PROCESSING", sdk.StatusPending},
	{"PENDING", sdk.StatusPending},
	{"CANCELLED", sdk.StatusCancelled},
}

func paymentStatus(word acquirer.Text) sdk.Status {
	for _, row := range paymentStatuses {
		if row.word == word {
			return row.means
		}
	}
	return sdk.StatusUnknown
}

// refundStatuses are all values of refundStatus that the acquirer documents.
var refundStatuses = []struct {
	word  acquirer.Text
	means sdk.RefundStatus
}{
	{"SUCCESS", sdk.RefundSucceeded},
	{"FAIL", sdk.RefundFailed},
	{"PROCESSING", sdk.RefundPending},
}

func refundStatus(word acquirer.Text) sdk.RefundStatus {
	for _, row := range refundStatuses {
		if row.word == word {
			return row.means
		}
	}
	return sdk.RefundUnknown
}

// notifyTypes are the notifications that speak of a payment.
var notifyTypes = []acquirer.Text{"PAYMENT_RESULT", "PAYMENT_PENDING"}

// call is one of the acquirer's requests.
type call uint8

const (
	callPay call = iota
	callQuery
	callCancel
	callRefund
	callQueryRefund
)

var calls = [...]struct{ name, path string }{
	callPay:         {"pay", "/payments/pay"},
	callQuery:       {"inquiryPayment", "/payments/inquiryPayment"},
	callCancel:      {"cancel", "/payments/cancel"},
	callRefund:      {"refund", "/payments/refund"},
	callQueryRefund: {"inquiryRefund", "/payments/inquiryRefund"},
}

// errorRule says what an answer means that is no success. The first that fits
// counts.
type errorRule struct {
	when    string // for the docs
	calls   []call // none: all
	match   func(answer, codes) bool
	code    sdk.Code
	outcome sdk.Outcome
	text    string
}

var errorRules = []errorRule{
	{"HTTP 429", nil,
		func(a answer, _ codes) bool { return a.http.Status == http.StatusTooManyRequests },
		// No limit is documented, so neither is that nothing happened.
		sdk.CodeAcquirerRateLimited, sdk.OutcomeUnknown, "the acquirer asks to slow down (HTTP 429)"},
	{"HTTP 401 or 403, not signed", nil,
		func(a answer, _ codes) bool {
			return !a.signed && (a.http.Status == http.StatusUnauthorized || a.http.Status == http.StatusForbidden)
		},
		sdk.CodeCredentialsRefused, sdk.OutcomeUnknown, "the acquirer refuses the credentials, it seems: its answer isn't signed"},
	{"any other HTTP status but 2xx, not signed", nil,
		func(a answer, _ codes) bool { return !a.signed && !a.http.OK() },
		sdk.CodeAcquirerError, sdk.OutcomeUnknown, "an answer that isn't signed by the acquirer"},
	{"HTTP 2xx without a good signature", nil,
		func(a answer, _ codes) bool { return !a.signed },
		sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, "the answer isn't signed with any of antom_public_keys"},
	{"signed, but not readable", nil,
		func(a answer, _ codes) bool { return !a.readable },
		sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown, "the answer can't be read"},
	{"`F`, code in `codes.credentials`", nil,
		func(a answer, c codes) bool { return a.failedBy(c.Credentials) },
		sdk.CodeCredentialsRefused, sdk.OutcomeNotSent, "the acquirer refuses the credentials"},
	{"`F`, code in `codes.unsure`", []call{callPay},
		func(a answer, c codes) bool { return a.failedBy(c.Unsure) },
		sdk.CodeAcquirerError, sdk.OutcomeUnknown, "the acquirer failed the request, which doesn't say that no order exists"},
	{"`F`, any other code", []call{callPay},
		func(a answer, _ codes) bool { return a.failed() },
		sdk.CodeRefused, sdk.OutcomeRefused, "the acquirer refused the payment"},
	{"`F`, code in `codes.refused`", []call{callCancel, callRefund},
		func(a answer, c codes) bool { return a.failedBy(c.Refused) },
		sdk.CodeRefused, sdk.OutcomeRefused, "the acquirer refused the request"},
	{"`F`, code in `codes.not_found`", []call{callQuery},
		func(a answer, c codes) bool { return a.failedBy(c.NotFound) },
		sdk.CodeOrderNotFound, sdk.OutcomeUnknown, "the acquirer doesn't know the order"},
	{"`F`, any other code", []call{callQuery, callCancel, callRefund, callQueryRefund},
		func(a answer, _ codes) bool { return a.failed() },
		sdk.CodeAcquirerError, sdk.OutcomeUnknown, "the acquirer failed the request"},
	{"`U`, unless `pay` says `PAYMENT_IN_PROCESS`", nil,
		func(a answer, _ codes) bool { return a.result.Status == resultUnknown && !a.inProcess },
		sdk.CodeAcquirerError, sdk.OutcomeUnknown, "the acquirer doesn't know the result itself"},
	{"`S` or `U` with another HTTP status than 2xx", nil,
		func(a answer, _ codes) bool { return !a.http.OK() },
		sdk.CodeAcquirerError, sdk.OutcomeUnknown, "an answer whose HTTP status contradicts its result"},
}
