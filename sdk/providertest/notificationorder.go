package providertest

import (
	"bytes"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/providertest/rules"
)

func checkReplayed(t *rules.T, s *subject) {
	w, r := paidNotice(t, s)
	first := w.parse(w.provider, r)
	for range 3 {
		if again := w.parse(w.provider, clone(r)); !sameEvents(first, again) {
			t.Errorf("it is read as %+v, then as %+v", first.Events, again.Events)
		}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			n, err := w.provider.ParseNotification(t.Context(), clone(r))
			if err != nil || !sameEvents(first, n) {
				t.Errorf("side by side: %v", err)
			}
		})
	}
	all.Wait()
}

func checkReordered(t *rules.T, s *subject) {
	w := newWorld(t, s)
	var orders [3]sdk.Order
	for i := range orders {
		orders[i] = w.create(w.request())
	}
	var came []sdk.HTTPRequest
	for _, order := range orders {
		w.pay(order)
		came = append(came, w.next())
	}
	for i := len(came) - 1; i >= 0; i-- {
		n := w.parse(w.provider, came[i])
		for j, order := range orders {
			if names(n, order) != (i == j) {
				t.Errorf("notification %d of 3, read in reverse: it names order %d: %t", i+1, j+1, i != j)
			}
		}
	}
}

func checkCharset(t *rules.T, s *subject) {
	w := newWorld(t, s)
	order := w.paid()
	r := w.next()
	try := func(what string, r sdk.HTTPRequest) {
		n, err := w.provider.ParseNotification(t.Context(), r)
		if sdk.IsCode(err, sdk.CodePluginPanic) {
			t.Errorf("%s: %v", what, err)
		}
		for _, e := range n.Events {
			if e.Kind == sdk.EventPayment && !names(sdk.Notification{Events: []sdk.NotificationEvent{e}}, order) {
				t.Errorf("%s: an event about another order: %+v", what, e)
			}
		}
	}
	for _, contentType := range []string{"", "application/json; charset=gbk", "application/json; charset=utf-16", "text/plain", "multipart/form-data", "\xff;\x00"} {
		changed := clone(r)
		changed.Header["Content-Type"] = []string{contentType}
		try("Content-Type "+contentType, changed)
	}
	if w.Sign == nil {
		t.Logf("the harness has no Sign: bodies in another charset weren't tried")
		return
	}
	for what, body := range map[string][]byte{
		"UTF-8 with a byte order mark": append([]byte("\xef\xbb\xbf"), r.Body...),
		"UTF-16":                       toUTF16(r.Body),
		"bytes that are no UTF-8":      bytes.ReplaceAll(r.Body, []byte(order.MerchantOrderID), []byte("\xff\xfe\x80")),
	} {
		changed := clone(r)
		changed.Body = body
		try(what, w.Sign(changed))
	}
}

func toUTF16(text []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(string(text))) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}

func checkRotated(t *rules.T, s *subject) {
	signedOnly(t, s)
	w := newWorld(t, s)
	if w.Rotate == nil {
		t.Skipf("the harness has no Rotate")
	}
	before := w.create(w.request())
	w.pay(before)
	old := w.next()
	after := w.create(w.request())
	both := w.open("both-keys", w.Rotate()(w.proxy.url))
	w.pay(after)
	fresh := w.next()
	if !names(w.parse(both, old), before) {
		t.Errorf("with both keys, what the old one signed isn't read as about its order")
	}
	if !names(w.parse(both, fresh), after) {
		t.Errorf("with both keys, what the new one signed isn't read as about its order")
	}
	w.invalid("the new key's notification, read with the old key alone", fresh)
}

func checkGarbage(t *rules.T, s *subject) {
	w := newWorld(t, s)
	long := strings.Repeat("x", 64<<10)
	for what, r := range map[string]sdk.HTTPRequest{
		"nothing":        {},
		"GET":            {Method: "GET", Path: "/v1/notifications/main", ReceivedAt: now()},
		"a form":         {Method: "POST", Header: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte("a=b&a=c"), ReceivedAt: now()},
		"64 KiB":         {Method: "POST", Body: []byte(long), ReceivedAt: now()},
		"header floods":  {Method: "POST", Header: map[string][]string{"Signature": {long, long}, "X": nil}, Body: []byte("{}"), ReceivedAt: now()},
		"a bad path":     {Method: "POST", Path: "/%zz\x00", RawQuery: "%zz;=&&", Body: []byte("{}"), ReceivedAt: now()},
		"no time":        {Method: "POST", Path: "/v1/notifications/main", Body: []byte("{}")},
		"no UTF-8 in it": {Method: "POST", Header: map[string][]string{"Signature": {"\xff\xfe"}}, Body: []byte("\xff\xfe"), ReceivedAt: now()},
	} {
		n, err := w.provider.ParseNotification(t.Context(), r)
		switch {
		case sdk.IsCode(err, sdk.CodePluginPanic):
			t.Errorf("%s: %v", what, err)
		case err == nil && s.Capabilities.NotificationAuth != sdk.NotificationUnsigned:
			t.Errorf("%s: it is believed, with %d events", what, len(n.Events))
		}
	}
}
