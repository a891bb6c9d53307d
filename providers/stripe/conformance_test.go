package stripe_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/providers/stripe"
	"github.com/paymux/paymux/providers/stripe/stripetest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

func TestConformance(t *testing.T) {
	providertest.Run(t, providertest.Harness{Plugin: providertest.InProcess(stripe.Plugin()), Start: startSandbox})
}

// The same cases, with the process supervisor and the wire between.
func TestConformanceOfBinary(t *testing.T) {
	plugin := conformance.Build(t, "./cmd/paymux-provider-stripe")
	providertest.Run(t, providertest.Harness{Plugin: plugin, Start: startSandbox})
}

// opOf goes by method and path. The key is proved by a look at the account.
func opOf(r *http.Request) providertest.Op {
	post := r.Method == http.MethodPost
	switch path := strings.TrimPrefix(r.URL.Path, "/v1/"); {
	case path == "account":
		return providertest.OpAuthorize
	case path == "payment_intents" && post:
		return providertest.OpCreate
	case strings.HasSuffix(path, "/cancel") && post:
		return providertest.OpCancel
	case path == "refunds" && post:
		return providertest.OpRefund
	case strings.HasPrefix(path, "refunds"):
		return providertest.OpQueryRefund
	case strings.HasPrefix(path, "payment_intents/"):
		return providertest.OpQuery
	}
	return ""
}

func startSandbox(t *rules.T, s providertest.Setup) providertest.Sandbox {
	server := stripetest.Start(t, stripetest.Options{WebhookURL: s.NotifyURL})
	config := func(secrets ...string) func(string) string {
		return func(base string) string {
			return fmt.Sprintf(`{"base_url":%q,"account_id":%q,"mode":"test","secret_key":%q,"webhook_secrets":["%s"]}`,
				base, stripetest.DefaultAccountID, stripetest.DefaultSecretKey, strings.Join(secrets, `","`))
		}
	}
	sign := func(secret string) func(sdk.HTTPRequest) sdk.HTTPRequest {
		return func(r sdk.HTTPRequest) sdk.HTTPRequest {
			r.Header["Stripe-Signature"] = []string{stripetest.Sign(r.Body, time.Now(), secret)}
			return r
		}
	}
	find := func(id string) (found []stripetest.Intent) {
		for _, in := range server.Intents() {
			if in.MerchantOrderID() == id {
				found = append(found, in)
			}
		}
		return found
	}
	return providertest.Sandbox{
		URL: server.URL, Config: config(stripetest.DefaultWebhookSecret), Op: opOf,
		Pay:    func(id string) error { _, err := server.Pay(id); return err },
		GiveUp: func(id string) error { _, err := server.Fail(id); return err },
		Amount: func(id string) (string, string, error) {
			all := find(id)
			if len(all) == 0 {
				return "", "", stripetest.ErrNotFound
			}
			m, err := sdk.FromMinor(all[0].Amount, strings.ToUpper(all[0].Currency))
			return m.AmountString(), m.Currency(), err
		},
		Orders: func(id string) int { return len(find(id)) },
		Refunds: func(id string) (n int) {
			for _, in := range find(id) {
				n += len(in.Refunds)
			}
			return n
		},
		SetStatus: func(id, raw string) error { _, err := server.SetStatus(id, raw, false); return err },
		Statuses: map[string]sdk.Status{
			"requires_action": sdk.StatusPending, "processing": sdk.StatusPending, "succeeded": sdk.StatusSucceeded, "canceled": sdk.StatusCancelled,
		},
		SetRefundStatus: func(id, raw string) error {
			for _, in := range server.Intents() {
				for _, r := range in.Refunds {
					if r.Metadata["merchant_refund_id"] == id {
						return server.SetRefundStatus(r.ID, raw)
					}
				}
			}
			return stripetest.ErrNotFound
		},
		RefundStatuses: map[string]sdk.RefundStatus{
			"pending": sdk.RefundPending, "requires_action": sdk.RefundPending, "succeeded": sdk.RefundSucceeded,
			"failed": sdk.RefundFailed, "canceled": sdk.RefundFailed,
		},
		UnheardOf: "requires_prayer",
		Faults:    faults(server),
		Sign:      sign(stripetest.DefaultWebhookSecret), Forge: sign("whsec_not_the_acquirers"),
		Rotate: func() func(string) string {
			server.SetWebhookSecret("whsec_the_next")
			return config("whsec_the_next", stripetest.DefaultWebhookSecret)
		},
	}
}

func faults(server *stripetest.Server) map[providertest.Fault]func(providertest.Op) {
	ops := map[providertest.Op]stripetest.Op{
		providertest.OpCreate: stripetest.OpCreate, providertest.OpQuery: stripetest.OpQuery, providertest.OpRefund: stripetest.OpRefund,
	}
	inject := func(f stripetest.Fault) func(providertest.Op) {
		return func(op providertest.Op) {
			f.Op, f.Times = ops[op], 1
			server.Inject(f)
		}
	}
	wrong := func(field string) func(providertest.Op) {
		return inject(stripetest.Fault{Kind: stripetest.KindWrongEcho, Field: field})
	}
	return map[providertest.Fault]func(providertest.Op){
		providertest.FaultRefused:            inject(stripetest.Fault{Kind: stripetest.KindError, Status: 400, Type: "invalid_request_error"}),
		providertest.FaultErrorCode:          inject(stripetest.Fault{Kind: stripetest.KindError, Status: 418, Type: "teapot_error"}),
		providertest.FaultWrongOrder:         wrong("id"),
		providertest.FaultWrongMerchantOrder: wrong("metadata"),
		providertest.FaultWrongAmount:        wrong("amount"),
		providertest.FaultWrongCurrency:      wrong("currency"),
	}
}
