package stripe

import (
	"net/http"
	"testing"

	"github.com/paymux/paymux/providers/stripe/stripetest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/acquirer/transcript/transcripttest"
)

func TestTranscript(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	secrets := []string{stripetest.DefaultSecretKey, stripetest.DefaultWebhookSecret}
	c, err := readConfig(sdk.NewConfig("sandbox", []byte(`{"base_url":"`+server.URL+`","account_id":"`+stripetest.DefaultAccountID+
		`","mode":"test","secret_key":"`+secrets[0]+`","webhook_secrets":["`+secrets[1]+`"]}`)))
	if err != nil {
		t.Fatal(err)
	}
	create := createRequest(t)
	create.Money = money(t, "12.5", "HKD")
	transcripttest.Run(t, transcripttest.Case{
		Options: transcript.Options{Secrets: secrets, ShowIncoming: []string{"Stripe-Signature"}},
		Open: func(transport func(http.RoundTripper) http.RoundTripper) sdk.Provider {
			client := acquirer.NewClient(acquirer.Options{Transport: transport})
			t.Cleanup(client.Close)
			return &provider{config: c, client: client}
		},
		Create: create, Refund: create.Money,
		Listen: server.SetWebhookURL,
		Pay:    func() error { _, err := server.Pay(create.MerchantOrderID); return err },
	})
}
