package acquirer_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// counted returns a fetch that gives token-1, token-2, … each for an hour.
func counted(fetches *atomic.Int64) acquirer.FetchToken {
	return func(context.Context) (acquirer.Token, error) {
		value := fmt.Sprintf("token-%d", fetches.Add(1))
		return acquirer.Token{Value: sdk.NewSecret(value), ExpiresAt: time.Now().Add(time.Hour)}, nil
	}
}

func get(t *testing.T, s *acquirer.TokenSource) string {
	t.Helper()
	token, err := s.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token.Value.Reveal()
}

func TestTokenIsKeptAndRenewedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fetches atomic.Int64
		source := acquirer.NewTokenSource(counted(&fetches), nil)
		if fetches.Load() != 0 {
			t.Error("fetched before it was needed")
		}
		steps := []struct {
			wait time.Duration
			want string
		}{{0, "token-1"}, {time.Hour - 61*time.Second, "token-1"}, {time.Second, "token-2"}, {time.Minute, "token-2"}}
		for _, step := range steps {
			time.Sleep(step.wait)
			if got := get(t, source); got != step.want {
				t.Errorf("after %v: got %s, want %s", step.wait, got, step.want)
			}
		}
	})
}

func TestTokenUsesTheInjectedClock(t *testing.T) {
	var fetches atomic.Int64
	now := time.Now().Add(2 * time.Hour) // for this clock every token has ended
	source := acquirer.NewTokenSource(counted(&fetches), func() time.Time { return now })
	if get(t, source) != "token-1" || get(t, source) != "token-2" {
		t.Error("the injected clock is not the one that decides")
	}
}

// A flight that ends between a caller's look and its own flight has what that
// caller needs.
func TestNoSecondFetchAfterAFlightEnded(t *testing.T) {
	var fetches atomic.Int64
	over := false
	source := acquirer.NewTokenSource(counted(&fetches), func() time.Time {
		over = !over // at the first look the token has ended, at the second there is a new one
		if over {
			return time.Now().Add(2 * time.Hour)
		}
		return time.Now()
	})
	for range 2 {
		if got := get(t, source); got != "token-1" {
			t.Errorf("%s after %d fetches", got, fetches.Load())
		}
	}
}

func TestTokenSourcePrintsNothing(t *testing.T) {
	source := acquirer.NewTokenSource(func(context.Context) (acquirer.Token, error) {
		return acquirer.Token{Value: sdk.NewSecret(secret), ExpiresAt: time.Now().Add(time.Hour)}, nil
	}, nil)
	get(t, source)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, source); got != "acquirer.TokenSource" {
			t.Errorf("%s: %s", verb, got)
		}
	}
}

func TestManyCallersShareOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fetches atomic.Int64
		gate := make(chan struct{})
		source := acquirer.NewTokenSource(func(ctx context.Context) (acquirer.Token, error) {
			<-gate
			if ctx.Err() != nil {
				return acquirer.Token{}, ctx.Err()
			}
			return counted(&fetches)(ctx)
		}, nil)
		quits, quit := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		callers.Go(func() { // the first, whose flight it is, goes away
			_, err := source.Token(quits)
			checkError(t, err, sdk.CodeAcquirerTimeout, sdk.OutcomeNotSent)
		})
		synctest.Wait()
		for range 50 {
			callers.Go(func() {
				if got := get(t, source); got != "token-1" {
					t.Errorf("got %s", got)
				}
			})
		}
		synctest.Wait()
		quit()
		synctest.Wait()
		close(gate)
		callers.Wait()
		if fetches.Load() != 1 {
			t.Errorf("fetched %d times, want once", fetches.Load())
		}
	})
}

func TestFetchHasItsOwnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := acquirer.NewTokenSource(func(ctx context.Context) (acquirer.Token, error) {
			<-ctx.Done()
			return acquirer.Token{}, sdk.Unknown(sdk.CodeAcquirerTimeout, "no answer in time")
		}, nil)
		_, err := source.Token(context.Background())
		checkError(t, err, sdk.CodeAcquirerTimeout, sdk.OutcomeNotSent)
	})
}

func TestInvalidateOnlyTheCurrentToken(t *testing.T) {
	var fetches atomic.Int64
	source := acquirer.NewTokenSource(counted(&fetches), nil)
	first, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	source.Invalidate(first)
	if got := get(t, source); got != "token-2" {
		t.Errorf("got %s, want token-2", got)
	}
	source.Invalidate(first) // another caller, late, with the old one
	if got := get(t, source); got != "token-2" {
		t.Errorf("got %s, want token-2", got)
	}
}

func TestTokenFailures(t *testing.T) {
	tests := []struct {
		name  string
		fetch acquirer.FetchToken
		want  sdk.Code
	}{
		{"unknown", func(context.Context) (acquirer.Token, error) {
			return acquirer.Token{}, sdk.Unknown(sdk.CodeAcquirerTimeout, "no answer in time")
		}, sdk.CodeAcquirerTimeout},
		{"refused", func(context.Context) (acquirer.Token, error) {
			return acquirer.Token{}, sdk.Refused(sdk.CodeCredentialsRefused, "no")
		}, sdk.CodeCredentialsRefused},
		{"any error", func(context.Context) (acquirer.Token, error) {
			return acquirer.Token{}, errors.New("GET /auth?client_secret=" + secret)
		}, sdk.CodeUnspecified},
		{"panic", func(context.Context) (acquirer.Token, error) { panic(secret) }, sdk.CodePluginPanic},
		{"empty", func(context.Context) (acquirer.Token, error) { return acquirer.Token{}, nil }, sdk.CodeAcquirerAnswerInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var calls atomic.Int64
			source := acquirer.NewTokenSource(func(ctx context.Context) (acquirer.Token, error) {
				if calls.Add(1) == 1 {
					return test.fetch(ctx)
				}
				return acquirer.Token{Value: sdk.NewSecret("good"), ExpiresAt: time.Now().Add(time.Hour)}, nil
			}, nil)
			_, err := source.Token(t.Context())
			checkError(t, err, test.want, sdk.OutcomeNotSent)
			if got := get(t, source); got != "good" {
				t.Errorf("the failure was remembered")
			}
		})
	}
}

// authorized calls DoAuthorized against a server that answers with statuses.
func authorized(t *testing.T, source *acquirer.TokenSource, statuses ...int) (acquirer.Response, []string, error) {
	t.Helper()
	var tokens []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
		w.WriteHeader(statuses[len(tokens)-1])
	}))
	defer server.Close()
	resp, err := newClient(t, acquirer.Options{}).DoAuthorized(t.Context(), source, func(ctx context.Context, token sdk.Secret) (*http.Request, error) {
		req, err := acquirer.NewRequest(ctx, http.MethodPost, server.URL, "application/json", []byte("{}"))
		if err == nil {
			req.Header.Set("Authorization", token.Reveal())
		}
		return req, err
	})
	return resp, tokens, err
}

func TestDoAuthorized(t *testing.T) {
	tests := []struct {
		name     string
		statuses []int
		want     string
		status   int
	}{
		{"good", []int{200}, "token-1", 200},
		{"401 once", []int{401, 200}, "token-1 token-2", 200},
		{"401 then refusal", []int{401, 500}, "token-1 token-2", 500},
		{"403 is an answer", []int{403}, "token-1", 403},
		{"401 twice", []int{401, 401}, "token-1 token-2", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var fetches atomic.Int64
			resp, tokens, err := authorized(t, acquirer.NewTokenSource(counted(&fetches), nil), test.statuses...)
			if got := strings.Join(tokens, " "); got != test.want || resp.Status != test.status {
				t.Errorf("sent %s and got %d, want %s and %d", got, resp.Status, test.want, test.status)
			}
			if test.status == 0 {
				checkError(t, err, sdk.CodeCredentialsRefused, sdk.OutcomeNotSent)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDoAuthorizedWithoutANewToken(t *testing.T) {
	var calls atomic.Int64
	source := acquirer.NewTokenSource(func(ctx context.Context) (acquirer.Token, error) {
		if calls.Add(1) > 1 {
			return acquirer.Token{}, sdk.Unknown(sdk.CodeAcquirerUnavailable, "down")
		}
		return acquirer.Token{Value: sdk.NewSecret("old"), ExpiresAt: time.Now().Add(time.Hour)}, nil
	}, nil)
	_, tokens, err := authorized(t, source, 401)
	checkError(t, err, sdk.CodeAcquirerUnavailable, sdk.OutcomeNotSent)
	if len(tokens) != 1 {
		t.Errorf("sent %d times, want once", len(tokens))
	}
}

func TestDoAuthorizedWithARequestThatCannotBeBuilt(t *testing.T) {
	var fetches atomic.Int64
	_, err := newClient(t, acquirer.Options{}).DoAuthorized(t.Context(), acquirer.NewTokenSource(counted(&fetches), nil),
		func(context.Context, sdk.Secret) (*http.Request, error) { return nil, errors.New(secret) })
	checkError(t, err, sdk.CodeUnspecified, sdk.OutcomeNotSent)
}
