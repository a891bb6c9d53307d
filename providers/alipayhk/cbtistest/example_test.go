package cbtistest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// A Server is an http.Handler: mount it anywhere, call it, and pay.
func ExampleServer() {
	sandbox := cbtistest.NewServer(cbtistest.Options{UID: "1001", ClientSecret: "secret"})
	defer sandbox.Close()
	call := func(r *http.Request) []byte {
		w := httptest.NewRecorder()
		sandbox.ServeHTTP(w, r)
		return w.Body.Bytes()
	}

	var token struct {
		AccessToken string `json:"access_token"`
	}
	answer := call(httptest.NewRequest("GET", "/mch-api/v1/auth?grant_type=client_credentials&uid=1001&client_secret=secret", nil))
	if err := json.Unmarshal(answer, &token); err != nil {
		fmt.Println(err)
	}
	create := httptest.NewRequest("POST", "/mch-api/v1/pa/payment_intents/create", strings.NewReader(`{
		"amount": "20.00", "currency": "HKD", "merchant_order_id": "P1", "description": "Tea",
		"payment_method": {"type": "alipayhk", "alipayhk": {"flow": "csb_qrcode", "payment_method": "ALIPAYHK"}}}`))
	create.Header.Set("Authorization", "Bearer "+token.AccessToken)
	create.Header.Set("Content-Type", "application/json")
	call(create)

	order, err := sandbox.Pay("P1")
	fmt.Println(order.Status, order.Amount, err)
	for _, entry := range sandbox.Ledger() {
		fmt.Println(entry.Kind, entry.MerchantOrderID, entry.Amount)
	}
	// Output:
	// SUCCEEDED 20.00 <nil>
	// charge P1 20
}
