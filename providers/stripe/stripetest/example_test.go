package stripetest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/paymux/paymux/providers/stripe/stripetest"
)

func Example() {
	srv := stripetest.New(stripetest.Options{})
	defer srv.Close()
	api := httptest.NewServer(srv)
	defer api.Close()

	form := "amount=1250&currency=hkd&payment_method_types[]=alipay&payment_method_data[type]=alipay&confirm=true" +
		"&return_url=https://shop.example.com/&metadata[merchant_order_id]=P1"
	req, _ := http.NewRequest("POST", api.URL+"/v1/payment_intents", strings.NewReader(form))
	req.Header.Set("Authorization", "Bearer "+stripetest.DefaultSecretKey)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()

	paid, err := srv.Pay("P1")
	fmt.Println(paid.Status, err)
	// Output: succeeded <nil>
}
