package main

import (
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// paymentAnswer is what Acme says of a payment.
//
// Fact: its members. acquirer.Text takes a string or a number to the digit, and
// reads anything else as nothing said.
type paymentAnswer struct {
	ID        acquirer.Text `json:"id"`
	Reference acquirer.Text `json:"reference"`
	Amount    acquirer.Text `json:"amount"`
	Currency  acquirer.Text `json:"currency"`
	Status    acquirer.Text `json:"status"`
	PayURL    acquirer.Text `json:"pay_url"`
	QRCode    acquirer.Text `json:"qr_code"`
	CreatedAt acquirer.Text `json:"created_at"`
	PaidAt    acquirer.Text `json:"paid_at"`
}

// statuses are all that Acme documents. Any other word is the zero value,
// StatusUnknown: the host keeps asking, nothing is lost and nothing made up.
//
// Fact: the words. An end is only what can no longer take money: what is being
// looked at by somebody is pending.
var statuses = map[acquirer.Text]sdk.Status{
	"open":      sdk.StatusPending,
	"paid":      sdk.StatusSucceeded,
	"cancelled": sdk.StatusCancelled,
	"expired":   sdk.StatusExpired,
}

// readPayment reads the answer to a request about the order want. Ids, money and
// status are Acme's own words, never copied from want nor fitted to it: the host
// compares them, believes nothing of another order and lets a person look.
func readPayment(resp acquirer.Response, c call, want sdk.Order) (sdk.Payment, error) {
	var a paymentAnswer
	if err := readAnswer(resp, c, &a); err != nil {
		return sdk.Payment{}, err
	}
	money, err := sdk.ParseMoney(string(a.Amount), string(a.Currency))
	if err != nil {
		// Unknown, never NotSent: there is an order. Of what amount a person has to see.
		return sdk.Payment{}, sdk.Unknown(sdk.CodeMismatch, "the amount in the answer can't be read")
	}
	p := sdk.Payment{
		Order:     sdk.Order{MerchantOrderID: string(a.Reference), AcquirerOrderID: string(a.ID), Money: money},
		Status:    statuses[a.Status],
		RawStatus: clip(string(a.Status)),
		CreatedAt: readTime(a.CreatedAt), PaidAt: readTime(a.PaidAt),
		RequestID: requestID(resp),
	}
	if p.Status == sdk.StatusPending && len(p.Differences(want)) == 0 { // else another order's link would reach our payer
		p.NextActions = readActions(a)
	}
	return p, nil
}

// readActions says what the payer does next. A link that no browser can open is
// left out: better nothing than somewhere wrong.
func readActions(a paymentAnswer) []sdk.NextAction {
	var all []sdk.NextAction
	if acquirer.QRText(string(a.QRCode)) {
		all = append(all, sdk.NextAction{Type: sdk.ActionQRCode, QRCode: string(a.QRCode)})
	}
	if acquirer.WebLink(string(a.PayURL)) {
		all = append(all, sdk.NextAction{Type: sdk.ActionRedirect, URL: string(a.PayURL)})
	}
	return all
}

// readTime leaves out what can't be read: no time ever decides about a payment.
func readTime(text acquirer.Text) time.Time {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return time.Time{}
	}
	return t
}
