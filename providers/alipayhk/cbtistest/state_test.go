package cbtistest_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

func TestStateSurvivesRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	o := cbtistest.Options{StateFile: file}
	first := cbtistest.Start(t, o)
	c := newClient(t, first)
	paid := c.order("A")
	c.order("B")
	mustPay(t, first, "A")
	c.post(refundPath, refundBody("A", "R1", "30"))
	first.Close()

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{c.token, cbtistest.DefaultClientSecret, cbtistest.DefaultWebhookKey} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the state file holds %q", secret)
		}
	}

	second := cbtistest.Start(t, o)
	c.base = second.URL // with the old token
	if r := c.post(queryPath, `{"merchant_order_id":"A"}`); r.Data["order_id"] != paid || r.Data["status"] != "SUCCEEDED" {
		t.Errorf("query: %s", r.raw)
	}
	if r := c.post(createPath, body("B")); r.Code != 40900 {
		t.Errorf("B again: %s", r.raw)
	}
	if r := c.post(refundPath, refundBody("A", "R1", "1")); r.Code != 40901 {
		t.Errorf("R1 again: %s", r.raw)
	}
	if r := c.post(refundPath, refundBody("A", "R2", "70.01")); r.Code != 40904 {
		t.Errorf("too much: %s", r.raw)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// A notification that failed twice goes on with its third attempt, at its time;
// a pending refund settles.
func TestNotificationsAndRefundsResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := cbtistest.Options{
			StateFile: filepath.Join(t.TempDir(), "state.json"), HTTPClient: &http.Client{Transport: always(500)},
			RefundOutcome: cbtistest.RefundPendingFails, RefundSettleAfter: time.Hour,
		}
		first := cbtistest.NewServer(o)
		c := inMemory(t, first)
		c.order("A", withURL("notify_url", "http://shop.test/n")...)
		start := time.Now()
		mustPay(t, first, "A")
		c.post(refundPath, refundBody("A", "R1", "30"))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		first.Close()

		o.HTTPClient = &http.Client{Transport: always(200)}
		second := cbtistest.NewServer(o)
		defer second.Close()
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		got := second.Notifications()
		if at := offsets(got, start); !slices.Equal(at, seconds(45, 3600)) || got[0].Attempt != 3 || got[1].Type != "refund_failed" {
			t.Errorf("attempts after the restart: %+v", got)
		}
	})
}

func TestInterruptedAttemptIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		o := cbtistest.Options{StateFile: filepath.Join(t.TempDir(), "state.json"), HTTPClient: &http.Client{Transport: hang}}
		first := cbtistest.NewServer(o)
		inMemory(t, first).order("A", withURL("notify_url", "http://shop.test/n")...)
		mustPay(t, first, "A")
		synctest.Wait()
		first.Close()

		o.HTTPClient = &http.Client{Transport: always(200)}
		second := cbtistest.NewServer(o)
		defer second.Close()
		synctest.Wait()
		if n := second.Notifications(); len(n) != 1 || n[0].Attempt != 1 || !n[0].Delivered {
			t.Errorf("attempts after the restart: %+v", n)
		}
	})
}

func TestBadStateFile(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON": "{", "version": `{"version":99,"uid":"39172931"}`, "uid": `{"version":1,"uid":"1"}`, "member": `{"version":1,"uid":"39172931","x":1}`,
	} {
		file := filepath.Join(t.TempDir(), "state.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if srv, err := cbtistest.New(cbtistest.Options{StateFile: file}); err == nil {
			srv.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestUnwritableStateIsAnError(t *testing.T) {
	c := newClientWithoutLogin(t, cbtistest.Start(t, cbtistest.Options{StateFile: filepath.Join(t.TempDir(), "missing", "state.json")}))
	if r := c.send("GET", "/mch-api/v1/auth?"+goodAuth, "", ""); r.status != 500 || r.Code != 50000 {
		t.Errorf("answered %d %s", r.status, r.raw)
	}
}

func newClientWithoutLogin(t *testing.T, srv *cbtistest.Server) *client {
	return &client{t: t, do: http.DefaultTransport.RoundTrip, base: srv.URL}
}
