package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/providertest"
)

// HarnessFile is a harness for who has no Go: a sandbox that runs already, and
// how to work it; or a payment that was recorded. docs/conformance.md describes
// it, and the fields of providertest.Sandbox say what each is for.
type HarnessFile struct {
	// Config is that of an instance. Where it says ${sandbox} the address of the
	// kit's proxy is put, which passes on to Sandbox.
	Config  map[string]any `yaml:"config"`
	Sandbox string         `yaml:"sandbox"`
	// Requests names what the plugin sends, as patterns of net/http.ServeMux:
	// create: "POST /v1/pay/{id}".
	Requests map[providertest.Op]string `yaml:"requests"`
	Method   sdk.Method                 `yaml:"method"` // which capability to use, if not the first
	Flow     sdk.Flow                   `yaml:"flow"`

	Pay       *call             `yaml:"pay"` // with {id}, the merchant's order id
	Unpayable int               `yaml:"unpayable"`
	GiveUp    *call             `yaml:"give_up"`
	SetStatus *call             `yaml:"set_status"` // with {id} and {status}
	Statuses  map[string]string `yaml:"statuses"`
	UnheardOf string            `yaml:"unheard_of"`

	SetRefundStatus *call             `yaml:"set_refund_status"` // with {id}, the merchant's refund id, and {status}
	RefundStatuses  map[string]string `yaml:"refund_statuses"`

	Amount  *amount                     `yaml:"amount"`
	Orders  *look                       `yaml:"orders"`
	Refunds *look                       `yaml:"refunds"`
	Faults  map[providertest.Fault]call `yaml:"faults"` // with {op}
	// Notifications says that the sandbox sends them to the notify_url of a payment.
	Notifications bool `yaml:"notifications"`
	// Sign and Forge get a notification's headers and body, and answer the headers
	// that it must have, as a JSON object.
	Sign   *call     `yaml:"sign"`
	Forge  *call     `yaml:"forge"`
	Rotate *rotation `yaml:"rotate"`

	// Recording is a transcript, named from the file's own folder, instead of a
	// sandbox.
	Recording string  `yaml:"recording"`
	Payment   payment `yaml:"payment"` // that was recorded
	entries   []transcript.Entry
}

// amount is a look for what the sandbox was asked for.
type amount struct {
	Request  string `yaml:"request"`
	Amount   string `yaml:"amount"`   // a JSON pointer to "12.50"
	Currency string `yaml:"currency"` // likewise
}

// rotation is how the acquirer's notification key is changed and changed back,
// and what the config has then.
type rotation struct {
	Request call           `yaml:"new"`
	Back    call           `yaml:"back"`
	Config  map[string]any `yaml:"config"`
}

type payment struct {
	MerchantOrderID string `yaml:"merchant_order_id"`
	Amount          string `yaml:"amount"`
	Currency        string `yaml:"currency"`
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
	err = f.check()
	if err == nil && f.Recording != "" {
		f.entries, err = readRecording(filepath.Dir(path), f.Recording)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func readRecording(dir, path string) ([]transcript.Entry, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	defer file.Close()
	entries, err := transcript.Read(file)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	return entries, nil
}

func (f *HarnessFile) check() error {
	if len(f.Config) == 0 {
		return errors.New("config is missing")
	}
	if f.Sandbox == "" && f.Recording == "" { // only a config: the cases of the binary
		if f.Pay != nil || len(f.Requests) > 0 {
			return errors.New("sandbox is missing")
		}
		return nil
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
	if _, err := f.op(); err != nil {
		return err
	}
	if f.Recording != "" {
		return f.checkRecording()
	}
	if u, err := url.Parse(f.Sandbox); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("sandbox: %q is no URL such as http://127.0.0.1:8090", f.Sandbox)
	}
	if f.Pay == nil {
		return errors.New("pay is missing")
	}
	return f.checkCalls()
}

func (f *HarnessFile) checkRecording() error {
	if f.Sandbox != "" || f.Pay != nil {
		return errors.New("there is a sandbox, or pay, and a recording: take one")
	}
	if f.Method == "" || f.Flow == "" {
		return errors.New("method and flow of the payment that was recorded are needed")
	}
	if f.Payment.MerchantOrderID == "" {
		return errors.New("payment: merchant_order_id, amount and currency of the payment that was recorded are needed")
	}
	if _, err := sdk.ParseMoney(f.Payment.Amount, f.Payment.Currency); err != nil {
		return fmt.Errorf("payment: %w", err)
	}
	return nil
}

// checkCalls checks all that the sandbox is asked.
func (f *HarnessFile) checkCalls() error {
	type asked struct {
		key    string
		call   *call
		places []string
	}
	all := []asked{
		{"pay", f.Pay, []string{"{id}"}}, {"give_up", f.GiveUp, []string{"{id}"}}, {"set_status", f.SetStatus, []string{"{id}", "{status}"}},
		{"set_refund_status", f.SetRefundStatus, []string{"{id}", "{status}"}}, {"sign", f.Sign, nil}, {"forge", f.Forge, nil},
	}
	if f.Orders != nil {
		all = append(all, asked{"orders", &f.Orders.Call, []string{"{id}"}})
	}
	if f.Refunds != nil {
		all = append(all, asked{"refunds", &f.Refunds.Call, []string{"{id}"}})
	}
	if f.Amount != nil {
		all = append(all, asked{"amount", &call{Request: f.Amount.Request}, []string{"{id}"}})
	}
	if f.Rotate != nil {
		all = append(all, asked{"rotate: new", &f.Rotate.Request, nil}, asked{"rotate: back", &f.Rotate.Back, nil})
	}
	for _, fault := range slices.Sorted(maps.Keys(f.Faults)) {
		if !slices.Contains(faults, fault) {
			return fmt.Errorf("faults: there is no %q, only %q", fault, faults)
		}
		c := f.Faults[fault]
		all = append(all, asked{"faults: " + string(fault), &c, []string{"{op}"}})
	}
	for _, a := range all {
		if a.call == nil {
			continue
		}
		if err := a.call.check(a.places...); err != nil {
			return fmt.Errorf("%s: %w", a.key, err)
		}
	}
	if err := mean("statuses", f.Statuses, statuses); err != nil {
		return err
	}
	if err := mean("refund_statuses", f.RefundStatuses, refundStatuses); err != nil {
		return err
	}
	if f.SetRefundStatus == nil && len(f.RefundStatuses) > 0 {
		return errors.New("set_refund_status is missing, without which refund_statuses are of no use")
	}
	if f.SetStatus == nil && (len(f.Statuses) > 0 || f.UnheardOf != "") {
		return errors.New("set_status is missing, without which statuses and unheard_of are of no use")
	}
	return nil
}

// faults are those that a sandbox may have.
var faults = []providertest.Fault{
	providertest.FaultRefused, providertest.FaultErrorCode, providertest.FaultWrongOrder,
	providertest.FaultWrongMerchantOrder, providertest.FaultWrongAmount, providertest.FaultWrongCurrency,
}

// mean checks that each of the acquirer's words means one of those statuses.
func mean[S fmt.Stringer](key string, words map[string]string, of []S) error {
	for _, raw := range slices.Sorted(maps.Keys(words)) {
		if means := words[raw]; !slices.ContainsFunc(of, func(s S) bool { return s.String() == means }) {
			return fmt.Errorf("%s: %s can't mean %q, only %s", key, raw, means, of)
		}
	}
	return nil
}

var refundStatuses = []sdk.RefundStatus{sdk.RefundPending, sdk.RefundSucceeded, sdk.RefundFailed, sdk.RefundUnknown}

// statuses are what an acquirer's status can mean.
var statuses = []sdk.Status{
	sdk.StatusPending, sdk.StatusSucceeded, sdk.StatusCancelled, sdk.StatusExpired, sdk.StatusFailed, sdk.StatusUnknown,
}
