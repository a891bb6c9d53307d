package host

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

// TestEvents: a merchant hears of each transition once, in order, signed by its
// own secret, and no other merchant hears of it.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		c := w.pay("o1")
		w.one.says(sdk.StatusSucceeded)
		time.Sleep(time.Minute)
		synctest.Wait()
		w.is(c.Payment.ID, sdk.StatusSucceeded)
		got := w.shops.heard(hookURL)
		if names := types(got); !slices.Equal(names, []string{"pending", "succeeded"}) {
			t.Fatalf("heard of %v", names)
		}
		for i, e := range w.told(c.Payment.ID) {
			d := got[i]
			if d.ID != e.ID || d.Sequence != e.Sequence || !d.CreatedAt.Equal(e.CreatedAt) || d.signedBy != secretA || d.at.Sub(e.CreatedAt) > time.Second {
				t.Errorf("delivered %+v of %+v", d, e)
			}
		}
		if p := got[0].payment; p.ID != c.Payment.ID || p.Status != "PENDING" || p.NextAction == nil || p.Timeline != nil || p.Omitted != nil {
			t.Errorf("%+v", p)
		}
		if p := got[1].payment; p.Status != "SUCCEEDED" || p.PaidAt.IsZero() {
			t.Errorf("%+v", p)
		}
		if _, err := w.Create(context.Background(), "shop-b", request("o1b")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := w.shops.heard(hookURL); len(got) != 1 || got[0].signedBy != secretB {
			t.Errorf("the other merchant with the same URL: %+v", got)
		}
		w.keepsSecrets()
	})
}

// TestEventOfEachTransition: whatever a payment goes through.
func TestEventOfEachTransition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		w.one.fails(sdk.Unknown(sdk.CodeAcquirerTimeout, "lost"))
		c := w.pay("o1")
		time.Sleep(time.Minute) // PENDING by a question
		w.one.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
			p := paymentOf(r.Order, sdk.StatusSucceeded)
			p.MerchantOrderID = "o2"
			return p, nil
		})
		time.Sleep(time.Hour)
		w.one.says(sdk.StatusExpired)
		time.Sleep(2 * time.Hour)
		w.one.says(sdk.StatusSucceeded)
		if _, err := w.notify("one", "signed o1"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if _, err := w.Review(t.Context(), "shop-a", c.Payment.ID, ReviewRequest{"accept", "it is ours"}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		want := []string{"unknown", "pending", "review", "expired", "review", "review"}
		if names := types(w.shops.heard(hookURL)); !slices.Equal(names, want) {
			t.Errorf("heard of %v, want %v", names, want)
		}
		if n := len(w.told(c.Payment.ID)); n != len(want) {
			t.Errorf("%d events", n)
		}
	})
}

// TestEventTooLong: an event stays below 20 kB, and says what it goes without.
func TestEventTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		long := strings.Repeat("x", 60<<10)
		for order, c := range map[string]struct {
			value, link, id, omitted string
		}{
			"fits":     {strings.Repeat("&", 500), "", "", ""}, // & takes one byte, not six
			"metadata": {strings.Repeat("茶", 500), "", "", "metadata"},
			"actions":  {"", "https://wallet.example.com/?" + long, "", "next_action"},
			"id":       {"", "", long, "next_action,provider_order_id"},
		} {
			w.one.creating(func(_ context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
				r.Order.AcquirerOrderID = c.id
				p := paymentOf(r.Order, sdk.StatusPending)
				p.NextActions = []sdk.NextAction{{Type: sdk.ActionRedirect, URL: "https://wallet.example.com/"}}
				if c.link != "" {
					p.NextActions[0].URL = c.link
				}
				return p, nil
			})
			r := request(order)
			r.Metadata = map[string]string{}
			for i := range 20 {
				if c.value != "" {
					r.Metadata[string(rune('a'+i))] = c.value
				}
			}
			r.ReturnURL = ""
			if _, err := w.Create(context.Background(), "shop-a", r); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			got := w.shops.heard(hookURL) // which checks the length
			if len(got) != 1 || strings.Join(got[0].payment.Omitted, ",") != c.omitted || got[0].payment.MerchantOrderID != order {
				t.Errorf("%s: %+v", order, got)
			}
		}
	})
}

func TestListEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		for _, order := range []string{"o1", "o2", "o3"} {
			w.pay(order)
		}
		ctx := context.Background()
		first, more, err := w.Events(ctx, "shop-a", EventFilter{Limit: 2})
		if err != nil || !more || len(first) != 2 || first[0].ID <= first[1].ID {
			t.Fatalf("%+v, %v, %v", first, more, err)
		}
		rest, more, err := w.Events(ctx, "shop-a", EventFilter{Limit: 2, Before: first[1].ID})
		if err != nil || more || len(rest) != 1 || rest[0].ID >= first[1].ID {
			t.Errorf("%+v, %v, %v", rest, more, err)
		}
		if all, more, err := w.Events(ctx, "shop-a", EventFilter{Limit: 3}); err != nil || more || len(all) != 3 {
			t.Errorf("%+v, %v, %v", all, more, err)
		}
		for _, limit := range []int{-1, MaxPage + 1} {
			if _, _, err := w.Events(ctx, "shop-a", EventFilter{Limit: limit}); sdk.AsError(err).Field != "limit" {
				t.Errorf("a page of %d: %v", limit, err)
			}
		}
		if others, _, err := w.Events(ctx, "shop-b", EventFilter{}); err != nil || len(others) != 0 {
			t.Errorf("another merchant sees %+v, %v", others, err)
		}
		w.one.says(sdk.StatusCancelled)
		time.Sleep(31 * 24 * time.Hour)
		synctest.Wait()
		if old, _, err := w.Events(ctx, "shop-a", EventFilter{}); err != nil || len(old) != 0 {
			t.Errorf("after 31 days: %+v, %v", old, err)
		}
		if n := w.count("SELECT COUNT(*) FROM deliveries"); n != 0 {
			t.Errorf("%d deliveries are kept", n)
		}
	})
}

// TestRedeliver: again to every endpoint, with the same id, for 30 days.
func TestRedeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, twoEndpoints)
		defer w.close()
		c := w.pay("o1")
		synctest.Wait()
		id := w.told(c.Payment.ID)[0].ID
		w.shops.heard(hookURL)
		w.shops.heard(otherURL)
		time.Sleep(29 * 24 * time.Hour)
		if e, err := w.Redeliver(t.Context(), "shop-a", id); err != nil || e.ID != id {
			t.Fatalf("%+v, %v", e, err)
		}
		synctest.Wait()
		for _, url := range []string{hookURL, otherURL} {
			got := w.shops.heard(url)
			if len(got) == 0 || got[len(got)-1].ID != id || time.Since(got[len(got)-1].at) > time.Second {
				t.Errorf("%s heard %+v", url, got)
			}
		}
		if _, err := w.Redeliver(t.Context(), "shop-b", id); codeOf(err) != sdk.CodeNotFound {
			t.Errorf("by another merchant: %v", err)
		}
		time.Sleep(24*time.Hour + time.Second) // 30 days are over, but it isn't forgotten yet
		if _, err := w.Redeliver(t.Context(), "shop-a", id); codeOf(err) != sdk.CodeNotFound {
			t.Errorf("after 30 days: %v", err)
		}
	})
}

// TestRedeliverDuringDelivery: one that is asked for while the event is on its
// way isn't taken for that delivery.
func TestRedeliverDuringDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		w.shops.answers(func(context.Context, delivery) (*http.Response, error) {
			time.Sleep(3 * time.Second)
			return says(200), nil
		})
		c := w.pay("o1")
		time.Sleep(time.Second)
		if _, err := w.Redeliver(t.Context(), "shop-a", w.told(c.Payment.ID)[0].ID); err != nil {
			t.Error(err)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if got := w.shops.heard(hookURL); len(got) != 2 {
			t.Errorf("%d deliveries within 5 s", len(got))
		}
	})
}

func TestRedeliverWithoutEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.pay("o1")
		if _, err := w.Redeliver(t.Context(), "shop-a", w.told(c.Payment.ID)[0].ID); codeOf(err) != sdk.CodeInvalidState {
			t.Error(err)
		}
	})
}

// TestRefundEvents: a refund's end is told in the sequence of its payment, and
// below 20 kB.
func TestRefundEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.mu.Lock()
		r.send = func(_ context.Context, q sdk.RefundRequest) (sdk.Refund, error) {
			answer := refundAnswer(q.MerchantRefundID, sdk.RefundFailed)
			answer.StatusReason, answer.AcquirerRefundID = strings.Repeat("x", 20<<10), strings.Repeat("y", 20<<10)
			return answer, nil
		}
		r.mu.Unlock()
		w.refund(p.ID, "r1", "30.00")
		r.sends(sdk.RefundSucceeded, nil)
		w.refund(p.ID, "r2", "40.00")
		r.sends(0, sdk.Unknown(sdk.CodeAcquirerTimeout, "lost"))
		w.refund(p.ID, "r3", "10.00") // which nobody is told of: it may be on its way
		synctest.Wait()
		all, _, err := w.Events(t.Context(), "shop-a", EventFilter{})
		if err != nil || len(all) != 3 {
			t.Fatalf("%d events, %v", len(all), err)
		}
		for i, want := range []string{"refund.succeeded", "refund.failed", "payment.succeeded"} {
			if e := all[i]; e.Type != want || e.Sequence != int64(3-i) || len(e.Data) > maxEventData {
				t.Errorf("%s, number %d, %d bytes; want %s", e.Type, e.Sequence, len(e.Data), want)
			}
		}
		if !strings.Contains(string(all[1].Data), `"omitted":["status_reason"`) || strings.Contains(string(all[0].Data), "omitted") {
			t.Errorf("%.300s", all[1].Data)
		}
	})
}
