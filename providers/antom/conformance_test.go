package antom_test

import (
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/providers/antom"
	"github.com/paymux/paymux/providers/antom/antomtest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

func TestConformance(t *testing.T) {
	providertest.Run(t, providertest.Harness{Plugin: providertest.InProcess(antom.Plugin()), Start: startSandbox})
}

// The same cases, with the process supervisor and the wire between.
func TestConformanceOfBinary(t *testing.T) {
	plugin := conformance.Build(t, "./cmd/paymux-provider-antom")
	providertest.Run(t, providertest.Harness{Plugin: plugin, Start: startSandbox})
}

var ops = map[string]providertest.Op{
	"pay": providertest.OpCreate, "inquiryPayment": providertest.OpQuery, "cancel": providertest.OpCancel,
	"refund": providertest.OpRefund, "inquiryRefund": providertest.OpQueryRefund,
}

// The keys of the conformance sandboxes; to make one takes a while.
var conformanceKeys = sync.OnceValue(func() (keys struct{ first, next, forged *rsa.PrivateKey }) {
	keys.first, keys.next, keys.forged = antomtest.NewKey(), antomtest.NewKey(), antomtest.NewKey()
	return keys
})

func startSandbox(t *rules.T, _ providertest.Setup) providertest.Sandbox {
	keys := conformanceKeys()
	server := antomtest.Start(t, antomtest.Options{Key: keys.first})
	credentials := server.Credentials()
	config := func(public ...*rsa.PrivateKey) func(string) string {
		return func(base string) string {
			var pem []string
			for _, key := range public {
				pem = append(pem, antomtest.PublicPEM(&key.PublicKey))
			}
			text, _ := json.Marshal(map[string]any{
				"base_url": base, "client_id": credentials.ClientID, "private_key": credentials.PrivateKey, "antom_public_keys": pem,
			})
			return strings.TrimSuffix(string(text), "}") + sandboxCodes + "}"
		}
	}
	sign := func(key *rsa.PrivateKey) func(sdk.HTTPRequest) sdk.HTTPRequest {
		return func(r sdk.HTTPRequest) sdk.HTTPRequest {
			r.Header["Signature"] = []string{antomtest.Sign(key, r.Method, r.Path, credentials.ClientID, r.Get("Request-Time"), r.Body)}
			return r
		}
	}
	return providertest.Sandbox{
		URL: server.URL, Config: config(keys.first),
		Op:     func(r *http.Request) providertest.Op { return ops[path.Base(r.URL.Path)] },
		Pay:    func(id string) error { _, err := server.Pay(id); return err },
		GiveUp: func(id string) error { _, err := server.Cancel(id); return err },
		Amount: func(id string) (string, string, error) {
			o, ok := server.Order(id)
			if !ok {
				return "", "", antomtest.ErrNotFound
			}
			// Both currencies have two decimals, and amounts come in the smallest part.
			digits := strings.Repeat("0", max(0, 3-len(o.Amount.Value))) + o.Amount.Value
			return digits[:len(digits)-2] + "." + digits[len(digits)-2:], o.Amount.Currency, nil
		},
		Orders: func(id string) (n int) {
			for _, o := range server.Orders() {
				if o.PaymentRequestID == id {
					n++
				}
			}
			return n
		},
		Refunds: func(id string) int {
			o, _ := server.Order(id)
			return len(o.Refunds)
		},
		SetStatus: func(id, raw string) error { _, err := server.SetStatus(id, antomtest.Status(raw)); return err },
		Statuses: map[string]sdk.Status{
			"PROCESSING": sdk.StatusPending, "PENDING": sdk.StatusPending, "SUCCESS": sdk.StatusSucceeded,
			"FAIL": sdk.StatusFailed, "CANCELLED": sdk.StatusCancelled,
		},
		SetRefundStatus: func(id, raw string) error { return server.SetRefundStatus(id, antomtest.Status(raw)) },
		RefundStatuses: map[string]sdk.RefundStatus{
			"SUCCESS": sdk.RefundSucceeded, "FAIL": sdk.RefundFailed, "PROCESSING": sdk.RefundPending,
		},
		UnheardOf: "HALF_PAID",
		Faults:    conformanceFaults(server),
		Sign:      sign(keys.first), Forge: sign(keys.forged),
		Rotate: func() func(string) string {
			server.SetKey(keys.next)
			return config(keys.next, keys.first)
		},
	}
}

func conformanceFaults(server *antomtest.Server) map[providertest.Fault]func(providertest.Op) {
	inject := func(f antomtest.Fault, codes map[providertest.Op]string) func(providertest.Op) {
		return func(op providertest.Op) {
			for name, each := range ops {
				if each == op {
					f.Op = antomtest.Op(name)
				}
			}
			f.Times, f.Code = 1, codes[op]
			server.Inject(f)
		}
	}
	wrong := func(field string) func(providertest.Op) {
		return inject(antomtest.Fault{Kind: antomtest.KindWrongEcho, Field: field}, nil)
	}
	return map[providertest.Fault]func(providertest.Op){
		// Any F is pay's end; of refund a code is one that the config names.
		providertest.FaultRefused: inject(antomtest.Fault{Kind: antomtest.KindResult}, map[providertest.Op]string{providertest.OpRefund: "MADE_UP_TOO_MUCH"}),
		providertest.FaultErrorCode: inject(antomtest.Fault{Kind: antomtest.KindResult, ResultStatus: "U"},
			map[providertest.Op]string{providertest.OpCreate: "MADE_UP_UNHEARD_OF", providertest.OpRefund: "MADE_UP_UNHEARD_OF"}),
		providertest.FaultWrongOrder:         wrong("acquirer_id"),
		providertest.FaultWrongMerchantOrder: wrong("id"),
		providertest.FaultWrongAmount:        wrong("amount"),
		providertest.FaultWrongCurrency:      wrong("currency"),
	}
}
