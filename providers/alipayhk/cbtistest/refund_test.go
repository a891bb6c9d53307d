package cbtistest_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

func TestRefund(t *testing.T) {
	address, notices := receiver(t, 200)
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	id := c.order("A", withURL("notify_url", address)...)
	mustPay(t, srv, "A")
	<-notices

	r := c.post(refundPath, refundBody("A", "R1", "30"))
	want := regexp.MustCompile(`"data":\{"payment_order_id":"` + id + `","merchant_payment_order_id":"A",` +
		`"merchant_refund_id":"R1","create_time":"[^"]+","status":"SUCCEEDED"\}`)
	if !want.MatchString(r.raw) {
		t.Errorf("refund answered %s", r.raw)
	}
	notice := regexp.MustCompile(`^\{"notify_type":"refund_success","data":\{"uid":39172931,"refund_id":"C[0-9]{21}",` +
		`"merchant_refund_id":"R1","order_amount":"30","create_time":"[0-9T:-]{19}\.[0-9]{3}Z","refund_time":"[0-9T:-]{19}\.[0-9]{3}Z"\}\}$`)
	if n := <-notices; !notice.MatchString(n.body) {
		t.Errorf("notified %s", n.body)
	}
	if r := c.post(refundPath, refundBody("A", "R2", "70.00")); r.Code != 0 {
		t.Errorf("the rest: %s", r.raw)
	}
	r = c.post(refundQueryPath, `{"merchant_refund_id":"R1"}`)
	if r.Data["status"] != "SUCCEEDED" || r.Data["amount"] != "30" || r.Data["currency"] != "HKD" || r.Data["refund_time"] == nil {
		t.Errorf("refund query answered %s", r.raw)
	}
	if s := c.orderStatus("A"); s != "SUCCEEDED" {
		t.Errorf("the refunded payment is %s", s)
	}
	if l := srv.Ledger(); len(l) != 3 || l[0].Kind != "charge" || l[1].MerchantRefundID != "R1" || l[2].Kind != "refund" {
		t.Errorf("ledger: %+v", l)
	}
}

func TestRefundRefusals(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{IncludeRefundID: true})
	c := newClient(t, srv)
	c.order("unpaid")
	c.order("A")
	mustPay(t, srv, "A")
	r := c.post(refundPath, refundBody("A", "R1", "60"))
	refundID, _ := r.Data["refund_id"].(string)
	if refundID == "" {
		t.Fatalf("no refund_id: %s", r.raw)
	}
	tests := map[string]struct {
		path, body string
		code       int
	}{
		"duplicate":      {refundPath, refundBody("A", "R1", "60"), 40901},
		"more than left": {refundPath, refundBody("A", "R2", "40.01"), 40904},
		"not paid":       {refundPath, refundBody("unpaid", "R2", "1"), 40903},
		"unknown order":  {refundPath, refundBody("X", "R2", "1"), 40400},
		"no order":       {refundPath, `{"merchant_refund_id":"R2","amount":"1"}`, 40001},
		"no refund id":   {refundPath, refundBody("A", "", "1"), 40001},
		"no amount":      {refundPath, refundBody("A", "R2", ""), 40001},
		"bad amount":     {refundPath, refundBody("A", "R2", "0"), 40002},
		"long id":        {refundPath, refundBody("A", strings.Repeat("R", 33), "1"), 40002},
		"long reason":    {refundPath, strings.Replace(refundBody("A", "R2", "1"), "{", fmt.Sprintf(`{"reason":%q,`, strings.Repeat("x", 129)), 1), 40002},
		"currency":       {refundPath, strings.Replace(refundBody("A", "R2", "1"), "{", `{"currency":"HKD",`, 1), 40000},
		"notify_url":     {refundPath, strings.Replace(refundBody("A", "R2", "1"), "{", `{"notify_url":"https://a.example",`, 1), 40000},
		"no query id":    {refundQueryPath, `{}`, 40001},
		"unknown refund": {refundQueryPath, `{"refund_id":"R1"}`, 40400},
		"disagree":       {refundQueryPath, fmt.Sprintf(`{"refund_id":%q,"merchant_refund_id":"R9"}`, refundID), 40902},
		"both":           {refundQueryPath, fmt.Sprintf(`{"refund_id":%q,"merchant_refund_id":"R1"}`, refundID), 0},
	}
	for name, tt := range tests {
		if r := c.post(tt.path, tt.body); r.Code != tt.code {
			t.Errorf("%s: %s, want code %d", name, r.raw, tt.code)
		}
	}
}

func TestRefundOutcomes(t *testing.T) {
	for outcome, want := range map[cbtistest.RefundOutcome][3]string{
		cbtistest.RefundSucceeds:        {"SUCCEEDED", "SUCCEEDED", "refund_success"},
		cbtistest.RefundFails:           {"FAILED", "FAILED", "refund_failed"},
		cbtistest.RefundPendingSucceeds: {"PENDING", "SUCCEEDED", "refund_success"},
		cbtistest.RefundPendingFails:    {"PENDING", "FAILED", "refund_failed"},
	} {
		t.Run(string(outcome), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := cbtistest.NewServer(cbtistest.Options{
					RefundOutcome: outcome, RefundSettleAfter: time.Minute,
					HTTPClient: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return respond(200), nil })},
				})
				defer srv.Close()
				c := inMemory(t, srv)
				c.order("A", withURL("notify_url", "http://shop.test/n")...)
				mustPay(t, srv, "A")
				first := c.post(refundPath, refundBody("A", "R1", "100"))
				if r := c.post(refundPath, refundBody("A", "R2", "1")); want[0] == "PENDING" && r.Code != 40904 {
					t.Errorf("a pending refund holds nothing: %s", r.raw)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				last := c.post(refundQueryPath, `{"merchant_refund_id":"R1"}`)
				if first.Data["status"] != want[0] || last.Data["status"] != want[1] {
					t.Errorf("from %v to %v, want %v", first.Data["status"], last.Data["status"], want)
				}
				synctest.Wait()
				var types []string
				for _, n := range srv.Notifications() {
					if n.MerchantRefundID == "R1" {
						types = append(types, n.Type)
					}
				}
				if len(types) != 1 || types[0] != want[2] {
					t.Errorf("notified %q, want %s", types, want[2])
				}
			})
		})
	}
}

func TestSettleRefund(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{RefundOutcome: cbtistest.RefundPendingSucceeds, RefundSettleAfter: time.Hour})
	c := newClient(t, srv)
	c.order("A")
	mustPay(t, srv, "A")
	c.post(refundPath, refundBody("A", "R1", "100"))
	if err := srv.SettleRefund("R1", cbtistest.Failed); err != nil {
		t.Fatal(err)
	}
	if err := srv.SettleRefund("R1", cbtistest.Succeeded); err != cbtistest.ErrClosed {
		t.Errorf("settling twice: %v", err)
	}
	if err := srv.SettleRefund("R9", cbtistest.Succeeded); err != cbtistest.ErrNotFound {
		t.Errorf("settling nothing: %v", err)
	}
	if r := c.post(refundPath, refundBody("A", "R2", "100")); r.Code != 0 {
		t.Errorf("a failed refund still holds its amount: %s", r.raw)
	}
}

// Fifty refunds of 3 race for a payment of 100: 33 fit.
func TestRefundsNeverExceedThePayment(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	c.order("A")
	mustPay(t, srv, "A")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() { c.post(refundPath, refundBody("A", fmt.Sprintf("R%d", i), "3.00")) })
	}
	wg.Wait()
	sum, n := decimal.Zero, 0
	for _, e := range srv.Ledger() {
		if e.Kind == "refund" {
			sum, n = sum.Add(e.Amount), n+1
		}
	}
	if n != 33 || !sum.Equal(decimal.NewFromInt(99)) {
		t.Errorf("%d refunds of %s in all, want 33 of 99", n, sum)
	}
}

// The documentation has uid as a number; one that is none stays a string.
func TestUIDThatIsNoNumber(t *testing.T) {
	address, notices := receiver(t, 200)
	srv := cbtistest.Start(t, cbtistest.Options{UID: "m-1", RefundOutcome: cbtistest.RefundFails})
	c := &client{t: t, do: http.DefaultTransport.RoundTrip, base: srv.URL}
	token := c.send("GET", "/mch-api/v1/auth?grant_type=client_credentials&uid=m-1&client_secret="+cbtistest.DefaultClientSecret, "", "")
	c.token = regexp.MustCompile(`[0-9a-f]{84}`).FindString(token.raw)
	c.order("A", withURL("notify_url", address)...)
	mustPay(t, srv, "A")
	<-notices
	c.post(refundPath, refundBody("A", "R1", "1"))
	if n := <-notices; !strings.HasPrefix(n.body, `{"notify_type":"refund_failed","data":{"uid":"m-1",`) {
		t.Errorf("notified %s", n.body)
	}
}
