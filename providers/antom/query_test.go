package antom

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

func TestGoldenQuery(t *testing.T) {
	f := newFake(t, saySigned(200, golden(t, "query_response.json")))
	p := f.provider(t, "")
	byMerchant := order(t)
	byMerchant.AcquirerOrderID = ""
	for i, test := range []struct {
		order sdk.Order
		file  string
	}{{order(t), "query_request.json"}, {byMerchant, "query_request_by_merchant.json"}} {
		payment, err := p.Query(t.Context(), sdk.QueryRequest{Order: test.order})
		if err != nil {
			t.Fatal(err)
		}
		body, found := strings.CutPrefix(f.sent()[i], "POST /ams/api/v1/payments/inquiryPayment ")
		if !found {
			t.Fatalf("call: %s", f.sent()[i])
		}
		sameJSON(t, []byte(body), golden(t, test.file))
		if payment.Status != sdk.StatusSucceeded || payment.StatusReason != "" || payment.RawStatus != "SUCCESS" || payment.PaidAt.IsZero() || payment.CreatedAt.IsZero() ||
			payment.AcquirerOrderID != acquirerOrder || payment.MerchantOrderID != ourOrder || !payment.Money.Equal(money(t, "1")) {
			t.Errorf("got %+v", payment)
		}
	}
	_, err := p.Query(t.Context(), sdk.QueryRequest{})
	checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
	_, err = p.Query(t.Context(), sdk.QueryRequest{Order: sdk.Order{AcquirerOrderID: "\xff"}})
	checkError(t, err, sdk.CodeInvalidRequest, sdk.OutcomeNotSent)
}

func TestPaymentStatuses(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	read := func(changes map[string]any) sdk.Payment {
		t.Helper()
		payment, err := c.readQuery(signedAnswer(c, callQuery, 200, change(t, golden(t, "query_response.json"), changes)))
		if err != nil {
			t.Fatal(err)
		}
		return payment
	}
	// Written out here apart from the code's table.
	for status, want := range map[any]sdk.Status{
		"SUCCESS": sdk.StatusSucceeded, "FAIL": sdk.StatusFailed, "PROCESSING": sdk.StatusPending, "PENDING": sdk.StatusPending, "CANCELLED": sdk.StatusCancelled,
		"success": sdk.StatusUnknown, "CANCELED": sdk.StatusUnknown, "REFUNDED": sdk.StatusUnknown, "S": sdk.StatusUnknown, 3: sdk.StatusUnknown, "": sdk.StatusUnknown,
		strings.Repeat("x", 100_000): sdk.StatusUnknown,
	} {
		payment := read(map[string]any{"paymentStatus": status})
		if payment.Status != want || (want == sdk.StatusUnknown) != (payment.StatusReason != "") || len(payment.StatusReason)+len(payment.RawStatus) > 300 {
			t.Errorf("%.20v: got %s %q, want %s", status, payment.Status, payment.StatusReason, want)
		}
		if payment.PaidAt.IsZero() == (want == sdk.StatusSucceeded) {
			t.Errorf("%.20v: paid at %v", status, payment.PaidAt)
		}
	}
	if payment := read(map[string]any{"paymentStatus": nil}); payment.Status != sdk.StatusUnknown || payment.StatusReason != "the acquirer names no status" {
		t.Errorf("no status: %+v", payment)
	}
}

// The host sees what differs: the answer is reported as it is.
func TestQueryReportsWhatTheAnswerSays(t *testing.T) {
	c := settings(t, "https://api.example.com", "")
	hkd := func(value any) map[string]any { return map[string]any{"currency": "HKD", "value": value} }
	tests := map[string]struct {
		change map[string]any
		fields []string // that differ
		status sdk.Status
	}{
		"ours":               {nil, nil, sdk.StatusSucceeded},
		"a number":           {map[string]any{"paymentAmount": hkd(100)}, nil, sdk.StatusSucceeded},
		"odd times":          {map[string]any{"paymentTime": 1, "paymentCreateTime": map[string]any{}}, nil, sdk.StatusSucceeded},
		"other paymentId":    {map[string]any{"paymentId": "2"}, []string{"provider_order_id"}, sdk.StatusSucceeded},
		"no paymentId":       {map[string]any{"paymentId": nil}, []string{"provider_order_id"}, sdk.StatusSucceeded},
		"other order":        {map[string]any{"paymentRequestId": "P2"}, []string{"merchant_order_id"}, sdk.StatusSucceeded},
		"no order":           {map[string]any{"paymentRequestId": nil}, []string{"merchant_order_id"}, sdk.StatusSucceeded},
		"other amount":       {map[string]any{"paymentAmount": hkd("101")}, []string{"amount"}, sdk.StatusSucceeded},
		"other currency":     {map[string]any{"paymentAmount": map[string]any{"currency": "CNY", "value": "100"}}, []string{"amount"}, sdk.StatusSucceeded},
		"no amount":          {map[string]any{"paymentAmount": nil}, []string{"amount"}, sdk.StatusSucceeded},
		"cancelled, other":   {map[string]any{"paymentStatus": "CANCELLED", "paymentRequestId": "P2"}, []string{"merchant_order_id"}, sdk.StatusCancelled},
		"half an amount":     {map[string]any{"paymentAmount": map[string]any{"value": "100"}}, []string{"amount"}, sdk.StatusSucceeded},
		"other half":         {map[string]any{"paymentAmount": map[string]any{"currency": "HKD"}}, []string{"amount"}, sdk.StatusSucceeded},
		"major units":        {map[string]any{"paymentAmount": hkd("1.00")}, []string{"amount"}, sdk.StatusSucceeded},
		"exponent":           {map[string]any{"paymentAmount": hkd("1e2")}, []string{"amount"}, sdk.StatusSucceeded},
		"sign":               {map[string]any{"paymentAmount": hkd("+100")}, []string{"amount"}, sdk.StatusSucceeded},
		"negative":           {map[string]any{"paymentAmount": hkd("-100")}, []string{"amount"}, sdk.StatusSucceeded},
		"leading zero":       {map[string]any{"paymentAmount": hkd("0100")}, []string{"amount"}, sdk.StatusSucceeded},
		"nothing":            {map[string]any{"paymentAmount": hkd("0")}, []string{"amount"}, sdk.StatusSucceeded},
		"too much":           {map[string]any{"paymentAmount": hkd("9999999999999999999")}, []string{"amount"}, sdk.StatusSucceeded},
		"currency's case":    {map[string]any{"paymentAmount": map[string]any{"currency": "hkd", "value": "100"}}, []string{"amount"}, sdk.StatusSucceeded},
		"value as a list":    {map[string]any{"paymentAmount": hkd([]any{})}, []string{"amount"}, sdk.StatusSucceeded},
		"cancelled, of what": {map[string]any{"paymentStatus": "CANCELLED", "paymentAmount": hkd("1.00")}, nil, sdk.StatusUnknown},
		"pending, says few":  {map[string]any{"paymentStatus": "PROCESSING", "paymentAmount": nil, "paymentId": nil}, nil, sdk.StatusPending},
	}
	for name, test := range tests {
		payment, err := c.readQuery(signedAnswer(c, callQuery, 200, change(t, golden(t, "query_response.json"), test.change)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var fields []string
		for _, d := range payment.Differences(order(t)) {
			fields = append(fields, d.Field)
		}
		if payment.Status != test.status || test.status != sdk.StatusUnknown && !slices.Equal(fields, test.fields) {
			t.Errorf("%s: got %s, differs in %v; want %s, %v", name, payment.Status, fields, test.status, test.fields)
		}
		if payment.StatusReason != "" && !payment.Money.IsZero() || test.status == sdk.StatusUnknown && (!payment.Money.IsZero() || !strings.Contains(payment.StatusReason, "can't be read")) {
			t.Errorf("%s: %+v", name, payment)
		}
	}
}

func TestCancel(t *testing.T) {
	query := func(changes map[string]any) []byte { return change(t, golden(t, "query_response.json"), changes) }
	pending := query(map[string]any{"paymentStatus": "PROCESSING", "paymentTime": nil})
	failed := []byte(`{"result":{"resultCode":"NEVER","resultStatus":"F"}}`)
	odd := []byte(`{"result":{"resultCode":"ODD","resultStatus":"F"}}`)
	const inquiry, cancel = "inquiryPayment", "cancel"
	tests := map[string]struct {
		answers [][]byte // in turn
		calls   []string
		status  sdk.Status
		code    sdk.Code
		outcome sdk.Outcome
	}{
		"closed":            {[][]byte{pending, golden(t, "cancel_response.json"), query(map[string]any{"paymentStatus": "CANCELLED"})}, []string{inquiry, cancel, inquiry}, sdk.StatusCancelled, 0, 0},
		"not closed yet":    {[][]byte{pending, golden(t, "cancel_response.json"), pending}, []string{inquiry, cancel, inquiry}, sdk.StatusPending, 0, 0},
		"paid meanwhile":    {[][]byte{pending, golden(t, "cancel_response.json"), query(nil)}, []string{inquiry, cancel, inquiry}, sdk.StatusUnknown, 0, 0},
		"paid before":       {[][]byte{query(nil)}, []string{inquiry}, sdk.StatusSucceeded, 0, 0},
		"failed before":     {[][]byte{query(map[string]any{"paymentStatus": "FAIL"})}, []string{inquiry}, sdk.StatusFailed, 0, 0},
		"unheard-of status": {[][]byte{query(map[string]any{"paymentStatus": "ODD"})}, []string{inquiry}, sdk.StatusUnknown, 0, 0},
		"another's order":   {[][]byte{query(map[string]any{"paymentStatus": "PROCESSING", "paymentRequestId": "P2"})}, []string{inquiry}, sdk.StatusPending, 0, 0},
		"first look fails":  {[][]byte{odd}, []string{inquiry}, 0, sdk.CodeAcquirerError, sdk.OutcomeNotSent},
		"refused":           {[][]byte{pending, failed}, []string{inquiry, cancel}, 0, sdk.CodeRefused, sdk.OutcomeRefused},
		"fails":             {[][]byte{pending, odd}, []string{inquiry, cancel}, 0, sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		"second look fails": {[][]byte{pending, golden(t, "cancel_response.json"), odd}, []string{inquiry, cancel, inquiry}, 0, sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		"keys are refused":  {[][]byte{pending, golden(t, "cancel_response.json"), []byte(`{"result":{"resultCode":"WHO","resultStatus":"F"}}`)}, []string{inquiry, cancel, inquiry}, 0, sdk.CodeCredentialsRefused, sdk.OutcomeUnknown},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, nil)
			f.answer = func(w http.ResponseWriter, r *http.Request) {
				saySigned(200, test.answers[len(f.sent())-1])(w, r)
			}
			payment, err := f.provider(t, knownCodes).Cancel(t.Context(), sdk.CancelRequest{Order: order(t)})
			var made []string
			for _, sent := range f.sent() {
				made = append(made, strings.TrimPrefix(strings.Fields(sent)[1], "/ams/api/v1/payments/"))
			}
			if !slices.Equal(made, test.calls) {
				t.Errorf("calls %v, want %v", made, test.calls)
			}
			if test.code != 0 {
				checkError(t, err, test.code, test.outcome)
				return
			}
			if err != nil || payment.Status != test.status {
				t.Errorf("got %+v, %v", payment, err)
			}
			if len(made) > 1 {
				sameJSON(t, []byte(strings.SplitN(f.sent()[1], " ", 3)[2]), golden(t, "cancel_request.json"))
			}
		})
	}
}

func TestAuthorize(t *testing.T) {
	failure := func(code string) []byte { return []byte(`{"result":{"resultCode":"` + code + `","resultStatus":"F"}}`) }
	tests := map[string]struct {
		answer  http.HandlerFunc
		code    sdk.Code
		outcome sdk.Outcome
	}{
		"there is no such order": {saySigned(200, failure("NO_ORDER")), 0, 0},
		"there is one":           {saySigned(200, golden(t, "query_response.json")), 0, 0},
		"credentials":            {saySigned(200, failure("WHO")), sdk.CodeCredentialsRefused, sdk.OutcomeNotSent},
		"unlisted code":          {saySigned(200, failure("ODD")), sdk.CodeAcquirerError, sdk.OutcomeUnknown},
		"not signed":             {say(200, string(failure("NO_ORDER"))), sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown},
		"401":                    {say(401, ""), sdk.CodeCredentialsRefused, sdk.OutcomeUnknown},
	}
	for name, test := range tests {
		f := newFake(t, test.answer)
		grant, err := f.provider(t, knownCodes).Authorize(context.Background())
		if test.code == 0 {
			if err != nil || !grant.ExpiresAt.IsZero() {
				t.Errorf("%s: %v, %v", name, grant, err)
			}
			continue
		}
		e := checkError(t, err, test.code, test.outcome)
		if name == "unlisted code" && (e.AcquirerCode != "ODD" || !strings.Contains(e.Message, "codes.not_found")) {
			t.Errorf("it doesn't help: %v", e)
		}
		if len(f.sent()) != 1 || !strings.Contains(f.sent()[0], "/payments/inquiryPayment") {
			t.Errorf("%s: %v", name, f.sent())
		}
	}
}
