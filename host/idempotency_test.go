package host

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/host/internal/store"
	"github.com/paymux/paymux/host/internal/store/sqlgen"
	"github.com/paymux/paymux/sdk"
)

func keyed(body string) KeyedRequest {
	return KeyedRequest{Merchant: "shop-a", Path: "/v1/payments", Key: "k1", Body: []byte(body)}
}

// takes fails unless the request may begin.
func (w *world) takes(r KeyedRequest) KeyClaim {
	w.t.Helper()
	c, before, err := w.TakeKey(w.t.Context(), r)
	if err != nil || before != nil {
		w.t.Fatalf("%+v, %v", before, err)
	}
	return c
}

// refuses fails unless the request is refused by a code.
func (w *world) refuses(r KeyedRequest, want sdk.Code) {
	w.t.Helper()
	if _, before, err := w.TakeKey(w.t.Context(), r); codeOf(err) != want || before != nil {
		w.t.Errorf("%+v, %v, want %s", before, err, want.Name())
	}
}

func TestKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		r := keyed("a")
		c := w.takes(r)
		w.refuses(r, sdk.CodeInProgress)
		w.refuses(keyed("b"), sdk.CodeIdempotencyMismatch) // also while it is running
		for _, other := range []KeyedRequest{{"shop-b", r.Path, r.Key, nil}, {r.Merchant, "/v1/refunds", r.Key, nil}, {r.Merchant, r.Path, "k2", nil}} {
			w.FinishKey(w.takes(other), nil) // these don't wait for it
		}
		w.FinishKey(c, nil)
		c = w.takes(keyed("b")) // nothing came of the first
		kept := KeyedAnswer{201, "application/json", "/v1/payments/pay_1", []byte("{\"note\":\"茶\\u0000\"}\n")}
		w.FinishKey(c, &kept)
		_, before, err := w.TakeKey(t.Context(), keyed("b"))
		if err != nil || before == nil || before.Status != 201 || string(before.Body) != string(kept.Body) || before.Location != kept.Location || before.ContentType != kept.ContentType {
			t.Errorf("%+v, %v", before, err)
		}
		w.refuses(keyed("a"), sdk.CodeIdempotencyMismatch)
		for _, scope := range []KeyedRequest{{"shop-b", "/v1/payments", "k1", nil}, {"shop-a", "/v1/payments/x/cancel", "k1", nil}, {"shop-a", "/v1/payments", "k2", nil},
			{"shop-a", "/" + strings.Repeat("x", 30<<10), "k1", nil}} {
			w.FinishKey(w.takes(scope), &kept)
		}
		if n := w.count("SELECT MAX(LENGTH(path)) FROM idempotency_keys"); n > longestPath {
			t.Errorf("a path of %d bytes is stored: PostgreSQL's index couldn't hold it", n)
		}
		time.Sleep(30*24*time.Hour - 2*time.Hour)
		w.refuses(keyed("a"), sdk.CodeIdempotencyMismatch)
		time.Sleep(4 * time.Hour)
		w.FinishKey(w.takes(keyed("a")), nil)
	})
}

// TestKeyOfDeadHost: the request can be made again; the merchant_order_id keeps
// it from being done twice.
func TestKeyOfDeadHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.takes(keyed("a"))
		w.pay("o1")
		w.abandon()
		w.FinishKey(c, &KeyedAnswer{Status: 201}) // too late
		w.open()
		defer w.close()
		c = w.takes(keyed("a"))
		if again := w.pay("o1"); !again.Existing || w.one.created() != 1 {
			t.Errorf("%+v, %d orders", again, w.one.created())
		}
		w.FinishKey(c, &KeyedAnswer{Status: 200, Body: []byte("{}")})
		if _, before, err := w.TakeKey(t.Context(), keyed("a")); err != nil || before == nil || before.Status != 200 {
			t.Errorf("%+v, %v", before, err)
		}
	})
}

// TestKeyOfOtherHost: nobody works on what another host holds, and its answer is
// replayed by all.
func TestKeyOfOtherHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		r := keyed("a")
		err := w.store.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.TakeKey(t.Context(), sqlgen.TakeKeyParams{
				Merchant: r.Merchant, Path: r.Path, Key: r.Key, RequestDigest: sha256Hex(r.Body), Holder: "host_other", CreatedAt: micros(time.Now()),
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.refuses(r, sdk.CodeInProgress)
		w.refuses(keyed("b"), sdk.CodeIdempotencyMismatch)
		w.FinishKey(KeyClaim{request: r, holder: w.store.Host(), fl: w.flights.await(r.flight())}, &KeyedAnswer{Status: 201})
		w.refuses(r, sdk.CodeInProgress) // this host's answer isn't taken for it
		if err := w.takeOver(t.Context()); err != nil {
			t.Error(err)
		}
		w.FinishKey(w.takes(r), nil) // that host isn't there
	})
}

// TestKeyClaimForgotten: a claim whose commit was thought to have failed is
// nobody's; the same host takes it up.
func TestKeyClaimForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		c := w.takes(keyed("a"))
		w.flights.land(c.request.flight(), c.fl) // what TakeKey does after an error
		w.refuses(keyed("b"), sdk.CodeIdempotencyMismatch)
		c = w.takes(keyed("a"))
		w.refuses(keyed("a"), sdk.CodeInProgress)
		w.FinishKey(c, nil)
	})
}

// TestKeyAnsweredLater: a store that fails when the answer is there doesn't make
// the key run for ever.
func TestKeyAnsweredLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, fail := newFaultyWorld(t, func(*world) {})
		defer w.close()
		c := w.takes(keyed("a"))
		fail(false)
		w.FinishKey(c, &KeyedAnswer{Status: 201})
		w.refuses(keyed("a"), sdk.CodeInProgress)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, before, err := w.TakeKey(t.Context(), keyed("a")); err != nil || before == nil || before.Status != 201 {
			t.Errorf("%+v, %v", before, err)
		}
	})
}
