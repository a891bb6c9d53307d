package airwallex_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/providers/airwallex"
	"github.com/paymux/paymux/providers/airwallex/airwallextest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

func TestConformance(t *testing.T) {
	providertest.Run(t, providertest.Harness{Plugin: providertest.InProcess(airwallex.Plugin()), Start: startSandbox})
}

// The same cases, with the process supervisor and the wire between.
func TestConformanceOfBinary(t *testing.T) {
	plugin := conformance.Build(t, "./cmd/paymux-provider-airwallex")
	providertest.Run(t, providertest.Harness{Plugin: plugin, Start: startSandbox})
}

// The second step of Create is as much of it as the first: here that one suffers.
func TestConformanceOfConfirm(t *testing.T) {
	providertest.Run(t, providertest.Harness{
		Plugin: providertest.InProcess(airwallex.Plugin()),
		Start: func(t *rules.T, s providertest.Setup) providertest.Sandbox {
			return sandboxOf(t, s, airwallextest.OpConfirm)
		},
	})
}

func startSandbox(t *rules.T, s providertest.Setup) providertest.Sandbox {
	return sandboxOf(t, s, airwallextest.OpCreate)
}

// opOf goes by method and path; create is the step of Create that counts as one.
func opOf(r *http.Request, create airwallextest.Op) providertest.Op {
	post := r.Method == http.MethodPost
	switch path := strings.TrimPrefix(r.URL.Path, "/api/v1/"); {
	case path == "authentication/login":
		return providertest.OpAuthorize
	case path == "pa/refunds/create":
		return providertest.OpRefund
	case strings.HasPrefix(path, "pa/refunds"):
		return providertest.OpQueryRefund
	case strings.HasSuffix(path, "/cancel"):
		return providertest.OpCancel
	case post && strings.HasSuffix(path, "/"+string(create)):
		return providertest.OpCreate
	case !post && strings.HasPrefix(path, "pa/payment_intents"):
		return providertest.OpQuery
	}
	return ""
}

func sandboxOf(t *rules.T, s providertest.Setup, create airwallextest.Op) providertest.Sandbox {
	server := airwallextest.Start(t, airwallextest.Options{WebhookURL: s.NotifyURL})
	config := func(secrets ...string) func(string) string {
		return func(base string) string {
			return fmt.Sprintf(`{"base_url":%q,"client_id":%q,"api_key":%q,"webhook_secrets":["%s"],"codes":{"refused":["invalid_argument"],"not_found":["not_found"]}}`,
				base, airwallextest.DefaultClientID, airwallextest.DefaultAPIKey, strings.Join(secrets, `","`))
		}
	}
	sign := func(secret string) func(sdk.HTTPRequest) sdk.HTTPRequest {
		return func(r sdk.HTTPRequest) sdk.HTTPRequest {
			r.Header["X-Signature"] = []string{airwallextest.Sign(r.Get("X-Timestamp"), r.Body, secret)}
			return r
		}
	}
	return providertest.Sandbox{
		URL: server.URL, Config: config(airwallextest.DefaultWebhookSecret),
		Op:     func(r *http.Request) providertest.Op { return opOf(r, create) },
		Pay:    func(id string) error { return pay(server, id) },
		GiveUp: func(id string) error { _, err := server.Reject(id); return err },
		Amount: func(id string) (string, string, error) {
			in, err := server.Intent(id)
			return in.Amount, in.Currency, err
		},
		Orders: func(id string) (n int) {
			for _, in := range server.Intents() {
				if in.MerchantOrderID == id && (create == airwallextest.OpCreate || in.AttemptID != "") {
					n++
				}
			}
			return n
		},
		Refunds: func(id string) (n int) {
			in, err := server.Intent(id)
			for _, r := range server.Refunds() {
				if err == nil && r.IntentID == in.ID {
					n++
				}
			}
			return n
		},
		SetStatus: func(id, raw string) error { _, err := server.SetStatus(id, airwallextest.Status(raw)); return err },
		Statuses: map[string]sdk.Status{
			"REQUIRES_PAYMENT_METHOD": sdk.StatusPending, "REQUIRES_CUSTOMER_ACTION": sdk.StatusPending, "PENDING": sdk.StatusPending,
			"PENDING_REVIEW": sdk.StatusPending, "REQUIRES_CAPTURE": sdk.StatusAuthorized, "SUCCEEDED": sdk.StatusSucceeded, "CANCELLED": sdk.StatusCancelled,
		},
		SetRefundStatus: func(id, raw string) error {
			for _, r := range server.Refunds() {
				if r.Metadata["merchant_refund_id"] == id {
					return server.SetRefundStatus(r.ID, airwallextest.Status(raw))
				}
			}
			return airwallextest.ErrNotFound
		},
		RefundStatuses: map[string]sdk.RefundStatus{
			"RECEIVED": sdk.RefundPending, "PROCESSING": sdk.RefundPending, "ACCEPTED": sdk.RefundPending,
			"SUCCEEDED": sdk.RefundSucceeded, "SETTLED": sdk.RefundSucceeded, "FAILED": sdk.RefundFailed,
		},
		UnheardOf: "HALF_PAID",
		Faults:    conformanceFaults(server, create),
		Sign:      sign(airwallextest.DefaultWebhookSecret), Forge: sign("not-the-acquirers-secret"),
		Rotate: func() func(string) string {
			server.SetWebhook(s.NotifyURL, "the-next-webhook-secret")
			return config("the-next-webhook-secret", airwallextest.DefaultWebhookSecret)
		},
	}
}

// pay says of an intent that was never confirmed that it waits for that.
func pay(server *airwallextest.Server, id string) error {
	in, err := server.Pay(id)
	if errors.Is(err, airwallextest.ErrState) && in.Status == airwallextest.RequiresPaymentMethod && in.AttemptID == "" {
		return providertest.ErrUnpayable
	}
	return err
}

func conformanceFaults(server *airwallextest.Server, create airwallextest.Op) map[providertest.Fault]func(providertest.Op) {
	ops := map[providertest.Op]airwallextest.Op{
		providertest.OpCreate: create, providertest.OpQuery: airwallextest.OpRetrieve, providertest.OpRefund: airwallextest.OpRefund,
	}
	inject := func(f airwallextest.Fault) func(providertest.Op) {
		return func(op providertest.Op) {
			f.Op, f.Times = ops[op], 1
			server.Inject(f)
		}
	}
	wrong := func(field string) func(providertest.Op) {
		return inject(airwallextest.Fault{Kind: airwallextest.KindWrongEcho, Field: field})
	}
	return map[providertest.Fault]func(providertest.Op){
		providertest.FaultRefused:            inject(airwallextest.Fault{Kind: airwallextest.KindCode, Code: "invalid_argument"}),
		providertest.FaultErrorCode:          inject(airwallextest.Fault{Kind: airwallextest.KindCode, Code: "made_up_unheard_of"}),
		providertest.FaultWrongOrder:         wrong("id"),
		providertest.FaultWrongMerchantOrder: wrong("merchant_order_id"),
		providertest.FaultWrongAmount:        wrong("amount"),
		providertest.FaultWrongCurrency:      wrong("currency"),
	}
}
