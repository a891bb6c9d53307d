package stripe

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

func TestSearchAnswers(t *testing.T) {
	hit := func(id, order string) string {
		return `{"id":"` + id + `","metadata":{"merchant_order_id":"` + order + `"}}`
	}
	tests := []struct {
		name, body string
		want       string
		code       sdk.Code
	}{
		{"one", `{"object":"search_result","has_more":false,"data":[` + hit("pi_1", "P1") + `]}`, "pi_1", 0},
		{"another case beside it", `{"object":"search_result","has_more":false,"data":[` + hit("pi_2", "p1") + `,` + hit("pi_1", "P1") + `]}`, "pi_1", 0},
		{"none", `{"object":"search_result","has_more":false,"data":[]}`, "", sdk.CodeOrderNotFound},
		{"another case", `{"object":"search_result","has_more":false,"data":[` + hit("pi_2", "p1") + `]}`, "", sdk.CodeOrderNotFound},
		{"no metadata", `{"object":"search_result","has_more":false,"data":[{"id":"pi_2"}]}`, "", sdk.CodeOrderNotFound},
		{"two", `{"object":"search_result","has_more":false,"data":[` + hit("pi_1", "P1") + `,` + hit("pi_2", "P1") + `]}`, "", sdk.CodeMismatch},
		{"more", `{"object":"search_result","has_more":true,"data":[]}`, "", sdk.CodeMismatch},
		{"no has_more", `{"object":"search_result","data":[]}`, "", sdk.CodeAcquirerAnswerInvalid},
		{"no data", `{"object":"search_result","has_more":false}`, "", sdk.CodeAcquirerAnswerInvalid},
		{"null data", `{"object":"search_result","has_more":false,"data":null}`, "", sdk.CodeAcquirerAnswerInvalid},
		{"a list", `{"object":"list","has_more":false,"data":[]}`, "", sdk.CodeAcquirerAnswerInvalid},
		{"bad id", `{"object":"search_result","has_more":false,"data":[` + hit("..", "P1") + `]}`, "", sdk.CodeAcquirerAnswerInvalid},
		{"empty", `{}`, "", sdk.CodeAcquirerAnswerInvalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			id, err := readSearch(ok([]byte(test.body)), order(t))
			if id != test.want {
				t.Errorf("got %q", id)
			}
			if test.code != 0 {
				checkError(t, err, test.code, sdk.OutcomeUnknown)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// Every status, as the table says, and those that are in no table.
func TestStatuses(t *testing.T) {
	null := json.RawMessage("null")
	failure := map[string]any{"type": "invalid_request_error", "code": "payment_intent_payment_attempt_failed"}
	c := settings(t, "")
	for _, rule := range statuses {
		changes := map[string]any{"status": string(rule.raw), "last_payment_error": null, "amount_received": nil}
		if rule.afterFail {
			changes["last_payment_error"] = failure
		}
		got, err := c.readIntent(ok(change(t, golden(t, "create_response.json"), changes)), opQuery)
		if err != nil || got.Status != rule.status || got.RawStatus != string(rule.raw) {
			t.Errorf("%s: %+v, %v", rule.raw, got, err)
		}
		if (len(got.NextActions) > 0) != (rule.raw == "requires_action") {
			t.Errorf("%s: actions %v", rule.raw, got.NextActions)
		}
	}
	want := map[string]sdk.Status{
		"requires_confirmation": sdk.StatusPending, "requires_action": sdk.StatusPending, "processing": sdk.StatusPending,
		"requires_capture": sdk.StatusAuthorized, "succeeded": sdk.StatusSucceeded, "canceled": sdk.StatusCancelled,
		"requires_payment_method": sdk.StatusPending, "": 0, "Succeeded": 0, "paid": 0, "succeeded ": 0,
	}
	for status, want := range want {
		got, err := c.readIntent(ok(change(t, golden(t, "create_response.json"), map[string]any{"status": status, "amount_received": 100})), opQuery)
		if err != nil || got.Status != want || want == 0 && got.StatusReason == "" {
			t.Errorf("%q: %+v, %v", status, got, err)
		}
	}
	failed, err := c.readIntent(ok(change(t, golden(t, "create_response.json"), map[string]any{"status": "requires_payment_method", "last_payment_error": failure})), opQuery)
	if err != nil || failed.Status != sdk.StatusFailed || failed.StatusReason != "the acquirer says payment_intent_payment_attempt_failed" {
		t.Errorf("%+v, %v", failed, err)
	}
}

// What the acquirer says of another payment is reported as it says it: the host
// compares. It is never made to fit.
func TestForeignAnswers(t *testing.T) {
	c := settings(t, "")
	tests := []struct {
		name      string
		changes   map[string]any
		status    sdk.Status
		different string // the field that the host will find
	}{
		{"id", map[string]any{"id": "pi_other"}, sdk.StatusSucceeded, "provider_order_id"},
		{"order id", map[string]any{"metadata": map[string]any{"merchant_order_id": "P2"}}, sdk.StatusSucceeded, "merchant_order_id"},
		{"no metadata", map[string]any{"metadata": nil}, sdk.StatusSucceeded, "merchant_order_id"},
		{"null metadata", map[string]any{"metadata": json.RawMessage("null")}, sdk.StatusSucceeded, "merchant_order_id"},
		{"amount received", map[string]any{"amount_received": 99}, sdk.StatusSucceeded, "amount"},
		{"amount", map[string]any{"amount": 99, "amount_received": nil}, sdk.StatusSucceeded, "amount"},
		{"currency", map[string]any{"currency": "usd"}, sdk.StatusSucceeded, "amount"},
		{"no amount", map[string]any{"amount": nil, "amount_received": nil, "currency": nil}, sdk.StatusSucceeded, "amount"},
		{"nothing received", map[string]any{"amount_received": 0}, sdk.StatusSucceeded, "amount"},
		{"fraction", map[string]any{"amount_received": json.RawMessage("100.5")}, sdk.StatusSucceeded, "amount"},
		{"exponent", map[string]any{"amount_received": json.RawMessage("1e2")}, sdk.StatusSucceeded, "amount"},
		{"negative", map[string]any{"amount_received": -100}, sdk.StatusSucceeded, "amount"},
		{"huge", map[string]any{"amount_received": json.RawMessage("100000000000000000000")}, sdk.StatusSucceeded, "amount"},
		{"leading zero", map[string]any{"amount_received": "0100"}, sdk.StatusSucceeded, "amount"},
		{"sign", map[string]any{"amount_received": "+100"}, sdk.StatusSucceeded, "amount"},
		{"half an amount", map[string]any{"currency": nil}, sdk.StatusSucceeded, "amount"},
		{"unheard of currency", map[string]any{"currency": "xxx"}, sdk.StatusSucceeded, "amount"},
		{"upper-case currency", map[string]any{"currency": "HKD"}, sdk.StatusSucceeded, "amount"},
		{"cancelled, of what", map[string]any{"status": "canceled", "amount": json.RawMessage("1e2")}, sdk.StatusUnknown, ""},
		{"live", map[string]any{"livemode": true}, sdk.StatusUnknown, ""},
		{"no livemode", map[string]any{"livemode": nil}, sdk.StatusUnknown, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := c.readIntent(ok(change(t, golden(t, "query_response.json"), test.changes)), opQuery)
			if err != nil {
				t.Fatal(err)
			}
			if got.Status != test.status || test.status == sdk.StatusUnknown && got.StatusReason == "" {
				t.Errorf("got %+v", got)
			}
			d := got.Differences(order(t))
			if test.different != "" && (len(d) != 1 || d[0].Field != test.different) {
				t.Errorf("differences %v", d)
			}
		})
	}
}

func TestNotAnIntent(t *testing.T) {
	c := settings(t, "")
	for name, body := range map[string]string{
		"refund": string(golden(t, "refund_response.json")), "no object": `{"id":"pi_1"}`, "no id": `{"object":"payment_intent","status":"succeeded"}`,
		"empty": ``, "list": `[]`, "null": `null`, "truncated": `{"id":"pi_1","object":"payment_in`, "twice": `{"id":"pi_1","id":"pi_2","object":"payment_intent"}`,
		"error as text": `{"id":"pi_1","object":"payment_intent","last_payment_error":"x"}`, "path as id": `{"id":"../x","object":"payment_intent"}`,
	} {
		_, err := c.readIntent(ok([]byte(body)), opQuery)
		if e := checkError(t, err, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown); e.AcquirerRequestID != rid {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestNextActions(t *testing.T) {
	alipay := func(members string) string {
		return `{"type":"alipay_handle_redirect","alipay_handle_redirect":{` + members + `}}`
	}
	for raw, want := range map[string]int{
		alipay(`"url":"https://a.example/x"`): 1, alipay(`"url":"https://a.example/x","native_url":null,"native_data":null`): 1,
		alipay(`"native_url":"alipays://platformapi/x"`): 1, alipay(`"url":"javascript:alert(1)","native_url":"javascript:x"`): 0,
		alipay(`"url":"/relative"`): 0, alipay(`"url":"https://a.example/\u0000"`): 0, alipay(``): 0, alipay(`"url":{}`): 0,
		alipay(`"url":"https://a.example/` + strings.Repeat("x", 9000) + `"`):      0,
		`{"type":"redirect_to_url","redirect_to_url":{"url":"https://a.example"}}`: 0, `{"type":"type"}`: 0, `null`: 0, `"x"`: 0, ``: 0,
	} {
		actions, reason := readNextActions([]byte(raw))
		if len(actions) != want || (reason == "") != (want > 0) {
			t.Errorf("%.80s: %v, %q", raw, actions, reason)
		}
	}
}
