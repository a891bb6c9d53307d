package providertest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

var notificationRules = []rule{
	{ID: "notification/read", Says: "The acquirer's notification of a paid order is read as one about that order, with an answer that acknowledges it.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		order := w.paid()
		n := w.parse(w.provider, w.next())
		if !names(n, order) {
			t.Errorf("no event is about the payment %s: %+v", order.MerchantOrderID, n.Events)
		}
		if n.Ack.Status != 0 && (n.Ack.Status < 200 || n.Ack.Status > 299) {
			t.Errorf("it is acknowledged with HTTP status %d", n.Ack.Status)
		}
	}},
	{ID: "notification/pure", Says: "Reading a notification sends nothing, and works while the acquirer is down.", Check: func(t *rules.T, s *subject) {
		w := newWorld(t, s)
		w.paid()
		r, before := w.next(), w.proxy.all()
		w.parse(w.provider, r)
		w.proxy.close()
		w.parse(w.provider, r)
		if n := w.proxy.all() - before; n > 0 {
			t.Errorf("%d requests were sent", n)
		}
	}},
	{ID: "notification/replayed", Says: "A notification that comes again, at once or side by side, is read as the first time.", Check: checkReplayed},
	{ID: "notification/reordered", Says: "Notifications that overtake one another are read each by itself.", Check: checkReordered},
	{ID: "notification/tampered", Says: "A notification of which any part of the body was changed is SIGNATURE_INVALID.", Check: func(t *rules.T, s *subject) {
		signedOnly(t, s)
		w, r := paidNotice(t, s)
		for i := 0; i < len(r.Body); i += max(1, len(r.Body)/40) {
			changed := clone(r)
			changed.Body[i] ^= 1
			w.invalid(fmt.Sprintf("byte %d changed", i), changed)
		}
		for what, body := range map[string][]byte{
			"a blank added": append(slices.Clone(r.Body), ' '), "a newline before": append([]byte("\n"), r.Body...), "no body": nil,
		} {
			changed := clone(r)
			changed.Body = body
			w.invalid(what, changed)
		}
	}},
	{ID: "notification/truncated", Says: "A notification that was cut short is SIGNATURE_INVALID.", Check: func(t *rules.T, s *subject) {
		signedOnly(t, s)
		w, r := paidNotice(t, s)
		for _, n := range []int{1, len(r.Body) / 2, len(r.Body) - 1} {
			cut := clone(r)
			cut.Body = cut.Body[:n]
			w.invalid(fmt.Sprintf("cut to %d bytes", n), cut)
		}
	}},
	{ID: "notification/unsigned", Says: "Without its signature a notification is SIGNATURE_INVALID; with a header changed it is read as before, or invalid.", Check: checkHeaders},
	{ID: "notification/forged", Says: "A notification signed with a key that isn't the acquirer's is SIGNATURE_INVALID.", Check: func(t *rules.T, s *subject) {
		signedOnly(t, s)
		w, r := paidNotice(t, s)
		if w.Forge == nil {
			t.Skipf("the harness has no Forge")
		}
		w.invalid("signed with another key", w.Forge(clone(r)))
	}},
	{ID: "notification/unreadable", Says: "What the acquirer signed and nobody can read is no event of a payment, and neither a panic nor SIGNATURE_INVALID.", Check: checkUnreadable},
	{ID: "notification/charset", Says: "Another charset, or none, is neither a panic nor an event about an order that doesn't exist.", Check: checkCharset},
	{ID: "notification/rotated", Says: "While keys rotate, what is signed with the new key or the old is read; who doesn't have the new key refuses it.", Check: checkRotated},
	{ID: "notification/garbage", Says: "What strangers send is SIGNATURE_INVALID or no event, and never a panic.", Check: checkGarbage},
}

func signedOnly(t *rules.T, s *subject) {
	if s.Capabilities.NotificationAuth == sdk.NotificationUnsigned {
		t.Skipf("the acquirer doesn't sign notifications")
	}
}

// paidNotice is the notification of a paid order.
func paidNotice(t *rules.T, s *subject) (*world, sdk.HTTPRequest) {
	w := newWorld(t, s)
	w.paid()
	return w, w.next()
}

func (w *world) parse(p sdk.Provider, r sdk.HTTPRequest) sdk.Notification {
	w.Helper()
	n, err := p.ParseNotification(w.Context(), r)
	if err != nil {
		w.Fatalf("the acquirer's own notification isn't read: %v", err)
	}
	return n
}

func (w *world) invalid(what string, r sdk.HTTPRequest) {
	w.Helper()
	if n, err := w.provider.ParseNotification(w.Context(), r); !sdk.IsCode(err, sdk.CodeSignatureInvalid) {
		w.Errorf("%s: it isn't SIGNATURE_INVALID but %v, %d events", what, err, len(n.Events))
	}
}

// names reports whether an event says that the payment changed.
func names(n sdk.Notification, order sdk.Order) bool {
	return slices.ContainsFunc(n.Events, func(e sdk.NotificationEvent) bool {
		mine := e.MerchantOrderID == order.MerchantOrderID || e.AcquirerOrderID != "" && e.AcquirerOrderID == order.AcquirerOrderID
		return e.Kind == sdk.EventPayment && mine
	})
}

func clone(r sdk.HTTPRequest) sdk.HTTPRequest {
	r.Header, r.Body = http.Header(r.Header).Clone(), slices.Clone(r.Body)
	return r
}

func sameEvents(a, b sdk.Notification) bool { return slices.Equal(a.Events, b.Events) }

func checkHeaders(t *rules.T, s *subject) {
	signedOnly(t, s)
	w, r := paidNotice(t, s)
	good := w.parse(w.provider, r)
	refused := 0
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, values := range [][]string{nil, {""}, {"x"}, {r.Header[name][0] + "0"}} {
			changed := clone(r)
			changed.Header[name] = values
			if values == nil {
				delete(changed.Header, name)
			}
			n, err := w.provider.ParseNotification(t.Context(), changed)
			switch {
			case sdk.IsCode(err, sdk.CodeSignatureInvalid):
				refused++
			case err != nil:
				t.Errorf("%s changed to %q: %v", name, values, err)
			case !sameEvents(n, good):
				t.Errorf("%s changed to %q: it is read in another way", name, values)
			}
		}
	}
	if refused == 0 {
		t.Errorf("no header has to be there: what is the signature?")
	}
	none := clone(r)
	none.Header = nil
	w.invalid("without any header", none)
}

func checkUnreadable(t *rules.T, s *subject) {
	w, r := paidNotice(t, s)
	if w.Sign == nil {
		t.Skipf("the harness has no Sign")
	}
	bodies := map[string][]byte{
		"an empty object": []byte("{}"), "no JSON": []byte("hello"), "a list": []byte("[]"), "null": []byte("null"),
		"half of it": r.Body[:len(r.Body)/2], "nothing": {}, "NUL bytes": bytes.Repeat([]byte{0}, 64),
		"deep nesting": []byte(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)),
		"64 KiB":       []byte(`{"a":"` + strings.Repeat("x", 64<<10-10) + `"}`),
	}
	for _, what := range slices.Sorted(maps.Keys(bodies)) {
		changed := clone(r)
		changed.Body = bodies[what]
		n, err := w.provider.ParseNotification(t.Context(), w.Sign(changed))
		if sdk.IsCode(err, sdk.CodePluginPanic) || sdk.IsCode(err, sdk.CodeSignatureInvalid) {
			t.Errorf("%s: %v", what, err)
		}
		for _, e := range n.Events {
			if e.Kind == sdk.EventPayment {
				t.Errorf("%s: an event of a payment: %+v", what, e)
			}
		}
	}
}
