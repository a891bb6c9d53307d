package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// clientOf returns a client of an API that answers everything alike.
func clientOf(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := NewClient(srv.URL+"/api/", testKey)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientReadsProblems(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/payments" {
			t.Errorf("asked %s", r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
		w.Header().Set("Retry-After", "12")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"code":"NO_PROVIDER","outcome":"NOT_SENT","payment_id":"pay_1","field":"method","detail":"d"}`))
	})
	_, err := c.Create(t.Context(), CreateRequest{MerchantOrderID: "a"})
	var p *Problem
	want := Problem{Status: 503, RetryAfter: 12 * time.Second, Code: "NO_PROVIDER", Outcome: "NOT_SENT", PaymentID: "pay_1", Field: "method", Detail: "d"}
	if !errors.As(err, &p) || *p != want {
		t.Errorf("got %v", err)
	}
}

func TestClientKeepsTheKeyToItself(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed a redirect") }))
	defer thief.Close()
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+testKey {
			t.Error("no key")
		}
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
	})
	_, err := c.Create(t.Context(), CreateRequest{MerchantOrderID: "a"})
	var p *Problem
	if !errors.As(err, &p) || p.Status != http.StatusTemporaryRedirect || strings.Contains(err.Error(), testKey) {
		t.Errorf("got %v", err)
	}
}

func TestClientWantsAllAttempts(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"data":[],"next_cursor":"more"}`))
	})
	if _, err := c.Group(t.Context(), "o"); !errors.Is(err, errAnswer) {
		t.Errorf("half an answer: %v", err)
	}
}

func TestClientFindsOnlyWhatItAskedFor(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"data":[{"id":"pay_1","merchant_order_id":"other"}]}`))
	})
	if p, found, err := c.Find(t.Context(), "mine"); err != nil || found {
		t.Errorf("%+v, %v, %v", p, found, err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-5": 0, "0": 0, "30": 30 * time.Second, "99999999999": time.Hour,
		"Wed, 01 Jan 2025 00:00:45 GMT": 45 * time.Second, "Tue, 31 Dec 2024 00:00:00 GMT": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestBaseURL(t *testing.T) {
	for _, good := range []string{"http://127.0.0.1:8080", "https://pay.example.com/paymux/"} {
		if _, err := baseURL("-paymux", good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "127.0.0.1:8080", "ftp://x", "https://", "https://user:secret@x", "https://x?a=b", "https://x#a", "http://%zz"} {
		if _, err := baseURL("-paymux", bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
