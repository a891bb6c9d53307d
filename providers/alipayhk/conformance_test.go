package alipayhk_test

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/providers/alipayhk"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

func TestConformance(t *testing.T) {
	providertest.Run(t, providertest.Harness{Plugin: providertest.InProcess(alipayhk.Plugin()), Start: startSandbox})
}

// The same cases, with the process supervisor and the wire between.
func TestConformanceOfBinary(t *testing.T) {
	plugin := conformance.Build(t, "./cmd/paymux-provider-alipayhk")
	providertest.Run(t, providertest.Harness{Plugin: plugin, Start: startSandbox})
}

var ops = map[string]providertest.Op{
	"/mch-api/v1/auth":                      providertest.OpAuthorize,
	"/mch-api/v1/pa/payment_intents/create": providertest.OpCreate,
	"/mch-api/v1/pa/payment_intents/query":  providertest.OpQuery,
	"/mch-api/v1/pa/refunds/create":         providertest.OpRefund,
	"/mch-api/v1/pa/refunds/query":          providertest.OpQueryRefund,
}

func startSandbox(t *rules.T, _ providertest.Setup) providertest.Sandbox {
	server := cbtistest.Start(t, cbtistest.Options{})
	config := func(keys ...string) func(string) string {
		return func(base string) string {
			return fmt.Sprintf(`{"base_url":%q,"uid":%q,"client_secret":%q,"webhook_keys":["%s"],"codes":{"refused":[40003],"not_found":[40400]}}`,
				base, cbtistest.DefaultUID, cbtistest.DefaultClientSecret, strings.Join(keys, `","`))
		}
	}
	sign := func(key string) func(sdk.HTTPRequest) sdk.HTTPRequest {
		return func(r sdk.HTTPRequest) sdk.HTTPRequest {
			r.Header["Signature"] = []string{cbtistest.Sign(r.Body, key)}
			return r
		}
	}
	inject := func(f cbtistest.Fault) func(providertest.Op) {
		return func(op providertest.Op) {
			f.Op, f.Times = cbtistest.Op(op), 1
			server.Inject(f)
		}
	}
	return providertest.Sandbox{
		URL: server.URL, Config: config(cbtistest.DefaultWebhookKey),
		Op:     func(r *http.Request) providertest.Op { return ops[path.Clean(r.URL.Path)] },
		Pay:    func(id string) error { _, err := server.Pay(id); return err },
		GiveUp: func(id string) error { _, err := server.Cancel(id); return err },
		Amount: func(id string) (string, string, error) {
			o, ok := server.Order(id)
			if !ok {
				return "", "", cbtistest.ErrNotFound
			}
			return o.Amount, o.Currency, nil
		},
		Orders: func(id string) (n int) {
			for _, o := range server.Orders() {
				if o.MerchantOrderID == id {
					n++
				}
			}
			return n
		},
		Refunds: func(id string) int {
			o, _ := server.Order(id)
			return len(o.Refunds)
		},
		SetStatus: func(id, raw string) error { _, err := server.SetStatus(id, cbtistest.Status(raw)); return err },
		Statuses: map[string]sdk.Status{
			"PENDING": sdk.StatusPending, "SUCCEEDED": sdk.StatusSucceeded, "CANCELLED": sdk.StatusCancelled,
		},
		SetRefundStatus: func(id, raw string) error { return server.SetRefundStatus(id, cbtistest.Status(raw)) },
		RefundStatuses:  map[string]sdk.RefundStatus{"PENDING": sdk.RefundPending, "SUCCEEDED": sdk.RefundSucceeded, "FAILED": sdk.RefundUnknown},
		UnheardOf:       "HALF_PAID",
		Faults: map[providertest.Fault]func(providertest.Op){
			providertest.FaultRefused:            inject(cbtistest.Fault{Kind: cbtistest.KindCode, Code: 40003}),
			providertest.FaultErrorCode:          inject(cbtistest.Fault{Kind: cbtistest.KindCode, Code: 59999}),
			providertest.FaultWrongOrder:         inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "order_id"}),
			providertest.FaultWrongMerchantOrder: inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "merchant_order_id"}),
			providertest.FaultWrongAmount:        inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "amount"}),
			providertest.FaultWrongCurrency:      inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "currency"}),
		},
		Sign: sign(cbtistest.DefaultWebhookKey), Forge: sign("not-the-acquirers-key"),
		Rotate: func() func(string) string {
			server.SetWebhookKey("the-next-webhook-key")
			return config("the-next-webhook-key", cbtistest.DefaultWebhookKey)
		},
	}
}
