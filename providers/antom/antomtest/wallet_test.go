package antomtest

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestWalletPage(t *testing.T) {
	s := Start(t, Options{})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	do := func(method, url string) (int, string, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body), resp.Header.Get("Location")
	}
	for id, test := range map[string]struct {
		button string
		want   Status
	}{"P1": {"pay", Success}, "P2": {"cancel", Cancelled}} {
		mustPay(t, s, id)
		o, _ := s.Order(id)
		if status, page, _ := do("GET", o.Link); status != 200 || !strings.Contains(page, "HKD 1.50") || !strings.Contains(page, "AlipayHK") || !strings.Contains(page, `id="pay"`) {
			t.Errorf("got %d %s", status, page)
		}
		if status, _, to := do("POST", o.Link+"/"+test.button); status != http.StatusSeeOther || to != "https://shop.example/thanks" {
			t.Errorf("got %d, %q", status, to)
		}
		if o, _ := s.Order(id); o.Status != test.want {
			t.Errorf("%s: %s", test.button, o.Status)
		}
		if status, page, _ := do("POST", o.Link+"/pay"); status != http.StatusConflict || strings.Contains(page, `id="pay"`) {
			t.Errorf("again: %d %s", status, page)
		}
	}
	for _, call := range [][2]string{{"GET", "/wallet/P1"}, {"POST", "/wallet/P1/pay"}, {"GET", "/wallet/0"}} {
		if status, _, _ := do(call[0], s.URL+call[1]); status != http.StatusNotFound {
			t.Errorf("%v: %d", call, status)
		}
	}
}
