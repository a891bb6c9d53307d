package stripe_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/paymux/paymux/providers/stripe/stripetest"
	"github.com/paymux/paymux/sdk"
)

// description is the acquirer's published description of its API, which is in its
// mock.
func description(t *testing.T) *openapi3.T {
	t.Helper()
	out, err := goTool(t, "list", "-deps", "-f", `{{if eq .ImportPath "github.com/stripe/stripe-mock/embedded"}}{{.Dir}}{{end}}`, "github.com/stripe/stripe-mock")
	if err != nil {
		t.Skipf("SKIPPED: the oracles' modules aren't here; fetch them with: make oracles\n%s", out)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "openapi", "spec3.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// What our sandbox answers and what our golden files say has the published shape.
func TestOracleKnowsOurAnswers(t *testing.T) {
	doc := description(t)
	check := func(what string, schema *openapi3.Schema, data []byte) {
		t.Helper()
		var value any
		if err := json.Unmarshal(data, &value); err != nil {
			t.Errorf("%s: %v", what, err)
		} else if err := schema.VisitJSON(value); err != nil {
			t.Errorf("%s: %.500s", what, err)
		}
	}
	component := func(name string) *openapi3.Schema { return doc.Components.Schemas[name].Value }
	listed := func(path string) *openapi3.Schema {
		return doc.Paths.Find(path).Get.Responses.Value("200").Value.Content["application/json"].Schema.Value
	}
	for name, schema := range map[string]*openapi3.Schema{
		"create_response.json": component("payment_intent"), "query_response.json": component("payment_intent"), "search_response.json": listed("/v1/payment_intents/search"),
		"refund_response.json": component("refund"), "refund_list_response.json": listed("/v1/refunds"),
		"event_payment.json": component("event"), "event_refund.json": component("event"), "error_failed.json": component("error"),
	} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		check(name, schema, data)
	}

	// The sandbox, seen through the adapter's own requests.
	server := stripetest.Start(t, stripetest.Options{RefundOutcome: stripetest.RefundFails})
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	proxy := newProxy(target, func(req *http.Request, status int, body []byte) {
		item := doc.Paths.Find(template(req.URL.Path))
		if item == nil {
			t.Errorf("no path %s", req.URL.Path)
			return
		}
		what := req.Method + " " + template(req.URL.Path)
		seen[what]++
		answer := item.GetOperation(req.Method).Responses.Value("200")
		if status != 200 {
			answer = item.GetOperation(req.Method).Responses.Default()
		}
		check(what, answer.Value.Content["application/json"].Schema.Value, body)
	})
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	events := make(chan []byte, 16)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		events <- body
	}))
	t.Cleanup(hook.Close)
	server.SetWebhookURL(hook.URL)

	p := openAt(t, front.URL)
	_, _ = p.Authorize(t.Context())
	order := create(t, p, newPayment(t, "P1"))
	query(t, p, order)
	query(t, p, newPayment(t, "P1").Order)
	if _, err := server.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	query(t, p, order)
	req := refund(t, order, "R1", "1")
	req.Reason = "duplicate"
	made, err := p.(sdk.Refunder).Refund(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	q := ask(req)
	_, _ = p.(sdk.Refunder).QueryRefund(t.Context(), q)
	q.AcquirerRefundID = made.AcquirerRefundID
	_, _ = p.(sdk.Refunder).QueryRefund(t.Context(), q)
	failed := create(t, p, newPayment(t, "P2"))
	if _, err := server.Fail("P2"); err != nil {
		t.Fatal(err)
	}
	query(t, p, failed)
	for range 2 { // the second is an error
		_, _ = p.(sdk.Canceller).Cancel(t.Context(), sdk.CancelRequest{Order: failed, RequestID: "c"})
	}
	if len(seen) != 8 {
		t.Errorf("seen %v", seen)
	}
	for range 4 { // paid, refund failed, payment failed, cancelled
		check("event", component("event"), take(t, events))
	}
}

// template is the path as the description has it.
func template(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		switch {
		case strings.HasPrefix(part, "pi_"):
			parts[i] = "{intent}"
		case strings.HasPrefix(part, "re_"):
			parts[i] = "{refund}"
		}
	}
	return strings.Join(parts, "/")
}
