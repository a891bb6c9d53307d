package main

import (
	"encoding/json"

	"github.com/paymux/paymux/sdk"
)

// createBody is the request that starts a payment.
//
// Fact: its members, and that an amount is text in major units: "1.50".
type createBody struct {
	Reference   string `json:"reference"`
	Amount      string `json:"amount"`
	Currency    string `json:"currency"`
	Wallet      string `json:"wallet"`
	Channel     string `json:"channel"`
	Description string `json:"description"`
	ReturnURL   string `json:"return_url,omitempty"`
	NotifyURL   string `json:"notify_url,omitempty"`
}

// Fact: Acme's words for wallets and flows.
var (
	wallets  = map[sdk.Method]string{sdk.AlipayHK: "ALIPAY_HK", sdk.AlipayCN: "ALIPAY_CN"}
	channels = map[sdk.Flow]string{sdk.MobileWeb: "mobile", sdk.WebQR: "qr"}
)

// buildCreate refuses what Acme can't take, then writes the body. Nothing was
// sent when it fails, and InvalidField says so: the host may try elsewhere.
func buildCreate(req sdk.CreateRequest) ([]byte, error) {
	if _, err := capabilities().Supports(req.Method, req.Flow, req.Money); err != nil {
		return nil, err
	}
	if !sdk.ValidOrderID(req.MerchantOrderID) {
		return nil, sdk.InvalidField("merchant_order_id", "must be 1 to 32 of A-Z, a-z, 0-9, _ and -")
	}
	body, err := json.Marshal(createBody{
		Reference: req.MerchantOrderID,
		// Money is exact. Never let it be a float on its way: for minor units
		// there is req.Money.Minor().
		Amount:      req.Money.AmountString(),
		Currency:    req.Money.Currency(),
		Wallet:      wallets[req.Method],
		Channel:     channels[req.Flow],
		Description: req.Description,
		ReturnURL:   req.ReturnURL,
		NotifyURL:   req.NotifyURL,
	})
	if err != nil {
		return nil, sdk.NotSent(sdk.CodeUnspecified, "the request can't be written")
	}
	return body, nil
}
