package acquirer_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// An adapter fetches a token in its own acquirer's way and leaves the rest to
// this package.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"amount": 1.50, "token": %q}`, r.Header.Get("Authorization"))
	}))
	defer server.Close()

	client := acquirer.NewClient(acquirer.Options{Product: "example/1.0.0"})
	tokens := acquirer.NewTokenSource(func(context.Context) (acquirer.Token, error) {
		return acquirer.Token{Value: sdk.NewSecret("t1"), ExpiresAt: time.Now().Add(time.Hour)}, nil
	}, nil)

	resp, err := client.DoAuthorized(context.Background(), tokens, func(ctx context.Context, token sdk.Secret) (*http.Request, error) {
		req, err := acquirer.NewRequest(ctx, http.MethodPost, server.URL+"/pay", "application/json", []byte(`{}`))
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
		return req, nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var answer struct {
		Amount acquirer.Text `json:"amount"`
		Token  string        `json:"token"`
	}
	if err := acquirer.DecodeJSON(resp.Body, &answer); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resp.Status, answer.Amount, answer.Token)
	// Output: 200 1.50 Bearer t1
}
