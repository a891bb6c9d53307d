// Package alipayhk is the adapter for the acquirer CBTIS, which takes payments
// from the AlipayHK and the Alipay CN wallet in HKD.
//
// CBTIS documents little: no error codes, no limits, no idempotency, no answer
// to a repeated order id. What is not documented is configuration here, or is
// reported as UNKNOWN; nothing is guessed. docs/providers/alipayhk.md lists each
// fact with where it comes from and what the adapter does about the gaps.
//
// The files split by what they do: requests are built and answers are read by
// pure functions (create.go, query.go, refund.go, notification.go,
// envelope.go), and provider.go and auth.go put the network between them.
package alipayhk

import (
	"context"
	_ "embed"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	name    = "alipayhk"
	version = "1.0.0"

	currency = "HKD" // the only one of these wallets
)

//go:embed schema.json
var configSchema string

// Plugin returns the plugin. All accounts that it opens share one HTTP client.
func Plugin() sdk.Plugin {
	client := acquirer.NewClient(acquirer.Options{Product: name + "/" + version})
	return sdk.Plugin{
		Info: sdk.Info{
			Name: name, Version: version, Acquirer: "CBTIS",
			DocsURL: "https://docs.globalcbtis.com/docs/payments/payment_method/alipayhk/payment_with_h5",
		},
		ConfigSchema: configSchema,
		Capabilities: capabilities(),
		Open: func(_ context.Context, config sdk.Config) (sdk.Provider, error) {
			settings, err := readConfig(config)
			if err != nil {
				return nil, err
			}
			return newProvider(settings, client, time.Now), nil
		},
	}
}

// wallets and flows are the acquirer's words for ours.
var (
	wallets = map[sdk.Method]string{sdk.AlipayHK: "ALIPAYHK", sdk.AlipayCN: "ALIPAYCN"}
	flows   = map[sdk.Flow]string{sdk.MobileWeb: "mobile_web", sdk.WebQR: "web_qrcode", sdk.StoreQR: "csb_qrcode"}
)

func capabilities() sdk.Capabilities {
	actions := []struct {
		flow  sdk.Flow
		types []sdk.ActionType
	}{
		{sdk.MobileWeb, []sdk.ActionType{sdk.ActionRedirect}},
		// The answer of this flow is not published: be ready for both.
		{sdk.WebQR, []sdk.ActionType{sdk.ActionQRCode, sdk.ActionRedirect}},
		{sdk.StoreQR, []sdk.ActionType{sdk.ActionQRCode}},
	}
	c := sdk.Capabilities{
		NotifyURL:        sdk.NotifyURLPerPayment,
		NotificationAuth: sdk.NotificationSharedSecret,
		QueryKeys:        []sdk.QueryKey{sdk.QueryByAcquirerOrder, sdk.QueryByMerchantOrder},
		// The acquirer names no time in which a query must find an order.
		NotFoundSettling: 10 * time.Minute,
		// CreateRetry stays zero: what a repeated merchant_order_id does is unknown.
	}
	for _, method := range []sdk.Method{sdk.AlipayHK, sdk.AlipayCN} {
		for _, a := range actions {
			c.Rows = append(c.Rows, sdk.Capability{Method: method, Flow: a.flow, Currency: currency, Actions: a.types})
		}
	}
	return c
}
