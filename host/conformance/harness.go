package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

// ConfigAt returns the config as JSON, for an acquirer at baseURL.
func (f *HarnessFile) ConfigAt(baseURL string) ([]byte, error) { return configAt(f.Config, baseURL) }

func configAt(config map[string]any, baseURL string) ([]byte, error) {
	text, err := json.Marshal(fill(config, map[string]string{"${sandbox}": baseURL}))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return text, nil
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

// Harness returns the harness that the file describes; false if it has neither a
// sandbox nor a recording.
func (f *HarnessFile) Harness(plugin providertest.Plugin) (providertest.Harness, bool) {
	h := providertest.Harness{Plugin: plugin, Method: f.Method, Flow: f.Flow}
	op, _ := f.op() // was checked, as all that follows
	configured := func(config map[string]any) func(string) string {
		return func(base string) string {
			text, _ := configAt(config, base)
			return string(text)
		}
	}
	switch {
	case f.Recording != "":
		money, _ := sdk.ParseMoney(f.Payment.Amount, f.Payment.Currency)
		h.Start = providertest.Recording{
			Entries: f.entries, Config: configured(f.Config), Op: op,
			Payment: sdk.CreateRequest{
				Order: sdk.Order{MerchantOrderID: f.Payment.MerchantOrderID, Money: money}, RequestID: "recorded", Method: f.Method, Flow: f.Flow,
				Description: "Conformance", ReturnURL: "https://shop.example.com/back", NotifyURL: "https://host.example.com/v1/notifications/recorded",
			},
		}.Start
	case f.Sandbox != "":
		h.Start = func(t *rules.T, _ providertest.Setup) providertest.Sandbox {
			s := f.sandbox(t)
			s.URL, s.Op, s.Config = strings.TrimRight(f.Sandbox, "/"), op, configured(f.Config)
			if f.Rotate != nil {
				changed := maps.Clone(f.Config)
				maps.Copy(changed, f.Rotate.Config)
				s.Rotate = func() func(string) string {
					f.must(t, f.Rotate.Request, nil)
					t.Cleanup(func() { f.must(t, f.Rotate.Back, nil) }) // the sandbox serves the other cases too
					return configured(changed)
				}
			}
			return s
		}
	default:
		return h, false
	}
	return h, true
}

// sandbox is what the file says of the sandbox, for one case.
func (f *HarnessFile) sandbox(t *rules.T) providertest.Sandbox {
	order := func(c *call) func(string) error {
		if c == nil {
			return nil
		}
		return func(id string) error {
			_, err := control(c.to(f.Sandbox, map[string]string{"{id}": id}))
			return err
		}
	}
	s := providertest.Sandbox{
		Silent: !f.Notifications, GiveUp: order(f.GiveUp), Statuses: map[string]sdk.Status{}, UnheardOf: f.UnheardOf,
		Orders: f.counts(t, f.Orders), Refunds: f.counts(t, f.Refunds), Sign: f.signs(t, f.Sign), Forge: f.signs(t, f.Forge),
		Faults: map[providertest.Fault]func(providertest.Op){},
	}
	for raw, means := range f.Statuses {
		s.Statuses[raw] = sdk.ParseStatus(means)
	}
	s.RefundStatuses = map[string]sdk.RefundStatus{}
	for raw, means := range f.RefundStatuses {
		i := slices.IndexFunc(refundStatuses, func(s sdk.RefundStatus) bool { return s.String() == means })
		s.RefundStatuses[raw] = refundStatuses[i] // checked when the file was read
	}
	pay := order(f.Pay)
	s.Pay = func(id string) error {
		err := pay(id)
		if no, ok := errors.AsType[refused](err); ok && no.status == f.Unpayable {
			return providertest.ErrUnpayable
		}
		return err
	}
	set := func(c *call) func(id, raw string) error {
		if c == nil {
			return nil
		}
		return func(id, raw string) error {
			_, err := control(c.to(f.Sandbox, map[string]string{"{id}": id, "{status}": raw}))
			return err
		}
	}
	s.SetStatus, s.SetRefundStatus = set(f.SetStatus), set(f.SetRefundStatus)
	if f.Amount != nil {
		s.Amount = f.amount
	}
	for fault, c := range f.Faults {
		s.Faults[fault] = func(op providertest.Op) { f.must(t, c, map[string]string{"{op}": string(op)}) }
	}
	return s
}

// must is a call that the case can't do without.
func (f *HarnessFile) must(t *rules.T, c call, places map[string]string) []byte {
	text, err := control(c.to(f.Sandbox, places))
	if err != nil {
		t.Errorf("the harness: %v", err)
	}
	return text
}

func (f *HarnessFile) counts(t *rules.T, l *look) func(string) int {
	if l == nil {
		return nil
	}
	return func(id string) int {
		n, err := count(f.must(t, l.Call, map[string]string{"{id}": id}), l.At)
		if err != nil {
			t.Errorf("the harness: %s: %v", l.Call.Request, err)
		}
		return n
	}
}

func (f *HarnessFile) amount(id string) (amount, currency string, err error) {
	text, err := control(call{Request: f.Amount.Request}.to(f.Sandbox, map[string]string{"{id}": id}))
	if err != nil {
		return "", "", err
	}
	for pointer, into := range map[string]*string{f.Amount.Amount: &amount, f.Amount.Currency: &currency} {
		value, err := at(text, pointer)
		if err != nil || value == nil {
			return "", "", fmt.Errorf("%s: there is nothing at %q", f.Amount.Request, pointer)
		}
		*into = fmt.Sprint(value)
	}
	return amount, currency, nil
}

// signs has the sandbox say which headers a notification must have.
func (f *HarnessFile) signs(t *rules.T, c *call) func(sdk.HTTPRequest) sdk.HTTPRequest {
	if c == nil {
		return nil
	}
	return func(n sdk.HTTPRequest) sdk.HTTPRequest {
		r, err := c.to(f.Sandbox, nil)
		if err == nil {
			r.Header, r.Body, r.ContentLength = http.Header(n.Header).Clone(), io.NopCloser(bytes.NewReader(n.Body)), int64(len(n.Body))
		}
		text, err := control(r, err)
		headers := map[string]string{}
		if err == nil {
			err = json.Unmarshal(text, &headers)
		}
		if err != nil {
			t.Errorf("the harness: %s: %v", c.Request, err)
		}
		for name, value := range headers {
			n.Header[http.CanonicalHeaderKey(name)] = []string{value}
		}
		return n
	}
}
