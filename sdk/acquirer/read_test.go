package acquirer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
)

func TestDecodeJSON(t *testing.T) {
	type shape struct {
		Code *int64        `json:"code"`
		Text acquirer.Text `json:"text"`
	}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	good := []string{`{}`, `{"code":0}`, ` {"code":0,"more":{"a":[1]}} `, `{"code":null}`, `{"CODE":"x"}`, `{"more":` + deep(30) + `}`}
	bad := []string{
		``, ` `, `{`, `{"code":0`, `{"code":0}x`, `{"code":0}{}`, `[]`, `"` + secret + `"`, `{"code":"` + secret + `"}`,
		`{"code":1.0}`, `{"code":1e3}`, `{"code":0,"code":0}`, `{"more":{"a":1,"a":1}}`, "{\"text\":\"\xff\"}", `{"text":"\ud800"}`,
		`{"more":` + deep(40) + `}`, `{"code":99999999999999999999}`, deep(100000), `"` + strings.Repeat("x", 1<<20) + `"`, `{'a':1}`, `NaN`,
	}
	for _, text := range good {
		if err := acquirer.DecodeJSON([]byte(text), &shape{}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range bad {
		err := acquirer.DecodeJSON([]byte(text), &shape{})
		if err == nil {
			t.Errorf("%.40s is accepted", text)
			continue
		}
		checkError(t, err, sdk.CodeAcquirerAnswerInvalid, sdk.OutcomeUnknown)
	}
}

func TestText(t *testing.T) {
	tests := map[string]acquirer.Text{
		`"a"`: "a", `"\u4e2d\n"`: "中\n", `""`: "", `null`: "", `true`: "", `{"a":1}`: "", `[1]`: "",
		`1`: "1", `1.50`: "1.50", `-0`: "-0", `12345678901234567890.10`: "12345678901234567890.10", `1e2`: "1e2",
	}
	for raw, want := range tests {
		got := struct {
			V acquirer.Text `json:"v"`
		}{"before"}
		if err := acquirer.DecodeJSON([]byte(`{"v":`+raw+`}`), &got); err != nil || got.V != want {
			t.Errorf("%s: got %q, %v; want %q", raw, got.V, err, want)
		}
	}
}

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-1": 0, "1.5": 0, "soon": 0, "+5": 0,
		"99999999999999": 0, "2147483647": 24 * time.Hour,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2026 03:03:05 GMT": 0, "Fri, 01 Jan 2100 00:00:00 GMT": 24 * time.Hour,
	}
	for value, want := range tests {
		if got := acquirer.ParseRetryAfter(value, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}

func TestParseBaseURL(t *testing.T) {
	for _, raw := range []string{
		"https://api.example.com", "https://api.example.com/", "https://api.example.com:8443/cbtis",
		"http://localhost:80", "http://127.0.0.1:1/x", "http://127.8.0.1", "http://[::1]:1",
	} {
		if _, err := acquirer.ParseBaseURL("/base_url", raw); err != nil {
			t.Errorf("%s: %v", raw, err)
		}
	}
	for _, raw := range []string{
		"", "api.example.com", "/x", "http://api.example.com", "ftp://127.0.0.1", "https://", "https://:443", "http://localhost.evil.example",
		"https://u:" + secret + "@api.example.com", "https://api.example.com?" + secret, "https://api.example.com?", "https://api.example.com#" + secret, "https://%zz" + secret,
	} {
		_, err := acquirer.ParseBaseURL("/base_url", raw)
		if err == nil {
			t.Errorf("%s is accepted", raw)
			continue
		}
		checkError(t, err, sdk.CodeInvalidConfig, sdk.OutcomeNotSent)
		if sdk.AsError(err).Field != "/base_url" {
			t.Errorf("%s: field %q", raw, sdk.AsError(err).Field)
		}
	}
}

func TestMatchHexDigest(t *testing.T) {
	a, b := []byte{0xab, 0x01}, []byte{0xcd, 0x02}
	tests := []struct {
		got     string
		digests [][]byte
		want    bool
	}{
		{"ab01", [][]byte{a, b}, true}, {"cd02", [][]byte{a, b}, true}, {"ab01", [][]byte{a, a}, true},
		{"AB01", [][]byte{a, b}, false}, {"ab0", [][]byte{a, b}, false}, {"ab012", [][]byte{a, b}, false}, {"", [][]byte{a, b}, false},
		{"", nil, false}, {"ab01", nil, false},
	}
	for _, test := range tests {
		if got := acquirer.MatchHexDigest(test.got, test.digests...); got != test.want {
			t.Errorf("%q: got %v", test.got, got)
		}
	}
}

func FuzzDecodeJSON(f *testing.F) {
	for _, s := range []string{`{"v":"a"}`, `{"v":1.50}`, `{"v":[{}]}`, "{\"v\":\"\xff\"}", `1 2`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var into struct {
			V acquirer.Text `json:"v"`
		}
		if err := acquirer.DecodeJSON(data, &into); err != nil && !sdk.IsCode(err, sdk.CodeAcquirerAnswerInvalid) {
			t.Errorf("got %v", err)
		}
	})
}
