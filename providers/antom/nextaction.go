package antom

import (
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

// nextActions returns what the payer can do, as the flow's row lists it. Nothing
// is invented: a payer who is sent to the wrong place is worse off than one who
// is told to try again.
func nextActions(req sdk.CreateRequest, data paymentData) []sdk.NextAction {
	var all []sdk.NextAction
	for _, kind := range flowOf(req.Flow).actions[req.Method] {
		var action sdk.NextAction
		switch kind {
		case sdk.ActionRedirect:
			action.URL = webLink(data.NormalURL)
		case sdk.ActionAppLink:
			action.URL, action.FallbackURL = appLink(data.SchemeURL), webLink(data.NormalURL)
			if req.Method == sdk.AlipayHK {
				action.URL = webLink(data.ApplinkURL)
			}
		case sdk.ActionQRCode:
			action.QRCode, action.ExpiresAt = qrCode(data)
		}
		if action.URL != "" || action.QRCode != "" {
			action.Type = kind
			all = append(all, action)
		}
	}
	return all
}

// usable returns a link as it is if it passes, else nothing.
func usable(link acquirer.Text, passes bool) string {
	if !passes {
		return ""
	}
	return string(link)
}

func webLink(link acquirer.Text) string { return usable(link, acquirer.WebLink(string(link))) }

func appLink(link acquirer.Text) string { return usable(link, acquirer.AppLink(string(link))) }

type orderCodeForm struct {
	CodeDetails []struct {
		CodeValueType acquirer.Text `json:"codeValueType"`
		DisplayType   acquirer.Text `json:"displayType"`
		CodeValue     acquirer.Text `json:"codeValue"`
	} `json:"codeDetails"`
	ExpireTime acquirer.Text `json:"expireTime"`
}

// qrCode takes the code that comes as text. The others are pictures of it.
func qrCode(data paymentData) (text string, expires time.Time) {
	var form orderCodeForm
	if data.OrderCodeForm.Kind() != '{' || acquirer.DecodeJSON(data.OrderCodeForm, &form) != nil {
		return "", time.Time{}
	}
	for _, code := range form.CodeDetails {
		value := string(code.CodeValue)
		if code.CodeValueType == "QRCODE" && code.DisplayType == "TEXT" &&
			acquirer.QRText(value) {
			return value, readTime(form.ExpireTime)
		}
	}
	return "", time.Time{}
}
