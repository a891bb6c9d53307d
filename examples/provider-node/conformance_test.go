package providernode_test

import (
	"fmt"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// started is the plugin as a process, until the test ends. It is a script, so
// that it can't run from a sealed copy.
func started(t *testing.T) *conformance.Binary {
	t.Helper()
	needNode(t)
	file, err := filepath.Abs("paymux-provider-node")
	if err != nil {
		t.Fatal(err)
	}
	plugin, err := conformance.Start(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plugin.Close)
	return plugin
}

// What any binary has to do, without an acquirer.
func TestConformanceOfBinary(t *testing.T) {
	config := settings(cbtistest.DefaultWebhookKey)("http://127.0.0.1:1")
	results, err := started(t).Check(t.Context(), []byte(config), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		switch r.Verdict {
		case rules.Fail:
			t.Errorf("%s: %s %q", r.ID, r.Says, r.Details)
		case rules.Skip:
			t.Logf("%s is skipped: %q", r.ID, r.Details)
		}
	}
	t.Log(rules.Count(results))
}

func TestConformance(t *testing.T) {
	providertest.Run(t, providertest.Harness{Plugin: started(t), Start: startSandbox})
}

// settings returns the config of an instance; no error code can be listed in it.
func settings(keys ...string) func(base string) string {
	return func(base string) string {
		return fmt.Sprintf(`{"base_url":%q,"uid":%q,"client_secret":%q,"webhook_keys":["%s"]}`,
			base, cbtistest.DefaultUID, cbtistest.DefaultClientSecret, strings.Join(keys, `","`))
	}
}

var ops = map[string]providertest.Op{
	"/mch-api/v1/auth":                      providertest.OpAuthorize,
	"/mch-api/v1/pa/payment_intents/create": providertest.OpCreate,
	"/mch-api/v1/pa/payment_intents/query":  providertest.OpQuery,
}

func startSandbox(t *rules.T, _ providertest.Setup) providertest.Sandbox {
	server := cbtistest.Start(t, cbtistest.Options{})
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
		URL: server.URL, Config: settings(cbtistest.DefaultWebhookKey),
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
		SetStatus: func(id, raw string) error { _, err := server.SetStatus(id, cbtistest.Status(raw)); return err },
		Statuses: map[string]sdk.Status{
			"PENDING": sdk.StatusPending, "SUCCEEDED": sdk.StatusSucceeded, "CANCELLED": sdk.StatusCancelled,
		},
		UnheardOf: "HALF_PAID",
		// No code means "refused" to this plugin, so that there is no FaultRefused.
		Faults: map[providertest.Fault]func(providertest.Op){
			providertest.FaultErrorCode:          inject(cbtistest.Fault{Kind: cbtistest.KindCode, Code: 59999}),
			providertest.FaultWrongOrder:         inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "order_id"}),
			providertest.FaultWrongMerchantOrder: inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "merchant_order_id"}),
			providertest.FaultWrongAmount:        inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "amount"}),
			providertest.FaultWrongCurrency:      inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Field: "currency"}),
		},
		Sign: sign(cbtistest.DefaultWebhookKey), Forge: sign("not-the-acquirers-key"),
		Rotate: func() func(string) string {
			server.SetWebhookKey("the-next-webhook-key")
			return settings("the-next-webhook-key", cbtistest.DefaultWebhookKey)
		},
	}
}
