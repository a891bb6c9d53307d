package host_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/host/config"
	"github.com/paymux/paymux/host/httpapi"
)

const tea = `{"merchant_order_id":"o1","amount":"100.00","currency":"HKD","method":"alipay_hk","flow":"mobile_web","description":"Tea"}`

// post makes a request with an Idempotency-Key, and again as often as it is told
// that the first one is still running.
func post(t *testing.T, api http.Handler, path, key, body string) (w *httptest.ResponseRecorder, waited int) {
	for {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer key-of-shop-a-0123")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", key)
		w = httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "IN_PROGRESS") {
			return w, waited
		}
		seconds, err := strconv.Atoi(w.Header().Get("Retry-After"))
		if err != nil || seconds < 1 || waited > 10 {
			t.Errorf("waited %d times, now for %q", waited, w.Header().Get("Retry-After"))
			return w, waited
		}
		waited++
		time.Sleep(time.Duration(seconds) * time.Second)
	}
}

// TestThousandRequests: with one key, 100 at a time: one payment, one order at
// the acquirer, one answer to the byte.
func TestThousandRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, created, stop := host.OpenWorld(t, func() { time.Sleep(2 * time.Second) })
		defer stop()
		api := httpapi.New(h, httpapi.Options{Keys: []config.APIKey{{Merchant: "shop-a", Key: config.NewSecret("key-of-shop-a-0123")}}})
		var mu sync.Mutex
		bodies, firsts, waits := map[string]int{}, 0, 0
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				for j := range 10 {
					key := []string{"k 1", `"k 1"`}[(i+j)%2]
					w, waited := post(t, api, "/v1/payments", key, tea)
					if w.Code != http.StatusCreated || !strings.HasPrefix(w.Header().Get("Location"), "/v1/payments/pay_") || w.Header().Get("Content-Type") != "application/json" {
						t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
					}
					mu.Lock()
					bodies[w.Body.String()]++
					waits += waited
					if w.Header().Get("Idempotent-Replayed") != "true" {
						firsts++
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if len(bodies) != 1 || firsts != 1 || created() != 1 || waits < 99 {
			t.Errorf("%d bodies, %d first answers, %d orders, waited %d times", len(bodies), firsts, created(), waits)
		}
		if payments, _, err := h.List(t.Context(), "shop-a", host.Filter{}); err != nil || len(payments) != 1 {
			t.Errorf("%d payments, %v", len(payments), err)
		}
		if w, _ := post(t, api, "/v1/payments", "k 1", strings.Replace(tea, "Tea", "Milk", 1)); w.Code != 422 || !strings.Contains(w.Body.String(), "IDEMPOTENCY_MISMATCH") {
			t.Errorf("another body: %d %s", w.Code, w.Body)
		}
		// The scope is the path, and an error that recorded nothing isn't kept.
		id := strings.TrimPrefix(location(t, api), "/v1/payments/")
		for range 2 {
			if w, _ := post(t, api, "/v1/payments/"+id+"/review", "k 1", `{"decision":"dismiss","note":"x"}`); w.Code != 409 || w.Header().Get("Idempotent-Replayed") != "" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		}
		cancelled, _ := post(t, api, "/v1/payments/"+id+"/cancel", "k 1", "")
		again, _ := post(t, api, "/v1/payments/"+id+"/cancel", "k 1", "")
		if cancelled.Code != 200 || again.Code != 200 || again.Body.String() != cancelled.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("%d %s, then %d %s", cancelled.Code, cancelled.Body, again.Code, again.Body)
		}
	})
}

func location(t *testing.T, api http.Handler) string {
	w, _ := post(t, api, "/v1/payments", "k 1", tea)
	return w.Header().Get("Location")
}
