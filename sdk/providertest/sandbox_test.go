package providertest_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

func (b *bank) config(keys ...string) func(string) string {
	return func(base string) string {
		text, _ := json.Marshal(map[string]any{"base_url": base, "account": "shop", "secret": bankSecret, "keys": keys})
		return string(text)
	}
}

func (b *bank) inject(f providertest.Fault) func(providertest.Op) {
	return func(op providertest.Op) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.faults[op] = f
	}
}

func signer(key string) func(sdk.HTTPRequest) sdk.HTTPRequest {
	return func(r sdk.HTTPRequest) sdk.HTTPRequest {
		r.Header["Bank-Signature"] = []string{sign(r.Body, key)}
		return r
	}
}

// sandbox is the bank as the kit wants it.
func (b *bank) sandbox() providertest.Sandbox {
	s := providertest.Sandbox{
		URL: b.URL, Config: b.config(bankKey), Op: opOf,
		Pay:    func(id string) error { return b.set(id, "paid", "open", "left") },
		GiveUp: func(id string) error { return b.set(id, "left", "open") }, // the payer may come back,
		Amount: func(id string) (string, string, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			o := b.find(id)
			if o == nil {
				return "", "", errors.New("no such order")
			}
			m, err := sdk.FromMinor(o.Minor, o.Currency)
			return m.AmountString(), o.Currency, err
		},
		Orders: func(id string) (n int) {
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, o := range b.orders {
				if o.OrderID == id {
					n++
				}
			}
			return n
		},
		Refunds: func(id string) (n int) {
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, r := range b.refunds {
				if r.order.OrderID == id {
					n++
				}
			}
			return n
		},
		SetStatus: func(id, raw string) error { return b.set(id, raw) },
		Statuses:  map[string]sdk.Status{"open": sdk.StatusPending, "left": sdk.StatusPending, "paid": sdk.StatusSucceeded, "closed": sdk.StatusCancelled},
		UnheardOf: "half-paid",
		SetRefundStatus: func(id, raw string) error {
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.refunds[id] == nil {
				return errors.New("no such refund")
			}
			b.refunds[id].State = raw
			return nil
		},
		RefundStatuses: map[string]sdk.RefundStatus{"paid": sdk.RefundSucceeded, "waiting": sdk.RefundPending, "returned": sdk.RefundFailed},
		Faults:         map[providertest.Fault]func(providertest.Op){},
		Sign:           signer(bankKey), Forge: signer("not-the-key"),
		Rotate: func() func(string) string {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.key = "notification-key-two"
			return b.config("notification-key-two", bankKey)
		},
	}
	for _, f := range []providertest.Fault{
		providertest.FaultRefused, providertest.FaultErrorCode, providertest.FaultWrongOrder,
		providertest.FaultWrongMerchantOrder, providertest.FaultWrongAmount, providertest.FaultWrongCurrency,
	} {
		s.Faults[f] = b.inject(f)
	}
	return s
}

func harness(p sdk.Plugin) providertest.Harness {
	return providertest.Harness{
		Plugin: providertest.InProcess(p),
		Start:  func(t *rules.T, s providertest.Setup) providertest.Sandbox { return startBank(t, s).sandbox() },
	}
}

func TestGood(t *testing.T) { providertest.Run(t, harness(good())) }
