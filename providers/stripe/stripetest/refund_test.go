package stripetest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/providers/stripe/stripetest"
)

func TestRefunds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, srv := newClient(t, stripetest.Options{RefundAfter: time.Minute})
		made := c.create("P1")
		refund := func(form string) reply { return c.post("/v1/refunds", "payment_intent="+made.ID+"&"+form, "") }
		if got := refund("amount=1"); got.status != 400 {
			t.Errorf("unpaid: %s", got.raw)
		}
		if _, err := srv.Pay("P1"); err != nil {
			t.Fatal(err)
		}
		part := refund("amount=250&reason=duplicate&metadata[merchant_refund_id]=R1")
		if part.Status != "pending" || part.Metadata["merchant_refund_id"] != "R1" || !strings.Contains(part.raw, `"payment_intent":"`+made.ID+`"`) {
			t.Errorf("got %s", part.raw)
		}
		for _, bad := range []string{"amount=1001", "amount=0", "amount=1.5", "amount=1&reason=whim", "amount=1&note=x"} {
			if got := refund(bad); got.status != 400 {
				t.Errorf("%s: %s", bad, got.raw)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := c.get("/v1/refunds/" + part.ID); got.Status != "succeeded" {
			t.Errorf("got %s", got.raw)
		}
		rest := refund("") // all that is left
		if got := refund("amount=1"); got.Error.Code != "charge_already_refunded" {
			t.Errorf("got %s", got.raw)
		}
		list := c.get("/v1/refunds?payment_intent=" + made.ID)
		if len(list.Data) != 2 || list.Data[0].ID != rest.ID || list.Data[0].Amount != 1000 || list.HasMore {
			t.Errorf("got %s", list.raw)
		}
		if one := c.get("/v1/refunds?limit=1&payment_intent=" + made.ID); len(one.Data) != 1 || !one.HasMore {
			t.Errorf("got %s", one.raw)
		}
		for _, target := range []string{"/v1/refunds/re_x", "/v1/refunds?payment_intent=pi_x"} {
			if got := c.get(target); got.status != 404 {
				t.Errorf("%s: %s", target, got.raw)
			}
		}
		// A refund that fails gives its amount free.
		if err := srv.SetRefundStatus(rest.ID, "failed"); err != nil {
			t.Fatal(err)
		}
		if got := refund("amount=1000"); got.status != 200 {
			t.Errorf("got %s", got.raw)
		}
		if srv.SetRefundStatus("re_x", "failed") == nil {
			t.Error("an unheard of refund was moved")
		}
	})
}

func TestRefundPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, srv := newClient(t, stripetest.Options{})
		made := c.create("P1")
		if _, err := srv.Pay("P1"); err != nil {
			t.Fatal(err)
		}
		for _, after := range []time.Duration{90 * 24 * time.Hour, time.Second} {
			time.Sleep(after)
			got := c.post("/v1/refunds", fmt.Sprintf("payment_intent=%s&amount=1", made.ID), "")
			if (got.status == 200) != (after > time.Second) {
				t.Errorf("%s later: %s", after, got.raw)
			}
		}
	})
}
