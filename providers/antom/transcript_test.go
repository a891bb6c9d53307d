package antom

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/antom/antomtest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/acquirer/transcript/transcripttest"
)

func TestTranscript(t *testing.T) {
	server := antomtest.Start(t, antomtest.Options{})
	credentials := server.Credentials()
	raw, err := json.Marshal(map[string]any{
		"base_url": server.URL, "client_id": credentials.ClientID,
		"private_key": credentials.PrivateKey, "antom_public_keys": []string{credentials.PublicKey},
		"codes": map[string][]string{"not_found": {"MADE_UP_NO_SUCH_ORDER"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := readConfig(sdk.NewConfig("sandbox", raw))
	if err != nil {
		t.Fatal(err)
	}
	create := createRequest(t)
	at := time.Now() // stands in each request, and must be the same at replay
	text := transcripttest.Run(t, transcripttest.Case{
		Options: transcript.Options{Secrets: []string{credentials.PrivateKey}, ShowIncoming: []string{"Signature"}},
		Open: func(transport func(http.RoundTripper) http.RoundTripper) sdk.Provider {
			client := acquirer.NewClient(acquirer.Options{Transport: transport})
			t.Cleanup(client.Close)
			return newProvider(c, client, func() time.Time { return at })
		},
		Create: create, Refund: create.Money,
		Pay: func() error { _, err := server.Pay(create.MerchantOrderID); return err },
	})
	if !strings.Contains(text, `"Signature":["[redacted]"]`) || !strings.Contains(text, `"Signature":["algorithm=`) {
		t.Errorf("our signatures are left out, the acquirer's are kept to be verified: %s", text)
	}
}
