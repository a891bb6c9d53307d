package airwallextest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/providers/airwallex/airwallextest"
)

// transport answers notifications without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func respond(status int) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(""))}
}

// bubble pays an intent inside synctest and returns the attempts to notify of it
// after the given (virtual) time.
func bubble(t *testing.T, o airwallextest.Options, wait time.Duration, receive transport, faults ...airwallextest.Fault) (attempts []airwallextest.Notification, begun time.Time) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.HTTPClient, o.WebhookURL = &http.Client{Transport: receive}, "http://shop.test/n"
		srv := airwallextest.NewServer(o)
		defer srv.Close()
		for _, f := range faults {
			srv.Inject(f)
		}
		begun = time.Now()
		newClient(t, srv).paid("A")
		time.Sleep(wait) // the bubble's clock jumps
		synctest.Wait()
		attempts = srv.Notifications()
	})
	return attempts, begun
}

func offsets(attempts []airwallextest.Notification, begun time.Time) (all []time.Duration) {
	for _, a := range attempts {
		all = append(all, a.At.Sub(begun))
	}
	return all
}

func TestPaymentNotification(t *testing.T) {
	var body []byte
	var header http.Header
	attempts, begun := bubble(t, airwallextest.Options{WebhookSecret: "s1"}, time.Hour, func(r *http.Request) (*http.Response, error) {
		body, _ = io.ReadAll(r.Body)
		header = r.Header
		return respond(200), nil
	})
	if len(attempts) != 1 || !attempts[0].Delivered || attempts[0].At != begun {
		t.Fatalf("attempts %+v", attempts)
	}
	var n struct {
		ID, Name  string
		AccountID string `json:"account_id"`
		Data      struct{ Object map[string]any }
	}
	if err := json.Unmarshal(body, &n); err != nil || !strings.HasPrefix(n.ID, "evt_") || n.Name != "payment_intent.succeeded" || n.AccountID != airwallextest.DefaultAccountID || n.Data.Object["merchant_order_id"] != "A" || n.Data.Object["status"] != "SUCCEEDED" {
		t.Errorf("body %s, %v", body, err)
	}
	if stamp := header.Get("x-timestamp"); stamp != "946684800000" || header.Get("x-signature") != airwallextest.Sign(stamp, body, "s1") {
		t.Errorf("headers %v", header)
	}
}

// The digest of a public HMAC test vector (RFC 4231, case 2), so that Sign isn't
// only compared with itself.
func TestSignatureVector(t *testing.T) {
	want := "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
	if got := airwallextest.Sign("what do ya", []byte(" want for nothing?"), "Jefe"); got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
}

func TestRepetitions(t *testing.T) {
	waits := []time.Duration{time.Minute, time.Hour}
	want := []time.Duration{0, time.Minute, time.Hour + time.Minute}
	for _, keep := range []bool{false, true} {
		attempts, begun := bubble(t, airwallextest.Options{RetryAfter: waits, KeepTimestamp: keep}, 100*time.Hour, func(*http.Request) (*http.Response, error) { return respond(204), nil })
		if got := offsets(attempts, begun); !slices.Equal(got, want) {
			t.Fatalf("attempts at %v", got)
		}
		for i, a := range attempts {
			same := a.Timestamp == attempts[0].Timestamp
			if a.EventID != attempts[0].EventID || a.Attempt != i+1 || a.Signature != airwallextest.Sign(a.Timestamp, []byte(a.Body), airwallextest.DefaultWebhookSecret) || i > 0 && same != keep {
				t.Errorf("attempt %d: %+v", i, a)
			}
		}
	}
	attempts, begun := bubble(t, airwallextest.Options{}, 100*time.Hour, func(*http.Request) (*http.Response, error) { return respond(500), nil })
	if got := offsets(attempts, begun); len(got) != 7 || got[6] > 72*time.Hour {
		t.Errorf("attempts at %v", got)
	}
}

func TestNotificationFaults(t *testing.T) {
	good := func(a airwallextest.Notification) bool {
		return a.Signature == airwallextest.Sign(a.Timestamp, []byte(a.Body), airwallextest.DefaultWebhookSecret)
	}
	for kind, test := range map[airwallextest.Kind]struct {
		attempts int
		fits     func(airwallextest.Notification) bool
	}{
		airwallextest.KindForged:    {1, func(a airwallextest.Notification) bool { return !good(a) && len(a.Signature) == 64 }},
		airwallextest.KindStale:     {1, func(a airwallextest.Notification) bool { return good(a) && a.Timestamp == "946681200000" }},
		airwallextest.KindDuplicate: {2, good},
		airwallextest.KindDrop:      {2, func(a airwallextest.Notification) bool { return a.Status == 0 && !a.Delivered }},
		airwallextest.KindDelay:     {1, func(a airwallextest.Notification) bool { return good(a) && a.Timestamp == "946688400000" }},
	} {
		fault := airwallextest.Fault{Kind: kind, Op: airwallextest.OpNotify, Times: 1, Delay: time.Hour}
		attempts, _ := bubble(t, airwallextest.Options{}, 2*time.Hour, func(*http.Request) (*http.Response, error) { return respond(200), nil }, fault)
		if len(attempts) != test.attempts || !test.fits(attempts[0]) {
			t.Errorf("%s: %+v", kind, attempts)
		}
	}
}

func TestSlowReceiver(t *testing.T) {
	attempts, begun := bubble(t, airwallextest.Options{RetryAfter: []time.Duration{time.Minute}}, time.Hour, func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	if got := offsets(attempts, begun); !slices.Equal(got, []time.Duration{0, 70 * time.Second}) || attempts[0].Status != 0 {
		t.Errorf("attempts at %v: %+v", got, attempts)
	}
}

func TestCloseStopsNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		srv := airwallextest.NewServer(airwallextest.Options{HTTPClient: &http.Client{Transport: hang}, WebhookURL: "http://shop.test/n"})
		c := newClient(t, srv)
		c.paid("A")
		synctest.Wait()
		begun := time.Now()
		srv.Close()
		srv.Close()
		if d := time.Since(begun); d != 0 {
			t.Errorf("Close took %v", d)
		}
		if a := c.get("payment_intents"); a.status != 503 {
			t.Errorf("a closed sandbox answered %d", a.status)
		}
	})
}

func TestRefundsSettleByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := airwallextest.NewServer(airwallextest.Options{})
		defer srv.Close()
		c := newClient(t, srv)
		id := c.paid("A")
		refund := c.post("refunds/create", `{"request_id":"r1","payment_intent_id":"`+id+`"}`) // without an amount: all of it
		if refund.body["status"] != "RECEIVED" || !strings.Contains(refund.raw, `"amount":12.5,`) {
			t.Fatal(refund.raw)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if a := c.get("refunds/" + refund.body["id"].(string)); a.body["status"] != "SETTLED" {
			t.Error(a.raw)
		}
		if _, err := srv.SettleRefund(refund.body["id"].(string), false); err != airwallextest.ErrState {
			t.Errorf("got %v", err)
		}
	})
}
