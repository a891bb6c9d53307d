package main

import (
	"context"
	_ "embed"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	name    = "example" // as in the binary's name, paymux-provider-example
	version = "0.1.0"
)

//go:embed schema.json
var configSchema string

// newPlugin is all that the host can learn without asking Acme.
func newPlugin() sdk.Plugin {
	// All accounts share one client, and so its connections.
	client := acquirer.NewClient(acquirer.Options{Product: name + "/" + version})
	return sdk.Plugin{
		Info:         sdk.Info{Name: name, Version: version, Acquirer: "Acme"},
		ConfigSchema: configSchema,
		Capabilities: capabilities(),
		// Open uses no network: a host has to start while Acme is down.
		Open: func(_ context.Context, from sdk.Config) (sdk.Provider, error) {
			c, err := readConfig(from)
			if err != nil {
				return nil, err
			}
			return &provider{config: c, client: client}, nil
		},
	}
}

// capabilities are for routing: the host sends nothing that isn't here.
func capabilities() sdk.Capabilities {
	c := sdk.Capabilities{
		// Fact: each payment carries the address for its notifications.
		NotifyURL: sdk.NotifyURLPerPayment,
		// Fact: notifications are signed with a key that both sides know.
		NotificationAuth: sdk.NotificationSharedSecret,
		// Fact: a payment is found by Acme's id and by ours.
		QueryKeys: []sdk.QueryKey{sdk.QueryByAcquirerOrder, sdk.QueryByMerchantOrder},
		// Fact: a payment is found at once. Where nothing is promised, be generous:
		// after this time "not found" is taken to mean that there is no payment.
		NotFoundSettling: 2 * time.Minute,
		// Fact: the same Idempotency-Key has its effect once, for 24 hours. Where that
		// isn't promised leave this out, or a lost answer may end in two orders.
		CreateRetry: sdk.CreateRetry{Native: true, Window: 24 * time.Hour},
	}
	// Fact: both wallets, in HKD, from 1.00 to 50,000.00.
	least, _ := sdk.FromMinor(1_00, "HKD")
	most, _ := sdk.FromMinor(50_000_00, "HKD")
	for _, method := range []sdk.Method{sdk.AlipayHK, sdk.AlipayCN} {
		row := sdk.Capability{Method: method, Currency: "HKD", Min: least, Max: most}
		// Fact: phones get a link, other screens a QR code.
		row.Flow, row.Actions = sdk.MobileWeb, []sdk.ActionType{sdk.ActionRedirect}
		c.Rows = append(c.Rows, row)
		row.Flow, row.Actions = sdk.WebQR, []sdk.ActionType{sdk.ActionQRCode}
		c.Rows = append(c.Rows, row)
	}
	return c
}
