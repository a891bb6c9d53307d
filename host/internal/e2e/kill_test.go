package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// TestPayment is the whole path when all goes well.
func TestPayment(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	status, p := r.do("POST", "/v1/payments", order("o1"))
	if status != http.StatusCreated || p.Status != "PENDING" {
		t.Fatalf("%d, %+v", status, p)
	}
	r.pay("o1")
	p = r.becomes("o1", "SUCCEEDED")
	if !strings.Contains(sources(p), "notification query") {
		t.Errorf("it wasn't asked about after the notification: %s", sources(p))
	}
}

// sources joins who said something in the timeline.
func sources(p payment) string {
	var all []string
	for _, e := range p.Timeline {
		all = append(all, e.Source)
	}
	return strings.Join(all, " ")
}

// TestNoNotification: polling alone ends a payment.
func TestNoNotification(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.deaf.Store(true)
	r.do("POST", "/v1/payments", order("o1"))
	r.pay("o1")
	r.becomes("o1", "SUCCEEDED")
}

// TestHostKilledDuringCreate: the acquirer has the order, the host doesn't know
// it. After the restart the host asks and does not order again.
func TestHostKilledDuringCreate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acquirer().Inject(cbtistest.Fault{Kind: cbtistest.KindDelayAfter, Op: cbtistest.OpCreate, Times: 1, Delay: time.Minute})
	go func() { _, _, _ = r.try("POST", "/v1/payments", order("o1")) }()
	r.until("the acquirer has the order", func() bool { return r.orders() == 1 })
	plugin := r.plugin()
	r.killHost()
	r.until("the plugin ends with its host", func() bool { return syscall.Kill(plugin, 0) != nil })
	r.startHost()
	r.becomes("o1", "PENDING")
	r.pay("o1")
	p := r.becomes("o1", "SUCCEEDED")
	if r.orders() != 1 || !strings.Contains(sources(p), "create query") {
		t.Errorf("%d orders, %s", r.orders(), sources(p))
	}
}

// TestHostKilledWhilePending: the notification finds no host; the acquirer sends
// it again, or the new host asks.
func TestHostKilledWhilePending(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.do("POST", "/v1/payments", order("o1"))
	r.killHost()
	r.pay("o1")
	r.startHost()
	r.becomes("o1", "SUCCEEDED")
	if r.orders() != 1 {
		t.Errorf("%d orders", r.orders())
	}
}

// TestPluginKilledDuringCreate: the call is lost, so the outcome is unknown; the
// restarted plugin is asked.
func TestPluginKilledDuringCreate(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acquirer().Inject(cbtistest.Fault{Kind: cbtistest.KindDelayAfter, Op: cbtistest.OpCreate, Times: 1, Delay: time.Minute})
	answered := make(chan int, 1)
	go func() {
		status, _, _ := r.try("POST", "/v1/payments", order("o1"))
		answered <- status
	}()
	r.until("the acquirer has the order", func() bool { return r.orders() == 1 })
	if err := syscall.Kill(r.plugin(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if status := <-answered; status != http.StatusAccepted {
		t.Errorf("the shop was answered %d", status)
	}
	r.becomes("o1", "PENDING")
	r.pay("o1")
	p := r.becomes("o1", "SUCCEEDED")
	if r.orders() != 1 || p.Timeline[1].Status != "UNKNOWN" {
		t.Errorf("%d orders, %+v", r.orders(), p.Timeline)
	}
}

// plugin returns the process id of the plugin.
func (r *rig) plugin() int {
	r.t.Helper()
	q, _ := http.NewRequest("GET", r.host().url+"/v1/providers", nil)
	q.Header.Set("Authorization", "Bearer "+key)
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer a.Body.Close()
	var list struct {
		Data []struct{ Process struct{ PID int } }
	}
	if err := json.NewDecoder(a.Body).Decode(&list); err != nil || len(list.Data) != 1 || list.Data[0].Process.PID == 0 {
		r.t.Fatalf("%+v, %v", list, err)
	}
	return list.Data[0].Process.PID
}

// TestAcquirerKilled: without a login nothing was ordered, and the same request
// tries again; a payment under way waits for the acquirer to come back.
func TestAcquirerKilled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.acquirer().Inject(cbtistest.Fault{Kind: cbtistest.KindHTTPErrorBefore, Op: cbtistest.OpAuth, Times: 1})
	status, p := r.do("POST", "/v1/payments", order("o1"))
	if status != http.StatusServiceUnavailable || p.ID == "" {
		t.Fatalf("%d, %+v", status, p)
	}
	if status, p := r.do("POST", "/v1/payments", order("o1")); status != http.StatusCreated || p.Status != "PENDING" {
		t.Fatalf("%d, %+v", status, p)
	}
	r.pay("o1")
	r.acquirer().Close() // with the notification perhaps under way
	r.startAcquirer()
	r.becomes("o1", "SUCCEEDED")
	if r.orders() != 1 {
		t.Errorf("%d orders", r.orders())
	}
}

// TestLostAnswers: whatever happens on the way, there is one order and it is paid.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, kind := range []cbtistest.Kind{cbtistest.KindCloseAfter, cbtistest.KindHTTPErrorAfter, cbtistest.KindTruncatedJSON} {
		id := strings.ReplaceAll(string(kind), "_", "-")
		r.acquirer().Inject(cbtistest.Fault{Kind: kind, Op: cbtistest.OpCreate, Times: 1})
		if status, p := r.do("POST", "/v1/payments", order(id)); status != http.StatusAccepted || p.Status != "UNKNOWN" {
			t.Errorf("%s: %d, %+v", kind, status, p)
		}
		r.pay(id)
		r.becomes(id, "SUCCEEDED")
	}
	if r.orders() != 3 {
		t.Errorf("%d orders", r.orders())
	}
}
