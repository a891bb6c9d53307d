package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/paymux/paymux/examples/provider-go/sandbox"
	"github.com/paymux/paymux/sdk"
)

// The body as Acme documents it, whole: a member that is missing or misspelt
// shows here first.
//
// Fact: the whole request.
func TestCreateRequest(t *testing.T) {
	body, err := buildCreate(sdk.CreateRequest{
		Order: order(t, "1.5"), RequestID: "r-1", Method: sdk.AlipayCN, Flow: sdk.WebQR,
		Description: "Tea", ReturnURL: "https://shop.example.com/back", NotifyURL: "https://pay.example.com/n",
	})
	const want = `{"reference":"order-1","amount":"1.50","currency":"HKD","wallet":"ALIPAY_CN","channel":"qr",` +
		`"description":"Tea","return_url":"https://shop.example.com/back","notify_url":"https://pay.example.com/n"}`
	if err != nil || string(body) != want {
		t.Errorf("%v\n%s\n%s", err, body, want)
	}
}

// What can't be taken is refused before anything is sent.
func TestCreateRefuses(t *testing.T) {
	good := sdk.CreateRequest{Order: order(t, "1.50"), Method: sdk.AlipayHK, Flow: sdk.MobileWeb, Description: "Tea"}
	for name, change := range map[string]func(*sdk.CreateRequest){
		"an order id with a blank": func(r *sdk.CreateRequest) { r.MerchantOrderID = "a b" },
		"too little":               func(r *sdk.CreateRequest) { r.Money = order(t, "0.99").Money },
		"another flow":             func(r *sdk.CreateRequest) { r.Flow = sdk.App },
	} {
		req := good
		change(&req)
		if _, err := buildCreate(req); err == nil || sdk.AsError(err).Outcome != sdk.OutcomeNotSent {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Acme's own id is the better one, once it is known.
func TestQueryRequest(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.String()) }))
	defer server.Close()
	p := open(t, configWith(sandbox.NotificationKey)(server.URL))
	both := order(t, "1.50")
	merchants := both
	merchants.AcquirerOrderID = ""
	for _, o := range []sdk.Order{both, merchants} {
		if _, err := p.Query(t.Context(), sdk.QueryRequest{Order: o}); err == nil {
			t.Error("an empty answer is no error")
		}
	}
	if len(asked) != 2 || asked[0] != "/v1/payments?id=pay_1" || asked[1] != "/v1/payments?reference=order-1" {
		t.Errorf("%q", asked)
	}
	if _, err := p.Query(t.Context(), sdk.QueryRequest{}); !sdk.IsCode(err, sdk.CodeInvalidRequest) || len(asked) != 2 {
		t.Errorf("without an id: %v", err)
	}
}

// A good key of another account would take the money for somebody else.
func TestAuthorizeAnotherAccount(t *testing.T) {
	s := sandbox.Start()
	defer s.Stop()
	const config = `{"account":"m-2002","api_key":"` + sandbox.APIKey + `","notification_keys":["12345678"],"base_url":"`
	if _, err := open(t, config+s.URL+`"}`).Authorize(t.Context()); !sdk.IsCode(err, sdk.CodeCredentialsRefused) {
		t.Errorf("%v", err)
	}
}

func open(t *testing.T, config string) sdk.Provider {
	t.Helper()
	p, err := newPlugin().Open(t.Context(), sdk.NewConfig("main", []byte(config)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The schema refuses these too, but an empty key would let anyone sign.
func TestConfigRefuses(t *testing.T) {
	for config, field := range map[string]string{
		`{"base_url":"http://api.acme.example","api_key":"k","notification_keys":["n"]}`:     "/base_url",
		`{"base_url":"https://api.acme.example","api_key":"","notification_keys":["n"]}`:     "/api_key",
		`{"base_url":"https://api.acme.example","api_key":"k\n","notification_keys":["n"]}`:  "/api_key",
		`{"base_url":"https://api.acme.example","api_key":"k","notification_keys":[]}`:       "/notification_keys",
		`{"base_url":"https://api.acme.example","api_key":"k","notification_keys":["n",""]}`: "/notification_keys/1",
	} {
		_, err := readConfig(sdk.NewConfig("main", []byte(config)))
		if !sdk.IsCode(err, sdk.CodeInvalidConfig) || sdk.AsError(err).Field != field {
			t.Errorf("%s: %v, want %s", config, err, field)
		}
	}
}
