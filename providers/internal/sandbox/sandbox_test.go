package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// One fault at a time, beside every delay, each as often as was wanted.
func TestFaults(t *testing.T) {
	var faults Faults[string]
	faults.Inject("slow", 0, true)
	once := faults.Inject("cut", 1, false)
	faults.Inject("page", 2, false)
	all := func(string) bool { return true }
	for i, want := range [][]string{{"slow", "cut"}, {"slow", "page"}, {"slow", "page"}, {"slow"}} {
		if got := faults.Take(all); !reflect.DeepEqual(got, want) {
			t.Errorf("call %d suffers %v, want %v", i+1, got, want)
		}
	}
	if got := faults.Take(func(f string) bool { return f == "cut" }); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if got := faults.List(); len(got) != 1 || got[0].Used != 4 || faults.Clear(once) != 0 || faults.Clear() != 1 {
		t.Errorf("left: %v", got)
	}
}

func TestLogForgets(t *testing.T) {
	log := Log[int]{Limit: 2}
	for i := range 4 {
		log.Add(i)
	}
	if got := log.List(); !reflect.DeepEqual(got, []int{2, 3}) {
		t.Errorf("got %v", got)
	}
}

// receiver is where notifications go, without a network.
type receiver func(*http.Request) (*http.Response, error)

func (f receiver) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNotifications(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRunner(&http.Client{Transport: receiver(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})})
		defer r.Close()
		begun := time.Now()
		r.Send(0, func() {
			if status, _, err := r.Post("http://shop.test/", nil, nil, time.Minute); status != 0 || err == nil || err.Error() != "no answer within 1m0s" {
				t.Errorf("got %d, %v", status, err)
			}
			r.Send(time.Hour, func() { _, _, _ = r.Post("http://shop.test/", nil, nil, 0) })
		})
		if err := r.Idle(t.Context()); err != nil || time.Since(begun) != time.Minute {
			t.Errorf("idle after %s, %v", time.Since(begun), err)
		}
		time.Sleep(time.Hour)
		synctest.Wait() // the second attempt is due
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Idle(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("idle while it is sending: %v", err)
		}
	})
}

// What waits or sends ends with Close, and nothing begins after it.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRunner(&http.Client{Transport: receiver(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})})
		h := r.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
		call := func() int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			return w.Code
		}
		if got := call(); got != http.StatusNoContent {
			t.Errorf("got %d", got)
		}
		r.After(time.Hour, func() { t.Error("it ran after Close") })
		paused := make(chan bool, 1)
		r.Send(0, func() {
			_, _, err := r.Post("http://shop.test/", nil, nil, 0)
			paused <- err == nil || r.Pause(context.Background(), time.Hour)
		})
		synctest.Wait()
		r.Close()
		r.Close()
		r.Send(0, func() { t.Error("it began after Close") })
		if err := r.Idle(t.Context()); err != nil {
			t.Error(err)
		}
		if got := call(); <-paused || got != http.StatusServiceUnavailable || !r.Closed() {
			t.Errorf("got %d", got)
		}
	})
}

func TestWallet(t *testing.T) {
	closed := errors.New("too late")
	press := func(err error) func(string) (Payment, error) {
		return func(id string) (Payment, error) { return Payment{ID: id, Wallet: "AlipayHK"}, err }
	}
	mux := http.NewServeMux()
	Wallet[Payment]{
		Find:   func(id string) (Payment, bool) { return Payment{ID: id, Wallet: "Alipay", Open: true}, id == "1" },
		View:   func(p Payment) Payment { return p },
		Pay:    press(closed),
		Cancel: press(io.ErrShortWrite), // the sandbox's disk is full
		Closed: closed,
	}.Route(mux)
	for call, want := range map[string]struct {
		status int
		text   string
	}{
		"GET /wallet/1":         {200, "Confirm payment"},
		"GET /wallet/2":         {404, "Payment not found"},
		"POST /wallet/2/pay":    {404, "Payment not found"},
		"POST /wallet/1/pay":    {409, "Payment closed"},
		"POST /wallet/1/cancel": {500, "short write"},
	} {
		method, path, _ := strings.Cut(call, " ")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != want.status || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d %s", call, w.Code, w.Body)
		}
	}
}
