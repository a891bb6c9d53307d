package stripe

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// intentData is the part of a PaymentIntent that matters to us.
type intentData struct {
	ID             acquirer.Text            `json:"id"`
	Object         acquirer.Text            `json:"object"`
	Livemode       *bool                    `json:"livemode"`
	Amount         acquirer.Text            `json:"amount"`
	AmountReceived acquirer.Text            `json:"amount_received"`
	Currency       acquirer.Text            `json:"currency"`
	Created        acquirer.Text            `json:"created"`
	Status         acquirer.Text            `json:"status"`
	Metadata       map[string]acquirer.Text `json:"metadata"`
	NextAction     jsontext.Value           `json:"next_action"`
	LastError      *paymentError            `json:"last_payment_error"`
}

type paymentError struct {
	Code acquirer.Text `json:"code"`
	Type acquirer.Text `json:"type"`
}

// statusRule is what one of the acquirer's statuses means.
type statusRule struct {
	raw       acquirer.Text
	afterFail bool // only with last_payment_error
	status    sdk.Status
	note      string
}

// statuses are all that the acquirer documents; the first that fits counts.
var statuses = []statusRule{
	{"requires_payment_method", true, sdk.StatusFailed, "the attempt failed; only a new confirmation could take money, and nobody else is given the means to confirm"},
	{"requires_payment_method", false, sdk.StatusPending, "never confirmed"},
	{"requires_confirmation", false, sdk.StatusPending, ""},
	{"requires_action", false, sdk.StatusPending, "the payer has to act"},
	{"processing", false, sdk.StatusPending, ""},
	{"requires_capture", false, sdk.StatusAuthorized, "should not occur: Alipay has no manual capture"},
	{"succeeded", false, sdk.StatusSucceeded, ""},
	{"canceled", false, sdk.StatusCancelled, ""},
}

// readStatus looks a status up. Unheard of is unknown.
func readStatus(data intentData) sdk.Status {
	for _, rule := range statuses {
		if rule.raw == data.Status && (!rule.afterFail || data.LastError != nil) {
			return rule.status
		}
	}
	return sdk.StatusUnknown
}

// readPayment reports a PaymentIntent in the acquirer's own words. Whether they
// are about our order is for the host to compare.
func (c config) readPayment(data intentData) sdk.Payment {
	payment := sdk.Payment{
		Order:     sdk.Order{MerchantOrderID: string(data.Metadata[orderMember]), AcquirerOrderID: string(data.ID)},
		Status:    readStatus(data),
		RawStatus: acquirer.Clip(string(data.Status)),
		CreatedAt: readTime(data.Created),
	}
	doubt := func(format string, args ...any) {
		payment.Status, payment.StatusReason = sdk.StatusUnknown, fmt.Sprintf(format, args...)
	}
	amount := data.Amount
	if payment.Status == sdk.StatusSucceeded && data.AmountReceived != "" {
		amount = data.AmountReceived // what counts is what was paid
	}
	money, err := parseAmount(amount, data.Currency)
	payment.Money = money
	switch {
	case data.Livemode == nil:
		doubt("the answer doesn't say whether it is about a live payment")
	case *data.Livemode != c.live():
		doubt("mismatch: the answer is not about a payment in %s mode", c.Mode)
	case err != nil && payment.Status == sdk.StatusSucceeded: // the host sees that it has no amount, and a person has to know of the money
		payment.StatusReason = unreadableAmount(amount, data.Currency)
	case err != nil:
		doubt("%s", unreadableAmount(amount, data.Currency))
	case payment.RawStatus == "":
		doubt("the acquirer names no status")
	case payment.Status == sdk.StatusUnknown:
		doubt("the acquirer's status %q is not documented", payment.RawStatus)
	case payment.Status == sdk.StatusFailed:
		payment.StatusReason = failReason(data.LastError)
	case payment.Status == sdk.StatusPending && data.Status == "requires_action":
		payment.NextActions, payment.StatusReason = readNextActions(data.NextAction)
	}
	return payment
}

// failReason gives the acquirer's code. Its message is left out: it could repeat
// what was sent.
func failReason(e *paymentError) string {
	for _, word := range []acquirer.Text{e.Code, e.Type} {
		if id := identifier(string(word)); id != "" {
			return "the acquirer says " + id
		}
	}
	return "the acquirer gives no reason"
}

func unreadableAmount(amount, currency acquirer.Text) string {
	return fmt.Sprintf("amount %q with currency %q can't be read", acquirer.Clip(string(amount)), acquirer.Clip(string(currency)))
}

// parseAmount reads an amount in the smallest part of its currency. Nothing said
// is the zero Money; half of it said is an error.
func parseAmount(amount, currency acquirer.Text) (sdk.Money, error) {
	if amount == "" && currency == "" {
		return sdk.Money{}, nil
	}
	if string(currency) != strings.ToLower(string(currency)) {
		return sdk.Money{}, sdk.Unknown(sdk.CodeAcquirerAnswerInvalid, "not a currency")
	}
	return sdk.ParseMinor(string(amount), strings.ToUpper(string(currency)))
}

// readTime reads seconds since 1970. What can't be read is left out: no time
// ever decides about a payment.
func readTime(text acquirer.Text) time.Time {
	const year9999 = 253402300799
	seconds, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || seconds <= 0 || seconds > year9999 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

// identifier keeps only what looks like an id or a code of the acquirer.
func identifier(s string) string {
	if len(s) > 64 {
		return ""
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return ""
		}
	}
	return s
}
