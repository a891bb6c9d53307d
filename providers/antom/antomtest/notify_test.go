package antomtest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// notified pays goodPay in virtual time and returns what the merchant received
// within two days.
func notified(t *testing.T, o Options, m *shop, prepare func(*Server)) (s *Server) {
	t.Helper()
	o.HTTPClient = &http.Client{Transport: m}
	s = New(o)
	path := livePath
	if s.sandbox() {
		path = sandboxPath
	}
	if got := send(t, s, request(s, path+"/payments/pay", goodPay)); got.body.PaymentID == "" {
		t.Fatalf("got %s", got.raw)
	}
	if prepare != nil {
		prepare(s)
	}
	if _, err := s.Pay("P1"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(48 * time.Hour)
	synctest.Wait()
	s.Close()
	return s
}

func TestNotification(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shop{answers: []string{ack}}
		s := notified(t, Options{}, m, nil)
		if len(m.got) != 1 || !s.Notifications()[0].Delivered {
			t.Fatalf("%d attempts: %+v", len(m.got), s.Notifications())
		}
		r, body := m.got[0], m.bodies[0]
		if r.Header.Get("Client-Id") != DefaultClientID || r.URL.Path != "/notify" {
			t.Errorf("got %v %v", r.URL, r.Header)
		}
		if err := signedBy(&acquirerKey().PublicKey, "1", "POST", "/notify", DefaultClientID, r.Header.Get("Request-Time"), []byte(body), r.Header.Get("Signature")); err != nil {
			t.Error(err)
		}
		for _, part := range []string{`{"notifyType":"PAYMENT_RESULT","result":{"resultCode":"SUCCESS","resultStatus":"S"`, `"paymentRequestId":"P1"`, `"paymentAmount":{"currency":"HKD","value":"150"}`, `"paymentTime":"`} {
			if !strings.Contains(body, part) {
				t.Errorf("no %s in %s", part, body)
			}
		}
	})
}

func TestAttemptsOfNotifications(t *testing.T) {
	for name, test := range map[string]struct {
		client   string
		answers  []string
		status   int
		attempts int
	}{
		"never acknowledged":      {"", []string{"{}"}, 0, 8},
		"empty 200":               {"", []string{""}, 0, 8},
		"acknowledged, but 500":   {"", []string{ack}, 500, 8},
		"a failure":               {"", []string{strings.Replace(ack, `"S"`, `"F"`, 1)}, 0, 8},
		"the third time":          {"", []string{"no", "no", ack}, 0, 3},
		"the sandbox tries once":  {"SANDBOX_1", []string{"no"}, 0, 1},
		"acknowledged at once":    {"", []string{ack}, 0, 1},
		"acknowledged in sandbox": {"SANDBOX_1", []string{ack}, 0, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := &shop{answers: test.answers, status: test.status}
			s := notified(t, Options{ClientID: test.client, ISOTime: true}, m, nil)
			if len(m.got) != test.attempts || len(s.Notifications()) != test.attempts {
				t.Fatalf("%s: %d attempts", name, len(m.got))
			}
			for i := 1; i < len(m.at); i++ {
				if wait := m.at[i].Sub(m.at[i-1]); wait != RetryIntervals()[i-1] {
					t.Errorf("%s: attempt %d after %s", name, i+1, wait)
				}
				if m.bodies[i] != m.bodies[0] || m.got[i].Header.Get("Request-Time") == m.got[0].Header.Get("Request-Time") {
					t.Errorf("%s: attempt %d has the body or the time of another", name, i+1)
				}
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		m := &shop{answers: []string{"no"}}
		notified(t, Options{FirstRequestTime: true}, m, nil)
		if m.got[7].Header.Get("Request-Time") != m.got[0].Header.Get("Request-Time") {
			t.Error("a new time, although the first was to stay")
		}
	})
	if sum := slices.Max(RetryIntervals()); sum != 15*time.Hour || len(RetryIntervals()) != 7 {
		t.Errorf("intervals %v", RetryIntervals())
	}
}

func TestFaultsOfNotifications(t *testing.T) {
	for kind, check := range map[Kind]func(*testing.T, *Server, *shop) bool{
		KindDuplicate:        func(_ *testing.T, _ *Server, m *shop) bool { return len(m.got) == 3 && m.bodies[0] == m.bodies[2] },
		KindMissingSignature: func(_ *testing.T, _ *Server, m *shop) bool { return m.got[0].Header.Get("Signature") == "" },
		KindDrop: func(_ *testing.T, s *Server, m *shop) bool {
			return len(m.got) == 1 && len(s.Notifications()) == 2 && s.Notifications()[0].Error != ""
		},
		KindUnknownType: func(_ *testing.T, _ *Server, m *shop) bool { return strings.Contains(m.bodies[0], "UNHEARD_OF") },
		KindStale: func(_ *testing.T, s *Server, m *shop) bool {
			return m.got[0].Header.Get("Request-Time") == s.timeHeader(m.at[0].Add(-2*time.Minute))
		},
		KindDelay: func(_ *testing.T, s *Server, m *shop) bool {
			return s.Orders()[0].PaidAt.Add(2 * time.Minute).Equal(m.at[0])
		},
		KindBadSignature: func(_ *testing.T, _ *Server, m *shop) bool {
			h := m.got[0].Header
			return signedBy(&acquirerKey().PublicKey, "1", "POST", "/notify", DefaultClientID, h.Get("Request-Time"), []byte(m.bodies[0]), h.Get("Signature")) != nil && h.Get("Signature") != ""
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := &shop{answers: []string{ack}}
			s := notified(t, Options{}, m, func(s *Server) {
				s.Inject(Fault{Kind: kind, Op: OpNotify, Match: "other"}) // hits nobody
				s.Inject(Fault{Kind: kind, Op: OpNotify, Match: "P1", Times: 1, Count: 2, Delay: 2 * time.Minute})
			})
			if !check(t, s, m) || s.ClearFaults() != 1 {
				t.Errorf("%s: %+v", kind, s.Notifications())
			}
		})
	}
}

func TestOtherMovesNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &shop{answers: []string{ack}}
		s := New(Options{HTTPClient: &http.Client{Transport: m}})
		defer s.Close()
		mustPay(t, s, "P1")
		for _, to := range []Status{Pending, Processing, Fail, Success, Cancelled} {
			if _, err := s.SetStatus("P1", to); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if len(m.bodies) != 4 || !strings.Contains(m.bodies[0], `"PAYMENT_PENDING","result":{"resultCode":"SUCCESS"`) || !strings.Contains(m.bodies[1], `"resultStatus":"F"`) {
			t.Errorf("got %q", m.bodies)
		}
		if _, err := s.SetStatus("P9", Fail); err != ErrNotFound {
			t.Errorf("got %v", err)
		}
	})
}
