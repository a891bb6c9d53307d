package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/paymux/paymux/host/internal/alarm/alarmtest"
	"github.com/paymux/paymux/sdk"
)

// TestEventRetries: over three days, by the plan of Standard Webhooks, with the
// same id; shops.RoundTrip checks that each is signed anew.
func TestEventRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		w.shops.answers(func(context.Context, delivery) (*http.Response, error) { return says(500), nil })
		w.one.says(sdk.StatusUnknown)
		w.pay("o1")
		time.Sleep(6 * 24 * time.Hour)
		synctest.Wait()
		got := w.shops.heard(hookURL)
		want := []time.Duration{
			5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
		}
		if len(got) != 1+len(want) {
			t.Fatalf("%d attempts", len(got))
		}
		exact := 0
		for i, plan := range want {
			wait := got[i+1].at.Sub(got[i].at)
			if wait < plan*9/10 || wait > plan*11/10+time.Second || got[i+1].ID != got[0].ID {
				t.Errorf("attempt %d came after %v, want %v: %+v", i+2, wait, plan, got[i+1])
			}
			if wait == plan {
				exact++
			}
		}
		if exact == len(want) {
			t.Error("no jitter")
		}
		if n := w.count("SELECT COUNT(*) FROM deliveries WHERE state = 'given_up' AND last_status = 500 AND due_at = 0"); n != 1 {
			t.Errorf("%d deliveries are given up", n)
		}
	})
}

// TestEndpointAnswers: which answers are the end of it.
func TestEndpointAnswers(t *testing.T) {
	date := time.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC).Format(http.TimeFormat) // the bubble begins at midnight
	ever := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat)
	for name, c := range map[string]struct {
		answer   *http.Response
		again    bool
		min, max time.Duration // until it comes again
	}{
		"200":                  {answer: says(200)},
		"299":                  {answer: says(299)},
		"gone":                 {answer: says(410)},
		"redirect":             {says(308, "Location: "+otherURL), true, 4500 * time.Millisecond, 6 * time.Second},
		"informational":        {says(199), true, 4500 * time.Millisecond, 6 * time.Second},
		"bad request":          {says(400, "Retry-After: 600"), true, 4500 * time.Millisecond, 6 * time.Second},
		"no answer":            {nil, true, 4500 * time.Millisecond, 6 * time.Second},
		"slow down":            {says(429, "Retry-After: 600"), true, 600 * time.Second, 602 * time.Second},
		"away until":           {says(503, "Retry-After: "+date), true, 590 * time.Second, 602 * time.Second},
		"away, at once":        {says(503, "Retry-After: 0"), true, 4500 * time.Millisecond, 6 * time.Second},
		"away, minus":          {says(503, "Retry-After: -1"), true, 4500 * time.Millisecond, 6 * time.Second},
		"away, for ever":       {says(503, "Retry-After: 2000000000"), true, 24 * time.Hour, 24*time.Hour + 2*time.Second},
		"away until ever":      {says(503, "Retry-After: "+ever), true, 24 * time.Hour, 24*time.Hour + 2*time.Second},
		"away, beyond numbers": {says(503, "Retry-After: 99999999999999999999"), true, 4500 * time.Millisecond, 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorldOf(t, twoEndpoints)
				defer w.close()
				w.shops.answers(func(_ context.Context, d delivery) (*http.Response, error) {
					if d.url != hookURL {
						return says(200), nil
					}
					if c.answer == nil {
						return nil, errors.New("connection refused \x00\xff " + hookURL)
					}
					return c.answer, nil
				})
				w.pay("o1")
				time.Sleep(25 * time.Hour)
				synctest.Wait()
				all := w.shops.heard(hookURL)
				got := slices.DeleteFunc(all, func(d delivery) bool { return d.Type != "payment.pending" })
				if !c.again && len(got) != 1 || c.again && len(got) < 2 {
					t.Fatalf("%d attempts", len(got))
				}
				if c.again {
					if wait := got[1].at.Sub(got[0].at); wait < c.min || wait > c.max {
						t.Errorf("it came again after %v", wait)
					}
				}
				if n := len(w.shops.heard(otherURL)); n != 1 {
					t.Errorf("the other endpoint heard %d times", n)
				}
			})
		})
	}
}

// TestDeadEndpoint: one that hangs keeps no other waiting.
func TestDeadEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, twoEndpoints)
		defer w.close()
		w.shops.answers(func(ctx context.Context, d delivery) (*http.Response, error) {
			if d.url == otherURL {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return says(200), nil
		})
		for i := range 40 {
			w.pay(fmt.Sprint("o", i))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(w.shops.heard(hookURL)); n != 40 {
			t.Errorf("%d of 40 arrived", n)
		}
		if n := len(w.shops.heard(otherURL)); n != endpointWorkers {
			t.Errorf("the dead one holds %d workers", n)
		}
		time.Sleep(eventTimeout)
		synctest.Wait()
		if n := len(w.shops.heard(otherURL)); n != endpointWorkers {
			t.Errorf("%d more are tried when the first have had their time", n)
		}
	})
}

// TestDeliveryNotStored: an event whose delivery couldn't be stored is delivered
// again, with the same id.
func TestDeliveryNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		answered := make(chan struct{})
		w.shops.answers(func(context.Context, delivery) (*http.Response, error) {
			<-answered          // the merchant has its payment
			_ = w.store.Close() // the event is taken, and the host ends
			return says(200), nil
		})
		c := w.pay("o1")
		close(answered)
		synctest.Wait()
		w.abandon()
		w.shops.answers(func(context.Context, delivery) (*http.Response, error) { return says(200), nil })
		w.open()
		defer w.close()
		time.Sleep(time.Minute)
		synctest.Wait()
		got := w.shops.heard(hookURL)
		if len(got) != 2 || got[0].ID != got[1].ID || got[0].ID != w.told(c.Payment.ID)[0].ID {
			t.Errorf("delivered %+v", got)
		}
	})
}

// TestCrashBeforeDelivery: an event that is committed is delivered, even if the
// host ends before anything else, and its alarm is lost.
func TestCrashBeforeDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		w.engine = alarmtest.NewVirtual() // of the next host: the alarms of this one are lost
		w.shops.answers(func(ctx context.Context, _ delivery) (*http.Response, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		var ids []string
		for i := range 20 {
			ids = append(ids, w.pay(fmt.Sprint("o", i)).Payment.ID)
		}
		w.abandon()
		w.shops.heard(hookURL)
		w.shops.answers(func(context.Context, delivery) (*http.Response, error) { return says(200), nil })
		w.open()
		defer w.close()
		synctest.Wait()
		heard := map[string]bool{}
		for _, d := range w.shops.heard(hookURL) {
			heard[d.ID] = true
		}
		for _, id := range ids {
			if e := w.told(id)[0]; !heard[e.ID] {
				t.Errorf("event %s of %s was lost", e.ID, id)
			}
		}
	})
}

// TestEndpointLeaves: events of an endpoint that isn't in the config wait for it
// as for one that is away, and burden nobody.
func TestEndpointLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		w.shops.answers(func(context.Context, delivery) (*http.Response, error) {
			return nil, errors.New("茶" + strings.Repeat("x", 5000))
		})
		w.pay("o1")
		w.pay("o2")
		synctest.Wait()
		if n := w.count("SELECT COUNT(*) FROM deliveries WHERE last_error LIKE '茶x%' AND length(last_error) BETWEEN 490 AND 500"); n != 2 {
			t.Errorf("%d deliveries say why, in short", n)
		}
		if n := strings.Count(w.log.String(), "event not delivered"); n != 2 {
			t.Errorf("%d are in the log", n)
		}
		w.close()
		w.shops.heard(hookURL)
		full := w.cfg
		without := *full
		without.Events = nil
		w.cfg = &without
		w.open()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := w.count("SELECT MIN(tries) FROM deliveries WHERE state = 'pending'"); n < 3 {
			t.Errorf("tried %d times without the endpoint", n)
		}
		w.close()
		w.cfg = full
		w.shops.answers(func(context.Context, delivery) (*http.Response, error) { return says(200), nil })
		w.one.says(sdk.StatusPending)
		w.open()
		defer w.close()
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		if got := w.shops.heard(hookURL); len(got) != 2 {
			t.Errorf("heard %+v", got)
		}
	})
}

// TestManyEndpoints: each has workers, however many there are.
func TestManyEndpoints(t *testing.T) {
	var config strings.Builder
	config.WriteString(worldConfig + "events:\n")
	for i := range 3 * mostQueues {
		fmt.Fprintf(&config, "  - {url: \"https://s%d.example.com/\", secret: \"%s\", merchant: shop-a}\n", i, secretA)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, config.String())
		defer w.close()
		if n := len(w.now().queues()); n > mostQueues+10 {
			t.Errorf("%d queues", n)
		}
		w.pay("o1")
		synctest.Wait()
		for i := range 3 * mostQueues {
			if n := len(w.shops.heard(fmt.Sprintf("https://s%d.example.com/", i))); n != 1 {
				t.Errorf("endpoint %d heard %d times", i, n)
			}
		}
	})
}

// TestEventOverHTTP: by the real transport and the real job queue, to an endpoint
// that redirects first.
func TestEventOverHTTP(t *testing.T) {
	var followed atomic.Int32
	got := make(chan error, 10)
	verifier, err := standardwebhooks.NewWebhook(secretA)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /moved", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		got <- errors.Join(err, verifier.Verify(body, r.Header))
		http.Redirect(w, r, "/new", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/new", func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	server := httptest.NewServer(mux)
	defer server.Close()
	w := newWorldOf(t, worldConfig+"events: [{url: \""+server.URL+"/moved\", secret: \""+secretA+"\", merchant: shop-a}]\n")
	w.close()
	host, err := Open(context.Background(), w.cfg, w.options(w.dial()), func(h *Host) { h.engine, h.events = nil, eventTransport() })
	if err != nil {
		t.Fatal(err)
	}
	w.Host = host
	w.pay("o1")
	for range 2 { // it comes again after 5 s
		select {
		case err := <-got:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("nothing came")
		}
	}
	w.close()
	if followed.Load() != 0 {
		t.Error("the redirect was followed")
	}
}
