package stripe

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
	"github.com/paymux/paymux/sdk/schema"
)

const fullConfig = `{"account_id":"acct_1A","mode":"test","secret_key":"` + testKey + `","webhook_secrets":["` + testSecret + `","whsec_sEcReT-2"],
	"webhook_tolerance":60,"base_url":"https://proxy.example.com/stripe/","api_version":"2025-10-29","currencies":["HKD","CNY"],"return_url":"https://shop.example.com/x"}`

func TestSchema(t *testing.T) {
	s, err := schema.Parse(Plugin().ConfigSchema)
	if err != nil {
		t.Fatal(err)
	}
	for _, good := range []string{goodConfig, fullConfig} {
		if v := s.Validate([]byte(good)); len(v) > 0 {
			t.Errorf("%s: %v", good, v)
		}
		if account, err := s.Account([]byte(good)); err != nil || account != "acct_1A/test" {
			t.Errorf("account %q, %v", account, err)
		}
	}
	secrets := s.Secrets([]byte(fullConfig))
	slices.Sort(secrets)
	if got := strings.Join(secrets, " "); got != testKey+" "+testSecret+" whsec_sEcReT-2" {
		t.Errorf("secrets: %s", got)
	}
	for name, changes := range map[string]map[string]any{
		"no account": {"account_id": nil}, "account": {"account_id": "1A"}, "no mode": {"mode": nil}, "mode": {"mode": "sandbox"},
		"no key": {"secret_key": nil}, "empty key": {"secret_key": ""}, "no secrets": {"webhook_secrets": []string{}}, "empty secret": {"webhook_secrets": []string{""}},
		"tolerance": {"webhook_tolerance": 0}, "fraction": {"webhook_tolerance": 1.5}, "base_url": {"base_url": "api"}, "version": {"api_version": "latest"},
		"newline": {"api_version": "2025-10-29\nX: y"}, "no currencies": {"currencies": []string{}}, "currency": {"currencies": []string{"THB"}}, "unknown": {"publishable_key": "pk"},
	} {
		if v := s.Validate(change(t, []byte(fullConfig), changes)); len(v) == 0 {
			t.Errorf("%s is accepted", name)
		}
	}
}

// The schema is read by people; what it repeats of the code is the same.
func TestSchemaFitsCode(t *testing.T) {
	var s struct {
		Properties map[string]struct {
			Description string
			Default     any
			Items       struct{ Enum []string }
		}
	}
	if err := json.Unmarshal([]byte(Plugin().ConfigSchema), &s); err != nil {
		t.Fatal(err)
	}
	for key, p := range s.Properties {
		if p.Description == "" {
			t.Errorf("%s has no description", key)
		}
	}
	if got := s.Properties["currencies"].Items.Enum; !slices.Equal(got, currencies) {
		t.Errorf("currencies %v", got)
	}
	c := settings(t, "")
	if s.Properties["base_url"].Default != c.BaseURL || s.Properties["api_version"].Default != c.APIVersion || s.Properties["webhook_tolerance"].Default != 300.0 || c.WebhookTolerance != 300 {
		t.Errorf("defaults differ: %+v", s.Properties)
	}
}

func TestOpen(t *testing.T) {
	open := Plugin().Open
	for _, good := range []string{goodConfig, fullConfig, strings.NewReplacer(`"test"`, `"live"`, "sk_test_", "sk_live_").Replace(goodConfig), strings.Replace(goodConfig, "sk_test_", "key", 1)} {
		provider, err := open(context.Background(), sdk.NewConfig("main", []byte(good)))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := provider.(sdk.Refunder); !ok {
			t.Error("it can't refund")
		}
		if _, ok := provider.(sdk.Canceller); !ok {
			t.Error("it can't cancel")
		}
	}
	tests := []struct {
		name, field string
		changes     map[string]any
	}{
		{"no account", "/account_id", map[string]any{"account_id": ""}},
		{"mode", "/mode", map[string]any{"mode": "x"}},
		{"live key for tests", "/secret_key", map[string]any{"secret_key": "sk_live_sEcReT"}},
		{"test key for money", "/secret_key", map[string]any{"mode": "live"}},
		{"empty key", "/secret_key", map[string]any{"secret_key": ""}},
		{"key with a newline", "/secret_key", map[string]any{"secret_key": "sEcReT\n"}},
		{"no secrets", "/webhook_secrets", map[string]any{"webhook_secrets": []string{}}},
		{"empty secret", "/webhook_secrets/1", map[string]any{"webhook_secrets": []string{"sEcReT", ""}}},
		{"secret with a newline", "/webhook_secrets/0", map[string]any{"webhook_secrets": []string{"sEcReT\n"}}},
		{"tolerance", "/webhook_tolerance", map[string]any{"webhook_tolerance": -1}},
		{"http", "/base_url", map[string]any{"base_url": "http://api.example.com"}},
		{"password in URL", "/base_url", map[string]any{"base_url": "https://u:sEcReT@api.example.com"}},
		{"version", "/api_version", map[string]any{"api_version": "2025-10-29\nX: y"}},
		{"currency", "/currencies/1", map[string]any{"currencies": []string{"HKD", "THB"}}},
		{"return_url", "/return_url", map[string]any{"return_url": "shop"}},
		{"number as key", "", map[string]any{"secret_key": 5}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := open(context.Background(), sdk.NewConfig("main", change(t, []byte(goodConfig), test.changes)))
			if e := checkError(t, err, sdk.CodeInvalidConfig, sdk.OutcomeNotSent); e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
		})
	}
}

func TestConfigAndProviderDoNotPrintSecrets(t *testing.T) {
	p := &provider{config: settings(t, "")}
	// fmt can't call Format of what is in an unexported field, and prints all of it.
	holder := struct{ p *provider }{p}
	for _, value := range []any{p, *p, p.config, &p.config, holder, struct{ c config }{p.config}} {
		checkPrints(t, value)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", value)
		checkPrints(t, log.String())
	}
}

func TestCapabilities(t *testing.T) {
	c := Plugin().Capabilities
	if len(c.Rows) != 33 || !c.CreateRetry.Native || c.CreateRetry.Window.Hours() != 24 || c.NotFoundSettling < c.CreateRetry.Window || c.NotifyURL != sdk.NotifyURLDashboard || c.NotificationAuth != sdk.NotificationSharedSecret || len(c.QueryKeys) != 2 {
		t.Errorf("got %+v", c)
	}
	for _, row := range c.Rows {
		if row.Method != sdk.AlipayCN || row.Flow == sdk.StoreQR || row.Max.Minor() != 99_999_999 || row.Min.IsZero() != (row.Currency != "USD") || len(row.Actions) == 0 {
			t.Errorf("row %+v", row)
		}
	}
	if _, err := c.Supports(sdk.AlipayHK, sdk.MobileWeb, money(t, "1", "HKD")); err == nil || err.Code != sdk.CodeUnsupported {
		t.Errorf("AlipayHK: %v", err)
	}
}

func TestAuthorize(t *testing.T) {
	f := newFake(t, say(200, `{"id":"acct_1A","object":"account","livemode":false}`))
	if _, err := f.provider(t, "").Authorize(t.Context()); err != nil {
		t.Error(err)
	}
	if got := f.sent(); len(got) != 1 || got[0] != "GET /v1/account" {
		t.Errorf("sent %q", got)
	}
	c := settings(t, "")
	for body, code := range map[string]sdk.Code{
		`{"id":"acct_2","object":"account"}`: sdk.CodeCredentialsRefused, `{"id":"acct_1A"}`: sdk.CodeAcquirerAnswerInvalid,
		`{"object":"account"}`: sdk.CodeAcquirerAnswerInvalid, `<html>`: sdk.CodeAcquirerAnswerInvalid,
	} {
		if err := c.readAccount(ok([]byte(body))); !sdk.IsCode(err, code) {
			t.Errorf("%s: %v", body, err)
		}
	}
	err := c.readAccount(acquirer.Response{Status: 401, Body: []byte(`{"error":{"type":"invalid_request_error"}}`)})
	checkError(t, err, sdk.CodeCredentialsRefused, sdk.OutcomeNotSent)
}
