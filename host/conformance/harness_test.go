package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paymux/paymux/host/conformance"
	"github.com/paymux/paymux/providers/alipayhk"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
	"github.com/paymux/paymux/sdk/providertest"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "harness.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// exampleFile is the documentation's, for a sandbox of the test's own.
func exampleFile(t *testing.T) (*conformance.HarnessFile, *cbtistest.Server) {
	t.Helper()
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	sandbox := cbtistest.Start(t, cbtistest.Options{})
	file, err := conformance.ReadHarness(write(t, strings.ReplaceAll(string(text), "http://127.0.0.1:8090", sandbox.URL)))
	if err != nil {
		t.Fatal(err)
	}
	return file, sandbox
}

// checkFile checks the alipayhk binary as the file says; nothing may fail.
func checkFile(t *testing.T, file *conformance.HarnessFile) []rules.Result {
	t.Helper()
	harness, ok := file.Harness(conformance.Build(t, "github.com/paymux/paymux/providers/alipayhk/cmd/paymux-provider-alipayhk"))
	if !ok {
		t.Fatal("it has neither a sandbox nor a recording")
	}
	results, err := providertest.Check(t.Context(), harness, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, why := failed(results); why != "" {
		t.Error(why)
	}
	return results
}

// cannot is what the provider itself has no use for.
var cannot = []string{
	"money/exponent_0", "money/exponent_3", "money/bounds", "retry/identical", "retry/after_lost", "retry/other_request",
	"cancel/unpaid", "cancel/paid", "cancel/lost",
}

// The example in the documentation works.
func TestHarnessFile(t *testing.T) {
	file, sandbox := exampleFile(t)
	results := checkFile(t, file)
	// Every case that a harness in Go has, this one has too.
	for _, r := range results {
		if r.Verdict == rules.Skip && !slices.Contains(cannot, r.ID) {
			t.Errorf("%s is skipped: %q", r.ID, r.Details)
		}
	}
	paid := 0
	for _, o := range sandbox.Orders() {
		if o.Status == cbtistest.Succeeded {
			paid++
		}
	}
	if paid < 20 {
		t.Errorf("%d orders were paid", paid)
	}
}

// A payment that was recorded does where there is no sandbox.
func TestRecordingFile(t *testing.T) {
	sandbox := cbtistest.Start(t, cbtistest.Options{})
	dir := t.TempDir()
	order := record(t, sandbox, filepath.Join(dir, "payment.jsonl"))
	path := filepath.Join(dir, "harness.yaml")
	text := fmt.Sprintf(`recording: payment.jsonl
payment: {merchant_order_id: %s, amount: "12.50", currency: HKD}
method: alipay_hk
flow: mobile_web
config: {base_url: "${sandbox}", uid: "1", client_secret: a-secret, webhook_keys: [a-key-of-the-webhook]}
requests: {authorize: GET /mch-api/v1/auth, create: POST /mch-api/v1/pa/payment_intents/create, query: POST /mch-api/v1/pa/payment_intents/query}
`, order)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := conformance.ReadHarness(path)
	if err != nil {
		t.Fatal(err)
	}
	results := checkFile(t, file)
	for _, r := range results {
		if slices.Contains([]string{"create/answer", "query/by_merchant_order", "status/paid", "outcome/reset", "outcome/timeout", "limit/seconds"}, r.ID) && r.Verdict != rules.Pass {
			t.Errorf("%s: %s %q", r.ID, r.Verdict, r.Details)
		}
	}
}

// record makes a payment and records what the adapter says to the sandbox.
func record(t *testing.T, sandbox *cbtistest.Server, path string) (orderID string) {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	secrets := []string{cbtistest.DefaultClientSecret, cbtistest.DefaultWebhookKey}
	ctx := transcript.NewContext(t.Context(), transcript.NewRecorder(out, transcript.Options{Secrets: secrets}))
	config := fmt.Sprintf(`{"base_url":%q,"uid":%q,"client_secret":%q,"webhook_keys":[%q]}`, sandbox.URL, cbtistest.DefaultUID, secrets[0], secrets[1])
	provider, err := alipayhk.Plugin().Open(ctx, sdk.NewConfig("recorded", []byte(config)))
	if err != nil {
		t.Fatal(err)
	}
	price, err := sdk.ParseMoney("12.50", "HKD")
	if err != nil {
		t.Fatal(err)
	}
	order := sdk.Order{MerchantOrderID: "recorded-1", Money: price}
	for _, step := range []func() (sdk.Payment, error){
		func() (sdk.Payment, error) {
			return provider.Create(ctx, sdk.CreateRequest{Order: order, RequestID: "r1", Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Description: "Tea", ReturnURL: "https://shop.example.com/"})
		},
		func() (sdk.Payment, error) { return provider.Query(ctx, sdk.QueryRequest{Order: order}) },
		func() (sdk.Payment, error) {
			_, err := sandbox.Pay(order.MerchantOrderID)
			return sdk.Payment{}, err
		},
		func() (sdk.Payment, error) { return provider.Query(ctx, sdk.QueryRequest{Order: order}) },
	} {
		if _, err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return order.MerchantOrderID
}

func TestHarnessFileMistakes(t *testing.T) {
	const good = "sandbox: http://127.0.0.1:1\nconfig: {a: [\"${sandbox}\"], b: {c: 1}}\nrequests: {create: POST /c, query: \"GET /q/{id}\"}\npay: POST /p/{id}\n"
	if _, err := conformance.ReadHarness(write(t, good)); err != nil {
		t.Fatal(err)
	}
	if f, err := conformance.ReadHarness(write(t, "config: {a: b}")); err != nil {
		t.Error(err)
	} else if _, ok := f.Harness(nil); ok {
		t.Error("there is no sandbox")
	}
	for change, says := range map[string]string{
		"\t|":        "found character",
		"pay:|play:": "field play not found",
		"config: {a: [\"${sandbox}\"], b: {c: 1}}|": "config is missing",
		"${sandbox}|x":                                   "no value says ${sandbox}",
		"sandbox: http://127.0.0.1:1|":                   "sandbox is missing",
		"http://127.0.0.1:1|127.0.0.1:1":                 "is no URL",
		"create: POST /c, |":                             "create and query are needed",
		"query: \"GET /q/{id}\"|":                        "create and query are needed",
		"create:|order: POST /o, create:":                `there is no "order"`,
		"POST /c|POST c d":                               "requests: ",
		"pay: POST /p/{id}|":                             "pay is missing",
		"POST /p/{id}|POST /p":                           "pay: \"POST /p\" has no {id}",
		"POST /p/{id}|/p/{id}":                           "isn't like POST",
		"pay: POST|pay: {request: x, say: y}\nflow: ":    "field say not found",
		"pay:|faults: {rude: \"POST /f\"}\npay:":         `there is no "rude"`,
		"pay:|faults: {refused: POST /f}\npay:":          "faults: refused: \"POST /f\" has no {op}",
		"pay:|statuses: {PAID: SUCCEEDED}\npay:":         "set_status is missing",
		"pay:|statuses: {PAID: OK}\npay:":                `PAID can't mean "OK"`,
		"pay:|refund_statuses: {DONE: SUCCEEDED}\npay:":  "set_refund_status is missing",
		"pay:|refund_statuses: {DONE: EXPIRED}\npay:":    `DONE can't mean "EXPIRED"`,
		"pay:|set_status: POST /s/{id}\npay:":            "set_status: \"POST /s/{id}\" has no {status}",
		"pay:|amount: {request: GET /x}\npay:":           "amount: \"GET /x\" has no {id}",
		"pay:|orders: {request: GET /x, at: 1}\npay:":    "orders: \"GET /x\" has no {id}",
		"pay:|rotate: {new: PUT /k}\npay:":               "rotate: back: ",
		"pay:|recording: x.jsonl\npay:":                  "take one",
		"sandbox: http://127.0.0.1:1|recording: x.jsonl": "take one",
	} {
		from, to, _ := strings.Cut(change, "|")
		text := strings.ReplaceAll(good, from, to)
		if from == "\t" {
			text = "\t" + good
		}
		if _, err := conformance.ReadHarness(write(t, text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", fmt.Sprintf("%q instead of %q", to, from), err, says)
		}
	}
	const recorded = "recording: none.jsonl\npayment: {merchant_order_id: a, amount: \"1\", currency: HKD}\nmethod: alipay_hk\nflow: mobile_web\n" +
		"config: {a: \"${sandbox}\"}\nrequests: {create: POST /c, query: GET /q}\n"
	for change, says := range map[string]string{
		"|":                         "recording: open ",
		"method: alipay_hk\n|":      "method and flow",
		"merchant_order_id: a, |":   "payment: merchant_order_id",
		"amount: \"1\"|amount: 1e3": "payment: ",
		"create: POST /c, |":        "create and query are needed",
	} {
		from, to, _ := strings.Cut(change, "|")
		if _, err := conformance.ReadHarness(write(t, strings.ReplaceAll(recorded, from, to))); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q instead of %q: %v, want it to say %q", to, from, err, says)
		}
	}
	if _, err := conformance.ReadHarness(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that isn't there is read")
	}
}
