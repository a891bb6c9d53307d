package airwallex

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

func TestCreateSendsTheDocumentedRequests(t *testing.T) {
	f := newFake(t, nil)
	f.answer = steps(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+testToken+"-1" || r.Header.Get("X-Api-Version") != "2025-06-30" {
			t.Errorf("headers %v", r.Header)
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(golden(t, "create_response.json"))
	}, say(200, string(golden(t, "confirm_response.json"))))
	payment, err := f.provider(t, `,"os_type":"android"`).Create(t.Context(), createRequest(t))
	if err != nil {
		t.Fatal(err)
	}
	sent := f.sent()
	if len(sent) != 2 {
		t.Fatalf("sent %q", sent)
	}
	create, ok := strings.CutPrefix(sent[0], "POST /api/v1/pa/payment_intents/create ")
	if !ok || !strings.Contains(create, `"amount":16.66,`) { // a number, of exact digits
		t.Errorf("sent %s", sent[0])
	}
	sameJSON(t, []byte(create), golden(t, "create_request.json"))
	confirm, ok := strings.CutPrefix(sent[1], "POST /api/v1/pa/payment_intents/"+intentID+"/confirm ")
	if !ok {
		t.Errorf("sent %s", sent[1])
	}
	sameJSON(t, []byte(confirm), golden(t, "confirm_request.json"))
	if payment.Status != sdk.StatusPending || payment.RawStatus != "REQUIRES_CUSTOMER_ACTION" || len(payment.Differences(order(t))) > 0 ||
		!payment.CreatedAt.Equal(time.Date(2026, 5, 11, 23, 30, 0, 0, time.UTC)) || len(payment.NextActions) != 1 ||
		payment.NextActions[0].Type != sdk.ActionRedirect || payment.NextActions[0].URL != "https://checkout.example/redirect?order="+intentID+"&currency=HKD" {
		t.Errorf("got %+v", payment)
	}
	checkPrints(t, payment) // the client_secret goes nowhere
}

func TestBuildCreate(t *testing.T) {
	c := settings(t, "https://api.example.com", `,"os_type":"ios","app_flow":"inapp","descriptor_bytes":5`)
	tests := []struct {
		name            string
		change          func(*sdk.CreateRequest)
		create, confirm string // what is in them
	}{
		{"app", func(r *sdk.CreateRequest) { r.Flow = sdk.App }, `"descriptor":"Tea"`, `"alipayhk":{"flow":"inapp","os_type":"ios"}`},
		{"QR code", func(r *sdk.CreateRequest) { r.Flow = sdk.WebQR }, "", `"alipayhk":{"flow":"qrcode"}`},
		{"CN", func(r *sdk.CreateRequest) { r.Method, r.Money = sdk.AlipayCN, money(t, "1", "CNY") }, `"amount":1.00,"currency":"CNY"`, `"alipaycn":{"flow":"mobile_web","os_type":"ios"},"type":"alipaycn"`},
		{"largest", func(r *sdk.CreateRequest) { r.Money = money(t, "999999999999.99", "HKD") }, `"amount":999999999999.99,`, ""},
		{"long description", func(r *sdk.CreateRequest) { r.Description = "茶葉茶葉" }, `"descriptor":"茶"`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := createRequest(t)
			test.change(&req)
			create, confirm, err := c.buildCreate(req)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(create), test.create) || !strings.Contains(string(confirm), test.confirm) {
				t.Errorf("got %s and %s, want %s and %s in them", create, confirm, test.create, test.confirm)
			}
		})
	}
	plain := settings(t, "https://api.example.com", "")
	req := createRequest(t)
	req.Method, req.Flow, req.Money = sdk.AlipayCN, sdk.WebQR, money(t, "2", "CNY")
	_, confirm, err := plain.buildCreate(req)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, confirm, golden(t, "confirm_request_qrcode.json"))
}

func TestRequestKeys(t *testing.T) {
	for _, id := range []string{"r", "req_01", strings.Repeat("x", 57), strings.Repeat("x", 58), strings.Repeat("x", 300)} {
		seen := map[string]bool{}
		for _, step := range []string{stepCreate, stepConfirm, stepClose} {
			key := requestKey(id, step)
			if len(key) > 64 || key != requestKey(id, step) || key == requestKey(id+"x", step) {
				t.Errorf("%d characters, %s: %q", len(id), step, key)
			}
			seen[key] = true
		}
		if len(seen) != 3 {
			t.Errorf("steps share a key: %v", seen)
		}
	}
}

func TestCreateRefusesBadRequests(t *testing.T) {
	f := newFake(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	p := f.provider(t, "")
	tests := []struct {
		name, field string
		code        sdk.Code
		change      func(*sdk.CreateRequest)
	}{
		{"in store", "flow", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Flow = sdk.StoreQR }},
		{"other method", "method", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Method = "wechat" }},
		{"HK in CNY", "currency", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Money = money(t, "1", "CNY") }},
		{"CN in HKD", "currency", sdk.CodeUnsupported, func(r *sdk.CreateRequest) { r.Method = sdk.AlipayCN }},
		{"nothing", "amount", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.Money, _ = sdk.Zero("HKD") }},
		{"order id", "merchant_order_id", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.MerchantOrderID = "a b" }},
		{"no request id", "request_id", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.RequestID = "" }},
		{"no UTF-8 in request id", "request_id", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.RequestID = "\xff" }},
		{"no UTF-8", "description", sdk.CodeInvalidRequest, func(r *sdk.CreateRequest) { r.ReturnURL = "\xff" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := createRequest(t)
			test.change(&req)
			_, err := p.Create(t.Context(), req)
			if e := checkError(t, err, test.code, sdk.OutcomeNotSent); e.Field != test.field {
				t.Errorf("field %q, want %q", e.Field, test.field)
			}
		})
	}
}

// Every status, through every answer that has one.
func TestStatuses(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	words := []struct {
		word string
		want sdk.Status
	}{
		{"REQUIRES_PAYMENT_METHOD", sdk.StatusPending}, {"REQUIRES_CUSTOMER_ACTION", sdk.StatusPending}, {"PENDING", sdk.StatusPending},
		{"PENDING_REVIEW", sdk.StatusPending}, {"REQUIRES_CAPTURE", sdk.StatusAuthorized}, {"SUCCEEDED", sdk.StatusSucceeded}, {"CANCELLED", sdk.StatusCancelled},
		{"succeeded", sdk.StatusUnknown}, {"FAILED", sdk.StatusUnknown}, {"EXPIRED", sdk.StatusUnknown}, {"", sdk.StatusUnknown}, {"SUCCEEDED ", sdk.StatusUnknown},
	}
	for _, w := range words {
		body := change(t, golden(t, "retrieve_response.json"), map[string]any{"status": w.word})
		list := []byte(`{"has_more":false,"items":[` + string(body) + `]}`)
		for name, read := range map[string]func() (sdk.Payment, error){
			"retrieve": func() (sdk.Payment, error) { return c.readIntent(ok(body), callQuery, order(t)) },
			"list":     func() (sdk.Payment, error) { return c.readList(ok(list), order(t)) },
			"confirm":  func() (sdk.Payment, error) { return c.readConfirmed(ok(body), order(t), intentID) },
			"cancel":   func() (sdk.Payment, error) { return c.readIntent(ok(body), callEffect, order(t)) },
		} {
			payment, err := read()
			if err != nil || payment.Status != w.want || payment.RawStatus != w.word || payment.AcquirerOrderID != intentID {
				t.Errorf("%s %q: got %+v, %v", name, w.word, payment, err)
			}
			if w.want == sdk.StatusUnknown && payment.StatusReason == "" {
				t.Errorf("%s %q has no reason", name, w.word)
			}
		}
	}
	if len(paymentStatuses) != 7 {
		t.Errorf("%d statuses in the table", len(paymentStatuses))
	}
}

func ok(body []byte) acquirer.Response { return acquirer.Response{Status: 200, Body: body} }

func TestReasonOfAnUnpaidIntent(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	for attempt, want := range map[string]string{
		``:                               "not confirmed: the payer was never asked",
		`"latest_payment_attempt":null,`: "not confirmed: the payer was never asked",
		`"latest_payment_attempt":{"id":"att_1","status":"FAILED"},`:                    "the payer's last attempt failed",
		`"latest_payment_attempt":{"failure_code":"provider_declined"},`:                "the payer's last attempt failed: provider_declined",
		`"latest_payment_attempt":{"failure_code":"` + strings.Repeat("<b>", 9) + `"},`: "the payer's last attempt failed",
	} {
		body := `{` + attempt + `"id":"` + intentID + `","status":"REQUIRES_PAYMENT_METHOD","amount":16.66,"currency":"HKD","merchant_order_id":"` + ourOrder + `"}`
		payment, err := c.readIntent(ok([]byte(body)), callQuery, order(t))
		if err != nil || payment.Status != sdk.StatusPending || payment.StatusReason != want {
			t.Errorf("%s: got %+v, %v", attempt, payment, err)
		}
	}
}

// An answer about something else is reported as it is, and nobody is sent to pay it.
func TestForeignAnswersAreNotOurs(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	for name, changes := range map[string]map[string]any{
		"order":    {"merchant_order_id": "P2"},
		"no order": {"merchant_order_id": nil},
		"amount":   {"amount": json.RawMessage("16.67")},
		"currency": {"currency": "USD"},
	} {
		for _, status := range []string{"SUCCEEDED", "REQUIRES_CUSTOMER_ACTION"} {
			changes["status"] = status
			body := change(t, golden(t, "confirm_response.json"), changes)
			payment, err := c.readConfirmed(ok(body), createRequest(t).Order, intentID)
			if err != nil || payment.Status != statusOf(status) || payment.NextActions != nil || len(payment.Differences(order(t))) == 0 && status == "SUCCEEDED" {
				t.Errorf("another %s, %s: got %+v, %v", name, status, payment, err)
			}
		}
	}
	for _, amount := range []string{`"16.66"`, "1.005", "null", "-1"} {
		for status, want := range map[string]sdk.Status{"SUCCEEDED": sdk.StatusSucceeded, "CANCELLED": sdk.StatusUnknown} {
			body := change(t, golden(t, "retrieve_response.json"), map[string]any{"amount": json.RawMessage(amount), "status": status})
			payment, err := c.readIntent(ok(body), callQuery, order(t))
			if err != nil || payment.Status != want || payment.StatusReason == "" || !payment.Money.IsZero() || want == sdk.StatusSucceeded && len(payment.Differences(order(t))) == 0 {
				t.Errorf("amount %s, %s: got %+v, %v", amount, status, payment, err)
			}
		}
	}
}

func TestCreateConfirmsOnlyOurIntent(t *testing.T) {
	for name, changes := range map[string]map[string]any{
		"order":         {"merchant_order_id": "P2"},
		"amount":        {"amount": json.RawMessage("16.67")},
		"currency":      {"currency": "USD"},
		"no amount":     {"amount": nil, "currency": nil},
		"status":        {"status": "SUCCEEDED"},
		"unheard of":    {"status": "NEW"},
		"dots as an id": {"id": ".."},
		"path as an id": {"id": "a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			created := change(t, golden(t, "create_response.json"), changes)
			f := newFake(t, steps(t, say(201, string(created)), func(http.ResponseWriter, *http.Request) { t.Error("it was confirmed") }))
			payment, err := f.provider(t, "").Create(t.Context(), createRequest(t))
			if err != nil || payment.NextActions != nil || len(f.sent()) != 1 {
				t.Errorf("got %+v, %v, sent %q", payment, err, f.sent())
			}
		})
	}
	other := change(t, golden(t, "confirm_response.json"), map[string]any{"id": "int_other"})
	f := newFake(t, steps(t, say(201, string(golden(t, "create_response.json"))), say(200, string(other))))
	payment, err := f.provider(t, "").Create(t.Context(), createRequest(t))
	if err != nil || payment.Status != sdk.StatusUnknown || payment.AcquirerOrderID != intentID || payment.NextActions != nil || payment.StatusReason == "" {
		t.Errorf("another intent confirmed: %+v, %v", payment, err)
	}
}
