//go:build linux

package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

func verifyEvent(body []byte, header http.Header) error {
	v, err := standardwebhooks.NewWebhook(eventSecret)
	if err != nil {
		return err
	}
	return v.Verify(body, header)
}

// request orders at the provider that the routes name, or at another.
type request struct {
	id, provider string
}

func (r request) body() []byte {
	order := map[string]string{
		"merchant_order_id": r.id, "amount": "100.00", "currency": "HKD", "method": "alipay_hk", "flow": "mobile_web", "description": "Tea",
	}
	if r.provider != "" {
		order["provider"] = r.provider
	}
	text, _ := json.Marshal(order) // strings
	return text
}

// post sends the request once, and notes what it was told.
func (w *world) post(r request) (ack, error) {
	h := w.anyHost()
	if h == nil {
		return ack{}, errors.New("no host is there")
	}
	q, err := http.NewRequest("POST", h.url+"/v1/payments", bytes.NewReader(r.body()))
	if err != nil {
		return ack{}, err
	}
	q.Header.Set("Authorization", "Bearer "+key)
	q.Header.Set("Content-Type", "application/json")
	answer, err := w.client.Do(q)
	if err != nil {
		return ack{}, err
	}
	defer answer.Body.Close()
	raw := map[string]any{} // a problem's status is a number
	if err := json.NewDecoder(answer.Body).Decode(&raw); err != nil {
		return ack{}, fmt.Errorf("HTTP %d: %w", answer.StatusCode, err)
	}
	a := ack{code: answer.StatusCode}
	a.id, _ = raw["id"].(string)
	a.status, _ = raw["status"].(string)
	if a.code >= 300 {
		w.refused.Add(1)
		return a, fmt.Errorf("HTTP %d: %v", a.code, raw)
	}
	w.mu.Lock()
	w.acks[r.id] = append(w.acks[r.id], a)
	w.mu.Unlock()
	return a, nil
}

// order sends a request until it is answered, as a shop does that got none.
func (w *world) order(r request) (a ack, err error) {
	w.mu.Lock()
	w.payments++
	w.mu.Unlock()
	var last error
	err = w.await("the order "+r.id+" is answered", func() bool {
		a, last = w.post(r)
		return last == nil || a.code >= 400 && a.code < 500
	})
	if err != nil || last != nil {
		return a, fmt.Errorf("order %s: %w", r.id, errors.Join(err, last))
	}
	return a, nil
}

// buy orders, and pays in the wallet once the acquirer has the order. If it is
// sure that the acquirer will never have it, nothing is paid.
func (w *world) buy(r request) error {
	if _, err := w.order(r); err != nil {
		return err
	}
	return w.pay(r)
}

func (w *world) pay(r request) error {
	never := false
	err := w.await("the acquirer has order "+r.id, func() bool {
		if _, ok := w.sandbox.Order(r.id); ok {
			return true
		}
		never = w.asked(r.id) && !w.under(r.id) // the call was cut off before it was made, and the host found out
		return never
	})
	if err != nil || never {
		return err
	}
	if _, err := w.sandbox.Pay(r.id); err != nil && !errors.Is(err, cbtistest.ErrClosed) {
		return err
	}
	return w.await("payment "+r.id+" becomes SUCCEEDED", func() bool {
		a, err := w.post(r)
		return err == nil && a.status == "SUCCEEDED"
	})
}
