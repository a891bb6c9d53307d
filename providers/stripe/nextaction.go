package stripe

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

const (
	longestData = 8192
	nativeParam = "native_data"
)

// walletSchemes open the wallet. Others are left out: which ones the acquirer uses
// is not published.
var walletSchemes = []string{"alipays", "alipay"}

type nextAction struct {
	Type   acquirer.Text `json:"type"`
	Alipay struct {
		URL        acquirer.Text `json:"url"`
		NativeURL  acquirer.Text `json:"native_url"`
		NativeData acquirer.Text `json:"native_data"`
	} `json:"alipay_handle_redirect"`
}

// readNextActions returns what the payer can do, or the reason why that can't be
// said. Nothing is invented: a payer who is sent to the wrong place is worse off
// than one who is told to try again.
//
// The redirect comes first, since everyone can take it.
func readNextActions(raw jsontext.Value) (actions []sdk.NextAction, reason string) {
	var next nextAction
	if raw.Kind() != '{' || acquirer.DecodeJSON(raw, &next) != nil {
		return nil, "the acquirer gave no next action"
	}
	if next.Type != "alipay_handle_redirect" {
		return nil, fmt.Sprintf("the acquirer's next action %q is not known", acquirer.Clip(string(next.Type)))
	}
	page := string(next.Alipay.URL)
	if !acquirer.WebLink(page) {
		page = ""
	}
	if page != "" {
		actions = append(actions, sdk.NextAction{Type: sdk.ActionRedirect, URL: page})
	}
	if link := string(next.Alipay.NativeURL); acquirer.AppLink(link, walletSchemes...) {
		actions = append(actions, sdk.NextAction{Type: sdk.ActionAppLink, URL: link, FallbackURL: page})
	}
	if data := string(next.Alipay.NativeData); data != "" && acquirer.Printable(data, longestData) {
		actions = append(actions, sdk.NextAction{Type: sdk.ActionSDK, Params: map[string]string{nativeParam: data}})
	}
	if len(actions) == 0 {
		return nil, "the acquirer's next action has no usable link"
	}
	return actions, ""
}

// forFlow keeps the actions that the flow's row of the capabilities names, in
// its order.
func forFlow(actions []sdk.NextAction, flow sdk.Flow) []sdk.NextAction {
	var fit []sdk.NextAction
	for _, f := range flows {
		if f.flow != flow {
			continue
		}
		for _, wanted := range f.actions {
			for _, a := range actions {
				if a.Type == wanted {
					fit = append(fit, a)
				}
			}
		}
	}
	return fit
}
