package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestConfigCheck(t *testing.T) {
	tests := []struct {
		name    string
		replace []string
		args    string
		code    int
		want    []string
	}{
		{"valid", nil, "", exitOK, []string{"alipayhk 1.0.0", "/39172931", "ok", "paymux.yaml is valid"}},
		{"online", nil, "--online", exitOK, []string{"the credentials are good until 20"}},
		{"credentials refused", []string{"${env:CLIENT_SECRET}", "wrong-" + testSecret[:6]}, "--online", exitFailed, []string{"CREDENTIALS_REFUSED"}},
		{"offline believes the credentials", []string{"${env:CLIENT_SECRET}", "wrong"}, "", exitOK, []string{"ok"}},
		{"nobody there", []string{"base_url: http", "base_url: http://127.0.0.1:9/ #"}, "--online", exitFailed, []string{"ACQUIRER_UNAVAILABLE"}},
		{"no port of PostgreSQL", []string{"sqlite:paymux.db", "postgres://u:hush-hush@h:99999/d"}, "", exitUsage, []string{"paymux.yaml:4:8: store: ", "invalid port"}},
		{"no mode of PostgreSQL", []string{"sqlite:paymux.db", "postgres://u:hush-hush@h/d?sslmode=maybe"}, "", exitUsage, []string{"paymux.yaml:4:8: store: ", "sslmode is invalid"}},
		{"missing plugin", []string{"plugin: alipayhk", "plugin: awx"}, "", exitFailed, []string{"PLUGIN_UNAVAILABLE", "there is no plugin at"}},
		{"schema", []string{"uid: ", "amount_unit: cents\n      uid: "}, "", exitUsage, []string{"paymux.yaml:12:20: providers.cbtis.config.amount_unit: "}},
		{"useless route", []string{"providers: [cbtis]}]", "providers: [cbtis]}, {flows: [app], providers: [cbtis]}]"}, "", exitUsage,
			[]string{"paymux.yaml:15:", "routes[1].flows[0]: no provider of this route takes app with the rest of what it names; they take mobile_web, store_qr, web_qr"}},
		{"wrong currency", []string{"methods: [alipay_hk, alipay_cn], p", "methods: [alipay_cn], currencies: [CNY], p"}, "", exitUsage,
			[]string{"routes[0].currencies[0]: no provider of this route takes CNY with the rest of what it names; they take HKD"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.replace...)
			args := append([]string{"config", "check"}, strings.Fields(tt.args)...)
			s.run(args...).want(t, tt.code, tt.want...)
			var report checkReport
			if err := json.Unmarshal([]byte(s.run(append(args, "--json")...).stdout), &report); err != nil {
				t.Fatalf("--json prints no JSON: %v", err)
			}
			if report.OK != (tt.code == exitOK) || (len(report.Mistakes) > 0) != (tt.code == exitUsage) {
				t.Errorf("exit code %d, but %+v", tt.code, report)
			}
		})
	}
}

// What config check refuses, serve refuses alike, and no message shows the URL.
func TestStoreURL(t *testing.T) {
	s := newSite(t, "sqlite:paymux.db", `"postgres://u:hush-hush@h/d?connect_timeout=${env:FROM_OUTSIDE}"`)
	s.env["FROM_OUTSIDE"] = "hush-too"
	for _, command := range [][]string{{"config", "check"}, {"serve"}} {
		a := s.run(command...)
		a.want(t, exitUsage, "paymux.yaml:4:8: store: ", "invalid connect_timeout")
		if strings.Contains(a.stderr, "hush") || strings.Contains(a.stderr, "@h") {
			t.Errorf("%v: the URL is printed: %s", command, a.stderr)
		}
	}
}

// It asks the acquirer only for credentials, and leaves no store behind.
func TestConfigCheckOnlineMovesNoMoney(t *testing.T) {
	s := newSite(t)
	s.run("config", "check", "--online").want(t, exitOK)
	for _, r := range s.sandbox.Requests() {
		if !strings.Contains(r.Path, "/auth") {
			t.Errorf("it asked for %s", r.Path)
		}
	}
	if len(s.sandbox.Requests()) == 0 {
		t.Error("it asked for nothing")
	}
}

func TestProviders(t *testing.T) {
	s := newSite(t)
	s.run("providers", "list").want(t, exitOK, "cbtis", "alipayhk 1.0.0", "CBTIS", "alipay_hk alipay_cn")
	s.run("providers", "describe", "cbtis").want(t, exitOK,
		"\nmerchants   all\n", "\nrefunds     yes\n", "http://127.0.0.1:9/v1/notifications/cbtis (sent with each payment)", "store_qr", "qr_code redirect",
		"client_secret*  string  secret", "webhook_keys*  list of string  secret", `amount_unit  string  one of [major minor]  default "major"`, "codes.not_found  list of integer")
	s.run("providers", "describe", "cbits").want(t, exitUsage, `there is no provider "cbits"`, "it has cbtis")
	a := s.run("providers", "describe", "cbtis", "--json")
	var d providerDetail
	if err := json.Unmarshal([]byte(a.stdout), &d); err != nil || a.code != exitOK {
		t.Fatal(a.code, err)
	}
	if d.Acquirer != "CBTIS" || d.Account == "" || len(d.SHA256) != 64 || d.Pinned || !d.Capabilities.Refunds || len(d.ConfigKeys) != 9 {
		t.Errorf("%+v", d)
	}

	s.write("plugin: alipayhk", "plugin: awx")
	s.run("providers", "list").want(t, exitFailed, "there is no plugin at")
	s.run("providers", "describe", "cbtis").want(t, exitFailed, "there is no plugin at")
}

func TestConfigKeys(t *testing.T) {
	keys, err := configKeys([]byte(`{"type":"object","required":["z"],"properties":{
		"a":{"type":"string","description":"first"},
		"z":{"type":"object","required":["inner"],"properties":{"deep":{"type":"integer"},"inner":{"type":"array","items":{"type":"string","writeOnly":true}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range keys {
		got = append(got, k.title())
	}
	if want := []string{"z*  object", "z.inner*  list of string  secret", "z.deep  integer", "a  string"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if keys, err := configKeys(nil); keys != nil || err != nil {
		t.Errorf("without a schema: %v, %v", keys, err)
	}
	if _, err := configKeys([]byte("no")); err == nil {
		t.Error("a schema that is no JSON is taken")
	}
}
