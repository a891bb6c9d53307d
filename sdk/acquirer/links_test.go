package acquirer_test

import (
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk/acquirer"
)

func TestLinks(t *testing.T) {
	for link, want := range map[string][3]bool{ // web, app, app of alipays only
		"https://wallet.example.com/pay?id=1":     {true, true, true},
		"http://127.0.0.1:8080/pay":               {true, true, true},
		"alipays://platformapi/startapp?x=1":      {false, true, true},
		"alipayhk://pay":                          {false, true, false},
		"javascript:alert(1)":                     {},
		"JavaScript:alert(1)":                     {},
		"data:text/html,x":                        {},
		"file:///etc/passwd":                      {},
		"vbscript:msgbox(1)":                      {},
		"blob:https://wallet.example.com/1":       {},
		"filesystem:https://wallet.example.com/1": {},
		"about:blank":                             {},
		"https://:443/pay":                        {},
		"https:///pay":                            {},
		"https:pay":                               {},
		"//wallet.example.com/pay":                {},
		"/pay":                                    {},
		"":                                        {},
		"https://wallet.example.com/\x00":         {},
		"https://w/" + strings.Repeat("x", 1<<14): {},
		"%zz": {},
	} {
		got := [3]bool{acquirer.WebLink(link), acquirer.AppLink(link), acquirer.AppLink(link, "alipays")}
		if got != want {
			t.Errorf("%.40q: %v, want %v", link, got, want)
		}
	}
}

func TestQRText(t *testing.T) {
	for text, want := range map[string]bool{
		"https://wallet.example.com/1": true, "281666040092262": true, "": false, "a\nb": false,
		strings.Repeat("x", 2953): true, strings.Repeat("x", 2954): false,
	} {
		if got := acquirer.QRText(text); got != want {
			t.Errorf("%.20q: %t", text, got)
		}
	}
}
