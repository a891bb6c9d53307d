package alipayhk

import (
	"net/http"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/acquirer/transcript/transcripttest"
)

func TestTranscript(t *testing.T) {
	server := cbtistest.Start(t, cbtistest.Options{})
	secrets := []string{cbtistest.DefaultClientSecret, cbtistest.DefaultWebhookKey}
	c, err := readConfig(sdk.NewConfig("sandbox", []byte(`{"base_url":"`+server.URL+`","uid":"`+cbtistest.DefaultUID+
		`","client_secret":"`+secrets[0]+`","webhook_keys":["`+secrets[1]+`"]}`)))
	if err != nil {
		t.Fatal(err)
	}
	create := createRequest(t)
	create.ReturnURL = "https://shop.example/done"
	transcripttest.Run(t, transcripttest.Case{
		Options: transcript.Options{Secrets: secrets, ShowIncoming: []string{"Signature"}},
		Open: func(transport func(http.RoundTripper) http.RoundTripper) sdk.Provider {
			client := acquirer.NewClient(acquirer.Options{Transport: transport})
			t.Cleanup(client.Close)
			return newProvider(c, client, time.Now)
		},
		Create: create, Refund: create.Money,
		Pay: func() error { _, err := server.Pay(create.MerchantOrderID); return err },
	})
}
