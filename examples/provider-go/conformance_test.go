package main

import (
	"encoding/json"
	"testing"

	"github.com/paymux/paymux/examples/provider-go/sandbox"
	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/plugin"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// Every rule of the contract, against the sandbox behind a network that fails.
func TestConformance(t *testing.T) {
	providertest.Run(t, providertest.Harness{Plugin: providertest.InProcess(newPlugin()), Start: start})
}

// The same, built and run as a host runs it: in a process of its own, over the wire.
func TestConformanceOfBinary(t *testing.T) {
	binary := conformance.Build(t, ".")
	providertest.Run(t, providertest.Harness{Plugin: binary, Start: start})
}

// What Serve would refuse at the start is found here.
func TestServe(t *testing.T) {
	if _, err := plugin.NewServer(newPlugin()); err != nil {
		t.Error(err)
	}
}

// start tells the kit how to work the sandbox.
func start(t *rules.T, _ providertest.Setup) providertest.Sandbox {
	s := sandbox.Start()
	t.Cleanup(s.Stop)
	const nextKey = "sandbox-notification-key-2"
	return providertest.Sandbox{
		URL: s.URL, Config: configWith(sandbox.NotificationKey), Op: sandbox.Op,
		Pay: s.Pay, GiveUp: s.GiveUp,
		Amount: func(id string) (amount, currency string, err error) {
			p := s.Payments(id)[0]
			return p.Amount, p.Currency, nil
		},
		Orders:    func(id string) int { return len(s.Payments(id)) },
		SetStatus: s.SetStatus,
		Statuses: map[string]sdk.Status{
			"open": sdk.StatusPending, "paid": sdk.StatusSucceeded, "cancelled": sdk.StatusCancelled, "expired": sdk.StatusExpired,
		},
		UnheardOf: "half_paid",
		Faults:    faults(s),
		Sign:      signer(sandbox.NotificationKey),
		Forge:     signer("not-the-acquirers-key"),
		Rotate: func() func(string) string {
			s.SetNotificationKey(nextKey)
			return configWith(nextKey, sandbox.NotificationKey)
		},
	}
}

// configWith writes an instance's config, given where the acquirer is.
func configWith(keys ...string) func(baseURL string) string {
	return func(baseURL string) string {
		text, _ := json.Marshal(map[string]any{
			"base_url": baseURL, "account": sandbox.Account, "api_key": sandbox.APIKey, "notification_keys": keys,
		})
		return string(text)
	}
}

func faults(s *sandbox.Server) map[providertest.Fault]func(providertest.Op) {
	all := map[providertest.Fault]func(providertest.Op){}
	for _, f := range []providertest.Fault{
		providertest.FaultRefused, providertest.FaultErrorCode, providertest.FaultWrongOrder,
		providertest.FaultWrongMerchantOrder, providertest.FaultWrongAmount, providertest.FaultWrongCurrency,
	} {
		all[f] = func(op providertest.Op) { s.Inject(op, f) }
	}
	return all
}

func signer(key string) func(sdk.HTTPRequest) sdk.HTTPRequest {
	return func(r sdk.HTTPRequest) sdk.HTTPRequest {
		r.Header["Acme-Signature"] = []string{sandbox.Sign(r.Body, key)}
		return r
	}
}
