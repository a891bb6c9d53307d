package alipayhk

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
)

// All accounts of a plugin keep and share their connections, whatever is answered.
func TestConnectionsAreKept(t *testing.T) {
	var connections atomic.Int64
	f := &fake{}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	f.Start()
	defer f.Close()
	plugin := Plugin()
	for _, uid := range []string{"1", "2"} {
		opened, err := plugin.Open(t.Context(), sdk.NewConfig(uid, []byte(`{"base_url":"`+f.URL+`","uid":"`+uid+`","client_secret":"`+testSecret+`","webhook_keys":["`+testKey+`"]}`)))
		if err != nil {
			t.Fatal(err)
		}
		for _, answer := range []http.HandlerFunc{say(200, "{}"), say(502, "<html>"), say(401, ""), say(302, "elsewhere")} {
			f.answer = answer
			for _, op := range operations(t) {
				if op.call(t.Context(), opened.(*provider)) == nil {
					t.Errorf("%s: no error", op.name)
				}
			}
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for %d requests", n, len(f.sent()))
	}
}

// One token serves all calls until a minute before it ends.
func TestTokenIsRenewedEarly(t *testing.T) {
	f := newFake(t, say(502, ""))
	p := f.provider(t, "")
	now := p.now()
	p = newProvider(p.config, p.client, func() time.Time { return now })
	if grant, err := p.Authorize(t.Context()); err != nil || !grant.ExpiresAt.Equal(now.Add(time.Hour)) {
		t.Errorf("good until %v, %v", grant.ExpiresAt, err)
	}
	for _, step := range []struct {
		wait   time.Duration
		tokens int
	}{{0, 1}, {time.Hour - 61*time.Second, 1}, {2 * time.Second, 2}, {0, 2}} {
		now = now.Add(step.wait)
		for _, op := range operations(t) {
			_ = op.call(t.Context(), p)
		}
		if n := f.tokensGiven(); n != step.tokens {
			t.Errorf("%v later: %d tokens, want %d", step.wait, n, step.tokens)
		}
	}
}
