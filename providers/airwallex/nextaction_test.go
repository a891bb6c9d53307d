package airwallex

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

func TestNextActions(t *testing.T) {
	long := "https://x.example/" + strings.Repeat("x", 8192)
	tests := []struct {
		raw  string
		want sdk.NextAction // without a type: none
	}{
		{`{"type":"redirect","method":"GET","url":"https://x.example/?a=b&c=d"}`, sdk.NextAction{Type: sdk.ActionRedirect, URL: "https://x.example/?a=b&c=d"}},
		{`{"type":"redirect","url":"https://x.example/"}`, sdk.NextAction{Type: sdk.ActionRedirect, URL: "https://x.example/"}},
		{`{"type":"redirect","url":"alipays://pay?x=1","fallback_url":"https://x.example/"}`, sdk.NextAction{Type: sdk.ActionAppLink, URL: "alipays://pay?x=1", FallbackURL: "https://x.example/"}},
		{`{"type":"redirect","url":"alipays://pay?x=1"}`, sdk.NextAction{Type: sdk.ActionAppLink, URL: "alipays://pay?x=1"}},
		{`{"type":"redirect","url":"https://x.example/a","package_name":"hk.wallet","fallback_url":"javascript:1"}`, sdk.NextAction{Type: sdk.ActionAppLink, URL: "https://x.example/a", Params: map[string]string{"package_name": "hk.wallet"}}},
		{`{"type":"render_qrcode","qrcode":"281234"}`, sdk.NextAction{Type: sdk.ActionQRCode, QRCode: "281234"}},
		{`{"type":"render_qrcode","qrcode":"https://qr.example/1","url":"https://x.example/"}`, sdk.NextAction{Type: sdk.ActionQRCode, QRCode: "https://qr.example/1", URL: "https://x.example/"}},
		{`{"type":"redirect","method":"POST","url":"https://x.example/"}`, sdk.NextAction{}},
		{`{"type":"redirect","url":"javascript:alert(1)"}`, sdk.NextAction{}},
		{`{"type":"redirect","url":"data:text/html,x"}`, sdk.NextAction{}},
		{`{"type":"redirect","url":"/relative"}`, sdk.NextAction{}},
		{`{"type":"redirect","url":"https://"}`, sdk.NextAction{}},
		{`{"type":"redirect","url":"` + long + `"}`, sdk.NextAction{}},
		{`{"type":"redirect"}`, sdk.NextAction{}},
		{`{"type":"render_qrcode","url":"https://x.example/"}`, sdk.NextAction{}},
		{`{"type":"render_qrcode","qrcode":"` + strings.Repeat("x", 2953+1) + `"}`, sdk.NextAction{}},
		{`{"type":"render_qrcode","qrcode":"a\nb"}`, sdk.NextAction{}},
		{`{"type":"call_sdk","data":{"paymentUrl":"https://x.example/"}}`, sdk.NextAction{}},
		{`{"type":"dance"}`, sdk.NextAction{}},
		{`null`, sdk.NextAction{}}, {`[]`, sdk.NextAction{}}, {`"redirect"`, sdk.NextAction{}},
	}
	c := settings(t, "https://api.example.com", "")
	for _, test := range tests {
		body := change(t, golden(t, "confirm_response.json"), map[string]any{"next_action": json.RawMessage(test.raw)})
		payment, err := c.readIntent(ok(body), callEffect, order(t))
		if err != nil || payment.Status != sdk.StatusPending {
			t.Errorf("%s: got %+v, %v", acquirer.Clip(test.raw), payment, err)
		}
		var got sdk.NextAction
		if len(payment.NextActions) == 1 {
			got = payment.NextActions[0]
		} else if payment.StatusReason == "" {
			t.Errorf("%s has no reason", acquirer.Clip(test.raw))
		}
		if got.Type != test.want.Type || got.URL != test.want.URL || got.QRCode != test.want.QRCode || got.FallbackURL != test.want.FallbackURL || got.Params["package_name"] != test.want.Params["package_name"] {
			t.Errorf("%s: got %+v", acquirer.Clip(test.raw), got)
		}
	}
}
