package alipayhk

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	authPath = "mch-api/v1/auth"

	defaultLifetime = time.Hour      // documented
	longestLifetime = 24 * time.Hour // more is taken for a mistake
)

// fetchToken asks for a token. The acquirer wants the secret in the URL, so
// that URL must not show anywhere; acquirer.Client sees to it.
func (p *provider) fetchToken(ctx context.Context) (acquirer.Token, error) {
	target := p.config.endpoint(authPath)
	target.RawQuery = url.Values{
		"grant_type":    {"client_credentials"},
		"uid":           {p.config.UID},
		"client_secret": {p.config.ClientSecret.Reveal()},
	}.Encode()
	req, err := acquirer.NewRequest(ctx, http.MethodGet, target.String(), "", nil)
	if err != nil {
		return acquirer.Token{}, err
	}
	resp, err := p.client.Do(ctx, req)
	if err != nil {
		return acquirer.Token{}, err
	}
	return readToken(resp, p.now())
}

// tokenData is the answer to authentication: it has no envelope. Code is only
// looked at to report it, in case errors do have one.
type tokenData struct {
	AccessToken acquirer.Text `json:"access_token"`
	ExpiresIn   acquirer.Text `json:"expires_in"`
	Code        acquirer.Text `json:"code"`
	RID         acquirer.Text `json:"rid"`
}

// readToken reads the answer to authentication. How refused credentials look is
// not documented, beyond what HTTP says.
func readToken(resp acquirer.Response, now time.Time) (acquirer.Token, error) {
	var data tokenData
	decodeErr := acquirer.DecodeJSON(resp.Body, &data)
	token := string(data.AccessToken)
	var e *sdk.Error
	switch {
	case resp.Status == http.StatusUnauthorized || resp.Status == http.StatusForbidden:
		e = sdk.NotSent(sdk.CodeCredentialsRefused, "the acquirer refuses uid and client_secret (HTTP %d)", resp.Status)
	case resp.Status == http.StatusTooManyRequests:
		e = sdk.NotSent(sdk.CodeAcquirerRateLimited, "the acquirer asks to slow down at authentication (HTTP 429)")
	case !resp.OK():
		e = sdk.NotSent(sdk.CodeAcquirerError, "HTTP status %d at authentication", resp.Status)
	case decodeErr != nil || !tokenText(token):
		e = sdk.NotSent(sdk.CodeAcquirerAnswerInvalid, "the answer to authentication holds no access token; are uid and client_secret right?")
	default:
		return acquirer.Token{Value: sdk.NewSecret(token), ExpiresAt: now.Add(lifetime(data.ExpiresIn))}, nil
	}
	e.AcquirerCode, e.AcquirerRequestID = requestID(data.Code), requestID(data.RID)
	e.RetryAfter = resp.RetryAfter
	return acquirer.Token{}, e
}

// lifetime reads expires_in. What can't be read must not spoil a good token:
// one that ends earlier than thought is renewed at the 401.
func lifetime(text acquirer.Text) time.Duration {
	seconds, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || seconds <= 0 {
		return defaultLifetime
	}
	return time.Duration(min(seconds, int64(longestLifetime/time.Second))) * time.Second
}

// tokenText reports whether a token can stand in a header.
func tokenText(token string) bool {
	return token != "" && len(token) <= 4096 &&
		!strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}
