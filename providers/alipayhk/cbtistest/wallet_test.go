package cbtistest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

func TestWalletPage(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	r := c.post(createPath, body("A", "Tea", "<b>Tea & cake</b>"))
	next := r.Data["next_action"].(map[string]any)
	page := c.send("GET", path(t, next["url"].(string)), "", "")
	for _, want := range []string{
		"SANDBOX – no real money", "AlipayHK", "100.00", ">A<", "&lt;b&gt;Tea &amp; cake&lt;/b&gt;",
		`id="pay"`, `id="cancel"`, `aria-label="Pay HKD 100.00"`, `name="viewport"`, `lang="en"`,
	} {
		if !strings.Contains(page.raw, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page.raw, "<script") || strings.Contains(page.raw, "ZgotmplZ") {
		t.Errorf("the page has a script or a refused value: %s", page.raw)
	}
	cn := c.order("B", `"ALIPAYHK"`, `"ALIPAYCN"`)
	if page := c.send("GET", "/wallet/"+cn, "", ""); !strings.Contains(page.raw, "#0e64d8") || strings.Contains(page.raw, "AlipayHK") {
		t.Error("the Alipay page has another brand")
	}
}

func TestWalletButtons(t *testing.T) {
	for button, status := range map[string]cbtistest.Status{"pay": cbtistest.Succeeded, "cancel": cbtistest.Cancelled} {
		t.Run(button, func(t *testing.T) {
			srv := cbtistest.Start(t, cbtistest.Options{})
			c := newClient(t, srv)
			back := "https://shop.example/done?order=A&x=%2F#top"
			withReturn, without := c.order("A", withURL("return_url", back)...), c.order("B")

			if r := c.send("POST", "/wallet/"+withReturn+"/"+button, "", ""); r.status != 303 || r.header.Get("Location") != back {
				t.Errorf("went to %d %q, want %q", r.status, r.header.Get("Location"), back)
			}
			r := c.send("POST", "/wallet/"+without+"/"+button, "", "")
			result := c.send("GET", r.header.Get("Location"), "", "")
			if r.status != 303 || !strings.Contains(result.raw, string(status)) || strings.Contains(result.raw, "<form") {
				t.Errorf("went to %d %q: %s", r.status, r.header.Get("Location"), result.raw)
			}
			for _, id := range []string{"A", "B"} {
				if o, _ := srv.Order(id); o.Status != status {
					t.Errorf("%s is %s", id, o.Status)
				}
			}
		})
	}
}

func TestWalletOfClosedOrder(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	paid, cancelled := c.order("A", withURL("return_url", "https://shop.example/")...), c.order("B")
	mustPay(t, srv, "A")
	if _, err := srv.Cancel("B"); err != nil {
		t.Fatal(err)
	}
	before := srv.Orders()
	for _, id := range []string{paid, cancelled} {
		for _, button := range []string{"pay", "cancel"} {
			r := c.send("POST", "/wallet/"+id+"/"+button, "", "")
			if r.status != http.StatusConflict || strings.Contains(r.raw, "<form") || !strings.Contains(r.raw, "Payment ") {
				t.Errorf("%s: %d %s", button, r.status, r.raw)
			}
		}
	}
	if r := c.send("GET", "/wallet/"+paid, "", ""); !strings.Contains(r.raw, `href="https://shop.example/"`) {
		t.Error("the result page doesn't lead back to the shop")
	}
	for i, o := range srv.Orders() {
		if o.Status != before[i].Status || o.PaidAt != before[i].PaidAt || o.ClosedAt != before[i].ClosedAt {
			t.Errorf("order %s changed", o.MerchantOrderID)
		}
	}
}

func TestWalletRefuses(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	id := c.order("A")
	if r := c.send("GET", "/wallet/"+id+"/pay", "", ""); r.status != http.StatusMethodNotAllowed {
		t.Errorf("GET pay: %d", r.status)
	}
	for _, p := range []string{"/wallet/C1", "/wallet/A"} { // a merchant order id could be guessed
		if r := c.send("GET", p, "", ""); r.status != 404 || !strings.Contains(r.raw, "not found") {
			t.Errorf("%s: %d", p, r.status)
		}
		if r := c.send("POST", p+"/pay", "", ""); r.status != 404 {
			t.Errorf("%s/pay: %d", p, r.status)
		}
	}
	req, _ := http.NewRequest("POST", srv.URL+"/wallet/"+id+"/pay", nil)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := c.do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if o, _ := srv.Order("A"); resp.StatusCode != 403 || o.Status != cbtistest.Pending {
		t.Errorf("another site's page: %d, the order is %s", resp.StatusCode, o.Status)
	}
}

func TestSetStatusContradicts(t *testing.T) {
	srv := cbtistest.Start(t, cbtistest.Options{})
	c := newClient(t, srv)
	c.order("A")
	for _, to := range []cbtistest.Status{cbtistest.Cancelled, cbtistest.Succeeded, cbtistest.Pending} {
		if _, err := srv.SetStatus("A", to); err != nil || c.orderStatus("A") != string(to) {
			t.Errorf("to %s: %v, %s", to, err, c.orderStatus("A"))
		}
	}
	for _, move := range []func(string) (cbtistest.Order, error){srv.Pay, srv.Cancel} {
		if _, err := move("X"); err != cbtistest.ErrNotFound {
			t.Errorf("an unknown order: %v", err)
		}
	}
}
