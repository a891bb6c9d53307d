package transcript

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/internal/guise"
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
		{"as a name with escapes", `{"\u0073\u0033cr\u20ac\u0074&key\/+value":1}`, `{"[redacted]":1}`, nil, 0},
		{"a number", `{"a":[77001234567]}`, `{"a":[[redacted]]}`, nil, 0},
		{"an object", `{"a":{"kid":"1","x":"y"}}`, `{"a":[redacted]}`, nil, 0},
		{"unescaped in a form", "x=s3cr€t&key/+value", "x=[redacted]", form, 0},
		{"as a form's name", "a=1&%73%33cr%E2%82%ACt%26key%2F%2Bvalue=1", "a=1&[redacted]", form, 0},
		{"JSON within", `{"a":"{\"token\":\"abcdefghi\"}"}`, `{"a":"{\"token\":\"[redacted]\"}"}`, nil, 0},
		{"URL within", `{"a":"https://x/y?token=abcdefghi&z=1#f"}`, `{"a":"https://x/y?token=[redacted]&z=1"}`, nil, 0},
		{"fragment within", `{"a":"https://x/y#access_token=abcdefghi","b":"abcdefghi"}`, `{"a":"https://x/y#[redacted]","b":"[redacted]"}`, nil, 0},
		{"fragment after a query", `{"a":"https://x/y?z=1#token=abc"}`, `{"a":"https://x/y?z=1#[redacted]"}`, nil, 0},
		{"a fragment without one", `{"a":"https://x/y?z=1#part"}`, `{"a":"https://x/y?z=1#part"}`, nil, 0},
		{"relative URL within", `{"a":"/y?token=abc&z=1"}`, `{"a":"/y?token=[redacted]&z=1"}`, nil, 0},
		{"bad URL within", `{"a":"https://x/%zz?token=abc"}`, `{"a":"[redacted]"}`, nil, 0},
		{"form within", `{"a":"z=1&client_secret=abc"}`, `{"a":"z=1&client_secret=[redacted]"}`, nil, 0},
		{"form without one", `{"a":"z=%zz&y=1 = 1"}`, `{"a":"z=%zz&y=1 = 1"}`, nil, 0},
		{"JSON within, cut short", `{"a":" {\"token\":\"abc"}`, `{"a":"[redacted]"}`, nil, 0},
		{"no JSON within", `{"a":"[1] of 2"}`, `{"a":"[1] of 2"}`, nil, 0},
		{"JSON far within", nested(`{"token":"abc"}`, deepest+1), nested(guise.Redacted, deepest+1), nil, 0},
		{"many", `{"access_tokens":["abcdefghi"],"address":"x"}`, `{"access_tokens":"[redacted]","address":"x"}`, nil, 0},
		{"each name of a form", "token[]=abc&secret[0]=abc&x[token]=abc&x[y]=1", "token[]=[redacted]&secret[0]=[redacted]&x[token]=[redacted]&x[y]=1", form, 0},
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
			got := newScrubber(Options{Secrets: []string{secret, "77001234567", `{"kid":"1","x":"y"}`}}).message(Message{}, "", test.header, []byte(test.in), true)
			if got.Body != test.want || got.Omitted != test.omitted {
				t.Errorf("got  %q, %d\nwant %q, %d", got.Body, got.Omitted, test.want, test.omitted)
			}
		})
	}
}

// nested returns a text in JSON, in JSON within a string, and so on.
func nested(text string, depth int) string {
	for range depth {
		inJSON, _ := json.Marshal(map[string]string{"a": text})
		text = string(inJSON)
	}
	return text
}

func TestURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/v1/x?uid=1&client_secret=abc":            "https://a.example/v1/x?uid=1&client_secret=[redacted]",
		"https://u:passw0rd-1@a.example/":                           "https://redacted@a.example/",
		"https://a.example/%zz?token=abc":                           "[redacted]",
		"https://a.example/x?z=1#access_token=abc":                  "https://a.example/x?z=1#[redacted]",
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
		"Authorization": {"Bearer tok-1234567"}, "signature": {"sig-of-the-acquirer"}, "X-New-Key": {"k"}, "Idempotency-Key": {"pay tok-1234567"},
		"Accept": {base64.StdEncoding.EncodeToString([]byte(secret))}, "Location": {"https://x/?token=abc"}, "user-agent": {"x"},
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
			want = "sig-of-the-acquirer" // it is the acquirer's
		}
		if got := back.Get(name); got != want {
			t.Errorf("%s of an answer: %s", name, got)
		}
	}
}

// What a header or a URL teaches is looked for in the same message and in all
// that follow, however often another secret is learned in between.
func TestLearned(t *testing.T) {
	s := newScrubber(Options{Secrets: []string{secret}})
	first := s.message(Message{}, "https://key-of-user@x/?sign=s1gnature-1&y=passw0rd-1", http.Header{
		"Authorization": {"Bearer tok-1234567"}, "Set-Cookie": {"sid=c00kie-123; Path=/"}, "Cookie": {"sid=c00kie-456"}, "x-api-key": {"k3y-123456"}, "X-Session-Token": {"a b c d e"},
		"Location": {"https://u:passw0rd-1@x/"},
	}, []byte(`{"a":"s1gnature-1 tok-1234567 c00kie-123 c00kie-456 k3y-123456 key-of-user passw0rd-1 a b c d e"}`), true)
	for range 3 {
		s.message(Message{}, "", nil, []byte(`{"token":"another-1"}`), true)
		s.message(Message{}, "", nil, []byte(`{"token":"another-2"}`), true)
	}
	later := s.message(Message{}, "", nil, []byte(`"s1gnature-1 tok-1234567 c00kie-123 c00kie-456 k3y-123456 key-of-user passw0rd-1 a b c d e `+secret+`"`), false)
	const gone = "[redacted] [redacted] [redacted] [redacted] [redacted] [redacted] [redacted] [redacted]"
	if first.Body != `{"a":"`+gone+`"}` || first.URL != "https://redacted@x/?sign=[redacted]&y=%5Bredacted%5D" || later.Body != `"`+gone+` [redacted]"` {
		t.Errorf("%s\n%s\n%s", first.URL, first.Body, later.Body)
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
