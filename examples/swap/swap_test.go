package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/paymux/paymux/examples/internal/acquirers"
)

// TestMain runs the tests, or, for a test that kills it, the program itself.
func TestMain(m *testing.M) {
	if os.Getenv("SWAP_TEST_MAIN") != "" {
		main()
		os.Exit(0)
	}
	code := m.Run()
	if bin != "" {
		os.RemoveAll(bin)
	}
	os.Exit(code)
}

// bin holds the binaries, once a test has asked for them.
var bin string

var build = sync.OnceValue(func() (err error) {
	if bin, err = os.MkdirTemp("", "paymux-swap-bin-"); err != nil {
		return err
	}
	return acquirers.Build(bin)
})

func needBinaries(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED, NOT PASSED: it builds and starts everything; run it without -short")
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
}

// TestSwap: every acquirer has its time, a config that would drop open payments
// is refused, nothing fails or is paid twice, and no secret is printed.
func TestSwap(t *testing.T) {
	needBinaries(t)
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if err := run(t.Context(), []string{"-payments", "8", "-shoppers", "4", "-bin", bin, "-dir", dir}, &out, &errs); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, logName))
		t.Fatalf("%v\n%s%s%s", err, &out, &errs, log)
	}
	rest := out.String()
	for _, step := range []string{
		`all at cbtis +alipay_hk +cbtis `, `alipay_cn +cbtis `, `hk: 25% airwallex`, `hk: 50%; cn: stripe`, `alipay_cn +stripe `,
		`hk: 100%; cn: stripe +alipay_hk +airwallex `, `alipay_cn +stripe `,
		`Without airwallex and stripe the config is refused:`,
		`paymux\.yaml:\d+:\d+: providers: airwallex is dropped, but \d+ payment\(s\) of it haven't ended`, `stripe is dropped, but \d+ payment`,
		`all to antom +alipay_hk +antom `, `alipay_cn +antom `, `back to cbtis +alipay_hk +cbtis `, `alipay_cn +cbtis `,
		`airwallex, antom, stripe are dropped from the config`,
		`payments in all +\d+\n`, `failed +0\n`, `doubled.* 0\n`, `astray.* 0\n`, `events lost +0\n$`,
	} {
		at := regexp.MustCompile(step).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("%q is missing or too early in\n%s", step, &out)
		}
		rest = rest[at[1]:]
	}
	log, err := os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(dir, configName))
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := os.ReadDir(filepath.Join(dir, "secrets"))
	if err != nil || len(secrets) < 8 {
		t.Fatal(secrets, err)
	}
	for _, f := range secrets {
		secret, err := os.ReadFile(filepath.Join(dir, "secrets", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String()+string(log)+string(config), strings.TrimSpace(string(secret))) {
			t.Errorf("%s shows", f.Name())
		}
	}
}

// lockedBuffer is read while the program writes to it.
type lockedBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	waiting string
	found   chan struct{}
}

func newBuffer(waiting string) *lockedBuffer {
	return &lockedBuffer{waiting: waiting, found: make(chan struct{})}
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.b.Write(p)
	if l.waiting != "" && strings.Contains(l.b.String(), l.waiting) {
		l.waiting = ""
		close(l.found)
	}
	return n, err
}

// TestKilled: who kills the program leaves nothing running.
func TestKilled(t *testing.T) {
	needBinaries(t)
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED, NOT PASSED: only Linux ends a child with its parent")
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		dir := t.TempDir()
		out := newBuffer("all at cbtis")
		program := exec.Command(os.Args[0], "-payments", "4", "-bin", bin, "-dir", dir)
		program.Env = append(os.Environ(), "SWAP_TEST_MAIN=1")
		program.Stdout, program.Stderr = out, out
		if err := program.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-out.found:
		case <-time.After(time.Minute):
			t.Error("it doesn't get to its first line")
		}
		if err := program.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := program.Wait(); err == nil {
			t.Errorf("after %v it says that all went well", signal)
		}
		waitForUnlock(t, filepath.Join(dir, "paymux.db.lock"))
	}
}

// waitForUnlock waits until paymux has let go of its store, which its end does.
func waitForUnlock(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("paymux still runs")
		}
	}
}

// TestPaymuxDies: a paymux that ends is said at once, and is no success.
func TestPaymuxDies(t *testing.T) {
	needBinaries(t)
	o := options{payments: 50, shoppers: 4, bin: bin, dir: t.TempDir()}
	out := newBuffer("all at cbtis")
	w, err := open(t.Context(), o, out)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	ended := make(chan error, 1)
	go func() { ended <- w.play(t.Context()) }()
	select {
	case <-out.found:
	case err := <-ended:
		t.Fatal(err)
	}
	if err := w.daemon.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "paymux ended: signal: killed") {
		t.Error(err)
	}
}

// TestVerdict: whatever went wrong is counted, and is no success.
func TestVerdict(t *testing.T) {
	at := func(name string, orders ...acquirers.Order) *acquirers.Acquirer {
		return &acquirers.Acquirer{Name: name, Orders: func() []acquirers.Order { return orders }}
	}
	paid := payment{order: "o1", provider: "a", succeeded: true, ended: true}
	unpaid := payment{order: "o1", provider: "a", ended: true, err: errors.New("no")}
	order := acquirers.Order{ID: "1", MerchantOrderID: "o1", Paid: true}
	open := acquirers.Order{ID: "2", MerchantOrderID: "o1"}
	for name, tt := range map[string]struct {
		payment         payment
		a, b            []acquirers.Order
		doubled, astray int
	}{
		"well":              {paid, []acquirers.Order{order}, nil, 0, 0},
		"twice at one":      {paid, []acquirers.Order{order, order}, nil, 1, 0},
		"at two":            {paid, []acquirers.Order{order}, []acquirers.Order{order}, 1, 0},
		"a second order":    {paid, []acquirers.Order{order}, []acquirers.Order{open}, 1, 0},
		"not charged":       {paid, []acquirers.Order{open}, nil, 0, 1},
		"at another":        {paid, nil, []acquirers.Order{order}, 0, 1},
		"failed, not paid":  {unpaid, []acquirers.Order{open}, nil, 0, 0},
		"failed, yet paid":  {unpaid, []acquirers.Order{order}, nil, 0, 1},
		"nobody's":          {paid, []acquirers.Order{order, {ID: "3", MerchantOrderID: "o2"}}, nil, 0, 1},
		"failed, no order":  {unpaid, nil, nil, 0, 0},
		"succeeded nowhere": {paid, nil, nil, 0, 1},
	} {
		w := world{acquirers: acquirers.Set{at("a", tt.a...), at("b", tt.b...)}}
		if doubled, astray := w.ledgers([]payment{tt.payment}); doubled != tt.doubled || astray != tt.astray {
			t.Errorf("%s: %d doubled, %d astray; want %d, %d", name, doubled, astray, tt.doubled, tt.astray)
		}
	}
	for _, c := range []count{{failed: 1}, {doubled: 1}, {astray: 1}, {lost: 1}} {
		if c.err() == nil {
			t.Errorf("%+v is a success", c)
		}
	}
	if err := (count{payments: 3}).err(); err != nil {
		t.Error(err)
	}
}

// TestLost: gaps in a payment's events are lost ones, and so is its end.
func TestLost(t *testing.T) {
	in := inbox{seen: map[string]map[int]string{
		"whole":   {1: "payment.pending", 2: "payment.succeeded"},
		"gap":     {2: "payment.succeeded"},
		"no end":  {1: "payment.pending"},
		"unasked": {},
	}}
	for id, want := range map[string]int{"whole": 0, "gap": 1, "no end": 1, "nothing": 1} {
		if got, _ := in.lost([]string{id}); got != want {
			t.Errorf("%s: %d lost, want %d", id, got, want)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"-payments", "0"}, {"-shoppers", "1"}, {"now"}, {"-bin", t.TempDir(), "-dir", t.TempDir()}} {
		var out bytes.Buffer
		if err := run(t.Context(), args, &out, &out); err == nil {
			t.Errorf("%v: no error\n%s", fmt.Sprint(args), &out)
		}
	}
}
