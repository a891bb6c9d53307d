package providernode_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/paymux/paymux/host"
	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
	"github.com/paymux/paymux/sdk"
)

// An author copies the proto; ours must not fall behind.
func TestProtoIsTheSame(t *testing.T) {
	const name = "paymux/provider/v1/provider.proto"
	ours, err := os.ReadFile(filepath.Join("proto", name))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join("..", "..", "sdk", "wire", "proto", name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, theirs) {
		t.Errorf("copy sdk/wire/proto/%s to examples/provider-node/proto", name)
	}
}

// Registries differ from machine to machine; the digests say what is meant.
func TestLockFileNamesNoRegistry(t *testing.T) {
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(lock, []byte(`"resolved"`)) {
		t.Error(`package-lock.json has "resolved"; delete those lines`)
	}
}

// The tests in JavaScript are about what the host can't see.
func TestUnits(t *testing.T) {
	needNode(t)
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "node", "--test", "units.test.js")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestByHand(t *testing.T) {
	needNode(t)
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "./paymux-provider-node")
	cmd.Env = []string{} // as clean as the host's
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "started by a paymux host") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestDescription(t *testing.T) {
	r := newRig(t)
	info := r.provider()
	if info.Acquirer != "CBTIS" || !strings.HasSuffix(info.Account, "/"+cbtistest.DefaultUID) || len(info.Capabilities.Payments) != 6 ||
		info.Capabilities.NotifyURL != "per_payment" || !info.Capabilities.QueryByMerchantOrder || info.Capabilities.CreateRetry != "none" {
		t.Errorf("%+v", info)
	}
	if until, err := r.host.Authorize(t.Context(), "cbtis"); err != nil || until.IsZero() {
		t.Errorf("%v, %v", until, err)
	}
}

// Every row that the plugin describes works, and amounts arrive to the cent.
func TestPay(t *testing.T) {
	r := newRig(t)
	amounts := []string{"100.00", "0.01", "0.10", "1.50", "1", "12345678.90"}
	for i, row := range r.provider().Capabilities.Payments {
		id := string(row.Method) + "-" + string(row.Flow)
		req := order(id)
		req.Amount, req.Method, req.Flow = amounts[i], string(row.Method), string(row.Flow)
		p := r.create(req, "PENDING")
		if a := p.NextAction; a == nil || a.Type != row.Actions[0] || a.URL == "" && a.QRCode == "" {
			t.Errorf("%s: next action %+v", id, a)
		}
		r.pay(id)
		p = r.becomes(p, "SUCCEEDED")
		if p.Review != nil || p.PaidAt.IsZero() || p.ProviderOrderID == "" {
			t.Errorf("%s: %+v", id, p)
		}
		if got, want := charged(t, r, id), mustMoney(t, req.Amount); !got.Equal(want) {
			t.Errorf("%s: the payer was charged %s, not %s", id, got, want)
		}
	}
}

func charged(t *testing.T, r *rig, id string) sdk.Money {
	t.Helper()
	for _, e := range r.sandbox.Ledger() {
		if e.MerchantOrderID == id {
			return mustMoney(t, e.Amount.String())
		}
	}
	t.Fatalf("%s isn't in the ledger", id)
	return sdk.Money{}
}

func mustMoney(t *testing.T, amount string) sdk.Money {
	t.Helper()
	m, err := sdk.ParseMoney(amount, "HKD")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The payer cancels at the wallet; the acquirer sends no notification of that.
func TestCancelledAtTheWallet(t *testing.T) {
	r := newRig(t)
	p := r.create(order("o1"), "PENDING")
	answer, err := http.Post(strings.TrimSuffix(p.NextAction.URL, "/")+"/cancel", "", nil)
	if err == nil {
		answer.Body.Close()
	}
	if o, _ := r.sandbox.Order("o1"); o.Status != cbtistest.Cancelled {
		t.Fatalf("the order is %s: %v", o.Status, err)
	}
	r.asked(p, "CANCELLED")
}

func TestForgedNotification(t *testing.T) {
	r := newRig(t)
	r.create(order("o1"), "PENDING")
	body := []byte(`{"notify_type":"payment_success","data":{"merchant_order_id":"o1"}}`)
	sign := func(key string) string {
		digest := sha256.Sum256(append(bytes.Clone(body), "."+key...))
		return hex.EncodeToString(digest[:])
	}
	for _, tt := range []struct {
		name, signature string
		want            int
	}{
		{"right", sign(cbtistest.DefaultWebhookKey), http.StatusOK},
		{"by the older key", sign("an-older-key"), http.StatusOK},
		{"by a stranger's key", sign("stranger"), http.StatusUnauthorized},
		{"in upper case", strings.ToUpper(sign(cbtistest.DefaultWebhookKey)), http.StatusUnauthorized},
		{"cut short", sign(cbtistest.DefaultWebhookKey)[:63], http.StatusUnauthorized},
		{"missing", "", http.StatusUnauthorized},
	} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.public.URL+"/v1/notifications/cbtis", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if tt.signature != "" {
			q.Header.Set("Signature", tt.signature)
		}
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != tt.want {
			t.Errorf("a signature %s is answered %d, not %d", tt.name, a.StatusCode, tt.want)
		}
	}
}

// After a lost answer the order may exist: only Query tells.
func TestLostAnswers(t *testing.T) {
	r := newRig(t)
	for _, kind := range []cbtistest.Kind{cbtistest.KindCloseAfter, cbtistest.KindHTTPErrorAfter, cbtistest.KindTruncatedJSON} {
		id := strings.ReplaceAll(string(kind), "_", "-")
		r.sandbox.Inject(cbtistest.Fault{Kind: kind, Op: cbtistest.OpCreate, Times: 1})
		p := r.create(order(id), "UNKNOWN")
		r.asked(p, "PENDING")
		r.pay(id)
		r.becomes(p, "SUCCEEDED")
	}
	if n := len(r.sandbox.Orders()); n != 3 {
		t.Errorf("%d orders", n)
	}
}

// What surely wasn't sent may be tried again; a refused token is no lost answer.
func TestNotSent(t *testing.T) {
	r := newRig(t)
	r.sandbox.Inject(cbtistest.Fault{Kind: cbtistest.KindHTTPErrorBefore, Op: cbtistest.OpAuth, Times: 1})
	r.create(order("o1"), "CREATED")
	r.create(order("o1"), "PENDING")
	r.sandbox.RevokeTokens()
	r.create(order("o2"), "PENDING")
	if n := len(r.sandbox.Orders()); n != 2 {
		t.Errorf("%d orders", n)
	}
}

// An answer about other money is passed on as it is, and the host sees it.
func TestWrongEcho(t *testing.T) {
	r := newRig(t)
	for _, field := range []string{"order_id", "merchant_order_id", "amount", "currency"} {
		id := strings.ReplaceAll(field, "_", "-")
		p := r.create(order(id), "PENDING")
		fault := r.sandbox.Inject(cbtistest.Fault{Kind: cbtistest.KindWrongEcho, Op: cbtistest.OpQuery, Field: field, MatchMerchantOrderID: id})
		r.pay(id)
		p = r.ask(p, "is under review", func(p host.Payment) bool { return p.Review != nil })
		if p.Status != "PENDING" || p.Review.Reason != "mismatch" {
			t.Errorf("%s: %s, %+v", id, p.Status, p.Review)
		}
		r.sandbox.ClearFaults(fault)
		r.asked(p, "SUCCEEDED")
	}
}

// kill ends the plugin's process and waits for its successor.
func (r *rig) kill() {
	r.t.Helper()
	before := r.provider().Process
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		r.t.Fatal(err)
	}
	r.until("the plugin runs again", func() bool {
		now := r.provider().Process
		return now.Running && now.PID != before.PID
	})
}

// The new process holds no config. It says so, is configured, and works on.
func TestKilled(t *testing.T) {
	r := newRig(t)
	p := r.create(order("o1"), "PENDING")
	r.kill()
	r.create(order("o2"), "PENDING")
	r.pay("o1")
	r.becomes(p, "SUCCEEDED")
	if n := len(r.sandbox.Requests("/mch-api/v1/auth")); n != 2 {
		t.Errorf("%d logins; each process needs one", n)
	}
}

func TestKilledDuringCreate(t *testing.T) {
	r := newRig(t)
	r.sandbox.Inject(cbtistest.Fault{Kind: cbtistest.KindDelayAfter, Op: cbtistest.OpCreate, Times: 1, Delay: 60e9})
	made := make(chan host.Created, 1)
	go func() {
		c, err := r.host.Create(t.Context(), merchant, order("o1"))
		if err != nil {
			t.Error(err)
		}
		made <- c
	}()
	r.until("the acquirer has the order", func() bool { return len(r.sandbox.Orders()) == 1 })
	r.kill()
	p := r.asked((<-made).Payment, "PENDING")
	r.pay("o1")
	p = r.becomes(p, "SUCCEEDED")
	if n := len(r.sandbox.Orders()); n != 1 || p.Timeline[1].Status != "UNKNOWN" {
		t.Errorf("%d orders, %+v", n, p.Timeline)
	}
}
