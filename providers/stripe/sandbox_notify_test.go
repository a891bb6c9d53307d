package stripe_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/stripe/stripetest"
	"github.com/paymux/paymux/sdk"
)

func TestSandboxNotifications(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{RetryIntervals: []time.Duration{0, 0}})
	p := account(t, server, "")
	rolled := account(t, server, `,"webhook_secrets":["whsec_new","`+stripetest.DefaultWebhookSecret+`"]`)
	current := p
	in := newInbox(t, func() sdk.Provider { return current })
	server.SetWebhookURL(in.url)
	pay := func(id string) {
		t.Helper()
		create(t, p, newPayment(t, id))
		if _, err := server.Pay(id); err != nil {
			t.Fatal(err)
		}
	}
	server.Inject(stripetest.Fault{Kind: stripetest.KindDuplicate, Times: 1})
	pay("P1")
	if a, b := take(t, in.come), take(t, in.come); a != b || a.MerchantOrderID != "P1" {
		t.Errorf("%+v, %+v", a, b)
	}
	// Forged first, then rightly signed by the next attempt.
	server.Inject(stripetest.Fault{Kind: stripetest.KindForged, Times: 1})
	pay("P2")
	if err := take(t, in.refused); !sdk.IsCode(err, sdk.CodeSignatureInvalid) {
		t.Error(err)
	}
	if event := take(t, in.come); event.MerchantOrderID != "P2" {
		t.Errorf("%+v", event)
	}
	if err := server.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	current = rolled
	pay("P3")
	take(t, in.come)
	if err := server.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.SetWebhookSecret("whsec_new")
	pay("P4")
	take(t, in.come)
}

// An old notification is not taken again later, nor one from the future.
func TestSandboxStaleNotifications(t *testing.T) {
	server := stripetest.Start(t, stripetest.Options{})
	p := account(t, server, "")
	body := []byte(`{"type":"payment_intent.succeeded","livemode":false,"data":{"object":{"id":"pi_1","object":"payment_intent"}}}`)
	now := time.Now()
	for apart, good := range map[time.Duration]bool{0: true, -4 * time.Minute: true, 4 * time.Minute: true, -6 * time.Minute: false, 6 * time.Minute: false} {
		header := stripetest.Sign(body, now.Add(apart), "whsec_other", stripetest.DefaultWebhookSecret)
		_, err := p.ParseNotification(t.Context(), sdk.HTTPRequest{Method: "POST", Body: body, ReceivedAt: now, Header: http.Header{"Stripe-Signature": {header}}})
		if (err == nil) != good {
			t.Errorf("%s: %v", apart, err)
		}
	}
}
