package airwallex

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	longestURL = 8192
	longestQR  = 2953 // bytes; no QR code holds more
)

type nextAction struct {
	Type        acquirer.Text `json:"type"`
	Method      acquirer.Text `json:"method"`
	URL         acquirer.Text `json:"url"`
	QRCode      acquirer.Text `json:"qrcode"`
	FallbackURL acquirer.Text `json:"fallback_url"`
	PackageName acquirer.Text `json:"package_name"`
}

// readNextAction returns what the payer has to do, or the reason why that can't
// be said. Nothing is invented: a payer who is sent to the wrong place is worse
// off than one who is told to try again.
func readNextAction(raw jsontext.Value) (action sdk.NextAction, reason string) {
	var next nextAction
	if raw.Kind() != '{' || acquirer.DecodeJSON(raw, &next) != nil {
		return action, "the acquirer gave no next action"
	}
	switch next.Type {
	case "redirect":
		return next.redirect()
	case "render_qrcode":
		text := string(next.QRCode)
		if text == "" || len(text) > longestQR || strings.ContainsFunc(text, unicode.IsControl) {
			return action, "the acquirer's next action has no text that fits a QR code"
		}
		action = sdk.NextAction{Type: sdk.ActionQRCode, QRCode: text}
		if webLink(string(next.URL)) {
			action.URL = string(next.URL)
		}
		return action, ""
	default:
		return action, fmt.Sprintf("the acquirer's next action %q is not known", clip(string(next.Type)))
	}
}

// redirect tells a web page from a link that opens the wallet's app: the answer
// has the same type for both.
func (next nextAction) redirect() (action sdk.NextAction, reason string) {
	link, fallback := string(next.URL), string(next.FallbackURL)
	switch {
	case next.Method != "" && next.Method != "GET":
		return action, fmt.Sprintf("the acquirer's next action asks for the method %q, which is not documented", clip(string(next.Method)))
	case webLink(link) && fallback == "" && next.PackageName == "":
		return sdk.NextAction{Type: sdk.ActionRedirect, URL: link}, ""
	case !appLink(link):
		return action, "the acquirer's next action has no usable link"
	}
	action = sdk.NextAction{Type: sdk.ActionAppLink, URL: link}
	if webLink(fallback) {
		action.FallbackURL = fallback
	}
	if name := word(next.PackageName); name != "" {
		action.Params = map[string]string{"package_name": name}
	}
	return action, ""
}

// webLink reports whether link is an absolute http or https URL.
func webLink(link string) bool {
	u, err := url.Parse(link)
	return err == nil && len(link) <= longestURL && u.Hostname() != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// appLink reports whether link can open an app: a web link, or one with a scheme
// of its own. What a browser would execute or read from the device is none.
func appLink(link string) bool {
	u, err := url.Parse(link)
	if err != nil || len(link) > longestURL || strings.ContainsFunc(link, unicode.IsControl) {
		return false
	}
	switch u.Scheme {
	case "http", "https":
		return u.Hostname() != ""
	case "", "javascript", "data", "vbscript", "file", "blob", "about":
		return false
	}
	return true
}
