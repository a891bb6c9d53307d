package antomtest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What each fault does to pay: whether the payment exists afterwards, and what
// the client sees.
func TestFaultsOfCalls(t *testing.T) {
	for _, test := range []struct {
		fault    Fault
		recorded bool
		status   int // 0: the connection is closed
		body     string
	}{
		{Fault{Kind: KindCloseBefore}, false, 0, ""},
		{Fault{Kind: KindCloseAfter}, true, 0, ""},
		{Fault{Kind: KindHTTPErrorBefore}, false, 502, "<html>"},
		{Fault{Kind: KindHTTPErrorAfter, Status: 503}, true, 503, "<html>"},
		{Fault{Kind: KindUnauthorized}, false, 401, "{}"},
		{Fault{Kind: KindRateLimited, RetryAfter: 7 * time.Second}, false, 429, "{}"},
		{Fault{Kind: KindResult, ResultStatus: "U", Code: "X"}, false, 200, `"resultCode":"X","resultStatus":"U"`},
		{Fault{Kind: KindTruncatedJSON}, true, 200, `{"result"`},
		{Fault{Kind: KindMissingSignature}, true, 200, `"paymentId"`},
		{Fault{Kind: KindBadSignature}, true, 200, `"paymentId"`},
		{Fault{Kind: KindWrongEcho, Field: "amount"}, true, 200, `"paymentAmount":{"currency":"HKD","value":"9100"}`},
		{Fault{Kind: KindWrongEcho, Field: "id"}, true, 200, `"paymentRequestId":"another-merchants-id"`},
		{Fault{Kind: KindDelay, Delay: time.Millisecond}, true, 200, `"paymentId"`},
		{Fault{Kind: KindDelayAfter, Delay: time.Millisecond}, true, 200, `"paymentId"`},
	} {
		s := Start(t, Options{})
		test.fault.Op, test.fault.Times, test.fault.Match = OpPay, 1, "P1"
		s.Inject(test.fault)
		built := request(s, livePath+"/payments/pay", goodPay)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+built.URL.Path, strings.NewReader(goodPay))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = built.Header
		resp, err := http.DefaultTransport.RoundTrip(req)
		if test.status == 0 {
			if err == nil {
				t.Errorf("%s: the connection isn't closed", test.fault.Kind)
			}
		} else if err != nil {
			t.Errorf("%s: %v", test.fault.Kind, err)
		}
		if err == nil {
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != test.status || !strings.Contains(string(body), test.body) {
				t.Errorf("%s: %d %s", test.fault.Kind, resp.StatusCode, body)
			}
			good := signedBy(&acquirerKey().PublicKey, "1", "POST", req.URL.Path, DefaultClientID, resp.Header.Get("Response-Time"), body, resp.Header.Get("Signature")) == nil
			bad := test.fault.Kind == KindTruncatedJSON || test.fault.Kind == KindMissingSignature || test.fault.Kind == KindBadSignature
			if resp.StatusCode == 200 && good == bad {
				t.Errorf("%s: signed %t", test.fault.Kind, good)
			}
			if test.fault.RetryAfter > 0 && resp.Header.Get("Retry-After") != "7" {
				t.Errorf("%s: %v", test.fault.Kind, resp.Header)
			}
		}
		if _, exists := s.Order("P1"); exists != test.recorded {
			t.Errorf("%s: recorded %t", test.fault.Kind, exists)
		}
		if calls := s.Requests(); len(calls) != 1 || calls[0].Fault != test.fault.Kind || calls[0].Status != test.status || s.ClearFaults() != 0 {
			t.Errorf("%s: log %+v", test.fault.Kind, calls)
		}
	}
}

// Faults of other calls and other payments wait for theirs; several queue up.
func TestFaultsMatch(t *testing.T) {
	s := Start(t, Options{})
	id := mustPay(t, s, "P1")
	s.Inject(Fault{Kind: KindResult, Op: OpQuery, Match: "P2"})
	s.Inject(Fault{Kind: KindResult, Op: OpCancel})
	s.Inject(Fault{Kind: KindResult, Op: OpQuery, Match: "P1", Code: "FIRST", Times: 1})
	s.Inject(Fault{Kind: KindResult, Op: OpAny, Match: "P1", Code: "SECOND", Times: 1})
	s.Inject(Fault{Kind: KindLaggingQuery, Times: 1})
	for _, want := range []string{"FIRST", "SECOND", "SUCCESS", "SUCCESS"} {
		if got := post(t, s, "inquiryPayment", `{"paymentId":"`+id+`"}`); got.body.Result.Code != want {
			t.Errorf("got %s, want %s", got.raw, want)
		}
	}
	if n := s.ClearFaults(); n != 2 {
		t.Errorf("%d faults are left", n)
	}
	for _, bad := range []Fault{{Kind: "odd"}, {Kind: KindDrop, Op: OpPay}, {Kind: KindWrongEcho, Field: "colour"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v is accepted", bad)
				}
			}()
			s.Inject(bad)
		}()
	}
}
