package airwallex_test

import (
	"testing"
	"time"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
	"github.com/paymux/paymux/sdk"
)

func TestSandboxNotifications(t *testing.T) {
	type fault = airwallextest.Fault
	tests := []struct {
		name     string
		fault    fault
		statuses []int // of the attempts
		events   int
	}{
		{"duplicate", fault{Kind: airwallextest.KindDuplicate}, []int{200, 200}, 2},
		{"forged", fault{Kind: airwallextest.KindForged}, []int{401, 200}, 1},
		{"stale", fault{Kind: airwallextest.KindStale, Delay: time.Hour}, []int{401, 200}, 1},
		{"from the future", fault{Kind: airwallextest.KindStale, Delay: -time.Hour}, []int{401, 200}, 1},
		{"a little old", fault{Kind: airwallextest.KindStale, Delay: time.Minute}, []int{200}, 1},
		{"lost", fault{Kind: airwallextest.KindDrop}, []int{0, 200}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := airwallextest.Start(t, airwallextest.Options{RetryAfter: []time.Duration{time.Millisecond}})
			p := account(t, server, "")
			in := newInbox(t, func() sdk.Provider { return p })
			server.SetWebhook(in.url, airwallextest.DefaultWebhookSecret)
			test.fault.Times = 1
			server.Inject(test.fault)
			payment, err := p.Create(t.Context(), newPayment(t, "P1"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := server.Pay("P1"); err != nil {
				t.Fatal(err)
			}
			for range test.events {
				if event := in.next(t); event.AcquirerOrderID != payment.AcquirerOrderID || event.RawType != "payment_intent.succeeded" {
					t.Errorf("event %+v", event)
				}
			}
			if err := server.Idle(t.Context()); err != nil {
				t.Fatal(err)
			}
			notes := server.Notifications()
			if len(notes) != len(test.statuses) {
				t.Fatalf("attempts %+v", notes)
			}
			for i, n := range notes {
				if n.Status != test.statuses[i] || n.EventID != notes[0].EventID {
					t.Errorf("attempt %d: %+v, want status %d", i, n, test.statuses[i])
				}
			}
		})
	}
}

// The secret is replaced at the acquirer while both are configured.
func TestSandboxRotatedSecret(t *testing.T) {
	server := airwallextest.Start(t, airwallextest.Options{OldPayload: true})
	p := account(t, server, "") // knows "other" too
	in := newInbox(t, func() sdk.Provider { return p })
	for i, secret := range []string{airwallextest.DefaultWebhookSecret, "other"} {
		server.SetWebhook(in.url, secret)
		id := "P" + string(rune('1'+i))
		if _, err := p.Create(t.Context(), newPayment(t, id)); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Pay(id); err != nil {
			t.Fatal(err)
		}
		if event := in.next(t); event.MerchantOrderID != id {
			t.Errorf("event %+v", event)
		}
	}
}
