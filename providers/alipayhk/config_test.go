package alipayhk

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
	"github.com/paymux/paymux/sdk/schema"
)

const goodConfig = `{"base_url":"https://api.example.com","uid":"39172931","client_secret":"sEcReT-a","webhook_keys":["sEcReT-b","sEcReT-c"]}`

func TestSchema(t *testing.T) {
	s, err := schema.Parse(Plugin().ConfigSchema)
	if err != nil {
		t.Fatal(err)
	}
	full := strings.TrimSuffix(goodConfig, "}") + `,"amount_unit":"minor","codes":{"refused":[40001,-2],"not_found":[40400]},"options_key":"wechat"}`
	for _, good := range []string{goodConfig, full} {
		if v := s.Validate([]byte(good)); len(v) > 0 {
			t.Errorf("%s: %v", good, v)
		}
	}
	if got := strings.Join(s.Secrets([]byte(full)), " "); !strings.Contains(got, "sEcReT-a") || !strings.Contains(got, "sEcReT-b") || !strings.Contains(got, "sEcReT-c") || strings.Contains(got, "39172931") {
		t.Errorf("secrets: %s", got)
	}
	moved := strings.Replace(goodConfig, "https://api.example.com", "https://API.example.com/path/", 1)
	for _, text := range []string{goodConfig, full, moved} {
		if account, err := s.Account([]byte(text)); err != nil || account != "api.example.com/39172931" {
			t.Errorf("account %q, %v", account, err)
		}
	}
	for name, change := range map[string]map[string]any{
		"no base_url": {"base_url": nil}, "relative base_url": {"base_url": "api"}, "number as uid": {"uid": 39172931}, "empty uid": {"uid": ""},
		"no secret": {"client_secret": nil}, "empty secret": {"client_secret": ""}, "no keys": {"webhook_keys": []string{}}, "empty key": {"webhook_keys": []string{""}},
		"unit": {"amount_unit": "cents"}, "code 0": {"codes": map[string]any{"refused": []int{0}}}, "text code": {"codes": map[string]any{"refused": []string{"1"}}},
		"unknown codes": {"codes": map[string]any{"retry": []int{1}}}, "options type": {"options_key": "type"}, "options case": {"options_key": "A"}, "unknown key": {"unit": "major"},
	} {
		if v := s.Validate(changeConfig(t, change)); len(v) == 0 {
			t.Errorf("%s is accepted", name)
		}
	}
}

func changeConfig(t *testing.T, changes map[string]any) []byte {
	return change(t, []byte(goodConfig), "", changes)
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	var s struct {
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal([]byte(Plugin().ConfigSchema), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Properties) != 7 {
		t.Errorf("%d keys", len(s.Properties))
	}
	for key, p := range s.Properties {
		if p.Description == "" {
			t.Errorf("%s has no description", key)
		}
	}
}

func TestOpen(t *testing.T) {
	open := Plugin().Open
	provider, err := open(context.Background(), sdk.NewConfig("main", []byte(goodConfig)))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := provider.(sdk.Refunder); !ok {
		t.Error("it can't refund")
	}
	if _, ok := provider.(sdk.Canceller); ok {
		t.Error("it claims to cancel, for which the acquirer has no request")
	}
	tests := []struct {
		name, field string
		changes     map[string]any
	}{
		{"http", "/base_url", map[string]any{"base_url": "http://api.example.com"}},
		{"password in URL", "/base_url", map[string]any{"base_url": "https://u:sEcReT@api.example.com"}},
		{"query in URL", "/base_url", map[string]any{"base_url": "https://api.example.com?sEcReT"}},
		{"empty uid", "/uid", map[string]any{"uid": ""}},
		{"uid with a blank", "/uid", map[string]any{"uid": "39172931 "}},
		{"empty secret", "/client_secret", map[string]any{"client_secret": ""}},
		{"secret with a newline", "/client_secret", map[string]any{"client_secret": "sEcReT\n"}},
		{"no keys", "/webhook_keys", map[string]any{"webhook_keys": []string{}}},
		{"empty key", "/webhook_keys/1", map[string]any{"webhook_keys": []string{"sEcReT", ""}}},
		{"key with a newline", "/webhook_keys/0", map[string]any{"webhook_keys": []string{"sEcReT\n"}}},
		{"code 0", "/codes", map[string]any{"codes": map[string]any{"refused": []int{0}}}},
		{"code 0 not found", "/codes", map[string]any{"codes": map[string]any{"not_found": []int{0}}}},
		{"code in both", "/codes/not_found/1", map[string]any{"codes": map[string]any{"refused": []int{7, 8}, "not_found": []int{9, 8}}}},
		{"unit", "/amount_unit", map[string]any{"amount_unit": "cents"}},
		{"options key", "/options_key", map[string]any{"options_key": "type"}},
		{"number as uid", "", map[string]any{"uid": 39172931}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := open(context.Background(), sdk.NewConfig("main", changeConfig(t, test.changes)))
			e := checkError(t, err, sdk.CodeInvalidConfig, sdk.OutcomeNotSent)
			if e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
		})
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

func TestCapabilities(t *testing.T) {
	c := Plugin().Capabilities
	if len(c.Rows) != 6 || c.CreateRetry.Native || c.NotFoundSettling != 10*time.Minute || c.NotifyURL != sdk.NotifyURLPerPayment || c.NotificationAuth != sdk.NotificationSharedSecret || len(c.QueryKeys) != 2 {
		t.Errorf("got %+v", c)
	}
	for _, row := range c.Rows {
		if row.Currency != "HKD" || !row.Min.IsZero() || !row.Max.IsZero() || len(row.Actions) == 0 {
			t.Errorf("row %+v", row)
		}
	}
}

func TestAuthorize(t *testing.T) {
	f := newFake(t, nil)
	var query string
	f.auth = func(w http.ResponseWriter, r *http.Request) {
		query = r.Method + " " + r.URL.RawQuery
		_, _ = w.Write(golden(t, "token_response.json"))
	}
	p := f.provider(t, "")
	grant, err := p.Authorize(t.Context())
	if err != nil || grant.ExpiresAt.IsZero() {
		t.Fatalf("got %v, %v", grant, err)
	}
	if want := "GET client_secret=sEcReT%2F%26%2Bclient&grant_type=client_credentials&uid=39172931"; query != want {
		t.Errorf("got %s, want %s", query, want)
	}
	if again, _ := p.Authorize(t.Context()); f.tokensGiven() != 1 || again != grant {
		t.Errorf("asked %d times", f.tokensGiven())
	}
}
