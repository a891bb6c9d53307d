package providertest_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/paymux/paymux/sdk"
)

// believe reads a notification as if it were signed.
func believe(b *broken, r sdk.HTTPRequest) (sdk.Notification, error) {
	r.Header = map[string][]string{"Bank-Signature": {sign(r.Body, b.config.Keys[0].Reveal())}}
	return b.provider.ParseNotification(context.Background(), r)
}

var mutantsOfNotices = []mutant{
	{"refuses what it acknowledges", "notification/read", reads(func(_ *broken, _ sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		n.Ack.Status = 500
		return n, err
	})},
	{"asks the acquirer when it reads a notification", "notification/pure", reads(func(b *broken, _ sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		_ = b.post(context.Background(), "ping", call{}, &struct{}{})
		return n, err
	})},
	{"reads a notification once only", "notification/replayed", reads(func(b *broken, r sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if b.count(fmt.Sprint(r.Header)+string(r.Body)) > 0 {
			n.Events = nil
		}
		return n, err
	})},
	{"drops a notification that was overtaken", "notification/reordered", reads(func(b *broken, _ sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if err == nil && len(n.Events) > 0 {
			id := n.Events[0].MerchantOrderID
			number, _ := strconv.Atoi(id[strings.LastIndex(id, "-")+1:])
			b.mu.Lock()
			defer b.mu.Unlock()
			if number > 0 && number < b.seen["last"] {
				n.Events = nil
			}
			b.seen["last"] = max(number, b.seen["last"])
		}
		return n, err
	})},
	{"signs without white space", "notification/tampered", breaking(func(b *broken) {
		b.parse = func(ctx context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
			r.Body = bytes.TrimSpace(r.Body)
			return b.provider.ParseNotification(ctx, r)
		}
	})},
	{"takes what was cut short", "notification/truncated", reads(func(b *broken, r sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if len(r.Body) > 0 && len(r.Body) < 1000 && r.Body[0] == '{' && !strings.ContainsRune("}| ", rune(r.Body[len(r.Body)-1])) {
			return believe(b, r)
		}
		return n, err
	})},
	{"takes a notification without a signature", "notification/unsigned", reads(func(b *broken, r sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if r.Get("Bank-Signature") == "" && bytes.Contains(r.Body, []byte("order_id")) {
			return believe(b, r)
		}
		return n, err
	})},
	{"takes another's signature", "notification/forged", reads(func(b *broken, r sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if r.Get("Bank-Signature") == sign(r.Body, "not-the-key") {
			return believe(b, r)
		}
		return n, err
	})},
	{"takes what it can't read for unsigned", "notification/unreadable", reads(func(_ *broken, _ sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if err == nil && n.Events[0].RawType == "unreadable" {
			return sdk.Notification{}, sdk.NotSent(sdk.CodeSignatureInvalid, "not readable")
		}
		return n, err
	})},
	{"garbles ids in another charset", "notification/charset", reads(func(_ *broken, r sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if strings.Contains(r.Get("Content-Type"), "gbk") && err == nil {
			n.Events[0].MerchantOrderID = "\u7b7e"
		}
		return n, err
	})},
	{"knows the newest key only", "notification/rotated", breaking(func(b *broken) { b.config.Keys = b.config.Keys[:1] })},
	{"believes a form", "notification/garbage", reads(func(_ *broken, r sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if strings.Contains(r.Get("Content-Type"), "form-urlencoded") {
			return sdk.Notification{}, nil
		}
		return n, err
	})},
}
