package alipayhk

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/acquirer/transcript/transcripttest"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
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
	text := transcripttest.Run(t, transcripttest.Case{
		Options: transcript.Options{Secrets: secrets, ShowIncoming: []string{"Signature"}},
		Open: func(transport func(http.RoundTripper) http.RoundTripper) sdk.Provider {
			client := acquirer.NewClient(acquirer.Options{Transport: transport})
			t.Cleanup(client.Close)
			return newProvider(c, client, time.Now)
		},
		Create: create, Refund: create.Money,
		Pay: func() error { _, err := server.Pay(create.MerchantOrderID); return err },
	})

	t.Run("conformance", func(t *testing.T) { checkRecording(t, text, create) })
}

// What was recorded is enough for the cases that need one payment.
func checkRecording(t *testing.T, text string, create sdk.CreateRequest) {
	entries, err := transcript.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	recording := providertest.Recording{
		Entries: entries, Payment: create,
		Config: func(base string) string {
			return `{"base_url":"` + base + `","uid":"1","client_secret":"a-secret","webhook_keys":["a-key-of-the-webhook"]}`
		},
		Op: func(r *http.Request) providertest.Op {
			return map[string]providertest.Op{
				"/mch-api/v1/auth": providertest.OpAuthorize, "/mch-api/v1/pa/payment_intents/create": providertest.OpCreate,
				"/mch-api/v1/pa/payment_intents/query": providertest.OpQuery,
			}[r.URL.Path]
		},
	}
	results, err := providertest.Check(t.Context(), providertest.Harness{Plugin: providertest.InProcess(Plugin()), Start: recording.Start}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		t.Logf("%s %s %v", r.Verdict, r.ID, r.Details)
		if r.Verdict == rules.Fail {
			t.Errorf("%s: %q", r.ID, r.Details)
		}
	}
	if tally := rules.Count(results); tally.Passed < 30 {
		t.Error(tally)
	}
}
