package airwallex

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
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
		if !acquirer.QRText(text) {
			return action, "the acquirer's next action has no text that fits a QR code"
		}
		action = sdk.NextAction{Type: sdk.ActionQRCode, QRCode: text}
		if acquirer.WebLink(string(next.URL)) {
			action.URL = string(next.URL)
		}
		return action, ""
	default:
		return action, fmt.Sprintf("the acquirer's next action %q is not known", acquirer.Clip(string(next.Type)))
	}
}

// redirect tells a web page from a link that opens the wallet's app: the answer
// has the same type for both.
func (next nextAction) redirect() (action sdk.NextAction, reason string) {
	link, fallback := string(next.URL), string(next.FallbackURL)
	switch {
	case next.Method != "" && next.Method != "GET":
		return action, fmt.Sprintf("the acquirer's next action asks for the method %q, which is not documented", acquirer.Clip(string(next.Method)))
	case acquirer.WebLink(link) && fallback == "" && next.PackageName == "":
		return sdk.NextAction{Type: sdk.ActionRedirect, URL: link}, ""
	case !acquirer.AppLink(link):
		return action, "the acquirer's next action has no usable link"
	}
	action = sdk.NextAction{Type: sdk.ActionAppLink, URL: link}
	if acquirer.WebLink(fallback) {
		action.FallbackURL = fallback
	}
	if name := word(next.PackageName); name != "" {
		action.Params = map[string]string{"package_name": name}
	}
	return action, ""
}
