package airwallex

import (
	"context"
	"net/http"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// lifetime is how long a token is good, as documented. A time further away, or
// none, is taken for a mistake.
const lifetime = 30 * time.Minute

// fetchToken logs in. The body is an empty object.
func (p *provider) fetchToken(ctx context.Context) (acquirer.Token, error) {
	req, err := acquirer.NewRequest(ctx, http.MethodPost, p.config.endpoint("authentication", "login").String(), "application/json", []byte("{}"))
	if err != nil {
		return acquirer.Token{}, err
	}
	req.Header.Set("X-Api-Version", p.config.APIVersion)
	req.Header.Set("X-Client-Id", p.config.ClientID)
	req.Header.Set("X-Api-Key", p.config.APIKey.Reveal())
	resp, err := p.client.Do(ctx, req)
	if err != nil {
		return acquirer.Token{}, err
	}
	return readToken(resp, p.now())
}

type tokenData struct {
	Token     acquirer.Text `json:"token"`
	ExpiresAt acquirer.Text `json:"expires_at"`
	Code      acquirer.Text `json:"code"` // of an error
}

// readToken reads the answer to the login.
func readToken(resp acquirer.Response, now time.Time) (acquirer.Token, error) {
	var data tokenData
	decodeErr := acquirer.DecodeJSON(resp.Body, &data)
	token := string(data.Token)
	var e *sdk.Error
	switch {
	case resp.Status == http.StatusUnauthorized || resp.Status == http.StatusForbidden:
		e = sdk.NotSent(sdk.CodeCredentialsRefused, "the acquirer refuses client_id and api_key (HTTP %d)", resp.Status)
	case resp.Status == http.StatusTooManyRequests:
		e = sdk.NotSent(sdk.CodeAcquirerRateLimited, "the acquirer asks to slow down at the login (HTTP 429)")
	case !resp.OK():
		e = sdk.NotSent(sdk.CodeAcquirerError, "HTTP status %d at the login", resp.Status)
	case decodeErr != nil || token == "" || len(token) > 8192 || !printable(token):
		e = sdk.NotSent(sdk.CodeAcquirerAnswerInvalid, "the answer to the login holds no token")
	default:
		return acquirer.Token{Value: sdk.NewSecret(token), ExpiresAt: expiry(data.ExpiresAt, now)}, nil
	}
	e.AcquirerCode, e.RetryAfter = word(data.Code), resp.RetryAfter
	return acquirer.Token{}, e
}

// expiry reads expires_at. What can't be read must not spoil a good token: one
// that ends earlier than thought is renewed at the 401.
func expiry(text acquirer.Text, now time.Time) time.Time {
	at, latest := readTime(text), now.Add(lifetime)
	if at.IsZero() || at.After(latest) {
		return latest
	}
	return at
}
