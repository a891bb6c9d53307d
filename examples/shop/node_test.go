package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/config"
)

// The shop doesn't notice either in which language its provider is written.
func TestNodeProvider(t *testing.T) {
	node, err := filepath.Abs("../provider-node")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(node, "node_modules", "@grpc", "grpc-js")); err != nil {
		t.Skip("SKIPPED: there is no node_modules in examples/provider-node; get it with: make oracles")
	}
	if err := exec.Command("/usr/bin/env", "PATH=/usr/local/bin:/usr/bin:/bin", "node", "-e", "AbortSignal.any([])").Run(); err != nil {
		t.Skip("SKIPPED: there is no node, or one older than 20.3; get it with: apt-get install nodejs")
	}
	f := newFourAcquirers(t)
	entry := fmt.Sprintf("#!/bin/sh\nexec %q\n", filepath.Join(node, "paymux-provider-node"))
	if err := os.WriteFile(filepath.Join(f.dir, "plugins", "paymux-provider-node"), []byte(entry), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := f.host.Reload(t.Context(), f.nodeConfig()); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"alipay_hk", "alipay_cn"} {
		f.agent = phoneAgent
		f.buy("cbtis", method)
	}
	if info, err := f.host.Provider("", "cbtis-node"); err != nil || !info.Ready || info.Process.Sealed {
		t.Errorf("%+v, %v", info, err)
	}
}

// nodeConfig leads every payment to the provider in Node, at the same acquirer.
func (f *fourAcquirers) nodeConfig() *config.Config {
	f.t.Helper()
	lines := f.Get("cbtis").Config(true)
	for line := range strings.Lines(lines) {
		if !strings.HasPrefix(strings.TrimSpace(line), "codes:") { // a key that the provider in Node doesn't have
			lines += strings.NewReplacer("cbtis:", "cbtis-node:", "alipayhk", "node").Replace(line)
		}
	}
	text := fmt.Sprintf("public_url: %s\nadmin_listen: \"\"\nplugins: {dir: %q, allow_unsealed: true}\napi_keys: [{merchant: shop, key: %s}]\nproviders:\n%sroutes: [{providers: [cbtis-node]}]\n",
		f.api, filepath.Join(f.dir, "plugins"), testKey, lines)
	cfg, err := config.Parse("paymux.yaml", []byte(text), f.dir, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return cfg
}
