package cbtistest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

func TestAuthRefusals(t *testing.T) {
	c := newClient(t, cbtistest.Start(t, cbtistest.Options{}))
	tests := map[string]struct {
		query string
		code  int
	}{
		"grant type":    {strings.Replace(goodAuth, "client_credentials", "password", 1), 40005},
		"no grant type": {strings.Replace(goodAuth, "grant_type", "grant", 1), 40001},
		"no uid":        {strings.Replace(goodAuth, "uid", "client_id", 1), 40001},
		"no secret":     {strings.Replace(goodAuth, "client_secret", "secret", 1), 40001},
		"wrong uid":     {strings.Replace(goodAuth, "39172931", "39172932", 1), 40100},
		"wrong secret":  {goodAuth + "x", 40100},
		"uid twice":     {goodAuth + "&uid=1", 40000},
		"malformed":     {goodAuth + "&a=%zz", 40000},
	}
	for name, tt := range tests {
		if r := c.send("GET", "/mch-api/v1/auth?"+tt.query, "", ""); r.status != 401 || r.Code != tt.code {
			t.Errorf("%s: %d %s, want code %d", name, r.status, r.raw, tt.code)
		}
	}
	if r := c.send("POST", "/mch-api/v1/auth?"+goodAuth, "", ""); r.status != 404 || r.Code != 40400 {
		t.Errorf("POST: %d %s", r.status, r.raw)
	}
}

func TestBearerRefusals(t *testing.T) {
	c := newClient(t, cbtistest.Start(t, cbtistest.Options{}))
	for _, header := range []string{"", "Bearer", "Bearer x", "Bearer " + strings.Repeat("0", 84), "Bearer " + c.token + "0", "Basic " + c.token, c.token} {
		for _, path := range []string{createPath, queryPath, refundPath, refundQueryPath} {
			if r := c.sendAs(header, "POST", path, "application/json", body("A")); r.status != 401 || r.Code != 40101 || r.Data != nil || len(r.RID) != 32 {
				t.Errorf("%q to %s: %d %s", header, path, r.status, r.raw)
			}
		}
	}
	if r := c.sendAs("bearer "+c.token, "POST", createPath, "application/json", body("A")); r.Code != 0 {
		t.Errorf("in lower case: %d %s", r.status, r.raw)
	}
}

func TestCreateRefusals(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{ReturnDomains: []string{"shop.example"}})
	c := newClient(t, srv)
	tests := map[string]struct {
		body string
		code int
	}{
		"not JSON":             {`{"amount":`, 40000},
		"trailing":             {body("A") + "x", 40000},
		"duplicate member":     {body("A", `{"amount"`, `{"amount":"1","amount"`), 40000},
		"other case":           {body("A", `"amount"`, `"Amount"`), 40000},
		"unknown member":       {body("A", `"amount"`, `"request_id":"x","amount"`), 40000},
		"amount as number":     {body("A", `"100.00"`, `100.00`), 40000},
		"too big":              {body("A", "Tea", strings.Repeat("x", 70000)), 40000},
		"no amount":            {body("A", `"amount":"100.00",`, ""), 40001},
		"no currency":          {body("A", `"currency":"HKD",`, ""), 40001},
		"no order id":          {body(""), 40001},
		"no description":       {body("A", "Tea", ""), 40001},
		"no type":              {body("A", `"type":"alipayhk",`, ""), 40001},
		"no options":           {body("A", `,"alipayhk":{"flow":"mobile_web","payment_method":"ALIPAYHK"}`, ""), 40001},
		"options elsewhere":    {body("A", `"alipayhk":{`, `"wechat":{`), 40000},
		"options unnested":     {body("A", `"alipayhk":{"flow":"mobile_web","payment_method":"ALIPAYHK"}`, `"flow":"mobile_web"`), 40000},
		"no flow":              {body("A", `"flow":"mobile_web",`, ""), 40001},
		"no wallet":            {body("A", `,"payment_method":"ALIPAYHK"`, ""), 40001},
		"unknown type":         {body("A", `"type":"alipayhk"`, `"type":"wechat"`), 40004},
		"unknown flow":         {body("A", "mobile_web", "qrcode"), 40004},
		"unknown wallet":       {body("A", `"ALIPAYHK"`, `"ALIPAY_HK"`), 40004},
		"long order id":        {body(strings.Repeat("A", 33)), 40002},
		"long amount":          {body("A", "100.00", strings.Repeat("1", 33)), 40002},
		"three decimals":       {body("A", "100.00", "1.001"), 40002},
		"exponent":             {body("A", "100.00", "1e2"), 40002},
		"zero":                 {body("A", "100.00", "0.00"), 40002},
		"negative":             {body("A", "100.00", "-1"), 40002},
		"leading zero":         {body("A", "100.00", "01"), 40002},
		"currency":             {body("A", "HKD", "CNY"), 40003},
		"lower case":           {body("A", "HKD", "hkd"), 40003},
		"relative notify_url":  {body("A", withURL("notify_url", "/x")...), 40002},
		"javascript":           {body("A", withURL("return_url", "javascript:alert(1)")...), 40002},
		"unregistered domain":  {body("A", withURL("return_url", "https://evilshop.example/")...), 40002},
		"settlement_currency*": {body("A", withURL("settlement_currency", "HKD")...), 40000},
	}
	for name, tt := range tests {
		if r := c.post(createPath, tt.body); r.status != 200 || r.Code != tt.code || r.Data != nil {
			t.Errorf("%s: %d %s, want code %d", name, r.status, r.raw, tt.code)
		}
	}
	if r := c.send("POST", createPath, "text/plain", body("A")); r.Code != 40000 {
		t.Errorf("text/plain: %s", r.raw)
	}
	if n := len(srv.Orders()); n != 0 {
		t.Errorf("refused requests made %d orders", n)
	}
}

func TestLimitsThatAreMet(t *testing.T) {
	c := newClient(t, cbtistest.Start(t, cbtistest.Options{ReturnDomains: []string{"shop.example"}}))
	c.order(strings.Repeat("é", 32))
	c.order("B", withURL("return_url", "https://m.SHOP.example/orders?id=1")...)
	c.order("C", "100.00", "0.01")
	lax := newClient(t, cbtistest.Start(t, cbtistest.Options{AllowUnknownFields: true}))
	lax.order("A", `"amount"`, `"request_id":"x","amount"`)
}

func TestQueryRefusals(t *testing.T) {
	c := newClient(t, cbtistest.Start(t, cbtistest.Options{}))
	a, _ := c.order("A"), c.order("B")
	tests := map[string]struct {
		body string
		code int
	}{
		"no id":         {`{}`, 40001},
		"unknown":       {`{"order_id":"C000000000000000000000"}`, 40400},
		"unknown order": {`{"merchant_order_id":"X"}`, 40400},
		"disagree":      {fmt.Sprintf(`{"order_id":%q,"merchant_order_id":"B"}`, a), 40902},
		"P for C":       {fmt.Sprintf(`{"order_id":%q,"merchant_order_id":"A"}`, "P"+a[1:]), 40400},
		"wrong kind":    {`{"order_id":"A"}`, 40400},
		"long":          {fmt.Sprintf(`{"order_id":%q}`, strings.Repeat("C", 33)), 40002},
		"array":         {`["A"]`, 40000},
	}
	for name, tt := range tests {
		if r := c.post(queryPath, tt.body); r.Code != tt.code {
			t.Errorf("%s: %s, want code %d", name, r.raw, tt.code)
		}
	}
}

func TestConfiguredRefusals(t *testing.T) {
	c := newClient(t, cbtistest.Start(t, cbtistest.Options{
		RefusalStatus: http.StatusBadRequest, AuthFailureStatus: http.StatusOK,
		Codes: cbtistest.Codes{NotFound: 7, Unauthorized: 8},
	}))
	if r := c.post(queryPath, `{"order_id":"C1"}`); r.status != 400 || r.Code != 7 {
		t.Errorf("not found: %d %s", r.status, r.raw)
	}
	c.token = "x"
	if r := c.post(queryPath, `{"order_id":"C1"}`); r.status != 200 || r.Code != 8 {
		t.Errorf("unauthorized: %d %s", r.status, r.raw)
	}
}
