package antom

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/paymux/paymux/providers/antom/antomtest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/schema"
)

const everyOption = `,"key_version":"2","api_path":"/ams/api/v1","codes":{"not_found":["A"],"refused":["B"],"unsure":["C"],"credentials":["D"]},"currencies":["HKD"],` +
	`"settlement_currency":"HKD","return_url":"https://shop.example/","os_type":"IOS","store_payment_method":"connect_wallet","order_merchant":{"merchantMCC":"5499"},` +
	`"notification_path":"/x","notification_max_age_seconds":600`

func TestSchema(t *testing.T) {
	s, err := schema.Parse(Plugin().ConfigSchema)
	if err != nil {
		t.Fatal(err)
	}
	good := configJSON("https://open-sea-global.alipay.com", "")
	full := configJSON("https://open-sea-global.alipay.com", everyOption)
	for _, text := range [][]byte{good, full} {
		if v := s.Validate(text); len(v) > 0 {
			t.Errorf("%v", v)
		}
		if _, err := readConfig(sdk.NewConfig("main", text)); err != nil {
			t.Error(err)
		}
	}
	secrets := strings.Join(s.Secrets(full), "")
	if !strings.Contains(secrets, antomtest.PrivatePEM(ourKey())) || strings.Contains(secrets, clientID) {
		t.Error("the private key isn't marked as a secret, or the client id is")
	}
	moved := configJSON("https://OPEN-sea-global.alipay.com/path/", "")
	for _, text := range [][]byte{good, full, moved} {
		if account, err := s.Account(text); err != nil || account != "open-sea-global.alipay.com/"+clientID {
			t.Errorf("account %q, %v", account, err)
		}
	}
	for name, changes := range map[string]map[string]any{
		"no base_url": {"base_url": nil}, "relative base_url": {"base_url": "api"}, "no client_id": {"client_id": nil}, "empty client_id": {"client_id": ""},
		"client_id with a comma": {"client_id": "a,b"}, "no key": {"private_key": nil}, "empty key": {"private_key": ""}, "no public keys": {"antom_public_keys": nil},
		"empty list": {"antom_public_keys": []string{}}, "one key": {"antom_public_keys": "x"}, "path": {"api_path": "/ams"}, "number as version": {"key_version": 1},
		"currency": {"currencies": []string{"USD"}}, "no currencies": {"currencies": []string{}}, "settlement": {"settlement_currency": "hkd"}, "os": {"os_type": "Symbian"},
		"store": {"store_payment_method": "cash"}, "merchant": {"order_merchant": "x"}, "age": {"notification_max_age_seconds": 1}, "unknown": {"region": "asia"},
		"code": {"codes": map[string]any{"refused": []string{"a b"}}}, "number as code": {"codes": map[string]any{"refused": []int{1}}}, "codes": {"codes": map[string]any{"retry": []string{"A"}}},
	} {
		if v := s.Validate(change(t, good, changes)); len(v) == 0 {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestOpen(t *testing.T) {
	open := Plugin().Open
	good := configJSON("https://open-sea-global.alipay.com", "")
	provider, err := open(context.Background(), sdk.NewConfig("main", good))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := provider.(sdk.Refunder); !ok {
		t.Error("it can't refund")
	}
	if _, ok := provider.(sdk.Canceller); !ok {
		t.Error("it can't cancel")
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecPrivate, _ := x509.MarshalPKCS8PrivateKey(elliptic)
	ecPublic, _ := x509.MarshalPKIXPublicKey(&elliptic.PublicKey)
	ours, theirs := antomtest.PrivatePEM(ourKey()), antomtest.PublicPEM(&antomKey().PublicKey)
	twoCodes := func(a, b string) map[string]any {
		return map[string]any{"codes": map[string]any{a: []string{"X", "Y"}, b: []string{"Z", "Y"}}}
	}
	tests := []struct {
		name, field string
		changes     map[string]any
	}{
		{"http", "/base_url", map[string]any{"base_url": "http://open.example.com"}},
		{"password in URL", "/base_url", map[string]any{"base_url": "https://u:sEcReT@open.example.com"}},
		{"query in URL", "/base_url", map[string]any{"base_url": "https://open.example.com?sEcReT"}},
		{"empty client id", "/client_id", map[string]any{"client_id": ""}},
		{"client id with a newline", "/client_id", map[string]any{"client_id": "X\n"}},
		{"version with a comma", "/key_version", map[string]any{"key_version": "1,2"}},
		{"path", "/api_path", map[string]any{"api_path": "/ams"}},
		{"live in the sandbox", "/api_path", map[string]any{"api_path": "/ams/sandbox/api/v1"}},
		{"store method", "/store_payment_method", map[string]any{"store_payment_method": "cash"}},
		{"merchant", "/order_merchant", map[string]any{"order_merchant": []string{}}},
		{"age", "/notification_max_age_seconds", map[string]any{"notification_max_age_seconds": 10}},
		{"negative age", "/notification_max_age_seconds", map[string]any{"notification_max_age_seconds": -1}},
		{"notification path", "/notification_path", map[string]any{"notification_path": "x"}},
		{"code in two lists", "/codes/refused/1", twoCodes("not_found", "refused")},
		{"code in two others", "/codes/credentials/1", twoCodes("unsure", "credentials")},
		{"no private key", "/private_key", map[string]any{"private_key": ""}},
		{"not PEM", "/private_key", map[string]any{"private_key": "sEcReT"}},
		{"encrypted", "/private_key", map[string]any{"private_key": block("ENCRYPTED PRIVATE KEY", []byte("sEcReT"))}},
		{"PEM of nothing", "/private_key", map[string]any{"private_key": block("PRIVATE KEY", []byte("sEcReT"))}},
		{"public as private", "/private_key", map[string]any{"private_key": theirs}},
		{"elliptic", "/private_key", map[string]any{"private_key": block("PRIVATE KEY", ecPrivate)}},
		{"small", "/private_key", map[string]any{"private_key": antomtest.PrivatePEM(small)}},
		{"two private keys", "/private_key", map[string]any{"private_key": ours + ours}},
		{"no public keys", "/antom_public_keys", map[string]any{"antom_public_keys": []string{}}},
		{"second is empty", "/antom_public_keys/1", map[string]any{"antom_public_keys": []string{theirs, ""}}},
		{"private as public", "/antom_public_keys/0", map[string]any{"antom_public_keys": []string{ours}}},
		{"our own public key", "/antom_public_keys/0", map[string]any{"antom_public_keys": []string{antomtest.PublicPEM(&ourKey().PublicKey)}}},
		{"elliptic public", "/antom_public_keys/0", map[string]any{"antom_public_keys": []string{block("PUBLIC KEY", ecPublic)}}},
		{"small public", "/antom_public_keys/0", map[string]any{"antom_public_keys": []string{antomtest.PublicPEM(&small.PublicKey)}}},
		{"number as client id", "", map[string]any{"client_id": 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := open(context.Background(), sdk.NewConfig("main", change(t, good, test.changes)))
			e := checkError(t, err, sdk.CodeInvalidConfig, sdk.OutcomeNotSent)
			if e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
		})
	}
	pkcs1 := block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(ourKey()))
	for name, key := range map[string]string{"PKCS #1": pkcs1, "a newline more": ours + "\n", "words before": "key of main\n" + ours} {
		if _, err := open(context.Background(), sdk.NewConfig("main", change(t, good, map[string]any{"private_key": key}))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The client id says where the requests go, unless the config does.
func TestAPIPath(t *testing.T) {
	for _, test := range []struct{ id, path, want string }{
		{"5X00", "", "/ams/api/v1"}, {"SANDBOX_5X00", "", "/ams/sandbox/api/v1"}, {"SANDBOX_5X00", "/ams/api/v1", "/ams/api/v1"}, {"MYSANDBOX_5X00", "", "/ams/api/v1"},
	} {
		changes := map[string]any{"client_id": test.id, "api_path": test.path}
		if test.path == "" {
			delete(changes, "api_path")
		}
		c, err := readConfig(sdk.NewConfig("main", change(t, configJSON("https://open.example.com/proxy/", ""), changes)))
		if err != nil || c.path(callPay) != test.want+"/payments/pay" || c.endpoint(callPay) != "https://open.example.com/proxy"+test.want+"/payments/pay" {
			t.Errorf("%+v: %s, %v", test, c.endpoint(callPay), err)
		}
	}
}

func TestCapabilities(t *testing.T) {
	c := Plugin().Capabilities
	if len(c.Rows) != 12 || c.CreateRetry.Native || c.NotFoundSettling <= 0 || c.NotifyURL != sdk.NotifyURLPerPayment || c.NotificationAuth != sdk.NotificationPublicKey || len(c.QueryKeys) != 2 {
		t.Errorf("got %+v", c)
	}
	least := map[string]string{"alipay_hk HKD": "0.01", "alipay_cn CNY": "0.10", "alipay_cn HKD": ""}
	for _, row := range c.Rows {
		want, known := least[string(row.Method)+" "+row.Currency]
		if !known || row.Min.AmountString() != want || !row.Max.IsZero() || len(row.Actions) == 0 || !slices.Contains(sdk.Flows(), row.Flow) {
			t.Errorf("row %+v", row)
		}
	}
}

func TestConfigAndProviderDoNotPrintSecrets(t *testing.T) {
	p := newFake(t, nil).provider(t, everyOption)
	// fmt can't call Format of what is in an unexported field, and prints all of it.
	holder := struct{ p *provider }{p}
	for _, value := range []any{p, *p, p.config, &p.config, holder, struct{ c config }{p.config}} {
		checkPrints(t, value)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", value)
		checkPrints(t, log.String())
	}
	if text, err := json.Marshal(p.config); err == nil {
		checkPrints(t, string(text))
	}
}
