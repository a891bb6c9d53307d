package antom

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	longestURL = 8192
	longestQR  = 2953 // bytes; no QR code holds more
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

// webLink returns an absolute http or https URL as it is, and nothing for
// anything else.
func webLink(link acquirer.Text) string {
	u, err := url.Parse(string(link))
	if err != nil || len(link) > longestURL || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return string(link)
}

// scripts are schemes that run or hold something in the page that opens them.
var scripts = []string{"javascript", "vbscript", "data", "blob", "file", "filesystem", "about"}

// appLink returns a URL with the wallet's own scheme, or a web link.
func appLink(link acquirer.Text) string {
	u, err := url.Parse(string(link))
	if err != nil || len(link) > longestURL || u.Scheme == "" || slices.Contains(scripts, u.Scheme) || u.Host == "" {
		return ""
	}
	return string(link)
}

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
			value != "" && len(value) <= longestQR && !strings.ContainsFunc(value, unicode.IsControl) {
			return value, readTime(form.ExpireTime)
		}
	}
	return "", time.Time{}
}
