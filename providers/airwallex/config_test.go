package airwallex

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
	"github.com/paymux/paymux/sdk/schema"
)

const goodConfig = `{"base_url":"https://api.example.com","client_id":"client-1","api_key":"sEcReT-a","webhook_secrets":["sEcReT-b","sEcReT-c"]}`

func TestSchema(t *testing.T) {
	s, err := schema.Parse(Plugin().ConfigSchema)
	if err != nil {
		t.Fatal(err)
	}
	full := strings.TrimSuffix(goodConfig, "}") + `,"webhook_tolerance_seconds":60,"api_version":"2024-01-01","os_type":"ios","app_flow":"inapp","descriptor_bytes":32,"codes":{"refused":["a"],"not_found":["b"]}}`
	for _, good := range []string{goodConfig, full} {
		if v := s.Validate([]byte(good)); len(v) > 0 {
			t.Errorf("%s: %v", good, v)
		}
		if _, err := readConfig(sdk.NewConfig("main", []byte(good))); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	if got := strings.Join(s.Secrets([]byte(full)), " "); !strings.Contains(got, "sEcReT-a") || !strings.Contains(got, "sEcReT-b") || !strings.Contains(got, "sEcReT-c") || strings.Contains(got, "client-1") {
		t.Errorf("secrets: %s", got)
	}
	moved := strings.Replace(goodConfig, "https://api.example.com", "https://API.example.com/path/", 1)
	for _, text := range []string{goodConfig, full, moved} {
		if account, err := s.Account([]byte(text)); err != nil || account != "api.example.com/client-1" {
			t.Errorf("account %q, %v", account, err)
		}
	}
	var described struct {
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal([]byte(Plugin().ConfigSchema), &described); err != nil {
		t.Fatal(err)
	}
	for key, p := range described.Properties {
		if p.Description == "" {
			t.Errorf("%s has no description", key)
		}
	}
}

// Whatever the schema refuses, Open refuses too where it would be dangerous.
func TestBadConfig(t *testing.T) {
	s, err := schema.Parse(Plugin().ConfigSchema)
	if err != nil {
		t.Fatal(err)
	}
	codes := func(key string, values ...string) map[string]any {
		return map[string]any{"codes": map[string]any{key: values}}
	}
	both := map[string]any{"codes": map[string]any{"refused": []string{"x", "y"}, "not_found": []string{"z", "y"}}}
	tests := []struct {
		name, field string // field: "-" if Open takes it
		schema      bool   // the schema refuses it too
		changes     map[string]any
	}{
		{"no base_url", "/base_url", true, map[string]any{"base_url": nil}},
		{"relative base_url", "/base_url", true, map[string]any{"base_url": "api"}},
		{"http", "/base_url", false, map[string]any{"base_url": "http://api.example.com"}},
		{"password in URL", "/base_url", false, map[string]any{"base_url": "https://u:sEcReT@api.example.com"}},
		{"query in URL", "/base_url", false, map[string]any{"base_url": "https://api.example.com?sEcReT"}},
		{"no client", "/client_id", true, map[string]any{"client_id": nil}},
		{"client with a blank", "/client_id", true, map[string]any{"client_id": "client 1"}},
		{"no key", "/api_key", true, map[string]any{"api_key": nil}},
		{"key with a newline", "/api_key", false, map[string]any{"api_key": "sEcReT\n"}},
		{"key with a newline inside", "/api_key", false, map[string]any{"api_key": "sEcReT\nx"}},
		{"no secrets", "/webhook_secrets", true, map[string]any{"webhook_secrets": []string{}}},
		{"empty secret", "/webhook_secrets/1", true, map[string]any{"webhook_secrets": []string{"sEcReT", ""}}},
		{"secret with a newline", "/webhook_secrets/0", false, map[string]any{"webhook_secrets": []string{"sEcReT\n"}}},
		{"tolerance 0", "/webhook_tolerance_seconds", true, map[string]any{"webhook_tolerance_seconds": 0}},
		{"tolerance of a week", "/webhook_tolerance_seconds", true, map[string]any{"webhook_tolerance_seconds": 604800}},
		{"version", "/api_version", true, map[string]any{"api_version": "latest"}},
		{"system", "/os_type", true, map[string]any{"os_type": "windows"}},
		{"app flow", "/app_flow", true, map[string]any{"app_flow": "In App"}},
		{"descriptor", "/descriptor_bytes", true, map[string]any{"descriptor_bytes": -1}},
		{"empty code", "/codes", true, codes("refused", "")},
		{"empty code", "/codes", true, codes("not_found", "")},
		{"code in both", "/codes/not_found/1", false, both},
		{"unknown codes", "-", true, codes("retry", "x")},
		{"unknown key", "-", true, map[string]any{"unit": "major"}},
		{"wrong type", "", true, map[string]any{"client_id": 7}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := change(t, []byte(goodConfig), test.changes)
			if v := s.Validate(text); (len(v) > 0) != test.schema {
				t.Errorf("the schema says %v", v)
			}
			_, err := Plugin().Open(context.Background(), sdk.NewConfig("main", text))
			if test.field == "-" {
				return
			}
			if e := checkError(t, err, sdk.CodeInvalidConfig, sdk.OutcomeNotSent); e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
		})
	}
}

func TestAbilities(t *testing.T) {
	provider, err := Plugin().Open(context.Background(), sdk.NewConfig("main", []byte(goodConfig)))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := provider.(sdk.Refunder); !ok {
		t.Error("it can't refund")
	}
	if _, ok := provider.(sdk.Canceller); !ok {
		t.Error("it can't cancel")
	}
	c := Plugin().Capabilities
	if len(c.Rows) != 6 || c.CreateRetry.Native || c.NotFoundSettling <= 0 || c.NotifyURL != sdk.NotifyURLDashboard || c.NotificationAuth != sdk.NotificationSharedSecret || len(c.QueryKeys) != 2 {
		t.Errorf("got %+v", c)
	}
	for _, row := range c.Rows {
		want := map[sdk.Method]string{sdk.AlipayHK: "HKD", sdk.AlipayCN: "CNY"}[row.Method]
		if row.Currency != want || row.Flow == sdk.StoreQR || !row.Min.IsZero() || !row.Max.IsZero() || len(row.Actions) == 0 {
			t.Errorf("row %+v", row)
		}
	}
}

func TestConfigAndProviderDoNotPrintSecrets(t *testing.T) {
	f := newFake(t, say(200, "{}"))
	p := f.provider(t, "")
	if _, err := p.Authorize(t.Context()); err != nil {
		t.Fatal(err)
	}
	// fmt can't call Format of what is in an unexported field, and prints all of it.
	holder := struct{ p *provider }{f.provider(t, "")}
	for _, value := range []any{p, *p, p.config, &p.config, p.tokens, holder, struct{ c config }{p.config}} {
		checkPrints(t, value)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", value)
		checkPrints(t, log.String())
	}
}

func TestAuthorize(t *testing.T) {
	f := newFake(t, nil)
	var got string
	f.login = func(w http.ResponseWriter, r *http.Request) {
		body := new(bytes.Buffer)
		_, _ = body.ReadFrom(r.Body)
		got = strings.Join([]string{r.Method, r.Header.Get("x-client-id"), r.Header.Get("x-api-key"), r.Header.Get("x-api-version"), r.Header.Get("Content-Type"), body.String()}, " ")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(golden(t, "login_response.json"))
	}
	p := f.provider(t, "")
	p.tokens = acquirer.NewTokenSource(p.fetchToken, func() time.Time { return time.Date(2026, 5, 11, 23, 40, 0, 0, time.UTC) })
	p.now = func() time.Time { return time.Date(2026, 5, 11, 23, 40, 0, 0, time.UTC) }
	grant, err := p.Authorize(t.Context())
	if err != nil || !grant.ExpiresAt.Equal(time.Date(2026, 5, 12, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("got %v, %v", grant, err)
	}
	if want := "POST client-1 " + testKey + " 2025-06-30 application/json {}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if again, _ := p.Authorize(t.Context()); f.tokens != 1 || again != grant {
		t.Errorf("asked %d times", f.tokens)
	}
}

func TestReadToken(t *testing.T) {
	now := time.Date(2026, 5, 11, 23, 40, 0, 0, time.UTC)
	good := []struct {
		body string
		want time.Duration
	}{
		{`{"token":"x","expires_at":"2026-05-12T00:00:00+0000"}`, 20 * time.Minute},
		{`{"token":"x","expires_at":"2026-05-12T00:00:00Z"}`, 20 * time.Minute},
		{`{"token":"x","expires_at":"2026-05-12T08:00:00.5+08:00"}`, 20*time.Minute + time.Second/2},
		{`{"token":"x","expires_at":"2026-05-12T08:00:00.5+0800"}`, 20*time.Minute + time.Second/2},
		{`{"token":"x","expires_at":"2036-05-12T00:00:00+0000"}`, lifetime}, // nonsense
		{`{"token":"x","expires_at":"soon"}`, lifetime},
		{`{"token":"x"}`, lifetime},
		{`{"token":"x","expires_at":"2026-05-11T23:00:00+0000"}`, -40 * time.Minute}, // a clock is wrong: used once
	}
	for _, test := range good {
		token, err := readToken(acquirer.Response{Status: 201, Body: []byte(test.body)}, now)
		if err != nil || token.ExpiresAt.Sub(now) != test.want || token.Value.Reveal() != "x" {
			t.Errorf("%s: %v, %v", test.body, token.ExpiresAt.Sub(now), err)
		}
	}
	bad := []struct {
		status int
		body   string
		code   sdk.Code
	}{
		{401, `{"code":"credentials_invalid","message":"` + testKey + `"}`, sdk.CodeCredentialsRefused},
		{403, ``, sdk.CodeCredentialsRefused},
		{429, `{}`, sdk.CodeAcquirerRateLimited},
		{500, `<html>`, sdk.CodeAcquirerError},
		{302, ``, sdk.CodeAcquirerError},
		{201, ``, sdk.CodeAcquirerAnswerInvalid},
		{201, `{"token":""}`, sdk.CodeAcquirerAnswerInvalid},
		{201, `{"token":"a b"}`, sdk.CodeAcquirerAnswerInvalid},
		{201, `{"token":"` + strings.Repeat("x", 9000) + `"}`, sdk.CodeAcquirerAnswerInvalid},
		{201, `{"token":"x"}{}`, sdk.CodeAcquirerAnswerInvalid},
	}
	for _, test := range bad {
		_, err := readToken(acquirer.Response{Status: test.status, Body: []byte(test.body), RetryAfter: time.Second}, now)
		if e := checkError(t, err, test.code, sdk.OutcomeNotSent); e.RetryAfter != time.Second {
			t.Errorf("Retry-After got lost: %v", e)
		}
	}
}
