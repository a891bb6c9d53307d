package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

func TestPluginsConformance(t *testing.T) {
	s := newSite(t)
	plugin := filepath.Join(pluginsDir(t), "paymux-provider-alipayhk")
	s.run("plugins", "conformance", plugin).want(t, exitOK, "alipayhk 1.0.0\n", "pass  process/stop", "pass  configure/secrets", "0 failed", "no payment was made")

	junit := filepath.Join(s.dir, "report.xml")
	a := s.run("plugins", "conformance", plugin, "--json", "--junit", junit, "--harness", s.harness())
	a.want(t, exitOK)
	var report conformanceReport
	if err := json.Unmarshal([]byte(a.stdout), &report); err != nil {
		t.Fatal(err)
	}
	if report.Plugin != "alipayhk" || report.Tally.Failed > 0 || report.Tally.Passed < 75 {
		t.Errorf("%s %+v", report.Plugin, report.Tally)
	}
	seen := map[string]bool{}
	for _, c := range report.Cases {
		if seen[c.ID] || c.Says == "" || c.Verdict != rules.Pass && c.Verdict != rules.Skip {
			t.Errorf("%+v", c)
		}
		seen[c.ID] = true
	}
	var suite struct {
		Tests int `xml:"tests,attr"`
	}
	if text, err := os.ReadFile(junit); err != nil || xml.Unmarshal(text, &suite) != nil || suite.Tests != len(report.Cases) {
		t.Errorf("%v, %d tests of %d", err, suite.Tests, len(report.Cases))
	}
}

// harness writes a harness file for the site's sandbox.
func (s *site) harness() string {
	s.t.Helper()
	path := filepath.Join(s.dir, "harness.json")
	text := `{"sandbox": "` + s.sandbox.URL + `", "notifications": true,
		"config": {"base_url": "${sandbox}", "uid": "` + cbtistest.DefaultUID + `", "client_secret": "` + testSecret + `", "webhook_keys": ["` + cbtistest.DefaultWebhookKey + `"]},
		"requests": {"authorize": "/mch-api/v1/auth", "create": "/mch-api/v1/pa/payment_intents/create", "query": "/mch-api/v1/pa/payment_intents/query",
			"refund": "/mch-api/v1/pa/refunds/create", "query_refund": "/mch-api/v1/pa/refunds/query"},
		"pay": "POST /sandbox/orders/{id}/pay"}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

func TestPluginsConformanceFails(t *testing.T) {
	s := newSite(t)
	dir := copyPlugins(t)
	renamed := filepath.Join(dir, "paymux-provider-other")
	if err := os.Rename(filepath.Join(dir, "paymux-provider-alipayhk"), renamed); err != nil {
		t.Fatal(err)
	}
	s.run("plugins", "conformance", renamed).want(t, exitFailed, "fail  process/name", "rule: The binary is called", "it is called paymux-provider-other", "1 failed")
	s.run("plugins", "conformance", filepath.Join(dir, "none")).want(t, exitFailed, "none")
	s.run("plugins", "conformance", renamed, "--only", "^process/name$").want(t, exitFailed, "0 passed, 1 failed, 0 skipped")
	dead := filepath.Join(dir, "paymux-provider-dead")
	if err := os.WriteFile(dead, []byte("no program"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.run("plugins", "conformance", dead).want(t, exitFailed, "fail  process/handshake", "0 passed, 1 failed, 0 skipped")
	s.run("plugins", "conformance", renamed, "--only", "(").want(t, exitUsage, "--only: ")
	s.run("plugins", "conformance", renamed, "--only", "nothing/such").want(t, exitUsage, "no case has such an id")
	s.run("plugins", "conformance", renamed, "--harness", filepath.Join(dir, "none")).want(t, exitUsage, "no such file")
	s.run("plugins", "conformance", renamed, "--junit", filepath.Join(dir, "none", "x")).want(t, exitFailed, "write the JUnit file")
}
