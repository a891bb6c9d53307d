package providertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
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
	{"drops a notification that was overtaken", "notification/reordered", breaking(func(b *broken) {
		var made []string
		var last int
		b.create = func(ctx context.Context, r sdk.CreateRequest) (sdk.Payment, error) {
			b.mu.Lock()
			made = append(made, r.MerchantOrderID)
			b.mu.Unlock()
			return b.provider.Create(ctx, r)
		}
		b.parse = func(ctx context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
			n, err := b.provider.ParseNotification(ctx, r)
			if err == nil {
				b.mu.Lock()
				defer b.mu.Unlock()
				number := slices.Index(made, n.Events[0].MerchantOrderID)
				if number >= 0 && number < last {
					n.Events = nil
				}
				last = max(last, number)
			}
			return n, err
		}
	})},
	{"signs without white space", "notification/tampered", breaking(func(b *broken) {
		b.parse = func(ctx context.Context, r sdk.HTTPRequest) (sdk.Notification, error) {
			r.Body = bytes.TrimSpace(r.Body)
			return b.provider.ParseNotification(ctx, r)
		}
	})},
	{"verifies only what it can read", "notification/truncated notification/tampered notification/garbage", reads(func(b *broken, r sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if !json.Valid(r.Body) {
			return believe(b, r)
		}
		return n, err
	})},
	{"takes a notification without a signature", "notification/unsigned notification/garbage", reads(func(b *broken, r sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if r.Get("Bank-Signature") == "" {
			return believe(b, r)
		}
		return n, err
	})},
	{"looks at the form of a signature only", "notification/forged notification/tampered notification/truncated notification/rotated", reads(func(b *broken, r sdk.HTTPRequest, n sdk.Notification, err error) (sdk.Notification, error) {
		if len(r.Get("Bank-Signature")) == 64 {
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
