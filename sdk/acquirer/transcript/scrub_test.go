package transcript

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
)

const secret = "s3cr€t&key/+value"

func TestBody(t *testing.T) {
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	for _, test := range []struct {
		name, in, want string
		header         http.Header
		omitted        int
	}{
		{"as it is", " {\"a\" : 1.50,\n\"b\":[true,null,\"x\\u0041\"]}\n", " {\"a\" : 1.50,\n\"b\":[true,null,\"x\\u0041\"]}\n", nil, 0},
		{"names", `{"client_secret":"abcdefghi","accessToken":12345678,"x":"abcdefghi 12345678"}`, `{"client_secret":"[redacted]","accessToken":"[redacted]","x":"[redacted] [redacted]"}`, nil, 0},
		{"learned later", `{"x":"abcdefghi","token":"abcdefghi"}`, `{"x":"[redacted]","token":"[redacted]"}`, nil, 0},
		{"whole objects", `{"credentials":{"a":["abcdefghi"]},"b":"abcdefghi"}`, `{"credentials":"[redacted]","b":"[redacted]"}`, nil, 0},
		{"a short one isn't looked for", `{"token":"HKD","currency":"HKD"}`, `{"token":"[redacted]","currency":"HKD"}`, nil, 0},
		{"any escape", `{"a":"\u0073\u0033cr\u20ac\u0074&key\/+value","b":1}`, `{"a":"[redacted]","b":1}`, nil, 0},
		{"as a name", `{"s3cr€t&key/+value":1}`, `{"[redacted]":1}`, nil, 0},
		{"JSON within", `{"a":"{\"token\":\"abcdefghi\"}"}`, `{"a":"{\"token\":\"[redacted]\"}"}`, nil, 0},
		{"URL within", `{"a":"https://x/y?token=abcdefghi&z=1#f"}`, `{"a":"https://x/y?token=[redacted]&z=1"}`, nil, 0},
		{"cut short", `{"a":1,"token":"abcdef`, `{"a":1,"token"`, nil, 8},
		{"twice the name", `{"token":"abcdefghi","token":"jklmnopqr"}`, `{"token":"[redacted]","token":"[redacted]"}`, nil, 0},
		{"no JSON", "<p>token abcdefghi</p>", "", nil, 22},
		{"JSON and more", `{} token=abcdefghi`, `{}`, nil, 16},
		{"not UTF-8", "{\"a\":\"\xff\"}", "", nil, 9},
		{"form", "a=1&client_secret=abc&metadata%5Btoken%5D=abc&b=%73%33cr%E2%82%ACt%26key%2F%2Bvalue", "a=1&client_secret=[redacted]&metadata%5Btoken%5D=[redacted]&b=%5Bredacted%5D", form, 0},
		{"bad form", "a=%zz&b=1", "[redacted]&b=1", form, 0},
		{"empty", "", "", nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := newScrubber(Options{Secrets: []string{secret}}).message(Message{}, "", test.header, []byte(test.in), true)
			if got.Body != test.want || got.Omitted != test.omitted {
				t.Errorf("got  %q, %d\nwant %q, %d", got.Body, got.Omitted, test.want, test.omitted)
			}
		})
	}
}

func TestURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/v1/x?uid=1&client_secret=abc":            "https://a.example/v1/x?uid=1&client_secret=[redacted]",
		"https://u:passw0rd-1@a.example/":                           "https://redacted@a.example/",
		"https://a.example/%73%33cr%E2%82%ACt&key%2F%2Bvalue/x?a=1": "https://a.example/%5Bredacted%5D?a=1",
	} {
		if got := newScrubber(Options{Secrets: []string{secret}}).link(in); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestHeader(t *testing.T) {
	s := newScrubber(Options{Secrets: []string{secret}, ShowIncoming: []string{"signature", "authorization"}})
	in := http.Header{
		"Authorization": {"Bearer tok-1234567"}, "Signature": {"sig"}, "X-New-Key": {"k"}, "Idempotency-Key": {"pay tok-1234567"},
		"Accept": {base64.StdEncoding.EncodeToString([]byte(secret))}, "Location": {"https://x/?token=abc"}, "User-Agent": {"x"},
	}
	s.learnHeader(in)
	s.settle()
	out, back := s.header(in, false), s.header(in, true)
	for name, want := range map[string]string{
		"Authorization": "[redacted]", "Signature": "[redacted]", "X-New-Key": "[redacted]", "Idempotency-Key": "pay [redacted]",
		"Accept": "[redacted]", "Location": "https://x/?token=[redacted]", "User-Agent": "",
	} {
		if got := out.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
		if name == "Signature" {
			want = "sig" // it is the acquirer's
		}
		if got := back.Get(name); got != want {
			t.Errorf("%s of an answer: %s", name, got)
		}
	}
}

func TestNotification(t *testing.T) {
	var out strings.Builder
	r := NewRecorder(&out, Options{Secrets: []string{"other-secret"}})
	r.With(Options{Secrets: []string{secret}}).Notification(sdk.HTTPRequest{
		Method: "POST", Path: "/v1/notifications/a%20b", RawQuery: "sign=abc&x=1", Header: map[string][]string{"Signature": {"abcdefghi"}},
		Body: []byte(`{"a":"` + hex.EncodeToString([]byte(secret)) + ` abcdefghi"}`),
	})
	p, err := NewReplayer(strings.NewReader(out.String()), Options{})
	if err != nil || r.Err() != nil {
		t.Fatal(err, r.Err())
	}
	n, err := p.Notification()
	if err != nil || n.Method != "POST" || n.Path != "/v1/notifications/a%20b" || n.RawQuery != "sign=[redacted]&x=1" ||
		n.Get("Signature") != "[redacted]" || string(n.Body) != `{"a":"[redacted] [redacted]"}` || n.ReceivedAt.IsZero() || p.Done() != nil {
		t.Errorf("%+v, %v, %v", n, err, p.Done())
	}
}

// Whatever comes in, JSON without secrets keeps each byte, and a value that is
// known never gets through.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"\u0041"}]}`, `{"x":"known-secret","y":"{\"z\":1}"}`, `"known-secret`, `[]{}`, `{"a":"https://x/?a=b"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := newScrubber(Options{Secrets: []string{"known-secret"}})
		got, omitted := s.body(nil, []byte(body))
		if strings.Contains(got, "known-secret") {
			t.Errorf("%q: %q", body, got)
		}
		if omitted == 0 && !strings.Contains(got, "edacted") && got != body {
			t.Errorf("%q became %q", body, got)
		}
		if len(got) > 0 && omitted > 0 && !strings.Contains(got, "edacted") && len(got)+omitted != len(body) {
			t.Errorf("%q became %q and %d", body, got, omitted)
		}
	})
}
