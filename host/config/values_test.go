package config

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

const okProviders = "providers: {p: {plugin: a}}\n"

func TestServerErrors(t *testing.T) {
	runBad(t, []badFile{
		{"unknown key", okProviders + "lissen: x\nzzz: 1\n", `
paymux.yaml:2:1: lissen: unknown key; did you mean "listen"?
paymux.yaml:3:1: zzz: unknown key; expected listen, admin_listen, public_url, store, plugins, api_keys, return_hosts, providers, routes or events`},
		{"number as listen", "listen: 8080\n" + okProviders, `
paymux.yaml:1:9: listen: found a number; expected host:port as a string, such as "127.0.0.1:8080"; write it in quotes`},
		{"null", "listen:\nstore: ~\n" + okProviders, `
paymux.yaml:1:8: listen: found nothing; expected host:port as a string, such as "127.0.0.1:8080"
paymux.yaml:2:8: store: found nothing; expected "sqlite:PATH" or "postgres://USER@HOST/DATABASE"`},
		{"bad addresses", "listen: 127.0.0.1:http\nadmin_listen: 10.0.0.256:80\npublic_url: https://x\n" + okProviders, `
paymux.yaml:1:9: listen: found "127.0.0.1:http"; expected host:port as a string, such as "127.0.0.1:8080", with a port from 0 to 65535
paymux.yaml:2:15: admin_listen: found "10.0.0.256:80"; expected host:port as a string, such as "127.0.0.1:8080", with a port from 0 to 65535`},
		{"port out of range", "listen: 127.0.0.1:65536\n" + okProviders, `
paymux.yaml:1:9: listen: found "127.0.0.1:65536"; expected host:port as a string, such as "127.0.0.1:8080", with a port from 0 to 65535`},
		{"empty listen", "listen: ''\n" + okProviders, `
paymux.yaml:1:9: listen: found ""; expected host:port as a string, such as "127.0.0.1:8080", with a port from 0 to 65535`},
		{"address from outside", "listen: \"${env:ADDRESS}\"\n" + okProviders, `
paymux.yaml:1:9: listen: found "${env:ADDRESS}"; expected host:port as a string, such as "127.0.0.1:8080", with a port from 0 to 65535`},
		{"same address", "listen: localhost:9000\nadmin_listen: 127.0.0.1:9000\n" + okProviders, `
paymux.yaml:2:15: admin_listen: listen and admin_listen are the same address; expected two`},
		{"all addresses and one", "listen: 0.0.0.0:9000\nadmin_listen: 127.0.0.1:9000\npublic_url: https://x\n" + okProviders, `
paymux.yaml:2:15: admin_listen: listen and admin_listen are the same address; expected two`},
		{"same as the default", "listen: ':8081'\npublic_url: https://x\n" + okProviders, `
paymux.yaml:1:9: listen: listen and admin_listen are the same address; expected two`},
		{"no public_url", okProviders + "listen: 0.0.0.0:80\n", `
paymux.yaml:1:1: public_url: required key is missing, as listen is not a loopback address with a fixed port; expected the URL under which acquirers reach this host`},
		{"no public_url for port 0", okProviders + "listen: 127.0.0.1:0\n", `
paymux.yaml:1:1: public_url: required key is missing, as listen is not a loopback address with a fixed port; expected the URL under which acquirers reach this host`},
	})
}

func TestURLErrors(t *testing.T) {
	const want = `an absolute URL as a string, such as "https://pay.example.com"`
	runBad(t, []badFile{
		{"relative", okProviders + "public_url: pay.example.com\n", `
paymux.yaml:2:13: public_url: found "pay.example.com"; expected ` + want},
		{"scheme", okProviders + "public_url: ftp://pay.example.com\n", `
paymux.yaml:2:13: public_url: found "ftp://pay.example.com"; expected ` + want},
		{"http", okProviders + "public_url: http://pay.example.com\n", `
paymux.yaml:2:13: public_url: found "http://pay.example.com"; expected https, as http is for loopback addresses only`},
		{"password", okProviders + "public_url: https://me:hunter2@pay.example.com\n", `
paymux.yaml:2:13: public_url: found a user name or password in the URL; expected ` + want},
		{"broken password", okProviders + "public_url: https://me:hunter%2@pay.example.com\n", `
paymux.yaml:2:13: public_url: found a user name or password in the URL; expected ` + want},
		{"password without slashes", okProviders + "public_url: https:me:hunter2@pay.example.com\n", `
paymux.yaml:2:13: public_url: found a user name or password in the URL; expected ` + want},
		{"query", okProviders + "public_url: https://pay.example.com/?\n", `
paymux.yaml:2:13: public_url: found a query (?) in the URL; expected ` + want},
		{"fragment", okProviders + "public_url: https://pay.example.com/#x\n", `
paymux.yaml:2:13: public_url: found a fragment (#) in the URL; expected ` + want},
		{"port", okProviders + "public_url: 'https://pay.example.com:'\n", `
paymux.yaml:2:13: public_url: found "https://pay.example.com:"; expected ` + want},
		{"port 0", okProviders + "public_url: https://pay.example.com:0\n", `
paymux.yaml:2:13: public_url: found "https://pay.example.com:0"; expected ` + want},
		{"from outside", okProviders + "public_url: \"${env:ADDRESS}:x\"\n", `
paymux.yaml:2:13: public_url: found "${env:ADDRESS}:x"; expected ` + want},
	})
}

func TestStoreErrors(t *testing.T) {
	runBad(t, []badFile{
		{"other kind", okProviders + "store: mysql://u:hunter2@h/d\n", `
paymux.yaml:2:8: store: found another kind of store; expected "sqlite:PATH" or "postgres://USER@HOST/DATABASE"`},
		{"no path", okProviders + "store: 'sqlite:'\n", `
paymux.yaml:2:8: store: found no path; expected "sqlite:PATH"`},
		{"memory", okProviders + "store: 'sqlite::memory:'\n", `
paymux.yaml:2:8: store: found a database in memory; expected a file, as payments must outlive the process`},
		{"sqlite URL of a host", okProviders + "store: sqlite://host/x.db\n", `
paymux.yaml:2:8: store: found a URL; expected "sqlite:PATH" with the plain path of a file`},
		{"sqlite URL", okProviders + "store: sqlite:///var/x.db?mode=ro\n", `
paymux.yaml:2:8: store: found a URL; expected "sqlite:PATH" with the plain path of a file`},
		{"broken password", okProviders + "store: postgres://u:hunter%2@h/d\n", `
paymux.yaml:2:8: store: found a broken URL; expected "postgres://USER@HOST/DATABASE", with special characters of a password written as %XX`},
		{"plugins", okProviders + "plugins: {dir: '', lock: 1, allow_unsealed: yes, sealed: true}\n", `
paymux.yaml:2:16: plugins.dir: found an empty string; expected the path of a directory, such as "bin/plugins"
paymux.yaml:2:26: plugins.lock: found a number; expected the path of a file, such as "paymux.lock"; write it in quotes
paymux.yaml:2:45: plugins.allow_unsealed: found the string "yes"; expected true or false, without quotes
paymux.yaml:2:50: plugins.sealed: unknown key; expected dir, lock or allow_unsealed`},
		{"plugins as string", okProviders + "plugins: bin\n", `
paymux.yaml:2:10: plugins: found a string; expected a mapping`},
	})
}

func TestMerchantErrors(t *testing.T) {
	const wantKey = "a key: 16 to 256 printable ASCII characters without spaces"
	runBad(t, []badFile{
		{"keys", okProviders + `api_keys:
  - {merchant: Shop A, key: test-api-key-0123456789}
  - {merchant: shop-a, key: short}
  - {merchant: shop-a, key: "with a space 0123456789"}
  - {merchant: shop-a}
  - {key: test-api-key-0123456789}
  - {merchant: no, key: 12345678901234567890}
  - {merchant: 007, key: "${env:EMPTY}"}
  - {merchant: shop-b, key: "${env:SHORT}"}
  - shop-c
`, `
paymux.yaml:3:16: api_keys[0].merchant: found "Shop A"; expected ` + wantMerchant + `
paymux.yaml:4:29: api_keys[1].key: found 5 characters; expected ` + wantKey + `
paymux.yaml:5:29: api_keys[2].key: found a space or a character that is not printable ASCII; expected ` + wantKey + `
paymux.yaml:6:5: api_keys[3].key: required key is missing
paymux.yaml:7:5: api_keys[4].merchant: required key is missing
paymux.yaml:7:11: api_keys[4].key: the same key is already given at 3:29; expected another
paymux.yaml:8:25: api_keys[5].key: found a number; expected ` + wantKey + `; write it in quotes
paymux.yaml:9:16: api_keys[6].merchant: found a number; expected ` + wantMerchant + `; write it in quotes
paymux.yaml:9:26: api_keys[6].key: environment variable EMPTY is empty; expected a value
paymux.yaml:10:29: api_keys[7].key: found 11 characters; expected ` + wantKey + `
paymux.yaml:11:5: api_keys[8]: found a string; expected a mapping`},
		{"length of keys", okProviders + "api_keys: [{merchant: a, key: " + strings.Repeat("x", 15) + "}, {merchant: a, key: " + strings.Repeat("y", 257) + "}]\n", `
paymux.yaml:2:31: api_keys[0].key: found 15 characters; expected ` + wantKey + `
paymux.yaml:2:68: api_keys[1].key: found 257 characters; expected ` + wantKey},
		{"what no header carries", okProviders + "api_keys: [{merchant: a, key: test-api-key-é0123456789}]\n", `
paymux.yaml:2:31: api_keys[0].key: found a space or a character that is not printable ASCII; expected ` + wantKey},
		{"names from outside are not suggested", `api_keys: [{merchant: "${env:MERCHANT}", key: test-api-key-0123456789}]
providers: {p: {plugin: a, merchants: [secr3t-shop]}}
`, `
paymux.yaml:1:23: api_keys[0].merchant: found "${env:MERCHANT}"; expected ` + wantMerchant + `
paymux.yaml:2:40: providers.p.merchants[0]: "secr3t-shop" is not in api_keys`},
		{"length of event secrets", okProviders + "api_keys: [{merchant: a, key: test-api-key-0123456789}]\nevents:\n" + eventWith(bytesInBase64(23), 1) + eventWith(bytesInBase64(65), 2) + eventWith(`MDEyMzQ1Njc4OWFiY2Rl\nZjAxMjM0NTY3`, 3), `
paymux.yaml:4:34: events[0].secret: found a secret of 23 bytes; expected whsec_ and 24 to 64 bytes in base64
paymux.yaml:5:34: events[1].secret: found a secret of 65 bytes; expected whsec_ and 24 to 64 bytes in base64
paymux.yaml:6:34: events[2].secret: found a secret that is not base64 after whsec_; expected whsec_ and 24 to 64 bytes in base64`},
		{"not a list", okProviders + "api_keys: {merchant: a, key: b}\n", `
paymux.yaml:2:11: api_keys: found a mapping; expected a list of merchant and key`},
		{"return hosts", okProviders + `return_hosts: ["https://shop.example.com", "shop.example.com:443", "*.example.com", Shop.example.com, shop.EXAMPLE.com, 1.5]
`, `
paymux.yaml:2:16: return_hosts[0]: found "https://shop.example.com"; expected a host name without scheme, port or *, such as "shop.example.com"
paymux.yaml:2:44: return_hosts[1]: found "shop.example.com:443"; expected a host name without scheme, port or *, such as "shop.example.com"
paymux.yaml:2:68: return_hosts[2]: found "*.example.com"; expected a host name without scheme, port or *, such as "shop.example.com"
paymux.yaml:2:103: return_hosts[4]: "shop.EXAMPLE.com" is listed twice
paymux.yaml:2:121: return_hosts[5]: found a number; expected a host name without scheme, port or *, such as "shop.example.com"; write it in quotes`},
		{"no return hosts", okProviders + "return_hosts: []\n", `
paymux.yaml:2:15: return_hosts: found an empty list; expected host names; leave the key out to allow any host`},
		{"events", okProviders + `api_keys: [{merchant: shop-a, key: test-api-key-0123456789}]
events:
  - {url: "http://shop.example.com/", secret: hunter2, merchant: shop-b}
  - {url: "/hooks", secret: whsec_hunter2, merchant: "${env:MERCHANT}"}
  - {url: "https://u:hunter2@h/", secret: whsec_aHVudGVyMg==}
  - {url: "https://h/", secret: "${env:SHORT}", merchant: shop-a}
  - {url: "https://h/", secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3, merchant: shop-a}
`, `
paymux.yaml:4:11: events[0].url: found "http://shop.example.com/"; expected https, as http is for loopback addresses only
paymux.yaml:4:47: events[0].secret: found a secret that does not begin with whsec_; expected whsec_ and 24 to 64 bytes in base64
paymux.yaml:4:66: events[0].merchant: "shop-b" is not in api_keys; did you mean "shop-a"?
paymux.yaml:5:11: events[1].url: found "/hooks"; expected an absolute URL as a string, such as "https://shop.example.com/hooks/paymux"
paymux.yaml:5:29: events[1].secret: found a secret that is not base64 after whsec_; expected whsec_ and 24 to 64 bytes in base64
paymux.yaml:5:54: events[1].merchant: "${env:MERCHANT}" is not in api_keys
paymux.yaml:6:5: events[2].merchant: required key is missing
paymux.yaml:6:11: events[2].url: found a user name or password in the URL; expected an absolute URL as a string, such as "https://shop.example.com/hooks/paymux"
paymux.yaml:6:43: events[2].secret: found a secret of 7 bytes; expected whsec_ and 24 to 64 bytes in base64
paymux.yaml:7:33: events[3].secret: found a secret that does not begin with whsec_; expected whsec_ and 24 to 64 bytes in base64
paymux.yaml:8:5: events[4]: the same url is already listed for this merchant; each event would be sent twice`},
	})
}

func bytesInBase64(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }

func eventWith(encoded string, path int) string {
	return fmt.Sprintf("  - {url: \"https://h/%d\", secret: \"whsec_%s\", merchant: a}\n", path, encoded)
}

func TestProviderErrors(t *testing.T) {
	runBad(t, []badFile{
		{"none", "listen: 127.0.0.1:80\n", "paymux.yaml:1:1: providers: required key is missing"},
		{"empty", "providers: {}\n", "paymux.yaml:1:12: providers: found no provider; expected at least one"},
		{"list", "providers: [{name: p}]\nroutes: [{providers: [p]}]\n", "paymux.yaml:1:12: providers: found a list; expected a mapping of provider names"},
		{"block", `api_keys: [{merchant: shop-a, key: test-api-key-0123456789}]
providers:
  cbtis-main:
    plugin: alipayhk
    acepting: yes
    accepting: on
    merchants: [shopa, true, "${env:MERCHANT}"]
    base_url: https://x
  Awx:
    merchants: []
    process: shared
    config: [1]
  path: {plugin: ./bin/alipayhk, config: x, accepting: "true"}
  full: {plugin: paymux-provider-alipayhk, accepting: 1, config: }
  case: {plugin: AlipayHK, merchants: shop-a}
  fits: {plugin: a2345678901234567890123456789012}
  long: {plugin: a23456789012345678901234567890123}
  bare: alipayhk
`, `
paymux.yaml:5:5: providers.cbtis-main.acepting: unknown key; did you mean "accepting"?
paymux.yaml:6:16: providers.cbtis-main.accepting: found the string "on"; expected true or false, without quotes
paymux.yaml:7:17: providers.cbtis-main.merchants[0]: "shopa" is not in api_keys; did you mean "shop-a"?
paymux.yaml:7:24: providers.cbtis-main.merchants[1]: found a boolean; expected ` + wantMerchant + `; write it in quotes
paymux.yaml:7:30: providers.cbtis-main.merchants[2]: "${env:MERCHANT}" is not in api_keys
paymux.yaml:8:5: providers.cbtis-main.base_url: unknown key; expected plugin, merchants, accepting, process or config; the plugin's own keys belong under config
paymux.yaml:9:3: providers.Awx: found "Awx" as the name of a provider; expected ` + wantProvider + `
paymux.yaml:9:3: providers.Awx.plugin: required key is missing
paymux.yaml:10:16: providers.Awx.merchants: found an empty list; expected merchants; leave the key out for all of them, or write accepting: false
paymux.yaml:11:14: providers.Awx.process: found "shared"; expected own
paymux.yaml:12:13: providers.Awx.config: found a list; expected a mapping of the plugin's own keys
paymux.yaml:13:18: providers.path.plugin: found "./bin/alipayhk"; expected the name of a plugin, such as alipayhk, not a path: binaries are found in plugins.dir
paymux.yaml:13:42: providers.path.config: found a string; expected a mapping of the plugin's own keys
paymux.yaml:13:56: providers.path.accepting: found the string "true"; expected true or false, without quotes
paymux.yaml:14:18: providers.full.plugin: found "paymux-provider-alipayhk"; expected only what follows paymux-provider-
paymux.yaml:14:55: providers.full.accepting: found a number; expected true or false, without quotes
paymux.yaml:14:66: providers.full.config: found nothing; expected a mapping of the plugin's own keys
paymux.yaml:15:18: providers.case.plugin: found "AlipayHK"; expected the name of a plugin, such as alipayhk: up to 32 of a-z, 0-9 and -, beginning with a letter
paymux.yaml:15:39: providers.case.merchants: found a string; expected a list of merchants
paymux.yaml:17:18: providers.long.plugin: found "a23456789012345678901234567890123"; expected the name of a plugin, such as alipayhk: up to 32 of a-z, 0-9 and -, beginning with a letter
paymux.yaml:18:9: providers.bare: found a string; expected a mapping`},
		{"unreadable merchant proves nothing", `api_keys: [{merchant: "${env:ABSENT}", key: test-api-key-0123456789}]
providers: {p: {plugin: a, merchants: [shop-a]}}
`, "paymux.yaml:1:23: api_keys[0].merchant: environment variable ABSENT is not set"},
		{"numbers", `providers:
  p:
    plugin: a
    config:
      uid: 0123456
      "odd.key": [0x1f, 1_000, .5, +1, .inf, -.nan, 0o17]
`, `
paymux.yaml:5:12: providers.p.config.uid: ` + notDecimal + `
paymux.yaml:6:19: providers.p.config."odd.key"[0]: ` + notDecimal + `
paymux.yaml:6:25: providers.p.config."odd.key"[1]: ` + notDecimal + `
paymux.yaml:6:32: providers.p.config."odd.key"[2]: ` + notDecimal + `
paymux.yaml:6:36: providers.p.config."odd.key"[3]: ` + notDecimal + `
paymux.yaml:6:40: providers.p.config."odd.key"[4]: ` + notDecimal + `
paymux.yaml:6:53: providers.p.config."odd.key"[6]: ` + notDecimal},
	})
}

const notDecimal = "found a number that is not plain decimal (such as 007, 0x1f, 1_000 or .5); write a string in quotes, or a decimal number"

func TestRouteErrors(t *testing.T) {
	runBad(t, []badFile{
		{"routes", `providers: {cbtis-main: {plugin: a}, awx: {plugin: b}}
routes:
  - {methods: [alipayhk, alipay_cn, alipay_cn], currencies: [hkd, NO, no], flows: [qr, web-qr], providers: [cbtis-man, awx, awx]}
  - {method: alipay_hk, methods: [], providers: []}
  - {methods: ["${env:SHORT}"], providers: ["${env:SHORT}"]}
  - {flows: app}
  - [awx]
`, `
paymux.yaml:3:16: routes[0].methods[0]: found "alipayhk"; expected alipay_hk or alipay_cn; did you mean "alipay_hk"?
paymux.yaml:3:37: routes[0].methods[2]: "alipay_cn" is listed twice
paymux.yaml:3:62: routes[0].currencies[0]: found "hkd"; expected an ISO 4217 code such as HKD
paymux.yaml:3:67: routes[0].currencies[1]: found "NO"; expected an ISO 4217 code such as HKD
paymux.yaml:3:71: routes[0].currencies[2]: found "no"; expected an ISO 4217 code such as HKD
paymux.yaml:3:84: routes[0].flows[0]: found "qr"; expected mobile_web, web_qr, store_qr or app
paymux.yaml:3:88: routes[0].flows[1]: found "web-qr"; expected mobile_web, web_qr, store_qr or app; did you mean "web_qr"?
paymux.yaml:3:109: routes[0].providers[0]: "cbtis-man" is not in providers; did you mean "cbtis-main"?
paymux.yaml:3:125: routes[0].providers[2]: "awx" is listed twice
paymux.yaml:4:6: routes[1].method: unknown key; did you mean "methods"?
paymux.yaml:4:34: routes[1].methods: found an empty list; leave the key out to match any
paymux.yaml:4:49: routes[1].providers: found an empty list; expected at least one provider
paymux.yaml:5:16: routes[2].methods[0]: found "${env:SHORT}"; expected alipay_hk or alipay_cn
paymux.yaml:5:45: routes[2].providers[0]: "${env:SHORT}" is not in providers
paymux.yaml:6:5: routes[3].providers: required key is missing
paymux.yaml:6:13: routes[3].flows: found a string; expected a list of flows
paymux.yaml:7:5: routes[4]: found a list; expected a mapping`},
		{"a currency that doesn't exist", okProviders + "routes: [{currencies: [HKD, KHD], providers: [p]}]\n", `
paymux.yaml:2:29: routes[0].currencies[1]: found "KHD"; expected an ISO 4217 code such as HKD`},
		{"not a list", okProviders + "routes: p\n", "paymux.yaml:2:9: routes: found a string; expected a list of routes"},
	})
}
