package airwallextest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
)

// A Server is an http.Handler: mount it anywhere, call it, and pay.
func ExampleServer() {
	sandbox := airwallextest.NewServer(airwallextest.Options{ClientID: "shop", APIKey: "secret"})
	defer sandbox.Close()
	var token string
	call := func(path, body string) (answer struct {
		Token  string `json:"token"`
		ID     string `json:"id"`
		Status string `json:"status"`
	}) {
		r := httptest.NewRequest("POST", "/api/v1/"+path, strings.NewReader(body))
		r.Header = http.Header{"Content-Type": {"application/json"}, "X-Api-Version": {"2025-06-30"}, "X-Client-Id": {"shop"}, "X-Api-Key": {"secret"}, "Authorization": {"Bearer " + token}}
		w := httptest.NewRecorder()
		sandbox.ServeHTTP(w, r)
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			fmt.Println(err)
		}
		return answer
	}

	token = call("authentication/login", "{}").Token
	intent := call("pa/payment_intents/create", `{"request_id": "1", "amount": 20.00, "currency": "HKD", "merchant_order_id": "P1"}`)
	fmt.Println(intent.Status)
	intent = call("pa/payment_intents/"+intent.ID+"/confirm", `{"request_id": "2", "payment_method": {"type": "alipayhk", "alipayhk": {"flow": "qrcode"}}}`)
	fmt.Println(intent.Status)
	paid, err := sandbox.Pay("P1")
	fmt.Println(paid.Status, paid.Amount, err)
	// Output:
	// REQUIRES_PAYMENT_METHOD
	// REQUIRES_CUSTOMER_ACTION
	// SUCCEEDED 20 <nil>
}
