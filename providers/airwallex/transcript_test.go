package airwallex

import (
	"net/http"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/acquirer/transcript/transcripttest"
)

func TestTranscript(t *testing.T) {
	server := airwallextest.Start(t, airwallextest.Options{RefundSettleAfter: -1})
	secrets := []string{airwallextest.DefaultAPIKey, airwallextest.DefaultWebhookSecret}
	c, err := readConfig(sdk.NewConfig("sandbox", []byte(`{"base_url":"`+server.URL+`","client_id":"`+airwallextest.DefaultClientID+
		`","api_key":"`+secrets[0]+`","webhook_secrets":["`+secrets[1]+`"]}`)))
	if err != nil {
		t.Fatal(err)
	}
	create := createRequest(t)
	transcripttest.Run(t, transcripttest.Case{
		Options: transcript.Options{Secrets: secrets},
		Open: func(transport func(http.RoundTripper) http.RoundTripper) sdk.Provider {
			client := acquirer.NewClient(acquirer.Options{Transport: transport})
			t.Cleanup(client.Close)
			return newProvider(c, client, time.Now)
		},
		Create: create, Refund: create.Money,
		Listen: func(url string) { server.SetWebhook(url, secrets[1]) },
		Pay:    func() error { _, err := server.Pay(create.MerchantOrderID); return err },
		Sign: func(note *sdk.HTTPRequest) {
			note.Header["X-Signature"] = []string{airwallextest.Sign(note.Get("X-Timestamp"), note.Body, secrets[1])}
		},
	})
}
