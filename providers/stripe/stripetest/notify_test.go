package stripetest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/providers/stripe/stripetest"
)

func TestNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{arrived: make(chan arrival, 10)}
		c, srv := newClient(t, stripetest.Options{WebhookURL: "http://shop.example/hook", HTTPClient: &http.Client{Transport: r}})
		for _, act := range []func(string) (stripetest.Intent, error){srv.Pay, srv.Fail} {
			c.create("P1")
			if _, err := act("P1"); err != nil {
				t.Fatal(err)
			}
		}
		made := c.create("P3")
		c.post(intents+"/"+made.ID+"/cancel", "", "")
		if err := srv.Idle(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for range 3 {
			n := <-r.arrived
			if n.signature != stripetest.Sign(n.body, time.Now(), stripetest.DefaultWebhookSecret) {
				t.Errorf("signature %s", n.signature)
			}
			for _, kind := range []string{"succeeded", "payment_failed", "canceled"} {
				if strings.Contains(string(n.body), `"type":"payment_intent.`+kind+`"`) {
					seen[kind] = true
				}
			}
		}
		if len(seen) != 3 || len(srv.Notifications()) != 3 {
			t.Errorf("seen %v", seen)
		}
	})
}

// Anything but 2xx is tried again, three times in all.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{arrived: make(chan arrival, 10), answer: func(n int) int { return []int{302, 0, 500, 204}[(n-1)%4] }}
		c, srv := newClient(t, stripetest.Options{WebhookURL: "http://shop.example/hook", HTTPClient: &http.Client{Transport: r}})
		c.create("P1")
		begun := time.Now()
		if _, err := srv.Pay("P1"); err != nil {
			t.Fatal(err)
		}
		for _, want := range []time.Duration{0, time.Hour, 3 * time.Hour} {
			<-r.arrived
			if got := time.Since(begun); got != want {
				t.Errorf("after %s, want %s", got, want)
			}
		}
		synctest.Wait()
		log := srv.Notifications()
		if len(log) != 3 || log[2].Attempt != 3 || log[2].Delivered {
			t.Errorf("log %+v", log)
		}
		c.create("P2")
		if _, err := srv.Pay("P2"); err != nil {
			t.Fatal(err)
		}
		<-r.arrived
		time.Sleep(24 * time.Hour)
		if log := srv.Notifications(); len(log) != 4 || !log[3].Delivered {
			t.Errorf("log %+v", log)
		}
	})
}

func TestNotificationFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{arrived: make(chan arrival, 10)}
		c, srv := newClient(t, stripetest.Options{WebhookURL: "http://shop.example/hook", HTTPClient: &http.Client{Transport: r}})
		srv.SetWebhookSecret("whsec_new")
		for i, want := range map[int]string{0: "one", 1: "two"} {
			id := fmt.Sprint("P", i)
			c.create(id)
			if want == "two" {
				srv.Inject(stripetest.Fault{Kind: stripetest.KindDuplicate, Times: 1})
			}
			if _, err := srv.Pay(id); err != nil {
				t.Fatal(err)
			}
			for range i + 1 {
				if n := <-r.arrived; n.signature != stripetest.Sign(n.body, time.Now(), "whsec_new") {
					t.Errorf("%s: signature %s", want, n.signature)
				}
			}
		}
		srv.Inject(stripetest.Fault{Kind: stripetest.KindForged, Times: 1})
		srv.Inject(stripetest.Fault{Kind: stripetest.KindDrop, Times: 1})
		c.create("P3")
		if _, err := srv.Pay("P3"); err != nil {
			t.Fatal(err)
		}
		if n := <-r.arrived; n.signature == stripetest.Sign(n.body, time.Now(), "whsec_new") || !strings.HasPrefix(n.signature, "t=") {
			t.Errorf("forged: %s", n.signature)
		}
		begun := time.Now()
		c.create("P4")
		if _, err := srv.Pay("P4"); err != nil {
			t.Fatal(err)
		}
		<-r.arrived // the first attempt was dropped
		if got := time.Since(begun); got != time.Hour {
			t.Errorf("after %s", got)
		}
	})
}
