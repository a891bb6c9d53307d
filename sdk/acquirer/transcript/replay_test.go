package transcript_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paymux/paymux/sdk"
	"github.com/paymux/paymux/sdk/acquirer"
	"github.com/paymux/paymux/sdk/acquirer/transcript"
)

const key = "k3y-of-the-merchant"

// server is an acquirer that misbehaves as the path says.
func server(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/closed":
			panic(http.ErrAbortHandler)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"a":`)
		case "/slow":
			<-r.Context().Done()
		case "/html":
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<p>"+key)
		default:
			w.Header().Set("X-Secret", "x")
			_, _ = fmt.Fprintf(w, `{"access_token":"t0ken-%s","echo":%q}`, r.URL.Query().Get("n"), r.Header.Get("Authorization")+string(body))
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

type result struct {
	status  int
	body    string
	code    sdk.Code
	outcome sdk.Outcome
}

func send(t *testing.T, c *acquirer.Client, method, target, body string) result {
	t.Helper()
	contentType := ""
	if method == "POST" {
		contentType = "application/json"
	}
	req, err := acquirer.NewRequest(t.Context(), method, target, contentType, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := c.Do(t.Context(), req)
	if err != nil {
		e := sdk.AsError(err)
		return result{code: e.Code, outcome: e.Outcome}
	}
	return result{status: resp.Status, body: string(resp.Body)}
}

// All that can happen to an exchange happens again, with the same outcome.
func TestRecordAndReplay(t *testing.T) {
	base := server(t)
	nobody := httptest.NewServer(nil)
	nobody.Close()
	var out strings.Builder
	recorder := transcript.NewRecorder(&out, transcript.Options{Secrets: []string{key}})
	run := func(c *acquirer.Client) (all []result) {
		defer c.Close()
		for _, path := range []string{"/?n=1&token=" + key, "/closed", "/cut", "/html", "/slow"} {
			all = append(all, send(t, c, "POST", base+path, `{"key":"`+key+`"}`))
		}
		return append(all, send(t, c, "GET", base+"/?n=2", ""), send(t, c, "GET", nobody.URL, ""))
	}
	live := run(acquirer.NewClient(acquirer.Options{Transport: recorder.Transport, Timeout: time.Second}))
	if err := recorder.Err(); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{key, "t0ken"} {
		if strings.Contains(out.String(), s) {
			t.Errorf("%s is in %s", s, out.String())
		}
	}
	if !strings.Contains(live[0].body, key) || live[6].outcome != sdk.OutcomeNotSent {
		t.Errorf("%+v", live)
	}
	replayer, err := transcript.NewReplayer(strings.NewReader(out.String()), transcript.Options{Secrets: []string{key}})
	if err != nil {
		t.Fatal(err)
	}
	again := run(acquirer.NewClient(acquirer.Options{Transport: replayer.Transport}))
	if err := replayer.Done(); err != nil {
		t.Fatal(err)
	}
	for i := range live {
		live[i].body, again[i].body = "", ""
		if live[i] != again[i] {
			t.Errorf("%d: %+v became %+v", i, live[i], again[i])
		}
	}
}

func TestDifferences(t *testing.T) {
	base := server(t)
	var out strings.Builder
	recorder := transcript.NewRecorder(&out, transcript.Options{})
	c := acquirer.NewClient(acquirer.Options{Transport: recorder.Transport})
	defer c.Close()
	send(t, c, "POST", base+"/", `{"amount":"1.00","id":"A"}`)
	for _, test := range []struct {
		method, url, body string
		want              string
	}{
		{"POST", base + "/", `{"amount":"1.00","id":"A"}`, ""},
		{"POST", base + "/", `{"amount":"9.00","id":"A"}`, `body is "{\"amount\":\"9.00\"`},
		{"POST", base + "/other", `{"amount":"1.00","id":"A"}`, "URL is"},
		{"POST", base + "/?token=" + key, `{"amount":"1.00","id":"` + key + `"}`, "[redacted]"},
		{"GET", base + "/", "", "method is"},
	} {
		replayer, err := transcript.NewReplayer(strings.NewReader(out.String()), transcript.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c := acquirer.NewClient(acquirer.Options{Transport: replayer.Transport})
		got := send(t, c, test.method, test.url, test.body)
		err = replayer.Done()
		if test.want == "" {
			if err != nil || got.status != 200 {
				t.Errorf("%+v, %v", got, err)
			}
			err = nil
			send(t, c, test.method, test.url, test.body)
			if after := replayer.Done(); after == nil || !strings.Contains(after.Error(), "has ended") {
				t.Errorf("one too many: %v", after)
			}
			continue
		}
		difference, ok := errors.AsType[*transcript.Difference](err)
		if !ok || !strings.Contains(difference.Error(), test.want) || strings.Contains(difference.Error(), key) {
			t.Errorf("got %v, want %s", err, test.want)
		}
		if got.outcome != sdk.OutcomeNotSent {
			t.Errorf("got %+v", got)
		}
		// What differed once is no basis for what comes after.
		if got := send(t, c, "POST", base+"/", `{"amount":"1.00","id":"A"}`); got.status != 0 {
			t.Errorf("%+v", got)
		}
	}
	unplayed, err := transcript.NewReplayer(strings.NewReader(out.String()), transcript.Options{})
	if err != nil || unplayed.Done() == nil {
		t.Errorf("%v, %v", err, unplayed.Done())
	}
	if _, err := unplayed.Notification(); err == nil || !strings.Contains(err.Error(), "no notification") {
		t.Error(err)
	}
}

// What wasn't recorded can't be played, nor pass for something else.
func TestOmitted(t *testing.T) {
	base := server(t)
	var out strings.Builder
	c := acquirer.NewClient(acquirer.Options{Transport: transcript.NewRecorder(&out, transcript.Options{}).Transport})
	defer c.Close()
	send(t, c, "POST", base, "<a>")
	for body, same := range map[string]bool{"<b>": true, "<ab>": false} {
		replayer, err := transcript.NewReplayer(strings.NewReader(out.String()), transcript.Options{})
		if err != nil {
			t.Fatal(err)
		}
		send(t, acquirer.NewClient(acquirer.Options{Transport: replayer.Transport}), "POST", base, body)
		if err := replayer.Done(); (err == nil) != same {
			t.Errorf("%s: %v", body, err)
		}
	}
	replayer, err := transcript.NewReplayer(strings.NewReader(`{"at":"2026-01-02T03:04:05Z","notification":{"method":"POST","url":"/x","omitted":3}}`), transcript.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := replayer.Notification(); err == nil {
		t.Errorf("%+v", n)
	}
}

func TestBadTranscripts(t *testing.T) {
	for _, text := range []string{"{}", "x", `{"request":{}}`, `{"request":{},"answer":{},"more":1}`, `{"notification":{},"answer":{}}`} {
		if _, err := transcript.NewReplayer(strings.NewReader(text), transcript.Options{}); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A full disk must not cost a payment.
func TestRecorderThatCannotWrite(t *testing.T) {
	recorder := transcript.NewRecorder(noSpace{}, transcript.Options{})
	c := acquirer.NewClient(acquirer.Options{})
	defer c.Close()
	ctx := transcript.NewContext(t.Context(), recorder)
	req, err := acquirer.NewRequest(ctx, "GET", server(t), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := c.Do(ctx, req); err != nil || resp.Status != 200 {
		t.Errorf("%+v, %v", resp, err)
	}
	if recorder.Err() == nil || transcript.FromContext(context.Background()) != nil {
		t.Error("no error")
	}
}

type noSpace struct{}

func (noSpace) Write([]byte) (int, error) { return 0, errors.New("no space") }
