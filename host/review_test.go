package host

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/host/internal/lifecycle"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

func (w *world) review(id, decision, note string) (Payment, error) {
	return w.Review(context.Background(), "shop-a", id, ReviewRequest{decision, note})
}

// lies makes Query report a status of an order that isn't the one asked about.
func (a *acquirer) lies(s sdk.Status, amount string) {
	a.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
		p := paymentOf(r.Order, s)
		p.Money, _ = sdk.ParseMoney(amount, "HKD")
		p.RequestID = time.Now().String() // of each answer another
		return p, nil
	})
}

func reviews(p Payment, source string) (n int) {
	for _, e := range p.Timeline {
		if e.Kind == kindReview && e.Source == source {
			n++
		}
	}
	return n
}

// mismatched is a PENDING payment of which the acquirer says that another amount
// was paid.
func (w *world) mismatched(order string) string {
	w.t.Helper()
	c := w.pay(order)
	w.one.lies(sdk.StatusSucceeded, "99.00")
	time.Sleep(30 * time.Second)
	synctest.Wait()
	if p := w.is(c.Payment.ID, sdk.StatusPending); p.Review == nil || p.Review.Reason != "mismatch" {
		w.t.Fatalf("review %+v", p.Review)
	}
	return c.Payment.ID
}

func TestAcceptMismatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		id := w.mismatched("o1")
		p, err := w.review(id, "accept", "the acquirer kept a fee of 1.00")
		if err != nil || p.Status != "SUCCEEDED" || p.Review != nil || p.PaidAt.IsZero() || p.ProviderOrderID != "acq-o1" || p.Code != "" {
			t.Fatalf("%+v, %v", p, err)
		}
		if !has(p, "review", "a person accepted") || !has(p, "merchant", "accept of mismatch: the acquirer kept a fee of 1.00") {
			t.Errorf("timeline %+v", p.Timeline)
		}
		n := len(w.told(id))
		if p, err := w.review(id, "accept", "again"); err != nil || p.Status != "SUCCEEDED" || reviews(p, "merchant") != 1 || len(w.told(id)) != n {
			t.Errorf("the same decision again: %+v, %v", p, err)
		}
		if _, err := w.review(id, "dismiss", "no"); codeOf(err) != sdk.CodeInvalidState {
			t.Errorf("another decision: %v", err)
		}
		asked := w.one.queried()
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if w.one.queried() != asked {
			t.Error("a paid payment is asked about")
		}
	})
}

// TestAcceptedOpenState: what isn't an end is asked about on.
func TestAcceptedOpenState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.one.fails(sdk.Unknown(sdk.CodeAcquirerTimeout, "lost"))
		w.one.lies(sdk.StatusPending, "99.00")
		id := w.pay("o1").Payment.ID
		time.Sleep(10 * time.Second)
		synctest.Wait()
		w.is(id, sdk.StatusUnknown)
		if p, err := w.review(id, "accept", "fine"); err != nil || p.Status != "PENDING" || p.ProviderOrderID != "acq-o1" {
			t.Fatalf("%+v, %v", p, err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if p := w.get(id); p.Review != nil {
			t.Errorf("the same is asked again: %+v", p.Review)
		}
		w.one.lies(sdk.StatusSucceeded, "99.00") // this is something else
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if p := w.is(id, sdk.StatusPending); p.Review == nil {
			t.Error("something new isn't flagged")
		}
		if p, err := w.review(id, "accept", "fine too"); err != nil || p.Status != "SUCCEEDED" || reviews(p, "merchant") != 2 {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// TestAcceptNoOther: one order at the acquirer never ends two payments.
func TestAcceptNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.pay("o2")
		id := w.pay("o1").Payment.ID
		for name, spoil := range map[string]func(*sdk.Payment){
			"merchant's": func(p *sdk.Payment) { p.MerchantOrderID = "o2" },
			"acquirer's": func(p *sdk.Payment) { p.AcquirerOrderID = "acq-o2" },
		} {
			w.one.answers(func(_ context.Context, r sdk.QueryRequest) (sdk.Payment, error) {
				p := paymentOf(r.Order, sdk.StatusSucceeded)
				if r.MerchantOrderID == "o1" {
					spoil(&p)
				}
				return p, nil
			})
			if p, err := w.Refresh(t.Context(), "shop-a", id); err != nil || p.Review == nil {
				t.Fatalf("%s: %+v, %v", name, p, err)
			}
			if _, err := w.review(id, "accept", "x"); codeOf(err) != sdk.CodeInvalidState || !strings.Contains(err.Error(), "another payment") {
				t.Errorf("%s: %v", name, err)
			}
			w.is(id, sdk.StatusPending)
			if _, err := w.review(id, "dismiss", "x"); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestAcceptLateSuccess: an end is an end, but the money is the merchant's.
func TestAcceptLateSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.late("o1")
		p, err := w.review(id, "accept", "we keep it")
		if err != nil || p.Status != "CANCELLED" || p.Review != nil {
			t.Errorf("%+v, %v", p, err)
		}
		if n := w.count("SELECT COUNT(*) FROM payments WHERE review_reason = 'late_success' AND review_decision = 'accept'"); n != 1 {
			t.Error("nobody can tell that it may be refunded")
		}
	})
}

// late is a CANCELLED payment that was paid after all.
func (w *world) late(order string) string {
	w.t.Helper()
	id := w.pay(order).Payment.ID
	w.one.says(sdk.StatusCancelled)
	if _, err := w.Refresh(context.Background(), "shop-a", id); err != nil {
		w.t.Fatal(err)
	}
	w.one.says(sdk.StatusSucceeded)
	if p, err := w.Refresh(context.Background(), "shop-a", id); err != nil || p.Review == nil || p.Review.Reason != "late_success" {
		w.t.Fatalf("%+v, %v", p, err)
	}
	return id
}

func TestDismiss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		id := w.mismatched("o1")
		if p, err := w.review(id, "dismiss", "a test order"); err != nil || p.Status != "PENDING" || p.Review != nil || !has(p, "merchant", "dismiss of mismatch: a test order") {
			t.Fatalf("%+v, %v", p, err)
		}
		asked := w.one.queried()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if p := w.get(id); p.Review != nil || w.one.queried() == asked {
			t.Errorf("asked %d times; the same is flagged again: %+v", w.one.queried()-asked, p.Review)
		}
		if found, _, err := w.List(t.Context(), "shop-a", Filter{MerchantOrderID: "o1", Review: "any"}); err != nil || len(found) != 0 {
			t.Errorf("what is decided is listed as open: %v", err)
		}
		w.one.lies(sdk.StatusSucceeded, "98.00")
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if p := w.get(id); p.Review == nil || !strings.Contains(string(p.Review.Observed), "98.00") {
			t.Errorf("another amount isn't flagged: %+v", p.Review)
		}
		w.told(id)
		w.is(id, sdk.StatusPending)
	})
}

// TestDismissStale: it is asked about again by plan for seven days more.
func TestDismissStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.pay("o1").Payment.ID
		for range 2 {
			time.Sleep(9 * 24 * time.Hour)
			synctest.Wait()
			if p := w.get(id); p.Review == nil || p.Review.Reason != "stale" {
				t.Fatalf("review %+v", p.Review)
			}
			if _, err := w.review(id, "accept", "x"); codeOf(err) != sdk.CodeInvalidState || !strings.Contains(err.Error(), "dismiss") {
				t.Errorf("there is nothing to accept: %v", err)
			}
			asked := w.one.queried()
			if _, err := w.review(id, "dismiss", "wait on"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if n := w.one.queried() - asked; n != 4 {
				t.Errorf("asked %d times within 10 minutes", n)
			}
			if p := w.get(id); p.Review != nil {
				t.Errorf("stale at once again: %+v", p.Review)
			}
		}
		w.one.says(sdk.StatusSucceeded)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.is(id, sdk.StatusSucceeded)
	})
}

// TestDismissThenStale: a decision about something else doesn't hide that a
// payment is no longer asked about.
func TestDismissThenStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.mismatched("o1")
		w.one.says(sdk.StatusPending)
		if _, err := w.review(id, "dismiss", "x"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * 24 * time.Hour)
		synctest.Wait()
		if p := w.get(id); p.Review == nil || p.Review.Reason != "stale" {
			t.Errorf("review %+v", p.Review)
		}
	})
}

func TestDismissProviderMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		id := w.pay("o1").Payment.ID
		w.close()
		full := w.cfg
		without := *full
		without.Providers, without.Routes = full.Providers[1:], full.Routes[1:]
		w.cfg = &without
		w.open()
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, err := w.review(id, "accept", "x"); codeOf(err) != sdk.CodeInvalidState {
			t.Errorf("there is nothing to accept: %v", err)
		}
		if _, err := w.review(id, "dismiss", "we know"); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * 24 * time.Hour)
		synctest.Wait()
		if p := w.get(id); p.Review != nil {
			t.Errorf("review %+v", p.Review)
		}
		time.Sleep(3 * 24 * time.Hour)
		synctest.Wait()
		if p := w.get(id); p.Review == nil {
			t.Error("it is forgotten")
		}
		w.close()
		w.cfg = full
		w.one.says(sdk.StatusSucceeded)
		w.open()
		defer w.close()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.is(id, sdk.StatusSucceeded)
	})
}

func TestReviewRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.pay("o1").Payment.ID
		for _, c := range []struct {
			decision, note, field string
		}{
			{"approve", "x", "decision"}, {"", "x", "decision"}, {"accept", "", "note"},
			{"accept", strings.Repeat("x", 501), "note"}, {"dismiss", "a\nb", "note"}, {"dismiss", "a\x00", "note"},
		} {
			if _, err := w.review(id, c.decision, c.note); sdk.AsError(err).Field != c.field {
				t.Errorf("%q, %.9q: %v", c.decision, c.note, err)
			}
		}
		for _, decision := range []string{"accept", "dismiss"} {
			if _, err := w.review(id, decision, strings.Repeat("茶", 500)); codeOf(err) != sdk.CodeInvalidState {
				t.Errorf("nothing to decide: %v", err)
			}
			if _, err := w.Review(t.Context(), "shop-b", id, ReviewRequest{decision, "x"}); codeOf(err) != sdk.CodeNotFound {
				t.Errorf("another merchant's: %v", err)
			}
		}
	})
}

// TestDecisionsInParallel: one is taken, with one event; those that say the same
// are content.
func TestDecisionsInParallel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorldOf(t, eventConfig)
		defer w.close()
		id := w.mismatched("o1")
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				_, err := w.review(id, []string{"accept", "dismiss"}[i%2], "x")
				if err != nil && codeOf(err) != sdk.CodeInvalidState {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if p := w.get(id); reviews(p, "merchant") != 1 || (p.Status == "SUCCEEDED") != has(p, "merchant", "accept of") {
			t.Errorf("%+v", p)
		}
		w.told(id)
	})
}

// TestDismissStaleRefund: the refund is asked about again, too.
func TestDismissStaleRefund(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.sends(sdk.RefundPending, nil)
		r.tells(sdk.RefundPending, nil)
		c := w.refund(p.ID, "r1", "30.00")
		for range 2 {
			time.Sleep(9 * 24 * time.Hour)
			synctest.Wait()
			if got := w.get(p.ID); got.Review == nil || got.Review.Reason != "stale" {
				t.Fatalf("review %+v", got.Review)
			}
			if _, err := w.review(p.ID, "dismiss", "wait on"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if got := w.get(p.ID); got.Review != nil {
				t.Errorf("stale at once again: %+v", got.Review)
			}
		}
		r.tells(sdk.RefundSucceeded, nil)
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		w.refundIs(c, "SUCCEEDED")
	})
}

// TestReviewIsLogged: an operator hears of each review once.
func TestReviewIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.mismatched("o1")
		logged := func(want int) {
			t.Helper()
			for range 2 {
				if _, err := w.Refresh(t.Context(), "shop-a", id); err != nil {
					t.Error(err)
				}
			}
			if n := strings.Count(w.log.String(), "payment needs a review"); n != want {
				t.Errorf("logged %d times, want %d", n, want)
			}
		}
		logged(1)
		if _, err := w.review(id, "dismiss", "x"); err != nil {
			t.Error(err)
		}
		logged(1)
		w.one.lies(sdk.StatusSucceeded, "98.00")
		logged(2)
	})
}

// TestRefundReviewIsLogged: also of one because of a refund.
func TestRefundReviewIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		r.mu.Lock()
		r.send = func(context.Context, sdk.RefundRequest) (sdk.Refund, error) {
			return sdk.Refund{MerchantRefundID: "another", Status: sdk.RefundSucceeded}, nil
		}
		r.mu.Unlock()
		r.tells(sdk.RefundPending, nil)
		w.refund(p.ID, "r1", "30.00")
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := strings.Count(w.log.String(), "payment needs a review"); n != 1 {
			t.Errorf("logged %d times", n)
		}
	})
}

// TestMismatchOfALatePayment: beside the money that came late, an answer about
// something else is not worth a word, until the former is decided.
func TestMismatchOfALatePayment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		id := w.late("o1")
		before := w.get(id)
		w.one.lies(sdk.StatusSucceeded, "98.00")
		p, err := w.Refresh(t.Context(), "shop-a", id)
		if err != nil || reviews(p, "query") != reviews(before, "query") {
			t.Errorf("%+v, %v", p.Timeline, err)
		}
		if _, err := w.review(id, "dismiss", "x"); err != nil {
			t.Error(err)
		}
		if p, err := w.Refresh(t.Context(), "shop-a", id); err != nil || p.Review == nil || p.Review.Reason != "late_success" || !has(p, "query", "98.00") {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// TestIsNews: what was decided comes up again only if the acquirer says something
// else, and leaving something out says nothing.
func TestIsNews(t *testing.T) {
	said := func(change func(*observation)) string {
		o := observation{MerchantOrderID: "o1", ProviderOrderID: "acq-o1", Amount: "99.00", Currency: "HKD", Status: "SUCCEEDED", RequestID: "r1"}
		change(&o)
		text, _ := json.Marshal(o)
		return string(text)
	}
	p := sqlgen.Payment{ReviewReason: "mismatch", ReviewDecision: DecisionDismiss, ReviewObserved: said(func(*observation) {})}
	for name, c := range map[string]struct {
		change func(*observation)
		news   bool
	}{
		"the same":       {func(o *observation) { o.RequestID, o.RawStatus = "r2", "paid" }, false},
		"less":           {func(o *observation) { *o = observation{Status: o.Status} }, false},
		"a status":       {func(o *observation) { o.Status = "FAILED" }, true},
		"an amount":      {func(o *observation) { o.Amount = "98.00" }, true},
		"a currency":     {func(o *observation) { o.Currency = "CNY" }, true},
		"our order":      {func(o *observation) { o.MerchantOrderID = "o2" }, true},
		"the acquirer's": {func(o *observation) { o.ProviderOrderID = "acq-o2" }, true},
	} {
		if news := isNews(p, lifecycle.Mismatch, said(c.change)); news != c.news {
			t.Errorf("%s: news %v", name, news)
		}
		open := p
		open.ReviewDecision = ""
		if isNews(open, lifecycle.Mismatch, said(c.change)) || !isNews(open, lifecycle.Stale, said(c.change)) {
			t.Errorf("%s: while a person looks, only another reason is news", name)
		}
	}
}
