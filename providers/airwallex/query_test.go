package airwallex

import (
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

func TestQueryAsksByTheAcquirersIDIfItCan(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "" || r.Header.Get("X-Api-Version") != "2024-01-01" {
			t.Errorf("headers %v", r.Header)
		}
		if r.URL.RawQuery != "" {
			_, _ = w.Write(golden(t, "list_response.json"))
			return
		}
		_, _ = w.Write(golden(t, "retrieve_response.json"))
	})
	p := f.provider(t, `,"api_version":"2024-01-01"`)
	byID := order(t)
	byMerchant := byID
	byMerchant.AcquirerOrderID = ""
	for _, o := range []sdk.Order{byID, byMerchant} {
		payment, err := p.Query(t.Context(), sdk.QueryRequest{Order: o})
		if err != nil || payment.Status != sdk.StatusSucceeded || len(payment.Differences(byID)) > 0 {
			t.Errorf("got %+v, %v", payment, err)
		}
	}
	want := "GET /api/v1/pa/payment_intents/" + intentID + "|GET /api/v1/pa/payment_intents?merchant_order_id=" + ourOrder
	if got := strings.Join(f.sent(), "|"); got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	for _, id := range []string{"..", ".", "a/b", "a?b", "a%2fb", "é", strings.Repeat("x", 65)} {
		byID.AcquirerOrderID = id
		_, err := p.Query(t.Context(), sdk.QueryRequest{Order: byID})
		checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
	}
	byMerchant.MerchantOrderID = "a b"
	_, err := p.Query(t.Context(), sdk.QueryRequest{Order: byMerchant})
	checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
}

func TestList(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	item := `{"id":"int_1","merchant_order_id":"` + ourOrder + `","amount":16.66,"currency":"HKD","status":"SUCCEEDED"}`
	foreign := strings.Replace(item, ourOrder, "P2", 1)
	tests := []struct {
		name, body string
		status     sdk.Status // if there is no error
		code       sdk.Code
	}{
		{"one", `{"has_more":false,"items":[` + item + `]}`, sdk.StatusSucceeded, 0},
		{"one, not said whether complete", `{"items":[` + item + `]}`, sdk.StatusSucceeded, 0},
		{"another's", `{"has_more":false,"items":[` + foreign + `]}`, sdk.StatusSucceeded, 0}, // the host sees that it isn't ours
		{"two", `{"has_more":false,"items":[` + item + `,` + item + `]}`, sdk.StatusUnknown, 0},
		{"one of more", `{"has_more":true,"items":[` + item + `]}`, sdk.StatusUnknown, 0},
		{"ours and another's", `{"has_more":false,"items":[` + foreign + `,` + item + `]}`, sdk.StatusUnknown, 0},
		{"none", `{"has_more":false,"items":[]}`, 0, sdk.CodeOrderNotFound},
		{"none, but more", `{"has_more":true,"items":[]}`, 0, sdk.CodeAcquirerAnswerInvalid},
		{"none, not said whether complete", `{"items":[]}`, 0, sdk.CodeAcquirerAnswerInvalid},
		{"null", `{"has_more":false,"items":null}`, 0, sdk.CodeAcquirerAnswerInvalid},
		{"no items", `{"has_more":false}`, 0, sdk.CodeAcquirerAnswerInvalid},
		{"empty item", `{"has_more":false,"items":[{}]}`, 0, sdk.CodeAcquirerAnswerInvalid},
		{"null item", `{"has_more":false,"items":[null]}`, 0, sdk.CodeAcquirerAnswerInvalid},
		{"text", `{"has_more":false,"items":"none"}`, 0, sdk.CodeAcquirerAnswerInvalid},
	}
	for _, test := range tests {
		payment, err := c.readList(ok([]byte(test.body)), createRequest(t).Order)
		if test.code != 0 {
			checkError(t, err, test.code, sdk.OutcomeUnknown)
		} else if err != nil || payment.Status != test.status || test.status == sdk.StatusUnknown && payment.StatusReason == "" {
			t.Errorf("%s: got %+v, %v", test.name, payment, err)
		}
	}
	payment, err := c.readList(ok([]byte(`{"has_more":false,"items":[`+foreign+`]}`)), createRequest(t).Order)
	if err != nil || len(payment.Differences(createRequest(t).Order)) == 0 {
		t.Errorf("another's payment passes for ours: %+v, %v", payment, err)
	}
}

func TestCancel(t *testing.T) {
	f := newFake(t, say(200, string(golden(t, "cancel_response.json"))))
	p := f.provider(t, "")
	payment, err := p.Cancel(t.Context(), cancelRequest(t))
	if err != nil || payment.Status != sdk.StatusCancelled || len(payment.Differences(order(t))) > 0 {
		t.Errorf("got %+v, %v", payment, err)
	}
	body, found := strings.CutPrefix(f.sent()[0], "POST /api/v1/pa/payment_intents/"+intentID+"/cancel ")
	if !found {
		t.Errorf("sent %s", f.sent()[0])
	}
	sameJSON(t, []byte(body), golden(t, "cancel_request.json"))

	req := cancelRequest(t)
	req.AcquirerOrderID = ""
	_, err = p.Cancel(t.Context(), req)
	checkError(t, err, sdk.CodeInvalidState, sdk.OutcomeNotSent)
	req = cancelRequest(t)
	req.RequestID = ""
	_, err = p.Cancel(t.Context(), req)
	checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
	if len(f.sent()) != 1 {
		t.Errorf("sent %q", f.sent())
	}
}
