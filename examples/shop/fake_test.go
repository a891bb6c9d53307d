package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

const testKey = "sk_test_do_not_print"

// fakeAPI is the part of the paymux API that the shop uses, with a wallet page
// for browsers. Tests script how it answers.
type fakeAPI struct {
	srv *httptest.Server

	mu       sync.Mutex
	payments []*Payment // oldest first
	creates  []CreateRequest
	requests []string // "METHOD path?query", creates included
	refresh  func(p *Payment)
	script   []func(w http.ResponseWriter, req CreateRequest) // one for each coming create
	down     bool
}

func newFakeAPI(t *testing.T) *fakeAPI {
	f := &fakeAPI{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/payments", f.create)
	mux.HandleFunc("GET /v1/payments", f.list)
	mux.HandleFunc("POST /v1/payments/{id}/refresh", f.refreshOne)
	mux.HandleFunc("GET /wallet/{attempt}", f.wallet)
	mux.HandleFunc("POST /wallet/{attempt}", f.confirm)
	f.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, r.Method+" "+r.URL.RequestURI())
		down := f.down
		f.mu.Unlock()
		if down {
			drop(w)
			return
		}
		if regexp.MustCompile(`^/v1/`).MatchString(r.URL.Path) && r.Header.Get("Authorization") != "Bearer "+testKey {
			sayProblem(w, http.StatusUnauthorized, "UNAUTHORIZED", nil)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(f.srv.Close)
	return f
}

// drop ends the connection without an answer.
func drop(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func sayJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func sayProblem(w http.ResponseWriter, status int, code string, header http.Header) {
	for k, v := range header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "detail": "scripted", "status": status})
}

func (f *fakeAPI) create(w http.ResponseWriter, r *http.Request) {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	var req CreateRequest
	if err := dec.Decode(&req); err != nil || !regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`).MatchString(req.MerchantOrderID) {
		sayProblem(w, http.StatusBadRequest, "INVALID", nil)
		return
	}
	f.mu.Lock()
	f.creates = append(f.creates, req)
	var script func(http.ResponseWriter, CreateRequest)
	if len(f.script) > 0 {
		script, f.script = f.script[0], f.script[1:]
	}
	f.mu.Unlock()
	if script != nil {
		script(w, req)
		return
	}
	p, fresh := f.store(req, "PENDING")
	switch {
	case !fresh && (p.Method != req.Method || p.Flow != req.Flow || p.Amount != req.Amount):
		sayProblem(w, http.StatusConflict, "DUPLICATE_ORDER", nil)
	case !fresh:
		sayJSON(w, http.StatusOK, p)
	default:
		sayJSON(w, http.StatusCreated, p)
	}
}

// store keeps a payment for a request, or finds the one it made before.
func (f *fakeAPI) store(req CreateRequest, status string) (p Payment, fresh bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, old := range f.payments {
		if old.MerchantOrderID == req.MerchantOrderID {
			if old.Status == "CREATED" {
				old.Status, old.NextAction = status, f.action(req, status)
			}
			return *old, false
		}
	}
	n := &Payment{
		ID: "pay_" + newID(), MerchantOrderID: req.MerchantOrderID, OrderGroup: req.OrderGroup, Amount: req.Amount, Currency: req.Currency,
		Method: req.Method, Flow: req.Flow, Status: status, CreatedAt: time.Now().UTC(), NextAction: f.action(req, status),
	}
	f.payments = append(f.payments, n)
	return *n, true
}

func (f *fakeAPI) action(req CreateRequest, status string) *NextAction {
	link := f.srv.URL + "/wallet/" + req.MerchantOrderID + "?back=" + req.ReturnURL
	switch {
	case status != "PENDING":
		return nil
	case req.Flow == flowQR:
		return &NextAction{Type: "qr_code", URL: link, QRCode: "https://qr.alipay.example/" + req.MerchantOrderID}
	default:
		return &NextAction{Type: "redirect", URL: link}
	}
}

func (f *fakeAPI) list(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q := r.URL.Query()
	data := []Payment{}
	for _, p := range f.payments {
		if (q.Has("order_group") && p.OrderGroup == q.Get("order_group")) || (q.Has("merchant_order_id") && p.MerchantOrderID == q.Get("merchant_order_id")) {
			data = append(data, *p)
		}
	}
	slices.Reverse(data)
	if limit, _ := strconv.Atoi(q.Get("limit")); limit < 1 || limit > 200 {
		sayProblem(w, http.StatusBadRequest, "INVALID", nil)
		return
	}
	sayJSON(w, http.StatusOK, map[string]any{"data": data, "next_cursor": ""})
}

func (f *fakeAPI) refreshOne(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.payments {
		if p.ID == r.PathValue("id") {
			if f.refresh != nil {
				f.refresh(p)
			}
			sayJSON(w, http.StatusOK, *p)
			return
		}
	}
	sayProblem(w, http.StatusNotFound, "NOT_FOUND", nil)
}

// wallet is a page to pay on, or to leave without paying.
func (f *fakeAPI) wallet(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = w.Write([]byte(`<meta name=viewport content="width=device-width"><h1>Wallet</h1><form method=post><button id=confirm>Confirm</button></form><a id=leave href="` + r.URL.Query().Get("back") + `">Leave</a>`))
}

func (f *fakeAPI) confirm(w http.ResponseWriter, r *http.Request) {
	f.update(r.PathValue("attempt"), succeed)
	http.Redirect(w, r, r.URL.Query().Get("back"), http.StatusSeeOther)
}

func succeed(p *Payment) {
	now := time.Now().UTC()
	p.Status, p.PaidAt = "SUCCEEDED", &now
}

func setStatus(status string) func(*Payment) { return func(p *Payment) { p.Status = status } }

// update changes a stored payment.
func (f *fakeAPI) update(attempt string, change func(*Payment)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.payments {
		if p.MerchantOrderID == attempt {
			change(p)
		}
	}
}

// next scripts the coming creates.
func (f *fakeAPI) next(script ...func(http.ResponseWriter, CreateRequest)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = append(f.script, script...)
}

func (f *fakeAPI) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *fakeAPI) onRefresh(change func(*Payment)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh = change
}

// sent returns the create requests so far.
func (f *fakeAPI) sent() []CreateRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.creates)
}

// stored returns the payments so far, oldest first.
func (f *fakeAPI) stored() []Payment {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]Payment, 0, len(f.payments))
	for _, p := range f.payments {
		list = append(list, *p)
	}
	return list
}

// asked reports whether a request was made whose line matches.
func (f *fakeAPI) asked(pattern string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.requests, regexp.MustCompile(pattern).MatchString)
}
