package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestAnswersThatSettleNothing(t *testing.T) {
	cases := map[string]struct {
		answer func(f *fakeAPI) func(http.ResponseWriter, CreateRequest)
		retry  bool // the page offers the same attempt again
	}{
		"202 UNKNOWN": {func(f *fakeAPI) func(http.ResponseWriter, CreateRequest) {
			return func(w http.ResponseWriter, req CreateRequest) {
				p, _ := f.store(req, "UNKNOWN")
				sayJSON(w, http.StatusAccepted, p)
			}
		}, false},
		"202 still running": {func(f *fakeAPI) func(http.ResponseWriter, CreateRequest) {
			return func(w http.ResponseWriter, req CreateRequest) {
				p, _ := f.store(req, "CREATED")
				sayJSON(w, http.StatusAccepted, p)
			}
		}, true},
		"status of a later version": {func(f *fakeAPI) func(http.ResponseWriter, CreateRequest) {
			return func(w http.ResponseWriter, req CreateRequest) {
				p, _ := f.store(req, "LEVITATING")
				sayJSON(w, http.StatusCreated, p)
			}
		}, false},
		"dropped before it was kept": {func(*fakeAPI) func(http.ResponseWriter, CreateRequest) {
			return func(w http.ResponseWriter, _ CreateRequest) { drop(w) }
		}, true},
		"500": {func(*fakeAPI) func(http.ResponseWriter, CreateRequest) {
			return func(w http.ResponseWriter, _ CreateRequest) { sayProblem(w, 500, "INTERNAL", nil) }
		}, true},
		"502 of a proxy": {func(*fakeAPI) func(http.ResponseWriter, CreateRequest) {
			return func(w http.ResponseWriter, _ CreateRequest) { http.Error(w, "bad gateway", http.StatusBadGateway) }
		}, true},
		"not JSON": {func(*fakeAPI) func(http.ResponseWriter, CreateRequest) {
			return func(w http.ResponseWriter, _ CreateRequest) { _, _ = w.Write([]byte("<html>")) }
		}, true},
		"another attempt's payment": {func(*fakeAPI) func(http.ResponseWriter, CreateRequest) {
			return func(w http.ResponseWriter, _ CreateRequest) {
				sayJSON(w, http.StatusCreated, Payment{ID: "pay_1", MerchantOrderID: "other", Status: "SUCCEEDED"})
			}
		}, true},
		"too long": {func(*fakeAPI) func(http.ResponseWriter, CreateRequest) {
			return func(w http.ResponseWriter, _ CreateRequest) { _, _ = w.Write(make([]byte, maxAnswer+1)) }
		}, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newTestShop(t, "")
			order := s.order()
			s.api.next(c.answer(s.api))
			page := s.land(s.payWith(order, "alipay_hk"))
			s.want(page, http.StatusOK, stateChecking)
			if strings.Contains(strings.ToLower(page.body), "fail") || !strings.Contains(page.body, `http-equiv="refresh"`) {
				t.Errorf("not a page that waits:\n%s", page.body)
			}
			if got := page.has("retry-payment"); got != c.retry {
				t.Errorf("offers the same attempt again: %v", got)
			}
			s.want(s.get(order+"/return"), http.StatusOK, stateChecking)
			if !c.retry {
				return
			}
			id := s.lastAttempt()
			if a := s.press(page, "retry-payment"); !strings.Contains(a.location, "/wallet/"+id) || len(s.api.stored()) != 1 {
				t.Errorf("once more led to %q with %d payments", a.location, len(s.api.stored()))
			}
		})
	}
}

func TestLostAnswerIsAskedForAgain(t *testing.T) {
	s := newTestShop(t, "")
	s.api.next(func(w http.ResponseWriter, req CreateRequest) {
		s.api.store(req, "PENDING")
		drop(w)
	})
	a := s.payWith(s.order(), "alipay_hk")
	if !strings.Contains(a.location, "/wallet/"+s.lastAttempt()) {
		t.Errorf("led to %q, not on to the wallet", a.location)
	}
	if !s.api.asked(`^GET /v1/payments\?.*merchant_order_id=`+s.lastAttempt()) || len(s.api.sent()) != 1 {
		t.Errorf("asked %v", s.api.requests)
	}
}

func TestRefusals(t *testing.T) {
	problem := func(status int, code string, header http.Header) func(*fakeAPI, http.ResponseWriter, CreateRequest) {
		return func(_ *fakeAPI, w http.ResponseWriter, _ CreateRequest) { sayProblem(w, status, code, header) }
	}
	cases := map[string]struct {
		answer  func(*fakeAPI, http.ResponseWriter, CreateRequest)
		status  int
		state   state
		buttons []string
		words   string
	}{
		"402": {func(f *fakeAPI, w http.ResponseWriter, req CreateRequest) {
			f.store(req, "FAILED")
			sayProblem(w, http.StatusPaymentRequired, "DECLINED", nil)
		}, 200, stateFailed, []string{"pay-alipay_hk", "pay-alipay_cn"}, "did not go through"},
		"503": {func(f *fakeAPI, w http.ResponseWriter, req CreateRequest) {
			f.store(req, "CREATED")
			sayProblem(w, http.StatusServiceUnavailable, "NOT_SENT", http.Header{"Retry-After": {"30"}})
		}, 503, stateUnavailable, []string{"retry-payment", "pay-alipay_cn"}, "try again in 30 seconds"},
		"429":      {problem(429, "SLOW_DOWN", nil), 503, stateUnavailable, []string{"retry-payment"}, "in a moment"},
		"no route": {problem(422, "NO_ROUTE", nil), 502, stateUnavailable, []string{"pay-alipay_cn"}, "is not offered"},
		"400":      {problem(400, "INVALID", nil), 502, stateUnavailable, []string{"pay-alipay_hk"}, "cannot take this payment"},
		"401":      {problem(401, "UNAUTHORIZED", nil), 502, stateUnavailable, []string{"pay-alipay_hk"}, "cannot take this payment"},
		"409":      {problem(409, "DUPLICATE_ORDER", nil), 502, stateUnavailable, []string{"pay-alipay_hk"}, "cannot take this payment"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newTestShop(t, "")
			s.api.next(func(w http.ResponseWriter, req CreateRequest) { c.answer(s.api, w, req) })
			page := s.land(s.payWith(s.order(), "alipay_hk"))
			s.want(page, c.status, c.state)
			for _, id := range c.buttons {
				if !page.has(id) {
					t.Errorf("no #%s", id)
				}
			}
			if !strings.Contains(page.body, "have not been charged") || !strings.Contains(page.body, c.words) {
				t.Errorf("does not say %q:\n%s", c.words, page.body)
			}
			if !strings.Contains(s.log.String(), "attempt refused") {
				t.Error("nothing in the log")
			}
		})
	}
}

func TestUnavailableRepeatsTheSameAttempt(t *testing.T) {
	s := newTestShop(t, "")
	s.api.next(func(w http.ResponseWriter, req CreateRequest) {
		s.api.store(req, "CREATED")
		sayProblem(w, http.StatusServiceUnavailable, "NOT_SENT", http.Header{"Retry-After": {"7"}})
	})
	page := s.payWith(s.order(), "alipay_hk")
	if page.header.Get("Retry-After") != "7" {
		t.Errorf("Retry-After %q", page.header.Get("Retry-After"))
	}
	a := s.press(page, "retry-payment")
	sent := s.api.sent()
	if len(sent) != 2 || sent[0] != sent[1] || !strings.Contains(a.location, "/wallet/") {
		t.Errorf("sent %+v and went to %q", sent, a.location)
	}
}
