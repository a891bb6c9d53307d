//go:build linux

package chaos

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/paymux/paymux/providers/alipayhk/cbtistest"
)

// TestPlugin kills or freezes a plugin in the middle of a call. The payment ends
// right, the host lives, and payments of another process go on meanwhile.
func TestPlugin(t *testing.T) {
	t.Parallel()
	signals := map[string]syscall.Signal{"kill": syscall.SIGKILL, "stop": syscall.SIGSTOP}
	for _, e := range engines {
		for name, signal := range signals {
			for _, op := range []cbtistest.Op{cbtistest.OpCreate, cbtistest.OpQuery} {
				for _, kind := range []cbtistest.Kind{cbtistest.KindDelay, cbtistest.KindDelayAfter} {
					// A frozen plugin is found out after twenty seconds, a query is repeated after fifteen.
					slow := signal == syscall.SIGSTOP || op == cbtistest.OpQuery && e.name == postgres.name
					if !full && (slow || kind == cbtistest.KindDelay) {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s-%s-%s", e.name, name, op, kind), func(t *testing.T) {
						t.Parallel()
						harmPlugin(t, e, signal, op, kind)
					})
				}
			}
		}
	}
}

func harmPlugin(t *testing.T, e engine, signal syscall.Signal, op cbtistest.Op, kind cbtistest.Kind) {
	e.has(t)
	w := newWorld(t, e)
	h := w.mustStart(plain)
	victim := request{id: "victim"}
	harmed := make(chan error, 1)
	if op == cbtistest.OpQuery {
		if _, err := w.order(victim); err != nil {
			t.Fatal(err)
		}
	}
	pid, err := h.pluginOf("cbtis")
	if err != nil {
		t.Fatal(err)
	}
	fault := w.sandbox.Inject(cbtistest.Fault{Kind: kind, Op: op, Times: 1, Delay: time.Minute, MatchMerchantOrderID: victim.id})
	if op == cbtistest.OpQuery {
		go func() { harmed <- w.pay(victim) }() // the notification makes the host ask
	} else {
		go func() { harmed <- w.buy(victim) }()
	}
	inCall := func() bool {
		return w.under(victim.id, string(op)) && (kind == cbtistest.KindDelay || w.recorded(victim.id))
	}
	if err := w.await("the call is under way", inCall); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
	w.sandbox.ClearFaults(fault)
	other := w.buy(request{id: "other", provider: "other"})
	if signal == syscall.SIGSTOP && !w.isPlugin(fmt.Sprintf("/proc/%d", pid)) {
		other = errors.Join(other, errors.New("a payment of another process had to wait until the frozen one was killed"))
	}
	err = <-harmed
	same := w.buy(request{id: "after"}) // by the new process
	if !h.alive() {
		t.Error("the host ended")
	}
	w.finish("b plugin "+map[syscall.Signal]string{syscall.SIGKILL: "killed", syscall.SIGSTOP: "frozen"}[signal]+" in a call, "+e.name, 1, err, other, same)
}

// recorded reports whether the acquirer has an order.
func (w *world) recorded(id string) bool {
	_, ok := w.sandbox.Order(id)
	return ok
}
