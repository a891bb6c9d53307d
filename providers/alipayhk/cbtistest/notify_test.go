package cbtistest_test

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// The documentation's example of a signature.
func TestSignatureVector(t *testing.T) {
	body := `{"notify_type":"refund_success","data":{"uid":39172931,"refund_id":"C34368224017070000",` +
		`"merchant_refund_id":"P2164521756312637123","order_amount":"105.00",` +
		`"create_time":"2023-08-23T18:25:43.511Z","refund_time":"2023-08-23T18:28:16.511Z"}}`
	want := "3ce5a54d8a76590179f0f4192a6c0efddf20e118966b6276b1bfbbc0b33f362a"
	if got := cbtistest.Sign([]byte(body), "6d0e8fa7b10c40c3a48c0c2be41cb178"); got != want {
		t.Errorf("signed %s, want %s", got, want)
	}
}

func TestPaymentNotification(t *testing.T) {
	address, notices := receiver(t, 200)
	srv := cbtistest.Start(t, cbtistest.Options{WebhookKey: "first"})
	c := newClient(t, srv)
	id := c.order("A", withURL("notify_url", address)...)
	mustPay(t, srv, id)
	n := <-notices
	if want := `{"notify_type":"payment_success","data":{"order_id":"` + id + `","merchant_order_id":"A"}}`; n.body != want {
		t.Errorf("body %s, want %s", n.body, want)
	}
	if got := n.header.Get("Signature"); got != cbtistest.Sign([]byte(n.body), "first") {
		t.Errorf("signature %q", got)
	}

	srv.SetWebhookKey("second")
	c.order("B", withURL("notify_url", address)...)
	mustPay(t, srv, "B")
	if n = <-notices; n.header.Get("Signature") != cbtistest.Sign([]byte(n.body), "second") {
		t.Error("the new key isn't used")
	}

	c.order("C", withURL("notify_url", address)...)
	if _, err := srv.Cancel("C"); err != nil {
		t.Fatal(err)
	}
	c.order("D") // without notify_url
	mustPay(t, srv, "D")
	idle(t, srv)
	log := srv.Notifications()
	if len(log) != 2 || !log[0].Delivered || log[0].Attempt != 1 || log[0].Status != 200 || log[0].URL != address {
		t.Errorf("log: %+v", log)
	}
}

// bubble runs a paid order inside synctest and returns its attempts after the
// given (virtual) time.
func bubble(t *testing.T, o cbtistest.Options, wait time.Duration, answer transport, faults ...cbtistest.Fault) (attempts []cbtistest.Notification, start time.Time) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.HTTPClient = &http.Client{Transport: answer}
		srv := cbtistest.NewServer(o)
		defer srv.Close()
		for _, f := range faults {
			srv.Inject(f)
		}
		inMemory(t, srv).order("A", withURL("notify_url", "http://shop.test/n")...)
		start = time.Now()
		mustPay(t, srv, "A")
		time.Sleep(wait) // the bubble's clock jumps
		synctest.Wait()
		attempts = srv.Notifications()
	})
	return attempts, start
}

func offsets(attempts []cbtistest.Notification, start time.Time) (list []time.Duration) {
	for _, a := range attempts {
		list = append(list, a.At.Sub(start))
	}
	return list
}

func seconds(list ...float64) (out []time.Duration) {
	for _, s := range list {
		out = append(out, time.Duration(s*float64(time.Second)))
	}
	return out
}

func always(status int) transport {
	return func(*http.Request) (*http.Response, error) { return respond(status), nil }
}

func TestRetrySchedule(t *testing.T) {
	want := seconds(0, 15, 45, 105, 405, 1005, 2805, 6405, 13605, 28005)
	// Anything but exactly 200 counts as not received.
	for _, status := range []int{500, 201, 204, 302} {
		attempts, start := bubble(t, cbtistest.Options{}, 48*time.Hour, always(status))
		if got := offsets(attempts, start); !slices.Equal(got, want) {
			t.Errorf("status %d: attempts at %v, want %v", status, got, want)
		}
	}
	if n := len(cbtistest.RetryIntervals()); n != len(want)-1 {
		t.Errorf("%d intervals", n)
	}
	attempts, start := bubble(t, cbtistest.Options{SpeedUp: 10}, 48*time.Hour, always(500))
	if got := offsets(attempts, start); len(got) != 10 || got[9] != 2800500*time.Millisecond {
		t.Errorf("sped up: attempts at %v", got)
	}
}

func TestRetryStopsAtSuccess(t *testing.T) {
	calls := 0
	attempts, start := bubble(t, cbtistest.Options{}, 48*time.Hour, func(*http.Request) (*http.Response, error) {
		if calls++; calls < 3 {
			return respond(503), nil
		}
		return respond(200), nil
	})
	if got := offsets(attempts, start); !slices.Equal(got, seconds(0, 15, 45)) || !attempts[2].Delivered {
		t.Errorf("attempts: %+v", attempts)
	}
}

func TestSlowReceiverTimesOut(t *testing.T) {
	slow := func(d time.Duration) transport {
		return func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(d):
				return respond(200), nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
	}
	attempts, start := bubble(t, cbtistest.Options{}, 40*time.Second, slow(6*time.Second))
	if got := offsets(attempts, start); !slices.Equal(got, seconds(0, 15)) || attempts[0].Error != "no answer within 5s" {
		t.Errorf("attempts: %+v", attempts)
	}
	attempts, _ = bubble(t, cbtistest.Options{}, 40*time.Second, slow(4*time.Second))
	if len(attempts) != 1 || !attempts[0].Delivered {
		t.Errorf("attempts: %+v", attempts)
	}
}

func TestCloseStopsNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		srv := cbtistest.NewServer(cbtistest.Options{HTTPClient: &http.Client{Transport: hang}})
		c := inMemory(t, srv)
		c.order("A", withURL("notify_url", "http://shop.test/n")...)
		mustPay(t, srv, "A")
		synctest.Wait()
		start := time.Now()
		srv.Close()
		srv.Close()
		if d := time.Since(start); d != 0 {
			t.Errorf("Close took %v", d)
		}
		if r := c.post(queryPath, `{}`); r.status != 503 {
			t.Errorf("a closed sandbox answered %d", r.status)
		}
	})
}
