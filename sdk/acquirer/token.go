package acquirer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/paymux/paymux/sdk"
)

const (
	// renewEarly is how long before its end a token is replaced, so that none
	// runs out on its way.
	renewEarly   = 60 * time.Second
	fetchTimeout = 15 * time.Second
)

// Token is what an acquirer gives for an account's credentials.
type Token struct {
	Value     sdk.Secret
	ExpiresAt time.Time
}

// FetchToken asks the acquirer for a new token.
type FetchToken func(ctx context.Context) (Token, error)

// TokenSource holds one account's token. It fetches when one is needed, once
// for any number of callers, and again 60 s before it expires.
type TokenSource struct {
	fetch FetchToken
	now   func() time.Time
	group singleflight.Group

	mu      sync.Mutex
	current Token
}

// NewTokenSource returns a source without a token; now is nil for time.Now.
func NewTokenSource(fetch FetchToken, now func() time.Time) *TokenSource {
	if now == nil {
		now = time.Now
	}
	return &TokenSource{fetch: fetch, now: now}
}

// Token returns a good token. Every error is an [*sdk.Error] with
// [sdk.OutcomeNotSent]: the request that needed the token never left. A failure
// is not remembered.
func (s *TokenSource) Token(ctx context.Context) (Token, error) {
	if token, ok := s.good(); ok {
		return token, nil
	}
	// A caller who goes away must not take the fetch from the others, so it
	// runs on its own time.
	flight := s.group.DoChan("", func() (any, error) { return s.renew(context.WithoutCancel(ctx)) })
	select {
	case <-ctx.Done():
		e := sdk.NotSent(sdk.CodeAcquirerTimeout, "no access token in time")
		e.Err = ctx.Err()
		return Token{}, e
	case result := <-flight:
		if result.Err != nil {
			return Token{}, notSent(result.Err)
		}
		return result.Val.(Token), nil
	}
}

// Invalidate forgets the token if it is still the current one, after the
// acquirer refused it.
func (s *TokenSource) Invalidate(token Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current.Value.Reveal() == token.Value.Reveal() {
		s.current = Token{}
	}
}

// Format prints nothing of what is inside.
func (s *TokenSource) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "acquirer.TokenSource") }

func (s *TokenSource) good() (Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, !s.current.Value.IsZero() && s.now().Before(s.current.ExpiresAt.Add(-renewEarly))
}

func (s *TokenSource) renew(ctx context.Context) (token Token, err error) {
	// This runs on a goroutine of its own, where a panic would end the whole
	// process with every payment in it.
	defer func() {
		if recover() != nil {
			err = sdk.NotSent(sdk.CodePluginPanic, "the plugin panicked while it fetched an access token")
		}
	}()
	if token, ok := s.good(); ok { // a flight ended between the caller's look and now
		return token, nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if token, err = s.fetch(ctx); err != nil {
		return Token{}, err
	}
	if token.Value.IsZero() {
		return Token{}, sdk.NotSent(sdk.CodeAcquirerAnswerInvalid, "the access token is empty")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = token
	return token, nil
}

// notSent says of any error that the request which needed a token never left.
// It copies, since all callers of a flight get the same error.
func notSent(err error) *sdk.Error {
	e := *sdk.AsError(err)
	if e.Code == sdk.CodeUnspecified { // its text may be anything
		e.Message, e.Err = "no access token could be fetched", nil
	}
	e.Outcome = sdk.OutcomeNotSent
	return &e
}

// BuildRequest makes a request that carries the token.
type BuildRequest func(ctx context.Context, token sdk.Secret) (*http.Request, error)

// DoAuthorized sends a request with a token. On HTTP 401 it fetches a new token
// once and sends once more: a 401 says that the request was not applied
// (RFC 9110, 15.5.2). A second 401 is [sdk.CodeCredentialsRefused] with
// [sdk.OutcomeNotSent].
func (c *Client) DoAuthorized(ctx context.Context, tokens *TokenSource, build BuildRequest) (Response, error) {
	for range 2 {
		token, err := tokens.Token(ctx)
		if err != nil {
			return Response{}, err
		}
		req, err := build(ctx, token.Value)
		if err != nil {
			return Response{}, notSent(err)
		}
		resp, err := c.Do(ctx, req)
		if err != nil || resp.Status != http.StatusUnauthorized {
			return resp, err
		}
		tokens.Invalidate(token)
	}
	return Response{}, sdk.NotSent(sdk.CodeCredentialsRefused, "the acquirer refuses a fresh access token (HTTP 401)")
}
