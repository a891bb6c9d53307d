// Package airwallex is the adapter for the acquirer Airwallex, which takes
// payments from the AlipayHK wallet in HKD and the Alipay CN wallet in CNY.
//
// A payment is made in two steps, create and confirm, so there are two requests
// in one Create and two ways to lose an answer. What Airwallex doesn't document
// is configuration here or is reported as UNKNOWN; nothing is guessed.
// docs/providers/airwallex.md lists each fact with where it comes from.
//
// The files split by what they do: requests are built and answers are read by
// pure functions (create.go, intent.go, refund.go, notification.go), tables.go
// says what statuses and errors mean, and provider.go and auth.go put the
// network between them.
package airwallex

import (
	"context"
	_ "embed"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	name    = "airwallex"
	version = "1.0.0"
)

//go:embed schema.json
var configSchema string

// Plugin returns the plugin. All accounts that it opens share one HTTP client.
func Plugin() sdk.Plugin {
	client := acquirer.NewClient(acquirer.Options{Product: name + "/" + version})
	return sdk.Plugin{
		Info: sdk.Info{
			Name: name, Version: version, Acquirer: "Airwallex",
			DocsURL: "https://www.airwallex.com/docs",
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

// wallet is a method with what the acquirer calls it and the one currency that
// its documentation shows with it.
type wallet struct {
	method   sdk.Method
	word     string
	currency string
}

var wallets = []wallet{
	{sdk.AlipayHK, "alipayhk", "HKD"},
	{sdk.AlipayCN, "alipaycn", "CNY"},
}

// flow is one of our flows with the acquirer's word, which for app is the
// default of app_flow only, and what the payer may have to do.
type flow struct {
	flow    sdk.Flow
	word    string
	osType  bool // takes os_type
	actions []sdk.ActionType
}

var flows = []flow{
	{sdk.MobileWeb, "mobile_web", true, []sdk.ActionType{sdk.ActionRedirect}},
	{sdk.WebQR, "qrcode", false, []sdk.ActionType{sdk.ActionQRCode}},
	// Which of the two it is shows in the answer only.
	{sdk.App, "mobile_app", true, []sdk.ActionType{sdk.ActionAppLink, sdk.ActionRedirect}},
}

func capabilities() sdk.Capabilities {
	c := sdk.Capabilities{
		NotifyURL:        sdk.NotifyURLDashboard,
		NotificationAuth: sdk.NotificationSharedSecret,
		QueryKeys:        []sdk.QueryKey{sdk.QueryByAcquirerOrder, sdk.QueryByMerchantOrder},
		// The acquirer names no time in which its list must have an order.
		NotFoundSettling: 10 * time.Minute,
		// CreateRetry stays zero: there is a request_id, but neither how long it
		// counts nor what a repetition answers is documented.
	}
	for _, w := range wallets {
		for _, f := range flows {
			c.Rows = append(c.Rows, sdk.Capability{Method: w.method, Flow: f.flow, Currency: w.currency, Actions: f.actions})
		}
	}
	return c
}
