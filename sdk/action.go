package sdk

import "time"

// Method is a wallet that the payer can choose.
type Method string

// The methods of this version.
const (
	AlipayHK Method = "alipay_hk" // AlipayHK wallet, Hong Kong
	AlipayCN Method = "alipay_cn" // Alipay wallet, mainland China
)

// Methods returns every method.
func Methods() []Method { return []Method{AlipayHK, AlipayCN} }

// Flow is how the payer comes to the wallet.
type Flow string

// The flows of this version.
const (
	MobileWeb Flow = "mobile_web" // a browser on the phone that has the wallet
	WebQR     Flow = "web_qr"     // a QR code on the screen of another device
	StoreQR   Flow = "store_qr"   // a QR code shown at a shop's counter
	App       Flow = "app"        // the merchant's own mobile app
)

// Flows returns every flow.
func Flows() []Flow { return []Flow{MobileWeb, WebQR, StoreQR, App} }

// ActionType says what a [NextAction] is.
type ActionType string

// The types of next actions. None is named after a provider.
const (
	ActionRedirect ActionType = "redirect"  // send the browser to URL
	ActionQRCode   ActionType = "qr_code"   // draw QRCode for the payer to scan
	ActionAppLink  ActionType = "app_link"  // open URL in the wallet's app, else FallbackURL
	ActionSDK      ActionType = "sdk"       // hand Params to the wallet's SDK
	ActionFormPost ActionType = "form_post" // POST Params as a form to URL
)

// ActionTypes returns every type of next action.
func ActionTypes() []ActionType {
	return []ActionType{ActionRedirect, ActionQRCode, ActionAppLink, ActionSDK, ActionFormPost}
}

// NextAction is one way for the payer to go on.
type NextAction struct {
	Type        ActionType        `json:"type"`
	URL         string            `json:"url,omitempty"`
	QRCode      string            `json:"qr_code,omitempty"` // the text to draw
	FallbackURL string            `json:"fallback_url,omitempty"`
	Params      map[string]string `json:"params,omitempty"`
	ExpiresAt   time.Time         `json:"expires_at,omitzero"` // zero if the acquirer gives no time
}
