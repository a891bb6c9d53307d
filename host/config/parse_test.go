package config

import (
	"reflect"
	"strings"
	"testing"
)

// The example of the design is accepted with exactly this meaning.
func TestParseDesign(t *testing.T) {
	cfg := mustParse(t, readFile(t, "testdata/design.yaml"),
		map[string]string{"PAYMUX_API_KEY": apiKey},
		map[string]string{dirOfTest + "/secrets/client": "c: \"1\"\n", dirOfTest + "/secrets/hook": "h\\1"})
	want := &Config{
		Dir: dirOfTest, Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:8081", PublicURL: "https://pay.example.com",
		Store:       StoreConfig{Kind: StoreSQLite, Path: dirOfTest + "/paymux.db"},
		Plugins:     Plugins{Dir: dirOfTest + "/bin/plugins", Lock: dirOfTest + "/paymux.lock"},
		APIKeys:     []APIKey{{"shop-a", NewSecret(apiKey)}},
		ReturnHosts: []string{"shop.example.com"},
		Providers: []Provider{
			{Name: "cbtis-main", Plugin: "alipayhk", Merchants: []string{"shop-a"}, Accepting: true, Config: NewSecret(
				`{"base_url":"https://cbtis.example","uid":"10086","client_secret":"c: \"1\"","webhook_keys":["h\\1"]}`)},
			{Name: "awx", Plugin: "airwallex", Accepting: true, Config: NewSecret(`{"client_id":"abc"}`)},
		},
		Routes: []Route{{Methods: methods, Currencies: []string{"HKD"}, Providers: []string{"cbtis-main", "awx"}}},
		Events: []Event{{"https://shop.example.com/hooks/paymux", NewSecret(eventKey), "shop-a"}},
		name:   cfg.name, root: cfg.root, secrets: cfg.secrets,
	}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
		t.Errorf("config %s", cfg.Providers[0].Config.Reveal())
	}
	if got, want := cfg.Secrets(), []string{eventKey, apiKey, `c: "1"`, `h\1`}; !reflect.DeepEqual(got, want) {
		t.Errorf("secrets %q, want %q", got, want)
	}
}

func TestParseFull(t *testing.T) {
	cfg := mustParse(t, readFile(t, "testdata/full.yaml"), map[string]string{
		"PAYMUX_DB_PASSWORD": "p%40ss", "PAYMUX_KEY_SHOP_A_NEW": apiKey + "3", "PAYMUX_KEY_SHOP_A": apiKey + "1",
		"PAYMUX_KEY_SHOP_B": apiKey + "2", "AIRWALLEX_API_KEY": "k", "PAYMUX_EVENTS_SECRET": eventKey,
	}, map[string]string{
		dirOfTest + "/secrets/cbtis-client-secret": "s\n", dirOfTest + "/secrets/cbtis-webhook-key": "w\n",
	})
	if got, want := cfg.Store.DSN.Reveal(), "postgres://paymux:p%40ss@db.example.com/paymux"; got != want {
		t.Errorf("DSN %s, want %s", got, want)
	}
	if secrets := strings.Join(cfg.Secrets(), " "); !strings.Contains(secrets, "p@ss") || !strings.Contains(secrets, "p%40ss") {
		t.Errorf("secrets %q lack a spelling of the database password", secrets)
	}
	if got := cfg.Providers[0].Process; got != ProcessOwn {
		t.Errorf("process %q, want own", got)
	}
	if got := cfg.Warnings(); len(got) != 0 {
		t.Errorf("warnings %v", got)
	}
}

func TestDefaults(t *testing.T) {
	cfg := mustParse(t, okProviders, nil, nil)
	want := &Config{
		Dir: dirOfTest, Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:8081", PublicURL: "http://127.0.0.1:8080",
		Store:     StoreConfig{Kind: StoreSQLite, Path: dirOfTest + "/paymux.db"},
		Plugins:   Plugins{Dir: dirOfTest + "/bin/plugins", Lock: dirOfTest + "/paymux.lock"},
		Providers: []Provider{{Name: "p", Plugin: "a", Accepting: true, Config: NewSecret("{}")}},
		name:      cfg.name, root: cfg.root, warnings: cfg.warnings,
	}
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
}

func TestAccepted(t *testing.T) {
	tests := []struct {
		name, data string
		get        func(*Config) any
		want       any
	}{
		{"admin off", "admin_listen: ''", func(c *Config) any { return c.AdminListen }, ""},
		{"port 0 twice", "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\npublic_url: https://x.example",
			func(c *Config) any { return c.Listen }, "127.0.0.1:0"},
		{"same port, other address", "listen: 127.0.0.2:8081", func(c *Config) any { return c.PublicURL }, "http://127.0.0.2:8081"},
		{"all addresses", "listen: ':80'\npublic_url: https://x.example", func(c *Config) any { return c.Listen }, ":80"},
		{"IPv6", "listen: '[::1]:80'", func(c *Config) any { return c.PublicURL }, "http://[::1]:80"},
		{"IPv4 in IPv6", "listen: '[::ffff:127.0.0.1]:80'", func(c *Config) any { return c.PublicURL }, "http://[::ffff:127.0.0.1]:80"},
		{"longest event secret and key", "api_keys: [{merchant: a, key: " + strings.Repeat("k", 256) + "}, {merchant: b, key: " + strings.Repeat("k", 16) + "}]\nevents:\n" + eventWith(bytesInBase64(64), 1) + eventWith(bytesInBase64(24), 2),
			func(c *Config) any { return len(c.Events) }, 2},
		{"one url of two merchants", "api_keys: [{merchant: a, key: test-api-key-0123456789}, {merchant: b, key: test-api-key-9876543210}]\nevents:\n" +
			eventWith(bytesInBase64(24), 1) + strings.Replace(eventWith(bytesInBase64(24), 1), "merchant: a", "merchant: b", 1), func(c *Config) any { return len(c.Events) }, 2},
		{"one amount only", okProviders + `routes: [{currencies: [HKD], amount: {min: "5", max: "5.00"}, providers: [p]}]`, func(c *Config) any { return c.Routes[0].Max.String() }, "5.00 HKD"},
		{"both spellings of a password are secret", "store: postgres://u:p%40ss-w0rd@h/d", func(c *Config) any { return c.Secrets() }, []string{"p%40ss-w0rd", "p@ss-w0rd"}},
		{"localhost", "listen: localhost:80", func(c *Config) any { return c.PublicURL }, "http://localhost:80"},
		{"public path", "public_url: https://Pay.Example.com:8443/a%2fb//", func(c *Config) any { return c.PublicURL }, "https://pay.example.com:8443/a%2fb"},
		{"plain http on loopback", "public_url: http://127.9.9.9:80/", func(c *Config) any { return c.PublicURL }, "http://127.9.9.9:80"},
		{"absolute path", "store: sqlite:/var/lib/paymux.db", func(c *Config) any { return c.Store.Path }, "/var/lib/paymux.db"},
		{"postgresql", "store: postgresql:///db?host=/run/pg", func(c *Config) any { return c.Store.DSN.Reveal() }, "postgresql:///db?host=/run/pg"},
		{"upper-case host", "return_hosts: [Shop.Example.COM, '::1']", func(c *Config) any { return c.ReturnHosts }, []string{"shop.example.com", "::1"}},
		{"true in capitals", "plugins: {allow_unsealed: TRUE}", func(c *Config) any { return c.Plugins.AllowUnsealed }, true},
		{"no lists", "api_keys: []\nroutes: []\nevents: []", func(c *Config) any { return len(c.Routes) }, 0},
		{"start of document", "---\nlisten: 127.0.0.1:80", func(c *Config) any { return c.Listen }, "127.0.0.1:80"},
		{"byte order mark", "\uFEFFlisten: 127.0.0.1:80", func(c *Config) any { return c.Listen }, "127.0.0.1:80"},
		{"CRLF", "listen: 127.0.0.1:80\r\nstore: sqlite:x\r", func(c *Config) any { return c.Store.Path }, dirOfTest + "/x"},
		{"path from outside", "plugins: {lock: '${env:LOCK}'}", func(c *Config) any { return c.Plugins.Lock }, "/run/lock"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := tt.data
			if !strings.Contains(data, "providers") {
				data += "\n" + okProviders
			}
			cfg := mustParse(t, data, map[string]string{"LOCK": "/run/lock"}, nil)
			if got := tt.get(cfg); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestHosts(t *testing.T) {
	label := strings.Repeat("a", 63)
	longest := strings.Repeat(label+".", 3) + strings.Repeat("b", 61) // 253 bytes
	for host, want := range map[string]bool{
		"a": true, "a-b.c": true, "1.example": true, label + ".c": true, longest: true, "::1": true, "10.0.0.1": true,
		"": false, "a.": false, ".a": false, "a..b": false, "-a.c": false, "a-.c": false, "a_b.c": false, "ä.c": false, "a b": false,
		label + "a.c": false, longest + "b": false, "10.0.0.256": false, "1.2.3": false, "*.c": false,
	} {
		if isHost(host) != want {
			t.Errorf("isHost(%q) = %t", host, !want)
		}
	}
}

func TestProviderConfig(t *testing.T) {
	tests := []struct{ name, data, want string }{
		{"left out", "", `{}`},
		{"empty", "config: {}", `{}`},
		{"order", "config: {b: 1, a: 2}", `{"b":1,"a":2}`},
		{"exact numbers", "config: {n: [12345, -0, 1.10, 123456789012345678901234567890, 1e5, 1.5E-3]}",
			`{"n":[12345,-0,1.10,123456789012345678901234567890,1e5,1.5E-3]}`},
		{"words", "config: {n: [true, False, True, TRUE, null, ~, yes, no, off]}", `{"n":[true,false,true,true,null,null,"yes","no","off"]}`},
		{"quoted", `config: {n: ["1", 'true', "a\"b\n<&>é"]}`, `{"n":["1","true","a\"b\n<&>é"]}`},
		{"dates", "config: {n: [2020-01-02, 12:30]}", `{"n":["2020-01-02","12:30"]}`},
		{"nested", "config: {a: {b: [{c: []}]}}", `{"a":{"b":[{"c":[]}]}}`},
		{"keys are not resolved", "config: {'${env:X}': '${env:X}'}", `{"${env:X}":"x: [1] # \"y\""}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := mustParse(t, "providers:\n  p:\n    plugin: a\n    "+tt.data, map[string]string{"X": `x: [1] # "y"`}, nil)
			if got := cfg.Providers[0].Config.Reveal(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
