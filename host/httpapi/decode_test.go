package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/sdk"
)

const good = `{"merchant_order_id":"o1","amount":"100.00","currency":"HKD","method":"alipay_hk","flow":"mobile_web","description":"Tea"}`

// with replaces a part of a good request.
func with(old, replacement string) string {
	if !strings.Contains(good, old) {
		panic(old)
	}
	return strings.Replace(good, old, replacement, 1)
}

// plus adds a member to a good request.
func plus(member string) string { return strings.Replace(good, "{", "{"+member+",", 1) }

// requestBodies are bodies and whether they can be read. What the values mean is
// tested in package host.
var requestBodies = map[string]bool{
	good:                 true,
	" \n" + good + "\n ": true,
	plus(`"return_url":"https://shop.example.com/"`): true,
	plus(`"metadata":{"a":"b","ü":""}`):              true,
	plus(`"metadata":{}`):                            true,
	plus(`"order_group":""`):                         true, // the same as leaving it out
	with(`"Tea"`, `"\u8336"`):                        true,
	"":                                               false,
	" ":                                              false,
	"null":                                           false,
	"[]":                                             false,
	`"text"`:                                         false,
	"7":                                              false,
	"{}":                                             false,
	"{":                                              false,
	"\ufeff" + good:                                  false,
	good + good:                                      false,
	good + "x":                                       false,
	good + ",":                                       false,
	"[" + good + "]":                                 false,
	plus(`"amount":"1.00"`):                          false, // twice
	plus(`"amount":"100.00"`):                        false,
	plus(`"Amount":"1.00"`):                          false,
	plus(`"AMOUNT":"1.00"`):                          false,
	plus(`"foo":null`):                               false,
	plus(`"id":"pay_1"`):                             false,
	plus(`"status":"SUCCEEDED"`):                     false,
	plus(`"metadata":{"a":"b","a":"c"}`):             false,
	plus(`"metadata":{"a":1}`):                       false,
	plus(`"metadata":{"a":null}`):                    false,
	plus(`"metadata":{"a":{"b":"c"}}`):               false,
	plus(`"metadata":null`):                          false,
	plus(`"metadata":[]`):                            false,
	plus(`"metadata":"text"`):                        false,
	plus(`"return_url":null`):                        false,
	plus(`"provider":7`):                             false,
	with(`"100.00"`, `100.00`):                       false,
	with(`"100.00"`, `1e3`):                          false,
	with(`"100.00"`, `+1`):                           false,
	with(`"100.00"`, `.5`):                           false,
	with(`"100.00"`, `null`):                         false,
	with(`"100.00"`, `["100.00"]`):                   false,
	with(`"100.00"`, `true`):                         false,
	with(`"100.00"`, `""`):                           false,
	with(`"Tea"`, `"T`+"\xff"+`a"`):                  false,
	with(`"Tea"`, `"T\ud800a"`):                      false,
	with(`"Tea"`, "\"T\na\""):                        false,
	with(`"Tea"`, `'Tea'`):                           false,
	with(`"amount":"100.00",`, ``):                   false,
	with(`"merchant_order_id"`, `"order_id"`):        false,
	with(`}`, `,}`):                                  false,
	"// comment\n" + good:                            false,
	strings.Repeat(`{"metadata":`, 5000):             false,
	strings.Repeat(`[`, 20000):                       false,
}

// looser are bodies that the decoder reads and the host refuses, or the other way
// round: JSON doesn't see a name that stands twice.
var looser = []string{
	plus(`"amount":"100.00"`), plus(`"amount":"1.00"`), plus(`"metadata":{"a":"b","a":"c"}`), with(`"Tea"`, `"T\ud800a"`),
	with(`"Tea"`, `"T`+"\xff"+`a"`),
}

func TestRequestBodies(t *testing.T) {
	for body, decodes := range requestBodies {
		c := newClient(t)
		got := c.call("POST", "/v1/payments", body, "Content-Type: application/json")
		switch {
		case decodes && (got.status != http.StatusCreated || len(c.requests) != 1):
			t.Errorf("%.200q: %d %s", body, got.status, got.body)
		case !decodes && (got.status != http.StatusBadRequest || len(c.requests) != 0 || got.Code != "INVALID_REQUEST" || got.Detail == ""):
			t.Errorf("%.200q: %d %s, %d calls", body, got.status, got.body, len(c.requests))
		}
	}
}

func TestFaultNamesField(t *testing.T) {
	for body, field := range map[string]string{
		plus(`"amount":"1.00"`):                    "amount",
		plus(`"Amount":"1.00"`):                    "Amount",
		plus(`"metadata":{"a":1}`):                 "metadata.a",
		plus(`"metadata":{"a":"b","a":"c"}`):       "metadata.a",
		plus(`"metadata":{"a/b~":"x","a/b~":"y"}`): "metadata.a/b~",
		plus(`"metadata":{"a/b~":1}`):              "metadata.a/b~",
		plus(`"metadata":[]`):                      "metadata",
		with(`"100.00"`, `100.00`):                 "amount",
		with(`"Tea"`, `null`):                      "description",
		with(`"Tea"`, `"T`+"\xff"+`a"`):            "description",
		with(`"amount":"100.00",`, ``):             "amount",
		with(`"merchant_order_id"`, `"order_id"`):  "order_id",
		with(`"flow":"mobile_web"`, `"flow":true`): "flow",
	} {
		c := newClient(t)
		if got := c.call("POST", "/v1/payments", body); got.Field != field {
			t.Errorf("%s: field %q, want %q: %s", body, got.Field, field, got.Detail)
		}
	}
}

// TestLongName: what a caller made up as a name isn't sent back by the page.
func TestLongName(t *testing.T) {
	long := strings.Repeat("茶", 20000)
	for _, body := range []string{plus(`"` + long + `":1`), plus(`"metadata":{"` + long + `":1}`), strings.Repeat(`{"a":`, 5000)} {
		c := newClient(t)
		got := c.call("POST", "/v1/payments", body)
		if got.status != http.StatusBadRequest || len(got.body) > 2000 || !strings.HasSuffix(got.Field, "…") || !utf8.ValidString(got.Field) {
			t.Errorf("%.40s: %d, %d bytes, field %.80s", body, got.status, len(got.body), got.Field)
		}
	}
	c := newClient(t)
	if got := c.call("GET", "/v1/payments?"+strings.Repeat("x", 9000)+"=1", ""); got.status != http.StatusBadRequest || len(got.body) > 2000 {
		t.Errorf("%d, %d bytes", got.status, len(got.body))
	}
	longest := strings.Repeat("茶", 40) // a key that may be, with a value that may not
	if got := c.call("POST", "/v1/payments", plus(`"metadata":{"`+longest+`":1}`)); got.Field != "metadata."+longest {
		t.Errorf("field %s", got.Field)
	}
}

// TestRemedy: a fault of the whole body has a way out, too.
func TestRemedy(t *testing.T) {
	for _, body := range []string{" ", "null", "[]", good + good} {
		c := newClient(t)
		if got := c.call("POST", "/v1/payments", body); got.Field != "" || strings.Contains(got.Remedy, "named") || !strings.Contains(got.Remedy, "nothing was recorded") {
			t.Errorf("%.40s: field %q, remedy %q", body, got.Field, got.Remedy)
		}
	}
}

// TestProblemOfAcquirer: whoever asks the acquirer needs its words, and whoever
// reads an outcome is told of every one that isn't the shop's own mistake.
func TestProblemOfAcquirer(t *testing.T) {
	for outcome, want := range map[sdk.Outcome]string{sdk.OutcomeNotSent: "", sdk.OutcomeRefused: "REFUSED", sdk.OutcomeUnknown: "UNKNOWN"} {
		c := newClient(t)
		c.err = &sdk.Error{Code: sdk.CodeInvalidRequest, Outcome: outcome, Message: "no", Field: "amount", AcquirerCode: "A-17", AcquirerRequestID: "r-1"}
		if got := c.call("POST", "/v1/payments/x/cancel", ""); got.status != 400 || got.AcquirerCode != "A-17" || got.AcquirerRequestID != "r-1" || got.Outcome != want {
			t.Errorf("%s: %d %s", outcome, got.status, got.body)
		}
	}
}

// TestNull: what to do instead depends on whether the field may be left out.
func TestNull(t *testing.T) {
	for body, leaveOut := range map[string]bool{with(`"Tea"`, `null`): false, plus(`"return_url":null`): true} {
		c := newClient(t)
		if got := c.call("POST", "/v1/payments", body); strings.Contains(got.Detail, "leave it out") != leaveOut {
			t.Errorf("%s: %s", body, got.Detail)
		}
	}
}

// TestSameFault: of several faults the same one is named each time.
func TestSameFault(t *testing.T) {
	for range 20 {
		c := newClient(t)
		if got := c.call("POST", "/v1/payments", plus(`"zzz":1,"mmm":2,"aaa":3,"foo":4`)); got.Field != "aaa" {
			t.Fatalf("field %s", got.Field)
		}
	}
}

func TestContentEncoding(t *testing.T) {
	c := newClient(t)
	if got := c.call("POST", "/v1/payments", good, "Content-Encoding: gzip"); got.status != http.StatusUnsupportedMediaType || len(c.requests) != 0 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestRequestReaches: every member arrives as it was sent.
func TestRequestReaches(t *testing.T) {
	c := newClient(t)
	c.call("POST", "/v1/payments", plus(`"return_url":"https://a.example.com/?x=1&y=\u00e9","order_group":"g","provider":"p","metadata":{"k":"v"}`))
	want := host.CreateRequest{
		MerchantOrderID: "o1", Amount: "100.00", Currency: "HKD", Method: "alipay_hk", Flow: "mobile_web", Description: "Tea",
		ReturnURL: "https://a.example.com/?x=1&y=é", OrderGroup: "g", Provider: "p", Metadata: map[string]string{"k": "v"},
	}
	if len(c.requests) != 1 || !reflect.DeepEqual(c.requests[0], want) {
		t.Errorf("got %+v, want %+v", c.requests, want)
	}
}

func TestHeaders(t *testing.T) {
	for _, h := range []struct {
		line string
		code string // empty: fine
	}{
		{"Content-Type: application/json; charset=utf-8", ""},
		{"Content-Type: application/json;charset=UTF-8", ""},
		{"Content-Type: ", "UNSUPPORTED_MEDIA_TYPE"},
		{"Content-Type: text/plain", "UNSUPPORTED_MEDIA_TYPE"},
		{"Content-Type: application/jsonx", "UNSUPPORTED_MEDIA_TYPE"},
		{"Content-Type: application/json; charset=gbk", "UNSUPPORTED_MEDIA_TYPE"},
		{"Content-Type: application/json; charset=utf-8; v=2", "UNSUPPORTED_MEDIA_TYPE"},
		{"Content-Type: application/json; v=2", "UNSUPPORTED_MEDIA_TYPE"},
		{"Content-Type: application/json, text/plain", "UNSUPPORTED_MEDIA_TYPE"},
		{"Content-Type: application/x-www-form-urlencoded", "UNSUPPORTED_MEDIA_TYPE"},
		{"Idempotency-Key: 7c9e6679-7425-40de", ""},
		{"Idempotency-Key: " + strings.Repeat("x", 256), "INVALID_REQUEST"},
		{"Idempotency-Key: " + strings.Repeat("x", 255), ""},
		{"Idempotency-Key: a b", ""},
		{"Idempotency-Key: a\tb", "INVALID_REQUEST"},
		{"Idempotency-Key: \x7f", "INVALID_REQUEST"},
		{"Idempotency-Key: ü", "INVALID_REQUEST"},
	} {
		c := newClient(t)
		if got := c.call("POST", "/v1/payments", good, h.line); got.Code != h.code {
			t.Errorf("%s: %d %s", h.line, got.status, got.body)
		}
	}
	c := newClient(t)
	r := httptest.NewRequest("POST", "/v1/payments", strings.NewReader(good))
	r.Header = http.Header{"Authorization": {"Bearer " + keyA}, "Content-Type": {"application/json", "text/plain"}}
	if got := c.send(r); got.Code != "UNSUPPORTED_MEDIA_TYPE" || len(c.requests) != 0 {
		t.Errorf("two content types: %d %s", got.status, got.body)
	}
	for size, code := range map[int]string{64 << 10: "", 64<<10 + 1: "BODY_TOO_LARGE"} { // as openapi.json says
		c := newClient(t)
		body := good + strings.Repeat(" ", size-len(good))
		if got := c.call("POST", "/v1/payments", body); got.Code != code || (len(c.requests) == 1) != (code == "") {
			t.Errorf("a body of %d bytes: %d %s", size, got.status, got.body)
		}
	}
}

// TestBrokenBody: what came of a body is no request, even if it looks like one.
func TestBrokenBody(t *testing.T) {
	c := newClient(t)
	r := httptest.NewRequest("POST", "/v1/payments", io.MultiReader(strings.NewReader(good), iotest.ErrReader(io.ErrUnexpectedEOF)))
	r.Header = http.Header{"Authorization": {"Bearer " + keyA}, "Content-Type": {"application/json"}}
	if got := c.send(r); got.status != http.StatusBadRequest || len(c.requests) != 0 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// FuzzCreateBody: whatever is accepted says the same to another reader, and when
// it is written again.
func FuzzCreateBody(f *testing.F) {
	for body := range requestBodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parseCreate(body)
		if err != nil {
			if e := sdk.AsError(err); e.Code != sdk.CodeInvalidRequest || e.Outcome != sdk.OutcomeNotSent {
				t.Errorf("%v", err)
			}
			return
		}
		var loose host.CreateRequest
		if err := json.Unmarshal(body, &loose); err != nil || !reflect.DeepEqual(r, loose) {
			t.Errorf("%s reads as %+v, by encoding/json as %+v, %v", body, r, loose, err)
		}
		if r.Metadata == nil { // null isn't taken
			r.Metadata = map[string]string{}
		}
		written, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseCreate(written); err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("%s reads as %+v, written again as %+v, %v", body, r, again, err)
		}
	})
}
