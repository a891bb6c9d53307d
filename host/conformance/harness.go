package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// HarnessFile is a harness for who has no Go: a sandbox that runs already, and
// how to pay at it. docs/conformance.md describes it.
type HarnessFile struct {
	// Config is that of an instance. Where it says ${sandbox} the address of the
	// kit's proxy is put, which passes on to Sandbox.
	Config  map[string]any `yaml:"config"`
	Sandbox string         `yaml:"sandbox"`
	// Requests names what the plugin sends, as patterns of net/http.ServeMux:
	// create: "POST /v1/pay/{id}".
	Requests map[providertest.Op]string `yaml:"requests"`
	Pay      string                     `yaml:"pay"`     // "POST /sandbox/orders/{id}/pay", by the merchant's order id
	GiveUp   string                     `yaml:"give_up"` // likewise, if there is one
	// Notifications says that the sandbox sends them to the notify_url of a payment.
	Notifications bool       `yaml:"notifications"`
	Method        sdk.Method `yaml:"method"` // which capability to use, if not the first
	Flow          sdk.Flow   `yaml:"flow"`
}

// ReadHarness reads a harness file, which is YAML or JSON. Unknown keys are errors.
func ReadHarness(path string) (*HarnessFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &HarnessFile{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func (f *HarnessFile) check() error {
	if len(f.Config) == 0 {
		return errors.New("config is missing")
	}
	if f.Sandbox == "" { // only a config: the cases without a sandbox
		if f.Pay != "" || len(f.Requests) > 0 {
			return errors.New("sandbox is missing")
		}
		return nil
	}
	if u, err := url.Parse(f.Sandbox); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("sandbox: %q is no URL such as http://127.0.0.1:8090", f.Sandbox)
	}
	text, err := f.ConfigAt("")
	if err != nil {
		return err
	}
	if again, _ := f.ConfigAt("x"); bytes.Equal(text, again) {
		return errors.New("config: no value says ${sandbox}, so the plugin wouldn't speak to the sandbox")
	}
	if f.Requests[providertest.OpCreate] == "" || f.Requests[providertest.OpQuery] == "" {
		return errors.New("requests: create and query are needed")
	}
	for _, call := range []string{f.Pay, f.GiveUp} {
		method, path, ok := strings.Cut(call, " ")
		if call != "" && (!ok || method == "" || !strings.HasPrefix(path, "/") || !strings.Contains(path, "{id}")) {
			return fmt.Errorf("%q isn't like POST /sandbox/orders/{id}/pay", call)
		}
	}
	if f.Pay == "" {
		return errors.New("pay is missing")
	}
	_, err = f.op()
	return err
}

// ConfigAt returns the config as JSON, for an acquirer at baseURL.
func (f *HarnessFile) ConfigAt(baseURL string) ([]byte, error) {
	text, err := json.Marshal(fill(f.Config, baseURL))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return text, nil
}

// fill puts the address into the strings of a value.
func fill(value any, baseURL string) any {
	switch v := value.(type) {
	case string:
		return strings.ReplaceAll(v, "${sandbox}", baseURL)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = fill(v[i], baseURL)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = fill(v[k], baseURL)
		}
		return out
	}
	return value
}

var known = map[providertest.Op]bool{
	providertest.OpAuthorize: true, providertest.OpCreate: true, providertest.OpQuery: true,
	providertest.OpCancel: true, providertest.OpRefund: true, providertest.OpQueryRefund: true,
}

// op makes the function that says what a request is.
func (f *HarnessFile) op() (op func(*http.Request) providertest.Op, err error) {
	mux, names := http.NewServeMux(), map[string]providertest.Op{}
	defer func() {
		if p := recover(); p != nil { // ServeMux has no other way to refuse a pattern
			err = fmt.Errorf("requests: %v", p)
		}
	}()
	for name, pattern := range f.Requests {
		if !known[name] {
			return nil, fmt.Errorf("requests: there is no %q", name)
		}
		mux.Handle(pattern, http.NotFoundHandler())
		names[pattern] = name
	}
	return func(r *http.Request) providertest.Op {
		_, pattern := mux.Handler(r)
		return names[pattern]
	}, nil
}

// Harness returns the harness that the file describes; false if it has no sandbox.
func (f *HarnessFile) Harness(plugin providertest.Plugin) (providertest.Harness, bool) {
	if f.Sandbox == "" {
		return providertest.Harness{}, false
	}
	op, _ := f.op() // was checked
	sandbox := providertest.Sandbox{
		URL: strings.TrimRight(f.Sandbox, "/"), Op: op, Silent: !f.Notifications,
		Config: func(base string) string {
			text, _ := f.ConfigAt(base) // was checked
			return string(text)
		},
		Pay: func(id string) error { return f.control(f.Pay, id) },
	}
	if f.GiveUp != "" {
		sandbox.GiveUp = func(id string) error { return f.control(f.GiveUp, id) }
	}
	return providertest.Harness{
		Plugin: plugin, Method: f.Method, Flow: f.Flow,
		Start: func(*rules.T, providertest.Setup) providertest.Sandbox { return sandbox },
	}, true
}

// control calls the sandbox about an order. Any 2xx or 3xx is done.
func (f *HarnessFile) control(call, id string) error {
	method, path, _ := strings.Cut(call, " ")
	target := strings.TrimRight(f.Sandbox, "/") + strings.ReplaceAll(path, "{id}", url.PathEscape(id))
	req, err := http.NewRequest(method, target, http.NoBody)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
	if resp.StatusCode >= 400 {
		return fmt.Errorf("%s %s answers %d: %s", method, path, resp.StatusCode, text)
	}
	return nil
}
