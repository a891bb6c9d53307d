package httpapi

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

func TestKeyForms(t *testing.T) {
	for text, want := range map[string]string{
		"abc":                                "abc",
		`"abc"`:                              "abc",
		`"a\"b\\c"`:                          `a"b\c`,
		`a"b`:                                `a"b`,
		"~ !":                                "~ !",
		strings.Repeat("x", 255):             strings.Repeat("x", 255),
		strings.Repeat("x", 256):             "",
		`"` + strings.Repeat("x", 255) + `"`: strings.Repeat("x", 255),
		`"abc`:                               "",
		`"abc"x`:                             "",
		`"a";b=1`:                            "",
		`"a\x"`:                              "",
		`"a\`:                                "",
		`""`:                                 "",
		`"`:                                  "",
		"caf\xc3\xa9":                        "",
		"a\tb":                               "",
	} {
		c := newClient(t)
		got := c.call("POST", "/v1/payments", good, "Idempotency-Key: "+text)
		if want == "" && (got.status != 400 || got.Field != "Idempotency-Key" || c.finished != 0 || len(c.requests) != 0) || want != "" && (got.status != 201 || c.keyed.Key != want) {
			t.Errorf("%q: %d %s, key %q", text, got.status, got.body, c.keyed.Key)
		}
	}
	c := newClient(t)
	r := httptest.NewRequest("POST", "/v1/payments", strings.NewReader(good))
	r.Header.Set("Authorization", "Bearer "+keyA)
	r.Header["Idempotency-Key"] = []string{"a", "b"}
	if got := c.send(r); got.status != 400 {
		t.Errorf("two keys: %d", got.status)
	}
}

// TestKept: what says what came of the request is kept before it is answered;
// what had no effect, or isn't known, may be tried again.
func TestKept(t *testing.T) {
	for name, e := range map[string]struct {
		created host.Created
		err     error
		body    string
		status  int
		kept    bool
	}{
		"pending":      {host.Created{Payment: full(sdk.StatusPending)}, nil, good, 201, true},
		"lost":         {host.Created{Payment: full(sdk.StatusUnknown)}, nil, good, 202, true},
		"existing":     {host.Created{Payment: full(sdk.StatusPending), Existing: true}, nil, good, 200, true},
		"refused":      {host.Created{Payment: full(sdk.StatusFailed), Err: sdk.Refused(sdk.CodeRefused, "no")}, nil, good, 402, true},
		"not sent":     {host.Created{Payment: full(sdk.StatusCreated), Err: sdk.NotSent(sdk.CodePluginUnavailable, "down")}, nil, good, 503, false},
		"conflict":     {host.Created{}, sdk.NotSent(sdk.CodeConflict, "other"), good, 409, false},
		"no route":     {host.Created{}, sdk.NotSent(sdk.CodeNoRoute, "none"), good, 422, false},
		"bad body":     {host.Created{}, nil, `{"amount":1}`, 400, false},
		"not known":    {host.Created{}, sdk.Unknown(sdk.CodeInternal, "hm"), good, 500, false},
		"store failed": {host.Created{}, sdk.NotSent(sdk.CodeStoreUnavailable, "disk"), good, 503, false},
	} {
		c := newClient(t)
		c.created, c.err = e.created, e.err
		got := c.call("POST", "/v1/payments", e.body, "Idempotency-Key: k")
		if got.status != e.status || (c.kept != nil) != e.kept || c.finished != 1 {
			t.Errorf("%s: %d, kept %+v, finished %d times", name, got.status, c.kept, c.finished)
		}
		if want := (host.KeyedRequest{Merchant: "shop-a", Path: "/v1/payments", Key: "k", Body: []byte(e.body)}); c.keyed.Path != want.Path || c.keyed.Merchant != want.Merchant || string(c.keyed.Body) != e.body {
			t.Errorf("%s: %+v", name, c.keyed)
		}
		if k := c.kept; k != nil && (k.Status != got.status || string(k.Body) != got.body || k.ContentType != got.header.Get("Content-Type") || k.Location != got.header.Get("Location")) {
			t.Errorf("%s: kept %+v of %+v", name, k, got)
		}
		if got.header.Get("Idempotent-Replayed") != "" {
			t.Errorf("%s: a first answer is called a replay", name)
		}
	}
}

// TestWhatIsKeyed: each call that can have an effect at an acquirer, or that a
// person answers for, takes a key.
func TestWhatIsKeyed(t *testing.T) {
	for path, body := range map[string]string{
		"/v1/payments": good, "/v1/payments/x/cancel": "", "/v1/payments/x/review": `{"decision":"accept","note":"ours"}`, "/v1/payments/x/refunds": goodRefund,
	} {
		c := newClient(t)
		c.fake.refund = host.RefundCreated{Refund: fullRefund("SUCCEEDED"), Sent: true}
		if got := c.call("POST", path, body, "Idempotency-Key: k"); c.keyed.Path != path || c.finished != 1 || c.kept == nil {
			t.Errorf("%s: %d, %+v, kept %+v", path, got.status, c.keyed, c.kept)
		}
	}
	c := newClient(t)
	c.err = errors.New("hush")
	if c.call("POST", "/v1/payments/x/cancel", "", "Idempotency-Key: k"); !strings.Contains(c.log.String(), "hush") {
		t.Errorf("why it failed isn't in the log: %s", c.log)
	}
}

func TestReplay(t *testing.T) {
	c := newClient(t)
	got := c.call("POST", "/v1/payments", good, "Idempotency-Key: k")
	c.before = c.kept
	again := c.call("POST", "/v1/payments", good, "Idempotency-Key: k")
	if again.body != got.body || again.status != 201 || again.header.Get("Location") != got.header.Get("Location") || again.header.Get("Idempotent-Replayed") != "true" || len(c.requests) != 1 {
		t.Errorf("%+v", again)
	}
	for code, status := range map[sdk.Code]int{sdk.CodeIdempotencyMismatch: 422, sdk.CodeInProgress: 409, sdk.CodeStoreUnavailable: 503} {
		e := sdk.NotSent(code, "no")
		if e.RetryAfter = 0; code == sdk.CodeInProgress {
			e.RetryAfter = time.Second
		}
		c.before, c.keyErr = nil, e
		for _, path := range []string{"/v1/payments", "/v1/payments/x/cancel", "/v1/payments/x/review"} {
			got := c.call("POST", path, good, "Idempotency-Key: k")
			if got.status != status || (got.header.Get("Retry-After") != "") != (code != sdk.CodeIdempotencyMismatch) {
				t.Errorf("%s: %d %v", path, got.status, got.header)
			}
		}
	}
	if len(c.requests) != 1 {
		t.Error("it was done all the same")
	}
}

// TestKeyAfterTrouble: a panic, or a caller who left, leaves no claim behind.
func TestKeyAfterTrouble(t *testing.T) {
	c := newClient(t)
	c.panics = true
	if got := c.call("POST", "/v1/payments/x/cancel", "", "Idempotency-Key: k"); got.status != 500 || c.finished != 1 || c.kept != nil {
		t.Errorf("after a panic: %d, finished %d times, kept %+v", got.status, c.finished, c.kept)
	}
	c = newClient(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := httptest.NewRequest("POST", "/v1/payments/x/cancel", nil).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer "+keyA)
	r.Header.Set("Idempotency-Key", "k")
	if c.send(r); c.finished != 1 || c.kept != nil {
		t.Errorf("finished %d times, kept %+v", c.finished, c.kept)
	}
}
