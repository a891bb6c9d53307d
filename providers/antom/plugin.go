// Package antom is the adapter for the acquirer Antom (Alipay+), which takes
// payments from the AlipayHK and the Alipay CN wallet, online and in stores.
//
// Requests, answers and notifications are all signed with RSA; an answer that
// isn't signed by the acquirer decides nothing. What a result code means is
// configuration, and what is not documented is reported as UNKNOWN; nothing is
// guessed. docs/providers/antom.md lists each fact with where it comes from and
// what the adapter does about the gaps.
//
// The files split by what they do: requests are built and answers are read by
// pure functions (create.go, query.go, cancel.go, refund.go, notification.go,
// answer.go), tables.go holds what statuses and failures mean as data, sign.go
// the signatures, and provider.go puts the network between them.
package antom

import (
	"context"
	_ "embed"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	name    = "antom"
	version = "1.0.0"
)

//go:embed schema.json
var configSchema string

// Plugin returns the plugin. All accounts that it opens share one HTTP client.
func Plugin() sdk.Plugin {
	client := acquirer.NewClient(acquirer.Options{Product: name + "/" + version})
	return sdk.Plugin{
		Info: sdk.Info{
			Name: name, Version: version, Acquirer: "Antom",
			DocsURL: "https://docs.antom.com/",
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

func capabilities() sdk.Capabilities {
	c := sdk.Capabilities{
		NotifyURL:        sdk.NotifyURLPerPayment,
		NotificationAuth: sdk.NotificationPublicKey,
		QueryKeys:        []sdk.QueryKey{sdk.QueryByAcquirerOrder, sdk.QueryByMerchantOrder},
		// The acquirer names no time in which a query must find an order.
		NotFoundSettling: 10 * time.Minute,
		// CreateRetry stays zero: the same paymentRequestId has the same final
		// result, but for how long that holds is not documented.
	}
	for _, currency := range currencies {
		for _, flow := range flows {
			row := sdk.Capability{Method: currency.method, Flow: flow.flow, Currency: currency.code, Actions: flow.actions[currency.method]}
			if currency.least > 0 {
				row.Min, _ = sdk.FromMinor(currency.least, currency.code) // a test sees that each can be written
			}
			c.Rows = append(c.Rows, row)
		}
	}
	return c
}
