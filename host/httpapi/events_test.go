package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

func TestListEvents(t *testing.T) {
	c := newClient(t)
	c.more = true
	got := c.call("GET", "/v1/events?cursor=evt_01M8642HTSTXEM8X27VEMJKXD9&limit=7", "")
	if want := (host.EventFilter{Before: "evt_01M8642HTSTXEM8X27VEMJKXD9", Limit: 7}); c.events != want || c.merchant != "shop-a" || !strings.Contains(got.body, `"next_cursor":"evt_`) {
		t.Errorf("%+v: %s", c.events, got.body)
	}
	c.more = false
	if got := c.call("GET", "/v1/events", ""); got.status != 200 || strings.Contains(got.body, "next_cursor") {
		t.Errorf("%s", got.body)
	}
	for query, field := range map[string]string{
		"limit=0": "limit", "limit=201": "limit", "cursor=pay_01M8642HTSTXEM8X27VEMJKXD9": "cursor", "cursor=": "cursor", "status=PENDING": "status",
	} {
		if got := c.call("GET", "/v1/events?"+query, ""); got.status != 400 || got.Field != field {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

func TestRedeliverEvent(t *testing.T) {
	c := newClient(t)
	if got := c.call("POST", "/v1/events/evt_01M8642HTSTXEM8X27VEMJKXD9/redeliver", ""); got.status != 202 || c.merchant != "shop-a" {
		t.Errorf("%d %s", got.status, got.body)
	}
	for err, status := range map[error]int{
		sdk.NotSent(sdk.CodeNotFound, "none"): 404, sdk.NotSent(sdk.CodeInvalidState, "no endpoint"): 409, sdk.NotSent(sdk.CodeStoreUnavailable, "disk"): 503,
	} {
		c.err = err
		if got := c.call("POST", "/v1/events/evt_01M8642HTSTXEM8X27VEMJKXD9/redeliver", "{}"); got.status != status {
			t.Errorf("%v: %d", err, got.status)
		}
	}
	if got := c.call("POST", "/v1/events/x/redeliver", "x"); got.status != http.StatusBadRequest {
		t.Errorf("a body: %d", got.status)
	}
}

func TestReview(t *testing.T) {
	c := newClient(t)
	schema := schemaAt(t, "/components/schemas/ReviewDecision")
	path := "/v1/payments/pay_1/review"
	good := `{"decision":"accept","note":"ours"}`
	if got := c.call("POST", path, good); got.status != 200 || c.review != (host.ReviewRequest{Decision: "accept", Note: "ours"}) || c.merchant != "shop-a" {
		t.Errorf("%d %s: %+v", got.status, got.body, c.review)
	}
	c.review = host.ReviewRequest{}
	for body, field := range map[string]string{
		``: "", `[]`: "", `{"decision":"accept","Note":"x"}`: "Note", `{"decision":1,"note":"x"}`: "decision", `{"decision":"accept","note":null}`: "note",
		`{"decision":"accept"}`: "note", `{"decision":"accept","note":""}`: "note", `{"note":"x"}`: "decision",
		`{"decision":"accept","note":"x","note":"y"}`: "note", `{"decision":"accept","note":"x","amount":"1"}`: "amount",
	} {
		if got := c.call("POST", path, body, "Content-Type: application/json"); got.status != 400 || got.Field != field || c.review.Decision != "" {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
		if value, err := jsonschema.UnmarshalJSON(strings.NewReader(body)); err == nil && field != "note" && schema.Validate(value) == nil {
			t.Errorf("by the document %s is valid", body)
		}
	}
	if got := c.call("POST", path, good, "Content-Type: text/plain"); got.status != 415 {
		t.Errorf("another type: %d", got.status)
	}
	for err, status := range map[error]int{
		sdk.NotSent(sdk.CodeNotFound, "none"): 404, sdk.NotSent(sdk.CodeInvalidState, "none"): 409, sdk.InvalidField("note", "must"): 400, sdk.NotSent(sdk.CodeStoreUnavailable, "disk"): 503,
	} {
		c.err = err
		if got := c.call("POST", path, good); got.status != status {
			t.Errorf("%v: %d", err, got.status)
		}
	}
}
