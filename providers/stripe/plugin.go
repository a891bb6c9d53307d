// Package stripe is the adapter for the acquirer Stripe, which takes payments
// from the Alipay CN wallet. It has no AlipayHK.
//
// docs/providers/stripe.md lists each fact with where it comes from and what the
// adapter does about the gaps. What is not documented is configuration here, or
// is reported as UNKNOWN; nothing is guessed.
//
// The files split by what they do: requests are built and answers are read by
// pure functions (create.go, query.go, refund.go, payment.go, errors.go,
// notification.go), and provider.go puts the network between them. What the
// acquirer's words mean is in tables, from which the documentation is made.
package stripe

import (
	"context"
	_ "embed"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	name    = "stripe"
	version = "1.0.0"
)

//go:embed schema.json
var configSchema string

// Plugin returns the plugin. All accounts that it opens share one HTTP client.
func Plugin() sdk.Plugin {
	client := acquirer.NewClient(acquirer.Options{Product: name + "/" + version})
	return sdk.Plugin{
		Info: sdk.Info{
			Name: name, Version: version, Acquirer: "Stripe",
			DocsURL: "https://docs.stripe.com/payments/alipay",
		},
		ConfigSchema: configSchema,
		Capabilities: capabilities(),
		Open: func(_ context.Context, config sdk.Config) (sdk.Provider, error) {
			settings, err := readConfig(config)
			if err != nil {
				return nil, err
			}
			return &provider{config: settings, client: client}, nil
		},
	}
}

// currencies are all in which Alipay can be presented; which of them an account
// takes depends on its country, and is narrowed by its config.
var currencies = []string{"CNY", "AUD", "CAD", "EUR", "GBP", "HKD", "JPY", "SGD", "MYR", "NZD", "USD"}

// largestAmount has eight digits, the most that the acquirer takes. Its least
// amount is published exactly for USD alone.
const (
	largestAmount  = 99_999_999
	smallestAmount = 50 // US cents
)

// flows has what the acquirer's one request gives the payer. Its page shows the
// QR code by itself on a desktop. There is no flow for a shop's counter.
var flows = []struct {
	flow    sdk.Flow
	actions []sdk.ActionType
}{
	{sdk.MobileWeb, []sdk.ActionType{sdk.ActionRedirect}},
	{sdk.WebQR, []sdk.ActionType{sdk.ActionRedirect}},
	{sdk.App, []sdk.ActionType{sdk.ActionAppLink, sdk.ActionSDK, sdk.ActionRedirect}},
}

// keyWindow is how long the acquirer keeps an Idempotency-Key at least.
const keyWindow = 24 * time.Hour

func capabilities() sdk.Capabilities {
	c := sdk.Capabilities{
		NotifyURL:        sdk.NotifyURLDashboard,
		NotificationAuth: sdk.NotificationSharedSecret,
		QueryKeys:        []sdk.QueryKey{sdk.QueryByAcquirerOrder, sdk.QueryByMerchantOrder},
		// The search by our id can be an hour behind (documented), perhaps more.
		// A day costs nothing: until then a lost Create is sent again.
		NotFoundSettling: keyWindow,
		CreateRetry:      sdk.CreateRetry{Native: true, Window: keyWindow},
	}
	for _, f := range flows {
		for _, currency := range currencies {
			row := sdk.Capability{Method: sdk.AlipayCN, Flow: f.flow, Currency: currency, Actions: f.actions}
			row.Max, _ = sdk.FromMinor(largestAmount, currency) // both are constants that a test reads
			if currency == "USD" {
				row.Min, _ = sdk.FromMinor(smallestAmount, currency)
			}
			c.Rows = append(c.Rows, row)
		}
	}
	return c
}
