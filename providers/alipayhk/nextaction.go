package alipayhk

import (
	"cmp"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// nextAction has the link under one of three names: the pages of this acquirer
// and of its white label differ. Should an answer have several, url goes first and
// then the one that fits the type.
type nextAction struct {
	Type        acquirer.Text `json:"type"`
	URL         acquirer.Text `json:"url"`
	QRCodeURL   acquirer.Text `json:"qrcode_url"`
	RedirectURL acquirer.Text `json:"redirect_url"`
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
		link := string(cmp.Or(next.URL, next.RedirectURL, next.QRCodeURL))
		if !acquirer.WebLink(link) {
			return action, "the acquirer's next action has no usable link"
		}
		return sdk.NextAction{Type: sdk.ActionRedirect, URL: link}, ""
	case "render_qrcode":
		link := string(cmp.Or(next.URL, next.QRCodeURL, next.RedirectURL))
		if !acquirer.QRText(link) {
			return action, "the acquirer's next action has no text that fits a QR code"
		}
		action = sdk.NextAction{Type: sdk.ActionQRCode, QRCode: link}
		if acquirer.WebLink(link) {
			action.URL = link
		}
		return action, ""
	default:
		return action, fmt.Sprintf("the acquirer's next action %q is not known", acquirer.Clip(string(next.Type)))
	}
}
