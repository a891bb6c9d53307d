package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// phase is one state of the config file, under which shoppers pay for a while.
type phase struct {
	title     string
	accepting []string // providers; all other ones are kept, but retired
	routes    map[string]string
	refused   []string // what it tries to drop too early
}

var methods = []string{"alipay_hk", "alipay_cn"}

// phases move AlipayHK step by step from cbtis to airwallex, then to antom, and
// Alipay from cbtis to stripe, then to antom; and both back.
var phases = []phase{
	{
		title: "all at cbtis", accepting: []string{"cbtis"},
		routes: map[string]string{"alipay_hk": "providers: [cbtis]", "alipay_cn": "providers: [cbtis]"},
	},
	{
		title: "hk: 25% airwallex", accepting: []string{"cbtis", "airwallex"},
		routes: map[string]string{"alipay_hk": "providers: [cbtis, airwallex], weights: {cbtis: 75, airwallex: 25}", "alipay_cn": "providers: [cbtis]"},
	},
	{
		title: "hk: 50%; cn: stripe", accepting: []string{"cbtis", "airwallex", "stripe"},
		routes: map[string]string{"alipay_hk": "providers: [cbtis, airwallex], weights: {cbtis: 50, airwallex: 50}", "alipay_cn": "providers: [stripe]"},
	},
	{
		title: "hk: 100%; cn: stripe", accepting: []string{"cbtis", "airwallex", "stripe"},
		routes: map[string]string{"alipay_hk": "providers: [cbtis, airwallex], weights: {cbtis: 0, airwallex: 100}", "alipay_cn": "providers: [stripe]"},
	},
	{
		title: "all to antom", accepting: []string{"antom"}, refused: []string{"airwallex", "stripe"},
		routes: map[string]string{"alipay_hk": "providers: [antom]", "alipay_cn": "providers: [antom]"},
	},
	{
		title: "back to cbtis", accepting: []string{"cbtis"},
		routes: map[string]string{"alipay_hk": "providers: [cbtis]", "alipay_cn": "providers: [cbtis]"},
	},
}

const headText = `# Written by swap before each reload; docs/config.md has all keys.
listen: 127.0.0.1:0
admin_listen: ""
public_url: %s
store: sqlite:paymux.db
plugins: {dir: %q}
api_keys: [{merchant: harbour-tea, key: "${file:secrets/api-key}"}]
events:
  - {url: %q, secret: "${file:secrets/events}", merchant: harbour-tea}

providers:
`

// configText is the config of a phase without some providers.
func (w *world) configText(p phase, without ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, headText, w.publicURL, w.plugins, w.events.url)
	for _, a := range w.acquirers {
		if !slices.Contains(without, a.Name) {
			b.WriteString(a.Config(slices.Contains(p.accepting, a.Name)))
		}
	}
	b.WriteString("\nroutes:\n")
	for _, method := range methods {
		fmt.Fprintf(&b, "  - {methods: [%s], currencies: [HKD], %s}\n", method, p.routes[method])
	}
	return b.String()
}

// writeConfig puts it in place as an editor does: at once, or not at all.
func (w *world) writeConfig(text string) error {
	path := filepath.Join(w.dir, configName)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
