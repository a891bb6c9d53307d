package acquirers

import (
	"github.com/paymux/paymux/providers/airwallex/airwallextest"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/providers/antom/antomtest"
	"github.com/paymux/paymux/providers/stripe/stripetest"
)

// The codes below are the sandboxes' own inventions: CBTIS and Antom publish none.

func cbtis(url string) *Acquirer {
	o := cbtistest.Options{BaseURL: url, ClientSecret: secret(), WebhookKey: secret()}
	s := cbtistest.NewServer(o)
	return &Acquirer{
		Name: "cbtis", Plugin: "alipayhk", handler: s, close: s.Close, Idle: s.Idle,
		config: `base_url: ` + url + `
uid: "` + cbtistest.DefaultUID + `"
client_secret: "${file:secrets/cbtis-client-secret}"
webhook_keys: ["${file:secrets/cbtis-webhook-key}"]
codes: {refused: [40000, 40001, 40002, 40003, 40004], not_found: [40400]}
`,
		secrets: map[string]string{"cbtis-client-secret": o.ClientSecret, "cbtis-webhook-key": o.WebhookKey},
		Orders: func() (all []Order) {
			for _, o := range s.Orders() {
				all = append(all, Order{o.ID, o.MerchantOrderID, !o.PaidAt.IsZero()})
			}
			return all
		},
	}
}

func airwallex(url string) *Acquirer {
	o := airwallextest.Options{BaseURL: url, APIKey: secret(), WebhookSecret: secret()}
	s := airwallextest.NewServer(o)
	return &Acquirer{
		Name: "airwallex", Plugin: "airwallex", handler: s, close: s.Close, Idle: s.Idle,
		config: `base_url: ` + url + `
client_id: ` + airwallextest.DefaultClientID + `
api_key: "${file:secrets/airwallex-api-key}"
webhook_secrets: ["${file:secrets/airwallex-webhook-secret}"]
`,
		secrets: map[string]string{"airwallex-api-key": o.APIKey, "airwallex-webhook-secret": o.WebhookSecret},
		notify:  func(url string) { s.SetWebhook(url, o.WebhookSecret) },
		Orders: func() (all []Order) {
			for _, in := range s.Intents() {
				all = append(all, Order{in.ID, in.MerchantOrderID, !in.PaidAt.IsZero()})
			}
			return all
		},
	}
}

func antom(url string) *Acquirer {
	s := antomtest.New(antomtest.Options{BaseURL: url})
	keys := s.Credentials()
	return &Acquirer{
		Name: "antom", Plugin: "antom", handler: s, close: s.Close, Idle: s.Idle,
		config: `base_url: ` + url + `
client_id: ` + keys.ClientID + `
private_key: "${file:secrets/antom-private-key.pem}"
antom_public_keys: ["${file:secrets/antom-public-key.pem}"]
codes: {not_found: [MADE_UP_NO_SUCH_ORDER]}
`,
		secrets: map[string]string{"antom-private-key.pem": keys.PrivateKey, "antom-public-key.pem": keys.PublicKey},
		Orders: func() (all []Order) {
			for _, o := range s.Orders() {
				all = append(all, Order{o.PaymentID, o.PaymentRequestID, !o.PaidAt.IsZero()})
			}
			return all
		},
	}
}

func stripe(url string) *Acquirer {
	o := stripetest.Options{BaseURL: url, SecretKey: "sk_test_" + secret(), WebhookSecret: "whsec_" + secret()}
	s := stripetest.New(o)
	return &Acquirer{
		Name: "stripe", Plugin: "stripe", handler: s, close: s.Close, Idle: s.Idle,
		config: `base_url: ` + url + `
account_id: ` + stripetest.DefaultAccountID + `
mode: test
secret_key: "${file:secrets/stripe-key}"
webhook_secrets: ["${file:secrets/stripe-webhook-secret}"]
currencies: [HKD, CNY]
`,
		secrets: map[string]string{"stripe-key": o.SecretKey, "stripe-webhook-secret": o.WebhookSecret},
		notify:  s.SetWebhookURL,
		Orders: func() (all []Order) {
			for _, in := range s.Intents() {
				all = append(all, Order{in.ID, in.MerchantOrderID(), !in.PaidAt.IsZero()})
			}
			return all
		},
	}
}
