package host

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/sdk"
)

// TestUnreadNotification: what a plugin can't read is tried again, at longer and
// longer intervals up to ten minutes, and given up after 30 days.
func TestUnreadNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		var tried []time.Time
		w.one.mu.Lock()
		read := w.one.parse
		w.one.parse = func(r sdk.HTTPRequest) (sdk.Notification, error) {
			if tried = append(tried, time.Now()); r.ReceivedAt != tried[0].UTC() {
				t.Errorf("received at %v", r.ReceivedAt)
			}
			return sdk.Notification{}, sdk.Unknown(sdk.CodeInternal, "no idea")
		}
		w.one.mu.Unlock()
		if _, err := w.notify("one", "signed o1"); codeOf(err) != sdk.CodePluginUnavailable {
			t.Error(err)
		}
		time.Sleep(8 * time.Hour)
		synctest.Wait()
		for i, at := range tried[1:] {
			if wait := min(time.Duration(i+1)*parseRetry, longestParseRetry); at.Sub(tried[i]).Round(time.Second) != wait {
				t.Fatalf("try %d came after %v, want %v", i+1, at.Sub(tried[i]), wait)
			}
		}
		if last := tried[len(tried)-1].Sub(tried[len(tried)-2]); last != longestParseRetry {
			t.Errorf("the last one came after %v", last)
		}
		w.exec("UPDATE notifications SET received_at = received_at - 30 * 24 * 3600 * 1000000")
		time.Sleep(longestParseRetry)
		synctest.Wait()
		n := len(tried)
		if w.count("SELECT COUNT(*) FROM notifications WHERE state = 'unreadable'") != 1 {
			t.Error("it isn't given up")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if len(tried) != n {
			t.Error("it is tried after it was given up")
		}

		w.one.mu.Lock()
		w.one.parse = read
		w.one.mu.Unlock()
		w.hears("signed o2")
		w.setDown("one", true)
		for _, body := range []string{"signed o2", "signed o3", "signed o3"} { // of which the first was read, and the last is repeated
			time.Sleep(time.Second)
			if _, err := w.notify("one", body); codeOf(err) != sdk.CodePluginUnavailable {
				t.Error(err)
			}
		}
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'unparsed'"); n != 1 {
			t.Errorf("%d wait", n)
		}

		// A flood doesn't fill the disk, and keeps no other provider waiting.
		w.exec(fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO notifications SELECT provider, digest || i, state, received_at, request, '', '', '', '', 1, 0, 0 FROM notifications, n WHERE state = 'unparsed'`, maxUnparsed-2))
		w.setDown("two", true)
		for i, name := range []string{"one", "one", "two"} {
			if _, err := w.notify(name, fmt.Sprint("signed o", 10+i)); codeOf(err) != sdk.CodePluginUnavailable {
				t.Error(err)
			}
		}
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'unparsed'"); n != maxUnparsed+1 {
			t.Errorf("%d wait after a flood", n)
		}
		if n := strings.Count(w.log.String(), "too many notifications wait"); n != 1 {
			t.Errorf("logged %d times", n)
		}
	})
}

// TestForgetting: what is old is dropped when the documents say, and no sooner.
func TestForgetting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.close()
		w.one.says(sdk.StatusSucceeded)
		w.pay("o1")
		w.hears("signed o1")
		keyed := KeyedRequest{Merchant: "shop-a", Path: "/v1/payments", Key: "k", Body: []byte("{}")}
		claim, _, err := w.TakeKey(t.Context(), keyed)
		if err != nil {
			t.Fatal(err)
		}
		w.FinishKey(claim, &KeyedAnswer{Status: 201})
		kept := func(want int) {
			t.Helper()
			raw := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'matched' AND request <> ''")
			keys := w.count("SELECT COUNT(*) FROM idempotency_keys")
			strangers := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'unmatched'")
			if raw != want || keys != want || strangers != want {
				t.Errorf("kept: %d raw, %d keys, %d strangers, want %d", raw, keys, strangers, want)
			}
		}
		const day = 24 * time.Hour
		time.Sleep(29 * day)
		w.hears("signed not-ours")
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		kept(1)
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		kept(0)
	})
}

// TestCounted: what operators watch is counted once each.
func TestCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, p := newRefundWorld(t)
		defer w.close()
		w.refund(p.ID, "r1", "30.00")
		if _, err := w.notify("one", "forged"); codeOf(err) != sdk.CodeSignatureInvalid {
			t.Error(err)
		}
		w.hears("signed o1")
		w.hears("signed not-ours")
		for line, want := range map[string]float64{
			"paymux_payment_transitions_total one SUCCEEDED": 1, "paymux_refund_transitions_total one SUCCEEDED": 1,
			"paymux_notifications_total one forged": 1, "paymux_notifications_total one matched": 1, "paymux_notifications_total one unmatched": 1,
		} {
			if got := w.counted(line); got != want {
				t.Errorf("%s: %v, want %v", line, got, want)
			}
		}
	})
}

// counted is the value of a counter, named with the values of its labels.
func (w *world) counted(line string) (value float64) {
	w.t.Helper()
	families, err := w.metrics.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			if name == line {
				value += m.GetCounter().GetValue()
			}
		}
	}
	return value
}

// TestHousekeeping: alarms that were lost, a call that was cut off and a plugin
// that wasn't there are found without anybody's asking.
func TestHousekeeping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, r, p := newRefundWorld(t)
		defer w.close()
		w.one.creating(newAcquirer().create)
		r.sends(sdk.RefundPending, nil)
		open, held, c := w.pay("o2").Payment.ID, w.pay("o3").Payment.ID, w.refund(p.ID, "r1", "30.00")
		w.setDown("two", true)
		if _, err := w.notify("two", "signed o9"); codeOf(err) != sdk.CodePluginUnavailable {
			t.Error(err)
		}
		for _, table := range []string{"payments", "refunds", "notifications"} {
			w.exec("UPDATE " + table + " SET due_at = 4000000000000000")
		}
		time.Sleep(2 * time.Minute) // the alarms find nothing to do
		w.setDown("two", false)
		w.exec("UPDATE payments SET due_at = 1 WHERE id = '" + open + "'")
		w.exec("UPDATE payments SET holder = '" + w.store.Host() + "' WHERE id = '" + held + "'")
		w.exec("UPDATE refunds SET due_at = 1")
		w.exec("UPDATE notifications SET due_at = 1")
		w.one.says(sdk.StatusSucceeded)
		a := w.account("one")
		a.mu.Lock()
		a.ready = false
		a.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if info, err := w.Provider("", "one"); err != nil || info.Capabilities == nil {
			t.Errorf("not set up again: %+v, %v", info, err)
		}
		time.Sleep(sweepEvery)
		synctest.Wait()
		w.is(open, sdk.StatusSucceeded)
		w.is(held, sdk.StatusSucceeded)
		w.refundIs(c, "SUCCEEDED")
		if n := w.count("SELECT COUNT(*) FROM notifications WHERE state = 'unparsed'"); n != 0 {
			t.Errorf("%d notifications wait", n)
		}
	})
}
