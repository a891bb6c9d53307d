package host

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The secrets of the endpoints, and where they are. Two merchants share a URL.
const (
	secretA     = "whsec_aHVzaC1odXNoLWh1c2gtaHVzaC1odXNoLWFhYWE="
	secretDead  = "whsec_aHVzaC1odXNoLWh1c2gtaHVzaC1odXNoLWRlYWQ="
	secretB     = "whsec_aHVzaC1odXNoLWh1c2gtaHVzaC1odXNoLWJiYmI="
	hookURL     = "https://shop.example.com/hooks?token=hush-hush"
	otherURL    = "https://other.example.com/hooks"
	eventConfig = worldConfig + `
events:
  - {url: "` + hookURL + `", secret: "` + secretA + `", merchant: shop-a}
  - {url: "` + hookURL + `", secret: "` + secretB + `", merchant: shop-b}
`
	twoEndpoints = eventConfig + `
  - {url: "` + otherURL + `", secret: "` + secretDead + `", merchant: shop-a}
`
)

// delivery is one attempt, as an endpoint saw it.
type delivery struct {
	Event
	url      string
	at       time.Time
	bytes    int
	signedBy string // the secret that verifies it
	payment  toldPayment
}

// shops are the endpoints of the merchants: a transport without a network.
type shops struct {
	t      *testing.T
	mu     sync.Mutex
	got    []delivery
	answer func(context.Context, delivery) (*http.Response, error)
}

func newShops(t *testing.T) *shops {
	return &shops{t: t, answer: func(context.Context, delivery) (*http.Response, error) { return says(204), nil }}
}

// says is the answer of an endpoint; header lines are "Name: value".
func says(status int, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("thanks"))}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	return r
}

func (s *shops) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	d := delivery{url: r.URL.String(), at: time.Now(), bytes: len(body)}
	if err := json.Unmarshal(body, &d.Event); err != nil {
		s.t.Errorf("%v: %s", err, body)
	}
	if err := json.Unmarshal(d.Data, &d.payment); err != nil {
		s.t.Errorf("%v: %s", err, body)
	}
	for _, secret := range []string{secretA, secretDead, secretB} {
		verifier, err := standardwebhooks.NewWebhook(secret)
		if err == nil && verifier.Verify(body, r.Header) == nil {
			d.signedBy = secret
		}
	}
	if d.signedBy == "" || r.Header.Get("webhook-id") != d.ID || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
		s.t.Errorf("%s %v: no good signature of a fresh delivery", r.Method, r.Header)
	}
	if d.bytes >= 20_000 {
		s.t.Errorf("%d bytes", d.bytes)
	}
	s.mu.Lock()
	s.got = append(s.got, d)
	answer := s.answer
	s.mu.Unlock()
	return answer(r.Context(), d)
}

// answers makes the endpoints answer so from now on.
func (s *shops) answers(answer func(context.Context, delivery) (*http.Response, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// heard returns what came to an endpoint, and forgets it.
func (s *shops) heard(url string) (all []delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = slices.DeleteFunc(s.got, func(d delivery) bool {
		if d.url == url {
			all = append(all, d)
		}
		return d.url == url
	})
	return all
}

func types(all []delivery) (names []string) {
	for _, d := range all {
		names = append(names, strings.TrimPrefix(d.Type, "payment."))
	}
	return names
}

// told fails unless the events of a payment are numbered from one, each is the
// event of one timeline entry in the same order, and each entry that has to be
// told of has one.
func (w *world) told(id string) []Event {
	w.t.Helper()
	all, more, err := w.Events(context.Background(), "shop-a", EventFilter{Limit: MaxPage})
	if err != nil || more {
		w.t.Fatal(err, more)
	}
	slices.Reverse(all)
	all = slices.DeleteFunc(all, func(e Event) bool { return !bytes.HasPrefix(e.Data, []byte(`{"id":"`+id)) })
	p, next := w.get(id), 0
	for _, e := range p.Timeline {
		if e.Kind == "note" || e.Status == "CREATED" && e.Kind == "status" {
			if e.EventID != "" {
				w.t.Errorf("an event of %+v", e)
			}
			continue
		}
		if next == len(all) || all[next].ID != e.EventID || all[next].Sequence != int64(next+1) {
			w.t.Fatalf("entry %+v has no event of its own in order: %+v", e, all)
		}
		next++
	}
	if next != len(all) {
		w.t.Errorf("%d entries that are told of, %d events", next, len(all))
	}
	return all
}

// keepsSecrets fails if a secret of an endpoint is in the store or in the log.
func (w *world) keepsSecrets() {
	w.t.Helper()
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(w.cfg.Store.Path + suffix)
		if err != nil && !os.IsNotExist(err) {
			w.t.Fatal(err)
		}
		for _, secret := range []string{"hush-hush", secretA[6:], secretB[6:], secretDead[6:]} {
			if bytes.Contains(data, []byte(secret)) || strings.Contains(w.log.String(), secret) {
				w.t.Errorf("a secret is in the store%s or in the log", suffix)
			}
		}
	}
}
